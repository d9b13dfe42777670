package harness

import (
	"context"
	"debug/buildinfo"
	"errors"
	"time"

	"github.com/google/pprof/profile"

	"github.com/org/perfgate/internal/harness/load"
	"github.com/org/perfgate/internal/harness/proc"
)

// Recording asks for a profile of a program in one sample of load, which is not to be judged, and holds it afterwards.
type Recording struct {
	// Kind of the profile: CPUProfile or AllocsProfile.
	Kind string
	// Share of the plan's runs is to be made: their first part.
	Share float64
	// Length is how long these take together, about.
	Length time.Duration

	// Profile is that of all processes of the program, nil where Missing says why there is none, and Runs how many
	// runs it is of.
	Profile *profile.Profile
	Runs    float64
	Missing string
	// Built is what the program was built of, nil where it is no Go program that can still be looked at.
	Built *buildinfo.BuildInfo

	program string
	source  profileSource
}

// profileSource is where the profile of a program comes from.
type profileSource interface {
	// environ are the variables that the program finds it by.
	environ() []string
	// begin is called between the runs of warming up and the first that counts, and end when the last has ended and
	// a server still runs.
	begin(ctx context.Context)
	end(ctx context.Context)
	// take is called when the program has ended. The profile ends at until, or where that is zero with the runs. The
	// error says what to try.
	take() (p *profile.Profile, until time.Time, err error)
	close() error
}

// everyAllocation is the setting of the runtime's that has all of them in its profile, and not some.
const everyAllocation = "memprofilerate=1"

// record has the program that is put under load recorded, where r asks for that. What it opens is closed where it fails.
func (r *LoadRun) record(target *load.Settings, row load.TargetRow) error {
	rec := r.Record
	if rec == nil {
		return nil
	}
	if r.Pprof != "" {
		rec.source = &pprofEndpoint{url: r.Pprof, kind: rec.Kind, length: rec.Length}
	} else {
		folder, err := newProfileFolder(rec.Kind, row.Program == load.MustRun)
		if err != nil {
			return err
		}
		rec.source = folder
	}
	environ := target.Env
	target.Env = func(run *int) []string {
		env := environ(run)
		if rec.Kind == AllocsProfile {
			env = withDebug(env, everyAllocation)
		}
		return append(env, rec.source.environ()...)
	}
	var err error
	if rec.program, err = proc.Find(target.Args[0], target.Dir, target.Env(new(int))); err != nil {
		return errors.Join(err, rec.close())
	}
	return nil
}

// withDebug adds a setting of the Go runtime's.
func withDebug(env []string, setting string) []string {
	if own := proc.Lookup(env, "GODEBUG"); own != "" {
		setting = own + "," + setting
	}
	return proc.WithVar(env, "GODEBUG", setting)
}

// begun is called before the first run.
func (rec *Recording) begun(ctx context.Context) {
	if rec != nil {
		rec.source.begin(ctx)
	}
}

// around makes targets tell the recording that the runs have ended.
func (rec *Recording) around(ctx context.Context, open func(context.Context) (load.Target, error)) func(context.Context) (load.Target, error) {
	if rec == nil {
		return open
	}
	return func(opening context.Context) (load.Target, error) {
		t, err := open(opening)
		if err != nil {
			return nil, err
		}
		return &recordedTarget{t, rec, ctx}, nil
	}
}

// recordedTarget is a target whose program is recorded.
type recordedTarget struct {
	load.Target
	rec *Recording
	ctx context.Context // of the sample, which ends the waiting
}

func (t *recordedTarget) Close() (load.Usage, error) {
	t.rec.source.end(t.ctx)
	return t.Target.Close()
}

// take takes what was recorded of a trace.
func (rec *Recording) take(t *load.Trace) {
	if rec == nil {
		return
	}
	p, until, err := rec.source.take()
	if err != nil {
		rec.Missing = err.Error()
		return
	}
	rec.Profile, rec.Runs = p, runsUntil(t, until)
	if rec.Runs == 0 {
		rec.Profile, rec.Missing = nil, "no run ended while the profile was taken"
	}
	for i, m := range p.Mapping {
		if rec.Built == nil && i < mostMappings {
			rec.Built = built(m.File)
		}
	}
	if rec.Built == nil {
		rec.Built = built(rec.program)
	}
}

func (rec *Recording) close() error {
	if rec == nil || rec.source == nil {
		return nil
	}
	return rec.source.close()
}

// mostMappings are looked at of a profile, of which the first is the program.
const mostMappings = 4

// runsUntil is how many runs there were until then, with a part for those that were under way; all where it is zero.
func runsUntil(t *load.Trace, until time.Time) (n float64) {
	for i := range t.Records {
		r := &t.Records[i]
		if r.Kind == load.NotStarted {
			continue
		}
		share := 1.0
		if left := until.Sub(t.Began) - time.Duration(r.Started); !until.IsZero() && left < r.Service() {
			share = max(0, left.Seconds()/r.Service().Seconds())
		}
		n += share
	}
	return n
}

// noProfile is what to try where a program leaves no profile.
func noProfile(said string) error {
	return errors.New(said + " (docs/why.md#programs-under-load)")
}

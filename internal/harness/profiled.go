package harness

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/google/pprof/profile"

	"github.com/org/perfgate/internal/profiler"
	"github.com/org/perfgate/internal/result"
)

const (
	// A share of n samples is known to within 1/√n of an operation, at worst by half of it: for a growth of a
	// share of change 4/change² samples are two standard errors, of which a CPU gives profileRate a second.
	profileRate = 250
	fewestSec   = 0.5
	mostSec     = 8
	// mostIdle is how many times longer on the clock than in CPU time a profile may take.
	mostIdle = 4
	// profileRounds is how often the sides take turns, so that a burst on the machine hits both.
	profileRounds = 4
	// mostProfile bounds a profile, in bytes when unpacked.
	mostProfile = 32 << 20
	// mostGrowths of a kind are kept.
	mostGrowths = 5
)

// profileTime is how long a side is profiled to resolve a change, which is a share of base.
func profileTime(change float64) time.Duration {
	sec := 4 / (change * change) / profileRate
	return time.Duration(min(max(sec, fewestSec), mostSec) * float64(time.Second)).Round(time.Millisecond)
}

// profiling takes profiles of one target, whose processes are at the gate.
type profiling struct {
	r    *goRunner
	time time.Duration
	cpu  [2]taken
	// allocs are those of the iterations that were profiled alone, without set-up and warm-up.
	allocs [2]taken
}

// taken are profiles of a side, the iterations in them and the CPU time that those took: on a busy machine the
// clock on the wall tells of others. Where that is 0 it is what the samples add up to.
type taken struct {
	profiles []*profile.Profile
	iters    float64
	cpu      time.Duration
	// took is the time on the clock, of what runs at the gate.
	took time.Duration
}

// Explain profiles both sides, allocations first and then CPU time, in processes of their own. Where ctx ends before
// all of that is done, what is there is compared all the same and comes back with ctx's error.
func (r *goRunner) Explain(ctx context.Context, tt *Target, w Wish, keep func(string, []byte) (string, error)) (*result.Why, error) {
	g := r.groups([]*Target{tt}, 0)[0]
	if !g.gated() {
		return &result.Why{Missing: "where every sample is a process of its own no profiles are taken"}, nil
	}
	modules, err := r.mainModules(ctx, r.target(tt))
	if err != nil {
		return nil, err
	}
	var linked [2]linkedModules
	for side, bin := range g.bins {
		if linked[side], err = r.build.modulesOfTest(ctx, bin); err != nil {
			return nil, err
		}
	}
	modules = append(modules, suspectModules(linked)...)
	p := &profiling{r: r, time: profileTime(w.Change)}
	why := &result.Why{Modules: modulesChanged(linked)}
	if err := p.take(ctx, why, g, w.Change > 0); err != nil && ctx.Err() == nil {
		return nil, err
	}
	if why.Missing != "" {
		return why, ctx.Err()
	}
	if err := p.compare(why, profiler.Own(modules...), keep); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return why, err
	}
	why.Missing = waits(p.cpu, w.Change)
	// The compiler comes last: it takes longest where others compile too, and says the least.
	why.Compiler, err = r.compiledOtherwise(ctx, g, why)
	return why, cmp.Or(ctx.Err(), err)
}

// take takes the profiles, or says in why that there are none.
func (p *profiling) take(ctx context.Context, why *result.Why, g group, timed bool) error {
	type pass struct {
		writes string
		visit  func(*walk, *goTarget) error
	}
	passes := []pass{{allocsEnv, p.takeAllocs}}
	if timed {
		passes = append(passes, pass{cpuEnv, p.takeCPU})
	}
	for _, pass := range passes {
		g.writes, g.exact = pass.writes, pass.writes == allocsEnv
		err := p.r.throughAll(ctx, g, pass.visit, func(_ *Target, failed Reading) {
			why.Missing = "a profile could not be taken: " + oneOf(failed.Failure)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// takeCPU profiles slices of the sides in turn.
func (p *profiling) takeCPU(w *walk, t *goTarget) error {
	limit := p.r.sampleLimit(mostIdle * p.time)
	// Each side has a number of its own: what is a hundred times slower would take minutes with the other's.
	var n [2]int
	for _, side := range w.sides {
		var err error
		if n[side], err = p.lengthen(w, t, side, p.time/profileRounds, limit); err != nil {
			return err
		}
	}
	for round := range profileRounds {
		order := slices.Clone(w.sides)
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, side := range order {
			s, err := w.slice(t, side, n[side], limit)
			if err != nil {
				return err
			}
			got, err := w.at[side].readProfile()
			if err != nil {
				return err
			}
			c := &p.cpu[side]
			c.profiles, c.iters, c.cpu = append(c.profiles, got), c.iters+float64(n[side]), c.cpu+s.cpu
			c.took += s.took
		}
	}
	_, err := w.finish(t)
	return err
}

// lengthen finds how many iterations of a side take about as much CPU time as is wanted, as package testing does for the
// time on the clock.
func (p *profiling) lengthen(w *walk, t *goTarget, side Side, want, limit time.Duration) (int, error) {
	for n := max(1, t.Iters); ; {
		s, err := w.slice(t, side, n, limit)
		if err != nil {
			return 0, err
		}
		spent := s.took
		if s.cpu > 0 { // others on the machine, and waiting, are not sampled
			spent = max(s.cpu, s.took/mostIdle)
		}
		more := float64(n) * float64(want) / float64(max(spent, time.Microsecond))
		if spent >= want/4 || s.wall >= mostIdle*want || more <= float64(n) {
			return int(min(max(more, 1), math.MaxInt32)), nil
		}
		n = int(min(max(more/2, float64(n)+1), 100*float64(n), math.MaxInt32))
	}
}

// takeAllocs profiles every allocation of three times as many iterations as came before, so that set-up and what
// is done once are not in it.
func (p *profiling) takeAllocs(w *walk, t *goTarget) error {
	limit := p.r.sampleLimit(0)
	n := max(t.countIters, fewestCounted)
	for _, side := range w.sides {
		var at [2]*profile.Profile
		for i, times := range []int{1, 3} {
			_, err := w.slice(t, side, times*n, limit)
			if err != nil {
				return err
			}
			if at[i], err = w.at[side].readProfile(); err != nil {
				return err
			}
		}
		grown, err := minus(at[1], at[0], 1)
		if err != nil {
			return err
		}
		p.allocs[side] = taken{profiles: []*profile.Profile{grown}, iters: float64(3 * n)}
	}
	_, err := w.finish(t)
	return err
}

// readProfile reads what the process wrote after its last slice.
func (g *gated) readProfile() (*profile.Profile, error) {
	p, err := parseProfile(io.NewSectionReader(g.sink, 0, math.MaxInt64))
	if err != nil {
		return nil, fmt.Errorf("the profile cannot be read: %w", err)
	}
	return p, nil
}

// parseProfile reads a profile that a stranger's program may have written.
func parseProfile(r io.Reader) (*profile.Profile, error) {
	unpacked, err := gzip.NewReader(r)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(unpacked, mostProfile+1))
	switch {
	case err != nil:
		return nil, err
	case len(data) > mostProfile:
		return nil, fmt.Errorf("it is larger than %d MiB", mostProfile>>20)
	}
	p, err := profile.ParseUncompressed(data)
	if err != nil {
		return nil, err
	}
	return p, p.CheckValid()
}

// minus is what a has more than b times a factor.
func minus(a, b *profile.Profile, factor float64) (*profile.Profile, error) {
	b = b.Copy()
	b.Scale(-factor)
	return profile.Merge([]*profile.Profile{a, b})
}

// compare finds what grew by the profiles, and keeps them.
func (p *profiling) compare(why *result.Why, own profiler.Charge, keep func(string, []byte) (string, error)) error {
	for _, kind := range []struct {
		name  string
		sides [2]taken
	}{{CPUProfile, p.cpu}, {AllocsProfile, p.allocs}} {
		if kind.sides[Base].profiles == nil || kind.sides[Head].profiles == nil {
			continue
		}
		if err := explainKind(why, kind.name, "/op", kind.sides, own, keep); err != nil {
			return err
		}
	}
	return nil
}

const (
	// clearRise is a rise of the time on the clock that no other process on the machine makes while the sides take
	// turns.
	clearRise = 0.5
	// busyShare of it is CPU time where a benchmark computes what it takes longer.
	busyShare = 0.4
)

// waits says that a benchmark whose time rose by change, a share of base, waits for most of that: nothing of it is in a
// profile of CPU time.
func waits(sides [2]taken, change float64) string {
	b, h := sides[Base], sides[Head]
	if b.cpu <= 0 || h.cpu <= 0 || b.took <= 0 {
		return ""
	}
	rise := func(base, head time.Duration) float64 { return float64(head)/h.iters/(float64(base)/b.iters) - 1 }
	clock, cpu := rise(b.took, h.took), rise(b.cpu, h.cpu)
	if clock < clearRise || change < clock/2 || cpu > busyShare*min(clock, change) {
		return ""
	}
	return fmt.Sprintf("its time rose by %.0f%% and its CPU time by %.0f%%: it waits for the rest (sleep, locks, input and output), which no profile of CPU time shows", 100*change, 100*cpu)
}

// The kinds of profiles, as the names of their files have them.
const (
	CPUProfile    = "cpu"
	AllocsProfile = "allocs"
)

// explainKind says in why what grew by the profiles of a kind, an operation or a run as per has it, and keeps them.
func explainKind(why *result.Why, kind, per string, sides [2]taken, own profiler.Charge, keep func(string, []byte) (string, error)) error {
	var merged [2]*profile.Profile
	for side, s := range sides {
		var err error
		if merged[side], err = profile.Merge(s.profiles); err != nil {
			return err
		}
	}
	if err := keepAll(why, kind, sides, merged, keep); err != nil {
		return err
	}
	if kind == AllocsProfile {
		var err error
		why.Allocs, err = allocsGrown(per, sides, merged, own)
		return err
	}
	var err error
	if why.Own, err = grown("cpu", "sec"+per, sides, merged, own); err != nil {
		return err
	}
	why.Any, err = grown("cpu", "sec"+per, sides, merged, profiler.Any())
	return err
}

// allocsGrown are the places that allocate more objects, or where none does more bytes.
func allocsGrown(per string, sides [2]taken, merged [2]*profile.Profile, own profiler.Charge) ([]result.Growth, error) {
	objects, err := grown("alloc_objects", "allocs"+per, sides, merged, own)
	if err != nil || len(objects) > 0 {
		return objects, err
	}
	return grown("alloc_space", "B"+per, sides, merged, own)
}

// grown are the functions that cost more by the samples of one type.
func grown(sample, unit string, sides [2]taken, merged [2]*profile.Profile, charge profiler.Charge) ([]result.Growth, error) {
	var both [2]profiler.Taken
	for side, s := range sides {
		p := merged[side]
		// Every allocation is in a profile whose period is 1.
		both[side] = profiler.Taken{Profile: p, Type: sample, Exact: sample != "cpu" && p.Period <= 1, Summed: s.cpu == 0}
		if s.cpu > 0 {
			both[side].PerOp = s.cpu.Seconds() / s.iters
			continue
		}
		at := slices.IndexFunc(p.SampleType, func(v *profile.ValueType) bool { return v.Type == sample })
		if at < 0 {
			return nil, fmt.Errorf("the profile has no %s", sample)
		}
		total := sumOf(p, at)
		if p.SampleType[at].Unit == "nanoseconds" {
			total *= 1e-9
		}
		both[side].PerOp = total / s.iters
	}
	gs, err := profiler.Grown(both[Base], both[Head], charge)
	if err != nil {
		return nil, err
	}
	var out []result.Growth
	for _, g := range gs {
		if strings.HasPrefix(unit, "allocs/") { // the runtime's own are parts of one
			g.Base, g.Head = math.Round(10*g.Base)/10, math.Round(10*g.Head)/10
		}
		if g.Change() > least(unit, g.Base) && len(out) < mostGrowths {
			out = append(out, result.Growth{Function: g.Function, File: g.File, Line: g.Line, Unit: unit, Base: g.Base, Head: g.Head, Path: g.Path})
		}
	}
	return out, nil
}

// sumOf is the sum of all samples' values of a type.
func sumOf(p *profile.Profile, at int) float64 {
	total := int64(0)
	for _, s := range p.Sample {
		total += s.Value[at]
	}
	return float64(total)
}

// least is a growth that is worth a word: the runtime allocates a little now and then, which is nobody's. In a run of a
// program that serves several at once it is a part of what there was: pools and buffers are shared by chance.
func least(unit string, base float64) float64 {
	switch unit {
	case "allocs/op":
		return 0.05
	case "B/op":
		return strayBytes / 2
	case "allocs/run":
		return max(0.5, strayShare*base)
	case "B/run":
		return max(16*strayBytes, strayShare*base)
	}
	return 0
}

// strayShare of what a run allocates differs by chance.
const strayShare = 0.02

// keepAll stores the profiles of both sides, and what head has more an operation.
func keepAll(why *result.Why, kind string, sides [2]taken, merged [2]*profile.Profile, keep func(string, []byte) (string, error)) error {
	diff, err := minus(merged[Head], merged[Base], sides[Head].iters/sides[Base].iters)
	if err != nil {
		return err
	}
	var errs []error
	for _, part := range []struct {
		name string
		p    *profile.Profile
	}{{"base", merged[Base]}, {"head", merged[Head]}, {"diff", diff}} {
		var buf bytes.Buffer
		if err := part.p.Write(&buf); err != nil {
			return err
		}
		name, err := keep(kind+"-"+part.name, buf.Bytes())
		if err != nil {
			errs = append(errs, err)
			continue
		}
		why.Profiles = append(why.Profiles, name)
	}
	return errors.Join(errs...)
}

// mainModules are the import paths that are the project's own, on either side.
func (r *goRunner) mainModules(ctx context.Context, t *goTarget) ([]string, error) {
	var paths []string
	for side, p := range t.pkg.on {
		if p == nil {
			continue
		}
		tree := r.build.trees[side]
		out, err := tree.toolFor(p.Module).run(ctx, tree.dir(p.Module), "list", "-m")
		if err != nil {
			return nil, err
		}
		paths = append(paths, strings.Fields(string(out))...)
	}
	slices.Sort(paths)
	return slices.Compact(paths), nil
}

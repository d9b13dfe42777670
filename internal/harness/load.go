package harness

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/org/perfgate/internal/harness/load"
	"github.com/org/perfgate/internal/result"
)

// SuiteLoad is the name of the kind of suite that holds programs under load.
const SuiteLoad = "load"

// Load is the suite of a project's programs under load. A sample is a whole run of load, and base and head take
// turns.
type Load struct {
	// HeadDir is the project's root in the user's work tree, BaseDir the same in the base's checkout, empty
	// to measure head alone.
	HeadDir, BaseDir string
	Scenarios        []Scenario
	// NoTimes takes samples for what is exact alone.
	NoTimes bool
	// Environ is perfgate's own environment, PassEnv names variables that the go command sees beyond the usual ones where
	// it says how it compiles a program that got slower.
	Environ, PassEnv []string
}

// Scenario is a program and the load that it is put under.
type Scenario struct {
	// Name is that of the benchmark.
	Name string
	// Runs is the number of runs in a sample.
	Runs int
	// Offered is what is offered to the program: values of another load are not comparable.
	Offered string
	// Take takes one sample of the program in a tree. Remarks stand beside its values; an error is the
	// program's or the sample's failure. Of one that the machine could not offer in time there are values, too,
	// of which what is counted holds.
	Take func(ctx context.Context, dir string) (metrics []load.Metric, remarks []string, err error)
	// Differences, when set, are what the samples so far show that head asks more of its upstream, and does longer.
	Differences func(base, head string) ([]result.CallGrowth, []result.SpanGrowth)
	// Record, when set, takes a sample of the program in a tree that is recorded and not judged. NoRecord says why it is
	// not set, where there is a program.
	Record   func(ctx context.Context, dir string, r *Recording) error
	NoRecord string
}

// loadRunner measures programs under load.
type loadRunner struct {
	unbuilt
	suite   *Load
	observe func(Event)
	targets []*loadTarget
}

type loadTarget struct {
	Target
	scenario Scenario
	length   time.Duration // of the longest sample, from the first run to the end of the last
}

// Prepare lists the scenarios. Their programs are started when they are measured.
func (s *Load) Prepare(_ context.Context, _ *Budget, observe func(Event)) (Runner, error) {
	if len(s.Scenarios) == 0 {
		return nil, &ErrUsage{Msg: "no programs to put under load", Nothing: true}
	}
	r := &loadRunner{suite: s, observe: observe}
	for _, scenario := range s.Scenarios {
		t := &loadTarget{scenario: scenario}
		t.Key, t.Iters, t.Share, t.Changed, t.Facts = result.Key{Suite: SuiteLoad, Name: scenario.Name}, scenario.Runs, 1, true, !s.NoTimes
		for side, dir := range s.dirs() {
			if dir == "" {
				continue
			}
			t.Live[side] = true
			t.Bench[side] = &result.Benchmark{Suite: SuiteLoad, Name: scenario.Name, Status: result.OK, Scenario: scenario.Offered}
		}
		r.targets = append(r.targets, t)
	}
	return r, nil
}

func (s *Load) dirs() [2]string { return [2]string{s.BaseDir, s.HeadDir} }

// Targets are the scenarios.
func (r *loadRunner) Targets() []*Target {
	ts := make([]*Target, len(r.targets))
	for i, t := range r.targets {
		ts[i] = &t.Target
	}
	return ts
}

func (r *loadRunner) target(t *Target) *loadTarget {
	return r.targets[slices.IndexFunc(r.targets, func(o *loadTarget) bool { return &o.Target == t })]
}

// take takes a sample of a side.
func (r *loadRunner) take(ctx context.Context, t *Target, side Side) ([]load.Metric, error) {
	own := r.target(t)
	metrics, remarks, err := own.scenario.Take(ctx, r.suite.dirs()[side])
	for _, m := range metrics {
		if m.Unit == wallUnit {
			own.length = max(own.length, time.Duration(m.Value*float64(time.Second)))
		}
	}
	if b := t.Bench[Head]; b != nil {
		for _, remark := range remarks {
			if note := side.String() + ": " + clip(remark); len(b.Notes) < mostRemarks && !slices.Contains(b.Notes, note) {
				b.Notes = append(b.Notes, note)
			}
		}
	}
	return metrics, err
}

// wallUnit is the metric that says how long a sample's runs took together.
const wallUnit = "wall-sec"

// mostRemarks are kept of a scenario: a program can fail in many ways.
const mostRemarks = 5

// Calibrate takes a sample of each side, which nobody sees: it tells what one costs, fills the system's
// caches, and finds out where the program does not run.
func (r *loadRunner) Calibrate(ctx context.Context, targets []*Target) error {
	for _, t := range targets {
		began := time.Now()
		if _, err := r.try(ctx, r.target(t)); err != nil {
			return err
		}
		t.Pairs, t.MinPairs, t.MaxPairs, t.Cost = 1, 1, 1, time.Since(began)
	}
	return nil
}

// try takes a sample of each live side. One on which the program fails is live no longer.
func (r *loadRunner) try(ctx context.Context, t *loadTarget) (got [2][]load.Metric, err error) {
	for side := range t.Live {
		if !t.Live[side] {
			continue
		}
		if got[side], err = r.take(ctx, &t.Target, Side(side)); ctx.Err() != nil {
			return got, ctx.Err()
		} else if err != nil && !load.IsUnfit(err) {
			b := t.Bench[side]
			t.Live[side], b.Status, b.Message = false, result.Failed, clip(err.Error())
		}
	}
	return got, nil
}

// Count takes samples where nothing else is measured: what they count is in every sample.
func (r *loadRunner) Count(ctx context.Context, targets []*Target, take func(*Target, Reading)) error {
	if !r.suite.NoTimes {
		return nil
	}
	for _, t := range targets {
		r.observe(Event{Phase: "count", What: "exact values of " + t.Key.String()})
		got, err := r.try(ctx, r.target(t))
		if err != nil {
			return err
		}
		var reading Reading
		for side, metrics := range got {
			reading.Metrics[side] = countedOf(r.stored(t, metrics))
		}
		if t.sides() > 0 {
			take(t, reading)
		}
	}
	return nil
}

// stored are the metrics as the file has them.
func (r *loadRunner) stored(t *Target, metrics []load.Metric) []*result.Metric {
	out := make([]*result.Metric, len(metrics))
	for i, m := range metrics {
		out[i] = &result.Metric{Unit: result.UnitOf(m.Unit), Samples: []result.Sample{{Value: m.Value, Iters: t.Iters}}}
	}
	return out
}

// countedOf are the metrics that are no times.
func countedOf(metrics []*result.Metric) []*result.Metric {
	return slices.DeleteFunc(metrics, func(m *result.Metric) bool { return m.Unit.Timing() })
}

// Pass takes a sample of each side, in coin-flip order.
func (r *loadRunner) Pass(ctx context.Context, targets []*Target, _ Build, rng *rand.Rand, take func(*Target, Reading)) error {
	for _, t := range targets {
		var got Reading
		began := time.Now()
		for _, side := range inTurn(rng) {
			if !t.Live[side] {
				continue
			}
			if got.First == nil {
				got.First = []Side{side}
			}
			metrics, err := r.take(ctx, t, side)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			switch {
			case load.IsUnfit(err):
				got.Untimely = clip(err.Error())
			case err != nil:
				got.Failure[side] = clip(err.Error())
			}
			got.Metrics[side] = r.stored(t, metrics)
		}
		if got.Untimely != "" {
			got.Metrics = [2][]*result.Metric{countedOf(got.Metrics[Base]), countedOf(got.Metrics[Head])}
		}
		got.Wall = time.Since(began)
		take(t, got)
	}
	return nil
}

// Sets returns what was measured so far.
func (r *loadRunner) Sets() (base, head *result.Set) { return setsOf(r.suite.dirs(), r.Targets()) }

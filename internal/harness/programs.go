package harness

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/org/perfgate/internal/parse"
	"github.com/org/perfgate/internal/profiler"
	"github.com/org/perfgate/internal/result"
	"github.com/org/perfgate/internal/stats"
)

// The kinds of suites of programs that are run to be timed: whole commands, and the start of programs.
const (
	SuiteCommand = "command"
	SuiteStartup = parse.SuiteStartup
)

// Programs is a suite of programs that run on their own. A run is a fresh process, base and head take turns, and
// what the machine keeps in memory of files is warm.
type Programs struct {
	// Kind is SuiteCommand or SuiteStartup.
	Kind string
	// HeadDir is the project's root in the user's work tree, BaseDir the same in the base's checkout, empty
	// to measure head alone.
	HeadDir, BaseDir string
	Timed            []Timed
}

// Timed is a program and how often it is run.
type Timed struct {
	// Name is that of the benchmark.
	Name string
	Program
	// Warmup runs come before the first that counts.
	Warmup int
	// MinRuns of a side, at least, come before anything is concluded, and about so many as fill Time. MaxRuns
	// bound the first stage, 0 for as many as the budget allows.
	MinRuns, MaxRuns int
	Time             time.Duration
	// Trace asks for what the program imports.
	Trace bool
	// Described is what is run, in words: values of another program are not comparable.
	Described string
}

const (
	// mostPairsEach bounds the pairs of a pass: a look is due now and then.
	mostPairsEach = 64
	// traces is the number of passes that begin with a trace of what is imported: enough for an interval.
	traces = 6
)

// FewestRuns is the number of runs a side below which nothing can be concluded.
var FewestRuns = looks[0]

type programsRunner struct {
	unbuilt
	suite   *Programs
	observe func(Event)
	targets []*programTarget
}

type programTarget struct {
	Target
	timed Timed
	// marks are those that the program made of its memory when it was watched last.
	marks [2][]profiler.Mark
	// imports are the traces so far; untraced says that the runtime tells nothing.
	imports  [2][]parse.Imports
	untraced bool
}

// Prepare lists the programs. They are looked for when they are run.
func (s *Programs) Prepare(_ context.Context, _ *Budget, observe func(Event)) (Runner, error) {
	if len(s.Timed) == 0 {
		return nil, &ErrUsage{Msg: "no programs to time", Nothing: true}
	}
	r := &programsRunner{suite: s, observe: observe}
	for _, timed := range s.Timed {
		t := &programTarget{timed: timed}
		t.Key, t.Iters, t.Share, t.Changed = result.Key{Suite: s.Kind, Name: timed.Name}, 1, 1, true
		for side, dir := range s.dirs() {
			if dir == "" {
				continue
			}
			t.Live[side] = true
			t.Bench[side] = &result.Benchmark{Suite: s.Kind, Name: timed.Name, Status: result.OK, Scenario: timed.Described}
		}
		r.targets = append(r.targets, t)
	}
	return r, nil
}

func (s *Programs) dirs() [2]string { return [2]string{s.BaseDir, s.HeadDir} }

// Targets are the programs.
func (r *programsRunner) Targets() []*Target {
	ts := make([]*Target, len(r.targets))
	for i, t := range r.targets {
		ts[i] = &t.Target
	}
	return ts
}

func (r *programsRunner) target(t *Target) *programTarget {
	return r.targets[slices.IndexFunc(r.targets, func(o *programTarget) bool { return &o.Target == t })]
}

// Sets returns what was measured so far.
func (r *programsRunner) Sets() (base, head *result.Set) {
	for _, t := range r.targets {
		for side, b := range t.Bench {
			if b != nil {
				b.Memory = MemoryOf(b, t.marks[side])
			}
		}
	}
	return setsOf(r.suite.dirs(), r.Targets())
}

// Count counts nothing: a program that runs on its own has times and memory alone.
func (r *programsRunner) Count(context.Context, []*Target, func(*Target, Reading)) error { return nil }

// Calibrate makes the runs that nobody sees: they fill the system's caches, tell what a run costs, and find out
// where the program does not run.
func (r *programsRunner) Calibrate(ctx context.Context, targets []*Target) error {
	for _, target := range targets {
		t := r.target(target)
		var took time.Duration // of a pair
		for side := range t.Live {
			if !t.Live[side] {
				continue
			}
			for i := range t.timed.Warmup + 1 {
				r.observe(Event{Phase: "calibrate", What: fmt.Sprintf("%s, run %d on %s", t.Key, i+1, Side(side))})
				began := time.Now()
				_, err := t.timed.Run(ctx, r.suite.dirs()[side], Watching{})
				if ctx.Err() != nil {
					return ctx.Err()
				}
				if err != nil {
					b := t.Bench[side]
					t.Live[side], b.Status, b.Message = false, result.Failed, clip(err.Error())
					break
				}
				if i == t.timed.Warmup {
					took += time.Since(began)
				}
			}
		}
		if t.sides() > 0 {
			t.plan(took)
		}
	}
	return nil
}

// plan sets the number of pairs in a pass, and of passes, for pairs that take so long.
func (t *programTarget) plan(pair time.Duration) {
	first := looks[0]
	run := max(1, pair/time.Duration(t.sides()))
	pairs := int(t.timed.Time / run / time.Duration(first))
	pairs = max(1, min(pairs, mostPairsEach), (t.timed.MinRuns+first-1)/first)
	if most := t.timed.MaxRuns; most > 0 {
		pairs = max(1, min(pairs, most/first))
		t.MaxPasses = max(first, most/pairs)
	}
	t.Pairs, t.MinPairs, t.MaxPairs = pairs, pairs, pairs
	t.Begin = pair
	if t.timed.Trace {
		t.Begin += pair
	}
	t.Cost = t.Begin + time.Duration(pairs)*pair
}

// Pass makes pairs of runs, in coin-flip order, behind one run of each side that is watched and not timed.
func (r *programsRunner) Pass(ctx context.Context, targets []*Target, _ Build, rng *rand.Rand, take func(*Target, Reading)) error {
	for _, target := range targets {
		t := r.target(target)
		began := time.Now()
		got, err := r.watched(ctx, t, rng)
		if err != nil {
			return err
		}
		got.Begin = time.Since(began)
		var cpu [2][]float64
		for range t.Pairs {
			if got.Failure != [2]string{} {
				break
			}
			order := inTurn(rng)
			for i, side := range order {
				if !t.Live[side] {
					continue
				}
				if i == 0 || !t.Live[order[0]] {
					got.First = append(got.First, side)
				}
				ran, err := t.timed.Run(ctx, r.suite.dirs()[side], Watching{})
				if ctx.Err() != nil {
					return ctx.Err()
				}
				if err != nil {
					got.Failure[side] = clip(err.Error())
				}
				got.Times[side] = append(got.Times[side], ran.Wall.Seconds())
				cpu[side] = append(cpu[side], ran.CPU.Seconds())
			}
		}
		for side, values := range cpu {
			if len(values) > 0 {
				got.Metrics[side] = append(got.Metrics[side], sampleOf(result.CommandCPU, stats.Median(values)))
			}
		}
		got.Wall = time.Since(began)
		take(target, got)
	}
	return nil
}

func sampleOf(unit string, v float64) *result.Metric {
	return &result.Metric{Unit: result.UnitOf(unit), Samples: []result.Sample{{Value: v, Iters: 1}}}
}

// watched runs each side once to see its memory, and the first times once more to see its imports.
func (r *programsRunner) watched(ctx context.Context, t *programTarget, rng *rand.Rand) (got Reading, err error) {
	for _, side := range inTurn(rng) {
		if !t.Live[side] {
			continue
		}
		ran, err := t.timed.Run(ctx, r.suite.dirs()[side], Watching{Memory: true})
		if ctx.Err() != nil {
			return got, ctx.Err()
		}
		if err != nil {
			got.Failure[side] = clip(err.Error())
			return got, nil
		}
		t.marks[side] = ran.Marks
		if ran.Peak > 0 {
			got.Metrics[side] = append(got.Metrics[side], sampleOf(result.PeakRSS, float64(ran.Peak)))
		}
		if !t.timed.Trace || t.untraced || len(t.imports[side]) >= traces {
			continue
		}
		if ran, err = t.timed.Run(ctx, r.suite.dirs()[side], Watching{Imports: true}); ctx.Err() != nil {
			return got, ctx.Err()
		}
		if err != nil {
			got.Failure[side] = clip("with its imports traced: " + err.Error())
			return got, nil
		}
		if len(ran.Imports.Packages) == 0 {
			t.untraced = len(t.imports[Base])+len(t.imports[Head]) == 0
			continue
		}
		t.imports[side] = append(t.imports[side], ran.Imports)
		largest := slices.MaxFunc(ran.Imports.Packages, func(a, b parse.Package) int { return cmp.Compare(a.Self, b.Self) })
		got.Metrics[side] = append(got.Metrics[side], sampleOf(result.MaxPackage, largest.Self))
	}
	if t.Bench[Head] != nil && t.timed.Trace {
		t.Bench[Head].Imports = changedImports(t.imports)
	}
	return got, nil
}

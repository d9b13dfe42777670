// Package harness obtains samples by running things: it prepares a suite of benchmarks on two
// trees, base and head, and measures both in pairs taken back to back.
//
// It never compares: what the samples mean is compare's business, and nothing here looks
// at a value to decide what to measure next.
package harness

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/org/perfgate/internal/result"
)

// Side is one of the two trees.
type Side int

// The sides.
const (
	Base Side = iota
	Head
)

func (s Side) String() string {
	if s == Base {
		return "base"
	}
	return "head"
}

// Suite is a group of benchmarks of one kind.
type Suite interface {
	// Prepare builds both sides and finds out which benchmarks they have. Time that it
	// spends running benchmarks is taken from the budget, building is not.
	Prepare(ctx context.Context, budget *Budget, observe func(Event)) (Runner, error)
}

// Runner measures the benchmarks of a prepared suite.
type Runner interface {
	// Targets are the benchmarks of both sides.
	Targets() []*Target
	// Calibrate fixes the number of iterations of a slice and sets Cost of the targets, all of one
	// package. A failure of a benchmark is noted on its target; the error is for what stops the
	// whole run.
	Calibrate(ctx context.Context, targets []*Target) error
	// Count counts what is exact about the targets once more, each in a fresh pair of processes, and
	// hands what came of each to take. What it cannot count it leaves out, and says so.
	Count(ctx context.Context, targets []*Target, take func(*Target, Reading)) error
	// CountInstructions counts the instructions of the targets once more, each in a fresh pair of processes,
	// where they are asked for and can be counted.
	CountInstructions(ctx context.Context, targets []*Target, rng *rand.Rand, take func(*Target, Reading)) error
	// Pass measures the targets once more, each in a fresh pair of processes of the given
	// build, and hands what came of each to take.
	Pass(ctx context.Context, targets []*Target, build Build, rng *rand.Rand, take func(*Target, Reading)) error
	// Control measures base against a copy of itself, in one pass.
	Control(ctx context.Context, targets []*Target, rng *rand.Rand, take func(*Target, Reading)) error
	// Link makes another build of the targets' binaries, with the same code in another order.
	Link(ctx context.Context, build Build, targets []*Target) error
	// Unlink removes what Link made.
	Unlink(build Build)
	// Sets returns what was measured so far as base and head. Base is nil without one.
	Sets() (base, head *result.Set)
	// Warnings are remarks on the whole run.
	Warnings() []string
	Close() error
}

// Build is the seed of the order in which the linker lays out the functions; 0 is its own order.
type Build uint64

// Target is one benchmark on the sides where it can be measured.
type Target struct {
	Key result.Key
	// Bench holds the results of each side; nil where that side has nothing to show.
	Bench [2]*result.Benchmark
	// Live says on which sides the benchmark is measured.
	Live [2]bool
	// Changed says that the sides run different code.
	Changed bool
	// Iters is the calibrated number of iterations of a slice.
	Iters int
	// Pairs is the number of pairs of slices to take in a pass, between MinPairs and MaxPairs.
	Pairs, MinPairs, MaxPairs int
	// Cost is the expected machine time of one pass, Begin the part of it before the first pair.
	Cost, Begin time.Duration
	// Share is the number of passes that are worth one of the gate's: where every pair needs
	// processes of its own a pass is a single pair.
	Share int
	// MaxPasses bounds the passes of the first stage, 0 for as many as there are looks.
	MaxPasses int
	// Facts says that what is exact about it is in every pass, and counted nowhere else.
	Facts bool

	// Uncounted says why not all that is exact is counted.
	Uncounted string

	counted       int  // passes of counting
	leaked        bool // what it leaves behind is known
	again         int  // passes on each build of the second stage
	passes, pairs int  // taken, void ones included
	confirmed     int  // passes of the second stage
	failed        [2]int
}

// place is the package that t is of, or itself.
func (t *Target) place() string {
	if t.Key.Package == "" {
		return t.Key.String()
	}
	return t.Key.Package
}

// sides is the number of sides on which t is measured.
func (t *Target) sides() int {
	n := 0
	for _, l := range t.Live {
		if l {
			n++
		}
	}
	return n
}

// Reading is what one pass gave for a benchmark.
type Reading struct {
	// Times are the sides' values of sec/op, pair by pair.
	Times [2][]float64
	// First is the side that went first, pair by pair.
	First []Side
	// Begin is the machine time before the first pair, in Wall.
	Begin time.Duration
	// Metrics are the other units, one sample for the whole pass.
	Metrics [2][]*result.Metric
	// Failure says why a side gave nothing, and Wall what the pass took.
	Failure [2]string
	// Untimely says why the machine could not take times, though it could count: Metrics have none then.
	Untimely string
	Wall     time.Duration
}

// Judge decides from what was measured how the measuring goes on. The harness itself looks at no
// value.
type Judge interface {
	// Pairs is the number of pairs that a further pass should have, the least that it may have or more, where its
	// beginning costs as much as so many.
	Pairs(base, head *result.Benchmark, least int, begin float64) int
	// Passes is the number of such passes that one of so many suspects needs on each re-linked build.
	Passes(base, head *result.Benchmark, suspects int) int
	// Counting reports whether further passes of counting are needed to judge a benchmark's
	// instructions, or all else that is exact, beside so many others.
	Counting(base, head *result.Benchmark, instructions bool, among int) bool
	// Screen routes a benchmark after a look; last says that the first stage has no time left.
	Screen(base, head *result.Benchmark, last bool) result.Route
	// ScreenSuite routes all benchmarks together.
	ScreenSuite(base, head *result.Set) result.Route
	// Builds is the number of re-linked builds on which so many suspects are measured again.
	Builds(suspects int) int
}

// Plan says how much to measure.
type Plan struct {
	// Seed repeats the order of everything.
	Seed uint64
	// Budget bounds listing, calibration and measuring.
	Budget time.Duration
	Judge  Judge
	// ConfirmAll takes all benchmarks to the second stage, so that the pairs allow every route.
	ConfirmAll bool
	// Exact counts what is exact; NoTimes leaves it at that.
	Exact, NoTimes bool
	// OnlyPlan ends after the calibration: what the run would cost is known then.
	OnlyPlan bool
	// Explain, when set, says what is explained in the end.
	Explain *Explaining
	// Beside, when set, is called when all is prepared, and again when all was measured, beyond the budget: for what
	// shall be measured in the same minutes.
	Beside func(ctx context.Context) error
	// Leaks, when set, says of which benchmarks it is wanted what they leave behind on head.
	Leaks func(result.Key) bool
	// AfterPass, when set, is called between passes, so that what was measured can be saved.
	AfterPass func(base, head *result.Set)
}

// Event is one line of the conversation about the progress of a run.
type Event struct {
	// Phase is what is being done: "build", "list", "count", "calibrate", "leaks", "measure", "link", "confirm" or "explain".
	Phase string
	// What is the thing at hand, such as a benchmark's name.
	What string
	// Done of Total steps of the phase are finished. Total is 0 where nobody knows.
	Done, Total int
	// Left is the expected time to the end of the phase.
	Left time.Duration
}

// Measurement is the outcome of Measure.
type Measurement struct {
	Base, Head *result.Set
	// Measured of Total benchmarks were brought to the first look at least, or to where what is exact is known that
	// comes with their times.
	Measured, Total int
	// Screened and Confirmed are the builds that the passes of either stage ran on, in turn.
	Screened, Confirmed []Build
	Control             *result.Control
	// Costs are what the benchmarks would take, with Plan.OnlyPlan.
	Costs     []Cost
	Warnings  []string
	BuildTime time.Duration
	RunTime   time.Duration
	// Partial says that the run was interrupted.
	Partial bool
}

// Measure prepares the suite and measures its benchmarks within the plan's budget. When ctx
// ends it returns what it has, marked partial, together with ctx's error.
func Measure(ctx context.Context, suite Suite, plan Plan, observe func(Event)) (*Measurement, error) {
	if observe == nil {
		observe = func(Event) {}
	}
	began := time.Now()
	budget := &Budget{Limit: plan.Budget}
	runner, err := suite.Prepare(ctx, budget, observe)
	if runner == nil {
		return nil, err
	}
	defer runner.Close()
	s := &schedule{runner: runner, plan: plan, budget: budget, observe: observe}
	var apart time.Duration
	beside := func(ctx context.Context) error {
		began := time.Now()
		defer func() { apart += time.Since(began) }()
		return plan.Beside(ctx)
	}
	if plan.Beside == nil {
		beside = func(context.Context) error { return nil }
	}
	for _, step := range []func(context.Context) error{beside, s.run, beside} {
		if err == nil {
			err = step(ctx)
		}
	}
	measured := time.Now()
	if err == nil {
		err = s.explain(ctx)
	}
	explained := time.Since(measured)
	m := &Measurement{
		Measured: s.measured(), Total: s.total(),
		Costs:    s.costs(),
		Screened: s.screened, Confirmed: s.confirmed, Control: s.control.result(),
		Warnings: runner.Warnings(),
		RunTime:  budget.Used(),
		Partial:  ctx.Err() != nil,
	}
	m.BuildTime = time.Since(began) - m.RunTime - apart - explained
	m.Base, m.Head = runner.Sets()
	if err != nil && ctx.Err() == nil {
		return nil, err
	}
	return m, ctx.Err()
}

// ErrUsage is an error that the command line or the configuration can mend: nothing was
// measured.
type ErrUsage struct {
	Msg string
	// Nothing says that the project has nothing of what was looked for, Unmatched that none of its benchmarks is asked for.
	Nothing, Unmatched bool
}

func (e *ErrUsage) Error() string { return e.Msg }

func nothingf(format string, args ...any) error {
	return &ErrUsage{Msg: fmt.Sprintf(format, args...), Nothing: true}
}

func usagef(format string, args ...any) error { return &ErrUsage{Msg: fmt.Sprintf(format, args...)} }

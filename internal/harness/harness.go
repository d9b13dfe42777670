// Package harness obtains samples by running things: it prepares a suite of benchmarks on two
// trees, base and head, and measures both in pairs taken back to back.
//
// It never compares: what the samples mean is compare's business, and nothing here looks
// at a value to decide what to measure next.
package harness

import (
	"context"
	"fmt"
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
	// Calibrate fixes the number of iterations of a sample and sets t.Cost. A failure of
	// the benchmark is noted on t; the error is for what stops the whole run.
	Calibrate(ctx context.Context, t *Target) error
	// Sample measures t once on one side.
	Sample(ctx context.Context, t *Target, side Side) (Reading, error)
	// Sets returns what was measured so far as base and head. Base is nil without one.
	Sets() (base, head *result.Set)
	// Warnings are remarks on the whole run.
	Warnings() []string
	Close() error
}

// Target is one benchmark on the sides where it can be measured.
type Target struct {
	Key result.Key
	// Bench holds the results of each side; nil where that side has nothing to show.
	Bench [2]*result.Benchmark
	// Live says on which sides the benchmark is measured.
	Live [2]bool
	// Changed says that the sides run different code.
	Changed bool
	// Gated is the number of noisy metrics that will be judged.
	Gated int
	// Iters is the calibrated number of iterations.
	Iters int
	// Cost is the expected machine time of one pair.
	Cost time.Duration

	done int // pairs taken, void ones included
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

// Reading is what one sample gave: a value a unit, or the reason why there is none.
type Reading struct {
	Metrics []*result.Metric // one sample each
	Failure string
}

// Plan says how much to measure.
type Plan struct {
	// Seed repeats the order of rounds and pairs.
	Seed uint64
	// Budget bounds listing, calibration and measuring.
	Budget time.Duration
	// Floor returns the number of pairs to plan for m judged metrics, and Need the smaller
	// number below which the judge could never say "regression".
	Floor, Need func(m int) int
	// MaxPairs is the number of pairs to take where the budget allows it.
	MaxPairs int
	// AfterRound, when set, is called between rounds, so that what was measured can be saved.
	AfterRound func(base, head *result.Set)
}

// Event is one line of the conversation about the progress of a run.
type Event struct {
	// Phase is what is being done: "build", "list", "calibrate" or "measure".
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
	// Measured of Total benchmarks reached the number of pairs that the judge needs.
	Measured, Total int
	Pairs           int
	Warnings        []string
	BuildTime       time.Duration
	RunTime         time.Duration
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
	if err == nil {
		err = s.run(ctx)
	}
	m := &Measurement{
		Measured: s.measured(), Total: s.total(), Pairs: s.pairs,
		Warnings: runner.Warnings(),
		RunTime:  budget.Used(),
		Partial:  ctx.Err() != nil,
	}
	m.BuildTime = time.Since(began) - m.RunTime
	m.Base, m.Head = runner.Sets()
	if err != nil && ctx.Err() == nil {
		return nil, err
	}
	return m, ctx.Err()
}

// ErrUsage is an error that the command line or the configuration can mend: nothing was
// measured.
type ErrUsage struct{ Msg string }

func (e *ErrUsage) Error() string { return e.Msg }

func usagef(format string, args ...any) error { return &ErrUsage{fmt.Sprintf(format, args...)} }

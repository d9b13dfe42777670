package loadtest

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/result"
)

// What a change can do to the structure of a program shows in a metric that is exact, and the gate fails with that
// row: what Bench reports of a benchmark is this.
func TestGate(t *testing.T) {
	sideBySide := func(ctx context.Context, r *Run) error {
		var both sync.WaitGroup
		errs := make([]error, 2)
		for i := range errs {
			both.Go(func() { errs[i] = ask(ctx, r, fmt.Sprint("question ", i)) })
		}
		both.Wait()
		return errs[0]
	}
	each := func(n int) Func {
		return func(ctx context.Context, r *Run) (err error) {
			for i := 0; i < n && err == nil; i++ {
				err = ask(ctx, r, fmt.Sprint("question ", i))
			}
			return err
		}
	}
	cached := func(runsPerMiss int) Func {
		return func(ctx context.Context, r *Run) error {
			if r.Number%runsPerMiss != 0 {
				r.Hit()
				return nil
			}
			r.Miss()
			return ask(ctx, r, "question")
		}
	}
	for _, tt := range []struct {
		name          string
		before, after Func
		red           []string // of the exact metrics
	}{
		{"calls in sequence", sideBySide, each(2), []string{"upstream-depth"}},
		{"one more call in a loop", each(2), each(3), []string{"input-tokens", "output-tokens", "upstream-attempts", "upstream-calls", "upstream-depth"}},
		{"a cache that no longer hits", cached(4), cached(1), []string{"cache-hits", "cache-misses", "hit-rate", "input-tokens", "output-tokens", "upstream-attempts", "upstream-calls", "upstream-depth"}},
		{"a lost retry", func(ctx context.Context, r *Run) error { return retried(ctx, r, "question 1") },
			func(ctx context.Context, r *Run) error { return partly(ask(ctx, r, "question 1"), r) }, []string{"error-share"}},
		{"nothing", sideBySide, sideBySide, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			plan := Plan{Model: Model{Latency: "10ms"}}
			if tt.name == "a lost retry" {
				plan.Model.Script = "testdata/faults.yaml"
			}
			o := compare.Judge(&result.File{Base: measured(t, plan, tt.before), Head: measured(t, plan, tt.after), Pairing: result.Passes}, compare.DefaultPolicy)
			want := map[string]bool{}
			for _, unit := range tt.red {
				want[unit] = true
			}
			for _, c := range o.Comparisons {
				if red := c.Exact && c.Gated && c.Verdict == compare.Regression; red != want[c.Unit.Name] {
					t.Errorf("%s: %s from %v to %v", c.Unit.Name, c.Verdict, c.Base.Center, c.Head.Center)
				}
				delete(want, c.Unit.Name)
			}
			if len(want) > 0 || (o.Gate == compare.Fail) != (tt.red != nil) {
				t.Errorf("the gate says %s, without rows %v", o.Gate, want)
			}
		})
	}
}

// partly keeps the failure of every other run: where all fail there is nothing to measure.
func partly(err error, r *Run) error {
	if r.Number%2 == 1 {
		return nil
	}
	return err
}

// measured is what three samples of a plan give, which are the least that make a constant.
func measured(t *testing.T, plan Plan, fn Func) *result.Set {
	b := &result.Benchmark{Suite: "gobench", Name: "Agent", Status: result.OK}
	for i := range compare.MinConstant {
		for _, m := range Virtual(t, plan, fn).metrics {
			b.Add(result.UnitOf(m.Unit), result.Sample{Value: m.Value, Iters: 1, Pair: i, Pass: i})
		}
	}
	return &result.Set{Benchmarks: []*result.Benchmark{b}}
}

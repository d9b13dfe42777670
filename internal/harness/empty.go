package harness

import (
	"context"
	"time"

	"github.com/org/perfgate/internal/result"
)

// A benchmark whose time does not grow with its iterations measures nothing: its loop is gone. It
// would look like the greatest improvement ever.
const (
	emptyBelow   = time.Microsecond // what a benchmark without a loop takes, whatever b.N is
	emptyIters   = 1_000_000
	emptyAtIters = 50 * time.Microsecond // far less than a million turns of an empty loop take
	emptyMessage = "it measures nothing: its time does not grow with b.N"
)

// isEmpty reports whether the benchmark, which took run at n iterations, measures nothing.
func (r *goRunner) isEmpty(ctx context.Context, t *goTarget, bin *binary, procs, n int, run reading) bool {
	if run.bench.Metric("sec/op") == nil || run.measured >= emptyBelow && n < emptyIters {
		return false
	}
	if n < emptyIters {
		var err error
		if run, err = r.runOnce(ctx, t, bin, procs, emptyIters, r.sampleLimit(run.wall)); err != nil || run.failure != "" {
			return false
		}
		n = emptyIters
	}
	return run.measured < emptyAtIters*time.Duration(n/emptyIters)
}

// settleEmpty finds out on which sides' own files the benchmark measures nothing.
func (r *goRunner) settleEmpty(ctx context.Context, t *goTarget) error {
	for _, s := range []Side{Base, Head} {
		bin, l := t.pkg.bins[s], t.pkg.own[s]
		if t.Bench[s] == nil || t.Bench[s].Status != result.OK || bin == nil || l == nil {
			continue
		}
		run, err := r.runOnce(ctx, t, bin, l.procs, emptyIters, r.sampleLimit(0))
		if err != nil {
			return err
		}
		if run.failure == "" && r.isEmpty(ctx, t, bin, l.procs, emptyIters, run) {
			t.dropEmpty(s)
		}
	}
	t.Live = [2]bool{}
	return nil
}

// dropEmpty notes that a side's benchmark measures nothing: as good as gone.
func (t *goTarget) dropEmpty(s Side) {
	t.Bench[s].Status, t.Bench[s].Message = result.Absent, emptyMessage
	t.Live = [2]bool{}
}

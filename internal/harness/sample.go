package harness

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/org/perfgate/internal/harness/proc"
	"github.com/org/perfgate/internal/parse"
	"github.com/org/perfgate/internal/result"
)

// The measured time of one sample.
const (
	sampleMin  = 20 * time.Millisecond
	sampleAim  = 25 * time.Millisecond
	sampleMax  = 50 * time.Millisecond
	wallMax    = time.Second     // a process is not made longer than this to reach sampleMin
	storedMin  = sampleMin / 4   // a stored baseline's iteration count is kept while the
	storedMax  = 4 * sampleMax   // measured time stays between these
	sampleSlow = 10              // a process is hung after this many times its expected wall time
	sampleHung = 5 * time.Second // but not before
)

// target finds the goTarget around t.
func (r *goRunner) target(t *Target) *goTarget {
	for _, g := range r.targets {
		if &g.Target == t {
			return g
		}
	}
	panic("harness: a target of another runner")
}

// processShare is the number of process pairs that are worth a pass at the gate.
const processShare = 2

// calibrateProcess fixes the iteration count of a benchmark that is measured without the gate, on base
// (on head where base cannot run the benchmark).
func (r *goRunner) calibrateProcess(ctx context.Context, t *goTarget) error {
	t.Share = processShare
	side := Base
	if !t.Live[Base] {
		side = Head
	}
	n, run, err := r.findIters(ctx, t, side)
	if err != nil {
		return err
	}
	if run.failure == "" && run.empty {
		return r.settleEmpty(ctx, t)
	}
	t.Iters, t.Cost = n, run.wall
	if run.failure != "" {
		return r.giveUp(ctx, t, side, n, run.failure)
	}
	if side == Base {
		other, err := fastest(func(n int) (reading, error) {
			return r.runOnce(ctx, t, t.bins[Head], t.procs[Head], n, r.sampleLimit(run.wall))
		}, n)
		if err != nil {
			return err
		}
		t.Cost += other.wall
		if other.failure == "" && r.isEmpty(ctx, t, t.bins[Head], t.procs[Head], n, other) {
			t.dropEmpty(Head)
		}
	}
	return nil
}

// giveUp notes that a benchmark which ran once fails at the calibrated count.
func (r *goRunner) giveUp(ctx context.Context, t *goTarget, side Side, n int, failure string) error {
	msg := fmt.Sprintf("fails at %s: %s", english.Plural(n, "iteration", ""), failure)
	b := t.Bench[side]
	b.Status, b.Message = result.Failed, msg
	t.Live[side] = false
	if side == Base && t.Live[Head] { // is head better?
		other, err := r.runOnce(ctx, t, t.bins[Head], t.procs[Head], n, r.sampleLimit(0))
		if err != nil {
			return err
		}
		t.Cost = other.wall
		if other.failure != "" {
			t.Live[Head] = false
			t.Bench[Head].Status, t.Bench[Head].Message = result.Failed, fmt.Sprintf("fails at %s: %s", english.Plural(n, "iteration", ""), other.failure)
		}
	}
	return nil
}

// reading is one process of one benchmark.
type reading struct {
	bench    *result.Benchmark
	measured time.Duration // iterations times time per operation; 0 where not reported
	wall     time.Duration
	failure  string
	empty    bool
}

// findIters looks for the smallest round number of iterations whose measured time is within
// sampleMin and sampleMax. A stored baseline's count is kept where it is not far off.
func (r *goRunner) findIters(ctx context.Context, t *goTarget, side Side) (n int, run reading, err error) {
	try := func(n int) (reading, error) {
		return r.runOnce(ctx, t, t.bins[side], t.procs[side], n, r.sampleLimit(run.wall))
	}
	if r.suite.Iters != nil {
		if n = r.suite.Iters(t.Key); n > 0 {
			run, err = try(n)
			if err != nil || run.failure != "" || run.measured >= storedMin && run.measured <= storedMax {
				return n, run, err
			}
		}
	}
	n = grow(1, t.first, sampleAim)
	for range 12 {
		if run, err = fastest(try, n); err != nil || run.failure != "" {
			return n, run, err
		}
		if r.isEmpty(ctx, t, t.bins[side], t.procs[side], n, run) {
			run.empty = true
			return n, run, nil
		}
		took := run.measured
		if took == 0 { // no sec/op: what the process took beyond its set-up must do
			took = max(time.Millisecond, run.wall-t.setup)
		}
		if took >= sampleMin && took <= sampleMax || n == 1 && took > sampleMin || run.wall > wallMax && took < sampleMax {
			return n, run, nil
		}
		next := grow(n, took, sampleAim)
		if next == n {
			return n, run, nil
		}
		n = next
	}
	return n, run, nil
}

// fastest runs n iterations, twice where the first time seems to be enough: a process that the
// machine kept waiting looks like one that worked.
func fastest(try func(int) (reading, error), n int) (reading, error) {
	run, err := try(n)
	if err != nil || run.failure != "" || run.measured < sampleMin || run.wall > wallMax {
		return run, err
	}
	again, err := try(n)
	if err != nil || again.failure != "" || again.measured < run.measured {
		return again, err
	}
	return run, nil
}

// grow returns the iteration count that should take aim, given that n took a time or a number of
// instructions, in two significant digits and at most a hundred times n.
func grow[T time.Duration | int64](n int, took, aim T) int {
	per := float64(took) / float64(n)
	want := float64(100 * n)
	if per > 0 {
		want = min(want, float64(aim)/per)
	}
	if want <= 1 {
		return 1
	}
	unit := math.Pow(10, max(0, math.Floor(math.Log10(want))-1))
	return int(math.Round(want/unit) * unit)
}

// sampleLimit is when a process that should take the given wall time counts as hung.
func (r *goRunner) sampleLimit(expected time.Duration) time.Duration {
	if r.suite.Timeout > 0 {
		return r.suite.Timeout
	}
	if expected == 0 {
		return firstLimit
	}
	return sampleHung + sampleSlow*expected
}

// runOnce runs one benchmark in a fresh process for n iterations.
func (r *goRunner) runOnce(ctx context.Context, t *goTarget, bin *binary, procs, n int, limit time.Duration) (reading, error) {
	env, _ := r.environ()
	p := proc.Process{Path: bin.path, Dir: bin.dir, Env: env, Limit: limit, Args: []string{
		"-test.run=^$", "-test.bench=" + exactly(t.Key.Name), "-test.benchtime=" + strconv.Itoa(n) + "x",
		"-test.count=1", "-test.benchmem", "-test.paniconexit0",
	}}
	e, err := p.Run(ctx)
	if err != nil {
		return reading{}, err
	}
	got := reading{wall: e.Wall}
	if e.Failure != "" {
		got.failure = failureMessage(e)
		return got, nil
	}
	parsed, err := parse.GoBench(bytes.NewReader(e.Stdout), t.Key.String(), parse.GoOptions{Procs: procs})
	if err != nil {
		return got, err
	}
	for _, b := range parsed.Set.Benchmarks {
		if b.Name == t.Key.Name && b.Passes() == 1 {
			got.bench = b
		}
	}
	if got.bench == nil {
		got.failure = "it printed no result"
		return got, nil
	}
	if m := got.bench.Metric("sec/op"); m != nil {
		got.measured = time.Duration(m.Samples[0].Value * float64(n) * 1e9)
	}
	return got, nil
}

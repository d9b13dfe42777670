package harness

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/org/perfgate/internal/harness/proc"
	"github.com/org/perfgate/internal/result"
)

// Instructions are counted in processes of their own, at the gate: those of N iterations and of 3N, so
// that neither set-up nor warm-up is in the difference.

const (
	// instructionAim is what N iterations execute: enough that what the runtime does by the clock, some
	// thousand instructions a slice, is less than a thousandth. Callgrind takes some 50 ms for so many.
	instructionAim = 2_000_000
	// instructionMost is what a pass of one benchmark may take.
	instructionMost = 20 * time.Second
	// instructionFirst are the passes after which counts that vary can first be seen to be the same on both
	// sides.
	instructionFirst = 6
)

// instructionCounter counts the instructions that a process executes.
type instructionCounter interface {
	// name tells counts apart that differ by what counted them.
	name() string
	// start starts p at the gate. The instructions of each slice are in what it took.
	start(ctx context.Context, p proc.Process) (*gated, error)
}

// findInstructionCounter returns the processor's own counters where the kernel lends them, else callgrind.
func findInstructionCounter(ctx context.Context, scratch string) (instructionCounter, error) {
	perf, err := hardwareInstructions()
	if err == nil {
		return perf, nil
	}
	grind, grindErr := findCallgrind(ctx, scratch)
	if grindErr == nil {
		return grind, nil
	}
	return nil, fmt.Errorf("instructions are not counted: %w, and %w; install valgrind, or leave out --counters", err, grindErr)
}

// instructionEnv makes instructions repeat themselves. The garbage collector runs by the clock and by what
// other goroutines do, and what it costs shows in allocations: it is off, short of so large a heap. Callgrind
// does not survive the signals of asynchronous preemption.
func instructionEnv(env []string) []string {
	debug := "asyncpreemptoff=1,memprofilerate=0"
	if runtime.GOARCH == "amd64" {
		debug += ",cpu.erms=off,cpu.fsrm=off"
	}
	if own := proc.Lookup(env, "GODEBUG"); own != "" {
		debug = own + "," + debug
	}
	return append(slices.Clip(env), "GOMAXPROCS=1", "GOGC=off", "GOMEMLIMIT=1GiB", "GODEBUG="+debug)
}

// countInstructions counts the instructions of all live targets: in three passes where they are constant,
// and else until the judge knows enough.
func (s *schedule) countInstructions(ctx context.Context, live []*Target) error {
	defer s.budget.Start()()
	limited, cancel := context.WithTimeout(ctx, s.countLeft())
	defer cancel()
	for n := 0; ; n++ {
		if n >= countPasses {
			among := len(live)
			live = slices.DeleteFunc(slices.Clone(live), func(t *Target) bool { return !s.moreInstructions(t, n, among) })
		}
		if len(live) == 0 {
			break
		}
		err := s.runner.CountInstructions(limited, live, s.rng, keepInstructions)
		if limited.Err() != nil {
			return ctx.Err() // the budget ended: not an error
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// moreInstructions reports whether t needs a further pass after n of them, beside so many others.
func (s *schedule) moreInstructions(t *Target, n, among int) bool {
	for side, b := range t.Bench {
		if m := instructionsOf(b); t.Live[side] && (m == nil || len(m.Samples) < n) {
			return false // it cannot be counted
		}
	}
	if t.sides() < 2 || s.plan.Judge == nil {
		return n < instructionFirst
	}
	return s.plan.Judge.Counting(t.Bench[Base], t.Bench[Head], true, among)
}

func instructionsOf(b *result.Benchmark) *result.Metric {
	if b == nil {
		return nil
	}
	return b.Metric(result.Instructions)
}

// keepInstructions stores what a pass gave.
func keepInstructions(t *Target, r Reading) {
	for side, b := range t.Bench {
		for _, m := range r.Metrics[side] {
			sample := m.Samples[0]
			if known := b.Metric(m.Unit.Name); known != nil {
				sample.Pair, sample.Pass = len(known.Samples), len(known.Samples)
			}
			b.Take(m.Unit, sample, false)
		}
	}
}

// CountInstructions counts the instructions of each target once more.
func (r *goRunner) CountInstructions(ctx context.Context, targets []*Target, rng *rand.Rand, take func(*Target, Reading)) error {
	if r.instructions == nil {
		return nil
	}
	groups := r.groups(targets, 0)
	rng.Shuffle(len(groups), func(i, j int) { groups[i], groups[j] = groups[j], groups[i] })
	for i, g := range groups {
		if len(g.targets) > 0 {
			r.observe(Event{Phase: "count", What: "instructions of " + g.targets[0].place(), Done: i, Total: len(groups)})
		}
		if !g.gated() {
			r.warn("instructions are not counted where every sample is a process of its own")
			continue
		}
		g.instructions, g.exact = r.instructions, true
		g.targets = slices.DeleteFunc(g.targets, func(t *goTarget) bool { return t.noInstructions })
		err := r.throughAll(ctx, g, func(w *walk, t *goTarget) error {
			reading, err := w.instructions(t, rng)
			if err == nil && !t.noInstructions {
				take(&t.Target, reading)
			}
			return err
		}, func(tt *Target, reading Reading) {
			t := r.target(tt)
			t.alone = false // it may well run among the others where nothing counts
			t.leaveInstructions("its instructions could not be counted: " + oneOf(reading.Failure))
		})
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// leaveInstructions notes why t's instructions are not counted.
func (t *goTarget) leaveInstructions(why string) {
	t.noInstructions = true
	if b := t.Bench[Head]; b != nil {
		b.Notes = append(slices.Clip(b.Notes), why)
	}
}

// instructions counts those of t on both sides, in coin-flip order.
func (w *walk) instructions(t *goTarget, rng *rand.Rand) (Reading, error) {
	n, err := w.instructionIters(t)
	if n == 0 {
		return Reading{}, err
	}
	order := slices.Clone(w.sides)
	if rng.IntN(2) == 1 {
		slices.Reverse(order)
	}
	var got Reading
	for _, side := range order {
		var ran [3]int64
		for i, iters := range []int{3 * n, n, 3 * n} { // the first warms up, and takes all memory that the others need
			s, err := w.slice(t, side, iters, w.r.sampleLimit(0))
			if err != nil {
				return got, err
			}
			ran[i] = s.instructions
		}
		got.Metrics[side] = []*result.Metric{{Unit: result.UnitOf(result.Instructions), Samples: []result.Sample{
			{Value: max(0, float64(ran[2]-ran[1])/float64(2*n)), Iters: n},
		}}}
	}
	_, err = w.finish(t)
	return got, err
}

// instructionIters looks for the number of iterations that execute instructionAim beyond what one does,
// which has the set-up in it. It is 0 where a pass would take too long, and the sides have gone on then.
func (w *walk) instructionIters(t *goTarget) (int, error) {
	if t.instructionIters > 0 {
		return t.instructionIters, nil
	}
	var once slice
	for n := 1; ; {
		s, err := w.slice(t, w.sides[0], n, w.r.sampleLimit(0))
		if err != nil {
			return 0, err
		}
		if n == 1 {
			once = s
		}
		more := s.instructions - once.instructions
		pass := s.wall * time.Duration(7*len(w.sides)) // each side runs 7N
		switch {
		case pass > instructionMost:
			t.leaveInstructions(fmt.Sprintf("its instructions are not counted: that takes %v for %s", s.wall.Round(time.Millisecond), english.Plural(n, "iteration", "")))
			_, err := w.finish(t)
			return 0, err
		case n > 1 && more >= instructionAim/2, n >= instructionAim,
			s.instructions >= instructionAim && pass > instructionMost/4: // the set-up is dear
			t.instructionIters = n
			return n, nil
		}
		if n == 1 { // what one more executes is not known yet
			n = 10
		} else {
			n = max(n+1, grow(n, max(1, more), int64(instructionAim)))
		}
	}
}

// openInstructions finds what counts instructions, where they are asked for.
func (r *goRunner) openInstructions(ctx context.Context) {
	if !slices.Contains(r.suite.Counters, CounterInstructions) {
		return
	}
	counter, err := findInstructionCounter(ctx, r.suite.Scratch)
	if err != nil {
		r.warn("%v", err)
		return
	}
	r.instructions = counter
	for side := range r.envs {
		r.envs[side].Counter = counter.name()
	}
}

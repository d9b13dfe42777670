package harness

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/org/perfgate/internal/stats"
)

// The measured time of one slice at the gate.
const (
	sliceMin = time.Millisecond
	sliceAim = 1200 * time.Microsecond
	sliceMax = 50 * time.Millisecond
	// sliceWall bounds a slice by the clock on the wall, for benchmarks that stop the timer.
	sliceWall = 250 * time.Millisecond
	longSlice = 5    // slices in the long run that a slice is compared with
	agrees    = 1.05 // slice and long run agree within this factor
	mostRuns  = 8    // comparisons before they count as different
	// compareMost bounds the time of all comparisons, for benchmarks that are dear to begin.
	compareMost = 1500 * time.Millisecond
	collects    = 2 // garbage collections in a slice are enough to have their cost in it
	// passAim is the time that the pairs of a pass take where they are not fewer than fewestPairs, and passMost what
	// they should take at most.
	passAim  = 85 * time.Millisecond
	passMost = 600 * time.Millisecond
)

// Calibrate fixes the iteration counts on base (on head where base cannot run the benchmark) and uses
// them on both sides, so that allocations and amortised set-up agree.
func (r *goRunner) Calibrate(ctx context.Context, targets []*Target) error {
	for _, g := range r.groups(targets, 0) {
		if !g.gated() {
			for _, t := range g.targets {
				if err := r.calibrateProcess(ctx, t); err != nil {
					return err
				}
			}
			continue
		}
		var empty, failed []*goTarget
		err := r.throughAll(ctx, g, func(w *walk, t *goTarget) error {
			err := w.calibrate(t)
			if errors.Is(err, errEmpty) {
				empty = append(empty, t)
				_, err = w.finish(t)
			}
			return err
		}, func(t *Target, _ Reading) { failed = append(failed, r.target(t)) })
		if err != nil {
			return err
		}
		for _, t := range failed { // is it the gate's fault, and if not, which side's?
			t.gateless = true
			if err := r.calibrateProcess(ctx, t); err != nil {
				return err
			}
		}
		for _, t := range empty {
			if err := r.settleEmpty(ctx, t); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// errEmpty says that a benchmark's time does not grow with its iterations.
var errEmpty = errors.New(emptyMessage)

// calibrate finds the iterations of t's slices while both sides stand at its gate.
func (w *walk) calibrate(t *goTarget) error {
	side := w.sides[0]
	try := func(n int) (slice, error) { return w.slice(t, side, n, w.r.sampleLimit(0)) }
	began := time.Now()
	n, err := w.stored(t, try)
	if err != nil {
		return err
	}
	if n == 0 {
		if n, err = findIters(t, try); err != nil {
			return err
		}
	}
	spent := time.Since(began)
	s, err := try(n)
	if err != nil {
		return err
	}
	pair := s.wall
	for _, other := range w.sides[1:] { // which may take many times as long
		s, err := w.slice(t, other, n, w.r.sampleLimit(0))
		if err != nil {
			return err
		}
		pair += s.wall
	}
	if _, err := w.finish(t); err != nil {
		return err
	}
	t.Iters = n
	t.MinPairs, t.MaxPairs = pairsIn(pair)
	t.Pairs = t.MinPairs
	t.Begin = w.startup + max(0, time.Since(w.began)-spent)
	t.Cost = t.Begin + time.Duration(t.Pairs)*pair
	return nil
}

// pairsIn is the least and the most pairs of a pass, where a pair takes so long.
func pairsIn(pair time.Duration) (least, most int) {
	pair = max(1, pair)
	most = max(1, int(passMost/pair))
	return min(max(fewestPairs, int(passAim/pair)), most), most
}

// stored returns a stored baseline's iteration count where it is not far off, else 0.
func (w *walk) stored(t *goTarget, try func(int) (slice, error)) (int, error) {
	if w.r.suite.Iters == nil {
		return 0, nil
	}
	n := w.r.suite.Iters(t.Key)
	if n <= 0 {
		return 0, nil
	}
	s, err := try(n)
	if err != nil || s.took >= sliceMin/2 && s.took <= 2*sliceMax {
		return n, err
	}
	return 0, nil
}

// findIters looks for the number of iterations of a slice.
func findIters(t *goTarget, try func(int) (slice, error)) (int, error) {
	n, s, err := findSlice(t, try)
	if err != nil {
		return n, err
	}
	if n, s, err = lengthen(n, s, try); err != nil {
		return n, err
	}
	begin, err := try(1)
	if err != nil {
		return n, err
	}
	if idle := begin.wall - begin.took; idle > 2*s.took { // what it costs to begin is worth a longer slice
		n = max(n, grow(n, s.took, min(idle/2, sliceMax)))
	}
	return n, nil
}

// findSlice looks for the number of iterations that takes at least sliceMin.
func findSlice(t *goTarget, try func(int) (slice, error)) (int, slice, error) {
	n := grow(1, t.first, sliceAim)
	for {
		s, err := try(n)
		if err == nil && s.took >= sliceMin { // a process that the machine kept waiting looks like one that worked
			var again slice
			if again, err = try(n); again.took < s.took {
				s = again
			}
		}
		switch {
		case err != nil:
			return n, s, err
		case n >= emptyIters && s.took < emptyAtIters*time.Duration(n/emptyIters):
			return n, s, errEmpty
		case s.took >= sliceMin || s.wall >= sliceWall:
			return n, s, nil
		}
		next := min(grow(n, s.took, sliceAim), int(float64(n)*float64(sliceWall)/float64(max(1, s.wall))))
		if next <= n {
			return n, s, nil
		}
		n = next
	}
}

// lengthen makes the slice longer until its time per operation is that of a long run: until
// what the benchmark function does before its loop is amortised, and garbage collection is in it.
func lengthen(n int, s slice, try func(int) (slice, error)) (int, slice, error) {
	var spent time.Duration
	for s.took < sliceMax/2 && s.wall*longSlice < 2*sliceWall {
		var c comparison
		for range mostRuns {
			if err := c.again(n, try); err != nil {
				return n, s, err
			}
			if spent += c.wall; c.agree() || spent > compareMost {
				return n, c.typical, nil
			}
		}
		n *= 2
		s = slice{n: n, took: 2 * s.took, wall: 2 * s.wall}
	}
	return n, s, nil
}

// comparison is of long runs with rows of slices that have as many iterations together: the fastest of
// many slices would dodge what disturbs the machine, where no long run can.
type comparison struct {
	long, row time.Duration // the fastest ones
	ratios    []float64     // of row to long, neighbours in time, in ascending order
	uneven    float64       // of the most even row: its sum by that of as many typical slices
	collected bool          // a long run had garbage collections
	typical   slice         // the median one of the fastest row
	wall      time.Duration // of the last comparison
}

func (c *comparison) again(n int, try func(int) (slice, error)) error {
	long, err := try(n * longSlice)
	if err != nil {
		return err
	}
	c.wall = long.wall
	row := make([]slice, longSlice)
	var sum time.Duration
	for i := range row {
		if row[i], err = try(n); err != nil {
			return err
		}
		sum += row[i].took
		c.wall += row[i].wall
	}
	slices.SortFunc(row, func(a, b slice) int { return cmp.Compare(a.took, b.took) })
	typical := row[longSlice/2]
	uneven := float64(sum) / (longSlice * float64(max(1, typical.took)))
	if c.ratios == nil || uneven < c.uneven {
		c.uneven = uneven
	}
	if c.ratios == nil || sum < c.row {
		c.row, c.typical = sum, typical
	}
	if c.ratios == nil || long.took < c.long {
		c.long = long.took
	}
	c.collected = c.collected || long.cycles > 0
	c.ratios = append(c.ratios, float64(sum)/float64(max(1, long.took)))
	slices.Sort(c.ratios)
	return nil
}

// agree reports whether a slice tells what a long run does: by the fastest of both or, where the
// benchmark itself varies, by the typical comparison, and in the end unless nearly all of them say no.
func (c *comparison) agree() bool {
	within := func(most, least float64) bool {
		amortised := most <= agrees
		collected := !c.collected || c.typical.cycles >= collects || least >= 1/agrees && c.uneven <= agrees
		return amortised && collected
	}
	fastest, typical := float64(c.row)/float64(max(1, c.long)), stats.Median(c.ratios)
	n := len(c.ratios)
	return within(fastest, fastest) || n >= 3 && within(typical, typical) || n == mostRuns && within(c.ratios[1], c.ratios[n-2])
}

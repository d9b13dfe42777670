package harness

import (
	"cmp"
	"context"
	le "encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/org/perfgate/internal/result"
)

const (
	fewestCounted, mostCounted = 2, 1000 // iterations
	// countAim is what they take at most, countMost what a benchmark may: so dear a one is not counted.
	countAim = 10 * time.Millisecond
	// strayBytes an operation, without an allocation, are the runtime's. Sizes of allocations are multiples
	// of sizeClass.
	strayBytes, sizeClass = 16, 8
	countMost             = 5 * time.Second
	// countShare divides what is left of the budget where times are measured, too.
	countShare = 2
)

// countPasses show whether counts are constant.
const countPasses = 3

// count counts what is exact about all live targets.
func (s *schedule) count(ctx context.Context, live []*Target) error {
	defer s.budget.Start()()
	limited, cancel := context.WithTimeout(ctx, s.countLeft())
	defer cancel()
	for n := 0; ; n++ {
		if n >= countPasses {
			among := len(live)
			live = slices.DeleteFunc(slices.Clone(live), func(t *Target) bool {
				return s.plan.Judge == nil || t.sides() < 2 || t.counted < n || !s.plan.Judge.Counting(t.Bench[Base], t.Bench[Head], false, among)
			})
		}
		if len(live) == 0 {
			break
		}
		event := Event{Phase: "count", What: "exact values of " + live[0].place(), Done: n}
		if n < countPasses {
			event.Total = countPasses
		}
		s.observe(event)
		err := s.runner.Count(limited, live, s.keepCounts)
		if limited.Err() != nil {
			return ctx.Err() // the budget ended: not an error
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// countLeft is the time that counting may take: where times are measured, too, a part of what is left.
func (s *schedule) countLeft() time.Duration {
	if s.plan.NoTimes {
		return s.budget.Left()
	}
	return s.budget.Left() / countShare
}

// keepCounts stores what a pass of counting gave.
func (s *schedule) keepCounts(t *Target, r Reading) {
	for side, b := range t.Bench {
		for _, m := range r.Metrics[side] {
			if !m.Unit.Counted() && !s.plan.NoTimes {
				continue // every pass has it
			}
			sample := m.Samples[0]
			sample.Pair, sample.Pass = t.counted, t.counted
			b.Take(m.Unit, sample, false)
		}
	}
	t.counted++
}

// counter leads processes that count statements through benchmarks.
type counter struct {
	r     *goRunner
	files [2]map[int]*covered
	take  func(*Target, Reading)
}

// Count counts the allocations of each target once more, and the statements, which the first time also notes
// how often each block ran. What cannot be led through the gate is left to the passes.
func (r *goRunner) Count(ctx context.Context, targets []*Target, take func(*Target, Reading)) error {
	for _, g := range r.groups(targets, 0) {
		if !g.gated() {
			const why = "statements are not counted where every sample is a process of its own"
			r.warn(why)
			for _, t := range g.targets {
				if t.Uncounted = why; t.Bench[Head] != nil {
					t.Bench[Head].Uncounted = why
				}
			}
			continue
		}
		g.exact = true
		plain := &counter{r: r, take: func(t *Target, reading Reading) { r.target(t).readings = reading }}
		for _, t := range g.targets {
			t.readings = Reading{}
		}
		if err := r.throughAll(ctx, g, plain.allocations, func(*Target, Reading) {}); err != nil {
			return err
		}
		if err := r.lookAtMemory(ctx, g); err != nil {
			return err
		}
		counting, err := r.counting(ctx, g)
		if err != nil {
			return err
		}
		c := &counter{r: r, take: func(t *Target, reading Reading) {
			for side, ms := range reading.Metrics {
				r.target(t).readings.Metrics[side] = append(r.target(t).readings.Metrics[side], ms...)
			}
		}}
		for side, bin := range counting.bins {
			if bin != nil {
				c.files[side] = bin.recipe.counts.files
			}
		}
		fail := func(t *Target, reading Reading) {
			r.target(t).leaveUncounted("its statements could not be counted: " + oneOf(reading.Failure))
		}
		if counting.bins != [2]*binary{} {
			if err := r.throughAll(ctx, counting, c.statements, fail); err != nil {
				return err
			}
		}
		for _, t := range g.targets {
			if t.readings.Metrics[Base] != nil || t.readings.Metrics[Head] != nil {
				take(&t.Target, t.readings)
			}
		}
	}
	return ctx.Err()
}

// leaveUncounted notes why t is not counted.
func (t *goTarget) leaveUncounted(why string) {
	if b := t.Bench[Head]; t.Uncounted == "" && b != nil {
		b.Notes, b.Uncounted = append(slices.Clip(b.Notes), why), why
	}
	t.Uncounted = why
}

// oneOf is why a side failed.
func oneOf(failure [2]string) string { return cmp.Or(failure[Base], failure[Head], "it failed") }

// counting is the group with the binaries that count statements, without any where they do not compile.
func (r *goRunner) counting(ctx context.Context, g group) (group, error) {
	made := group{writes: countsEnv, exact: true}
	for _, t := range g.targets {
		if t.Uncounted == "" {
			made.targets = append(made.targets, t)
		}
	}
	if len(made.targets) == 0 {
		return made, nil
	}
	known, ok := r.countings[g.bins]
	if !ok {
		var err error
		if known, err = r.build.countBoth(ctx, g.bins); err != nil {
			if ctx.Err() != nil {
				return made, ctx.Err()
			}
			r.warn("%s: statements are not counted: %s", g.targets[0].pkg.name(), clip(err.Error()))
			known = [2]*binary{}
		}
		if head := known[Head]; head != nil && len(head.recipe.counts.without) > 0 {
			r.warn("statements of files with cgo are not counted: %s", strings.Join(head.recipe.counts.without, ", "))
		}
		r.countings[g.bins] = known
	}
	made.bins = known
	return made, nil
}

// countedIters is the number of iterations to count: what a stored baseline has, or a power of ten by their
// time. So many that what the runtime allocates now and then is next to nothing, and that machines agree. It is
// 0 where counting takes too long, and the sides have gone on then.
func (c *counter) countedIters(w *walk, t *goTarget) (int, error) {
	if t.countIters > 0 {
		return t.countIters, nil
	}
	if time.Duration(4*fewestCounted*len(w.sides))*t.first > countMost {
		t.leaveUncounted(fmt.Sprintf("it is not counted: an operation takes %v", t.first.Round(time.Millisecond)))
		_, err := w.finish(t)
		return 0, err
	}
	n := fewestCounted
	if stored := c.r.suite.Counted; stored != nil && stored(t.Key) >= n {
		n = stored(t.Key)
	} else if t.first < countAim {
		for n = 10; n < mostCounted; n *= 10 {
			s, err := w.slice(t, w.sides[0], n, c.r.sampleLimit(0))
			if err != nil {
				return 0, err
			}
			if c.files[Base] != nil || c.files[Head] != nil {
				if _, err := w.at[w.sides[0]].readCounts(); err != nil {
					return 0, err
				}
			}
			if s.took*10 > countAim {
				break
			}
		}
	}
	t.countIters = n
	return n, nil
}

// allocations counts what n iterations allocate, and three times as many, whose difference has neither
// set-up nor warm-up in it.
func (c *counter) allocations(w *walk, t *goTarget) error {
	n, err := c.countedIters(w, t)
	if n == 0 {
		return err
	}
	var got Reading
	var longest [2]slice
	var asked [2]UpstreamCounts
	for _, side := range w.sides {
		var ran [2]slice
		var ask [2]UpstreamCounts
		for i, times := range []int{1, 3} {
			before := w.asked(side)
			var err error
			if ran[i], err = w.slice(t, side, times*n, c.r.sampleLimit(0)); err != nil {
				return err
			}
			ask[i] = w.asked(side).minus(before)
		}
		longest[side], asked[side] = ran[1], ask[1].minus(ask[0])
		allocs, bytes := allocated(ran, 2*n)
		for unit, v := range map[string]float64{"allocs/op": allocs, "B/op": bytes} {
			got.Metrics[side] = append(got.Metrics[side], &result.Metric{Unit: t.unit(unit), Samples: []result.Sample{{Value: v, Iters: n}}})
		}
	}
	last, err := w.finish(t)
	if err != nil {
		return err
	}
	for _, side := range w.sides {
		if c.r.suite.Upstream != nil {
			got.Metrics[side] = append(got.Metrics[side], asked[side].perOperation(2*n, n, asked != [2]UpstreamCounts{})...)
		}
		for _, m := range t.metrics([]slice{longest[side]}, last[side]) {
			if !m.Unit.Timing() && !m.Unit.Counted() { // what the benchmark counts itself
				m.Samples[0].Iters = n
				got.Metrics[side] = append(got.Metrics[side], m)
			}
		}
	}
	c.take(&t.Target, got)
	return nil
}

// allocated is what an operation allocates, by the difference of two slices of n iterations.
func allocated(ran [2]slice, n int) (allocs, bytes float64) {
	allocs, bytes = perOp(ran[1].allocs-ran[0].allocs, n, 0.1), perOp(ran[1].bytes-ran[0].bytes, n, 1)
	switch {
	case allocs == 0 && bytes < strayBytes:
		bytes = 0
	case allocs >= 1 && allocs == math.Trunc(allocs): // each operation allocates alike, in size classes
		bytes = perOp(ran[1].bytes-ran[0].bytes, n, sizeClass)
	}
	return allocs, bytes
}

// perOp rounds to multiples of unit: what the runtime, its scheduler and pools that it empties do now and then
// is less, by many iterations. Where more iterations do less, that is theirs too.
func perOp(total int64, n int, unit float64) float64 {
	v := float64(total) / float64(n)
	if unit < 1 { // a tenth has no exact value, ten has
		parts := 1 / unit
		return max(0, math.Round(v*parts)/parts)
	}
	return max(0, math.Round(v/unit)*unit)
}

// statementsPerOp rounds to a tenth, and to five digits: few iterations of a dear benchmark spread what the
// runtime does over few operations.
func statementsPerOp(total int64, n int) float64 {
	unit := 0.1
	for v := float64(total) / float64(n); v >= 1e5*unit; {
		unit *= 10
	}
	return perOp(total, n, unit)
}

// statements counts the statements of n iterations and of three times as many.
func (c *counter) statements(w *walk, t *goTarget) error {
	n, err := c.countedIters(w, t)
	if n == 0 {
		return err
	}
	var got Reading
	var ran [2]map[int][]float64
	for _, side := range w.sides {
		var counts [2]map[int][]uint32
		for i, times := range []int{1, 3} {
			if _, err := w.slice(t, side, times*n, c.r.sampleLimit(0)); err != nil {
				return err
			}
			var err error
			if counts[i], err = w.at[side].readCounts(); err != nil {
				return err
			}
		}
		blocks, total, err := difference(counts, c.files[side], 2*n)
		if err != nil {
			return err
		}
		ran[side] = blocks
		got.Metrics[side] = []*result.Metric{{Unit: result.UnitOf(result.Statements), Samples: []result.Sample{{Value: total, Iters: n}}}}
	}
	if _, err := w.finish(t); err != nil {
		return err
	}
	if t.Bench[Head] != nil && len(w.sides) == 2 && t.Bench[Head].Blocks == nil {
		t.Bench[Head].Blocks = changedBlocks(blocksOf(ran[Base], c.files[Base]), blocksOf(ran[Head], c.files[Head]))
	}
	c.take(&t.Target, got)
	return nil
}

// difference is how often each block ran an operation, and the statements of all of them together.
func difference(counts [2]map[int][]uint32, files map[int]*covered, n int) (blocks map[int][]float64, total float64, err error) {
	blocks = map[int][]float64{}
	sum := int64(0)
	for id, last := range counts[1] {
		f, first := files[id], counts[0][id]
		if f == nil || len(first) != len(last) || len(last) != len(f.blocks) {
			return nil, 0, fmt.Errorf("unexpected counts of file %d", id)
		}
		per := make([]float64, len(last))
		for i := range last {
			d := int64(last[i]) - int64(first[i])
			per[i] = float64(d) / float64(n)
			sum += d * int64(f.blocks[i].statements)
		}
		blocks[id] = per
	}
	return blocks, statementsPerOp(sum, n), nil
}

// readCounts reads what the process wrote after its last slice.
func (g *gated) readCounts() (map[int][]uint32, error) {
	r := io.NewSectionReader(g.sink, g.read, math.MaxInt64-g.read)
	counts, err := parseCounts(r)
	if err != nil {
		return nil, fmt.Errorf("the counts of statements are not in their form: %w", err)
	}
	at, err := r.Seek(0, io.SeekCurrent)
	g.read += at
	return counts, err
}

// parseCounts reads the counts of a slice: the number of files, and of each its number, that of its blocks and
// their counts.
func parseCounts(r io.Reader) (map[int][]uint32, error) {
	number := func() (n uint32, err error) {
		var b [4]byte
		_, err = io.ReadFull(r, b[:])
		return le.LittleEndian.Uint32(b[:]), err
	}
	files, err := number()
	if err != nil {
		return nil, err
	}
	counts := map[int][]uint32{}
	for range files {
		id, err := number()
		if err != nil {
			return nil, err
		}
		n, err := number()
		if err != nil {
			return nil, err
		}
		if n > mostBlocks {
			return nil, fmt.Errorf("%d blocks", n)
		}
		data := make([]byte, 4*n)
		if _, err := io.ReadFull(r, data); err != nil {
			return nil, err
		}
		blocks := make([]uint32, n)
		for i := range blocks {
			blocks[i] = le.LittleEndian.Uint32(data[4*i:])
		}
		counts[int(id)] = blocks
	}
	return counts, nil
}

// mostBlocks of a file: a stranger's program could have written to the file.
const mostBlocks = 1 << 20

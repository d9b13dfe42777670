package harness

import (
	"context"

	"github.com/org/perfgate/internal/harness/proc"
	"github.com/org/perfgate/internal/profiler"
	"github.com/org/perfgate/internal/result"
)

// lookAtMemory finds out what each target's process holds and allocates, once, in processes in which nothing is timed
// and nothing else is counted: looking collects garbage.
func (r *goRunner) lookAtMemory(ctx context.Context, g group) error {
	var todo []*goTarget
	for _, t := range g.targets {
		if t.countIters > 0 && !t.looked {
			t.looked = true
			todo = append(todo, t)
		}
	}
	if len(todo) == 0 {
		return nil
	}
	g.targets, g.alive = todo, aliveEnv
	return r.throughAll(ctx, g, look, func(*Target, Reading) {}) // one that fails here is not known, and fails elsewhere
}

// look reads what a side's process holds behind so many iterations as are counted, and the most that it held meanwhile.
func look(w *walk, t *goTarget) error {
	n := t.countIters
	var seen [2]*result.Memory
	for _, side := range w.sides {
		at := w.at[side]
		proc.ResetPeaks(at.child.Pid())
		s, err := w.slice(t, side, n, w.r.sampleLimit(0))
		if err != nil {
			return err
		}
		a, err := at.alive(s)
		if err != nil {
			return err
		}
		of := float64(n)
		seen[side] = &result.Memory{Peak: float64(a.outside.High()), Inside: &result.Inside{
			Live: a.live, Goroutines: a.goroutines, Allocated: float64(s.bytes) / of, Objects: float64(s.allocs) / of, Cycles: float64(s.cycles) / of}}
	}
	if _, err := w.finish(t); err != nil {
		return err
	}
	for _, side := range w.sides {
		t.Bench[side].Memory = seen[side]
	}
	return nil
}

// lastMark is what a Go program held at the last mark of its memory, nil where it made none, or is in another language.
func lastMark(marks []profiler.Mark) *result.Inside {
	if len(marks) == 0 {
		return nil
	}
	m := marks[len(marks)-1]
	if m.Goroutines == 0 {
		return nil
	}
	return &result.Inside{Live: float64(m.LiveBytes), Allocated: float64(m.AllocBytes), Objects: float64(m.AllocObjects),
		Cycles: float64(m.GCCycles), Goroutines: float64(m.Goroutines)}
}

// MemoryOf is what the processes of a program held, by its metric of peak memory and the marks that it made itself. It
// is nil where nothing is known.
func MemoryOf(b *result.Benchmark, marks []profiler.Mark) *result.Memory {
	m := &result.Memory{Inside: lastMark(marks)}
	if peak := b.Metric(result.PeakRSS); peak != nil {
		for _, v := range peak.Values() {
			m.Peak = max(m.Peak, v)
		}
	}
	if m.Peak == 0 && m.Inside == nil {
		return nil
	}
	return m
}

package harness

import (
	"context"
	"slices"
	"time"

	"github.com/org/perfgate/internal/result"
)

// facts takes the passes that show what is exact about the targets that have it in every pass, where the budget does
// not bring all to their first look. A fact needs fewer passes than a time, so it is not lost with it. The passes
// are the first ones of that look for those that still come to it.
func (s *schedule) facts(ctx context.Context, chunks [][]*Target) error {
	for _, c := range chunks {
		if !slices.ContainsFunc(c, func(t *Target) bool { return t.Facts }) {
			continue
		}
		if err := s.calibrateOnce(ctx, c); err != nil {
			return err
		}
	}
	limit := s.factsLeft(slices.Concat(chunks...))
	for _, c := range chunks {
		for _, t := range c {
			need := countPasses * t.Cost
			if !t.Facts || t.sides() == 0 || t.Cost == 0 || need > limit {
				continue
			}
			limit -= need
			if stop, err := s.fact(ctx, t); err != nil || stop {
				return err
			}
		}
	}
	return nil
}

// factsLeft is the time that facts may take: all that is left where nothing else is measured.
func (s *schedule) factsLeft(live []*Target) time.Duration {
	if slices.ContainsFunc(live, func(t *Target) bool { return !t.Facts }) {
		return s.countLeft()
	}
	return s.budget.Left()
}

// fact takes passes of t until what is exact about it is known. It says stop when the budget ended half-way.
func (s *schedule) fact(ctx context.Context, t *Target) (stop bool, err error) {
	for t.sides() > 0 && !t.factsKnown() {
		s.observe(Event{Phase: "measure", What: "exact values of " + t.Key.String(), Done: t.passes, Total: max(countPasses, t.passes), Left: min(s.budget.Left(), countPasses*t.Cost)})
		if stop, err = s.pass(ctx, []*Target{t}, 0); err != nil || stop {
			return stop, err
		}
		s.save()
	}
	return false, nil
}

// factsKnown reports whether what is exact about t is known on the sides that can be measured: it is in every pass, and
// these are enough.
func (t *Target) factsKnown() bool {
	known := false
	for _, b := range t.Bench {
		if b == nil || b.Status != result.OK {
			continue
		}
		if known = b.Passes() >= countPasses; !known {
			break
		}
	}
	return t.Facts && known
}

// explainUntimed says why a side has no times where all its passes could only count.
func (t *Target) explainUntimed(b *result.Benchmark) {
	timed := slices.ContainsFunc(b.Metrics, func(m *result.Metric) bool { return m.Unit.Timing() })
	if at := slices.IndexFunc(b.Void, func(v result.Void) bool { return v.Counted }); t.Facts && !timed && at >= 0 {
		b.Untimed = "no pass has times that hold: " + b.Void[at].Message
	}
}

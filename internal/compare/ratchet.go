package compare

import (
	"github.com/org/perfgate/internal/result"
)

// Ratchet keeps in a new baseline the best levels of the old one that the new one is worse than within the
// tolerance: a drift in small steps is held to where it began. A rise beyond the tolerance is accepted with
// the baseline, and a level that other code was measured with, such as of another Go, is forgotten.
func (p Policy) Ratchet(old, renewed *result.File) {
	differs := func(unit string) bool { return len(old.Head.Env.DiffersInCounts(renewed.Head.Env, unit)) > 0 }
	index := old.Head.Index()
	for _, b := range renewed.Head.Benchmarks {
		before := index[b.Key()]
		if before == nil {
			continue
		}
		for _, m := range b.Metrics {
			was := before.Metric(m.Unit.Name)
			if was == nil || !constant(m.Values()) || !constant(was.Values()) || differs(m.Unit.Name) {
				continue
			}
			level := was.Best
			if level == nil {
				s := first(was)
				level = &result.Level{Value: s.Value, Iters: s.Iters, Commit: old.Head.Commit, Date: old.GeneratedAt.UTC().Format(DateFormat)}
			}
			worse := m.Unit.Better.Sign() * (first(m).Value - level.Value)
			t := p.termsOf(b.Key(), m.Unit.Name)
			if worse > 0 && worse <= toleranceOf(t.tolerance, m.Unit, level.Value, first(m).Value) {
				m.Best = level
			}
		}
	}
}

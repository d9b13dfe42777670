package harness

import (
	"time"

	"github.com/org/perfgate/internal/result"
)

// Cost is the machine time that a benchmark takes.
type Cost struct {
	Key   result.Key
	Iters int
	// Same says why there is nothing to measure, Problem why it cannot be measured.
	Same, Problem string
	// First is the time to the first look, Most that of the whole first stage, Confirm that of the
	// second with one suspect, linking not counted.
	First, Most, Confirm time.Duration
}

// costs lists what the benchmarks would take.
func (s *schedule) costs() []Cost {
	if !s.plan.OnlyPlan {
		return nil
	}
	var cs []Cost
	for _, t := range s.runner.Targets() {
		c := Cost{Key: t.Key, Iters: t.Iters}
		pass := t.Cost * time.Duration(t.share())
		switch {
		case t.same():
			c.Same = t.Bench[Head].Same
		case t.sides() == 0:
			c.Problem = "not measured: it fails, or a side has nothing like it"
		case t.Cost == 0:
			c.Problem = "the budget ended before it was calibrated"
		case t.sides() == 1:
			c.First = time.Duration(looks[0]) * pass
			c.Most = c.First
		default:
			c.First, c.Most = time.Duration(looks[0])*pass, time.Duration(looks[len(looks)-1])*pass
			if s.plan.Judge != nil {
				c.Confirm = time.Duration(s.plan.Judge.Builds(1)) * pass
			}
		}
		cs = append(cs, c)
	}
	return cs
}

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
			c.Problem = "not measured: " + t.obstacle()
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

// obstacle says why t is measured on no side: head has the first word.
func (t *Target) obstacle() string {
	for _, side := range []Side{Head, Base} {
		b := t.Bench[side]
		why := ""
		switch {
		case b == nil:
		case b.Status == result.Failed:
			why = "it fails on " + side.String()
		case b.Status == result.Skipped:
			why = side.String() + " skips it"
		case b.Status == result.Unbuilt:
			why = "its package does not build on " + side.String()
		}
		switch {
		case why == "":
		case b.Message == "" || b.Status == result.Unbuilt:
			return why
		default:
			return why + ": " + b.Message
		}
	}
	return "a side has nothing like it"
}

package harness

import (
	"context"
	"slices"
	"time"

	"github.com/org/perfgate/internal/stats"
)

// screen is the first stage: passes over all targets until each is decided or the budget that the
// suspects leave is used up. From the first look on, those that are dear wait until the others are decided.
func (s *schedule) screen(ctx context.Context, live []*Target) error {
	total := s.decided + len(live)
	first, last := looks[0], looks[len(looks)-1]
	live, err := s.passes(ctx, live, 0, first, total)
	if err != nil {
		return err
	}
	cheap, dear := byCost(live)
	if cheap, err = s.passes(ctx, cheap, first, last, total); err != nil {
		return err
	}
	if dear, err = s.passes(ctx, dear, first, last, total); err != nil {
		return err
	}
	s.look(slices.Concat(cheap, dear), true)
	return nil
}

// byCost separates the targets whose passes take many times as long as those of most.
func byCost(live []*Target) (cheap, dear []*Target) {
	costs := make([]float64, len(live))
	for i, t := range live {
		costs[i] = float64(t.Cost) * float64(t.share())
	}
	most := dearer * stats.Median(costs)
	for i, t := range live {
		if costs[i] > most {
			dear = append(dear, t)
		} else {
			cheap = append(cheap, t)
		}
	}
	return cheap, dear
}

// passes takes the passes of the first stage from one number to another, and returns the targets that are not decided.
func (s *schedule) passes(ctx context.Context, live []*Target, from, to, total int) ([]*Target, error) {
	builds := 1
	if from > 0 {
		builds = len(s.screened)
	}
	for n := from; n < to; n++ {
		live = slices.DeleteFunc(slices.Clone(live), func(t *Target) bool { return t.sides() == 0 })
		live = s.trim(live)
		due := slices.DeleteFunc(slices.Clone(live), func(t *Target) bool { return t.passes > n*t.share() }) // facts took some
		if len(live) == 0 || passCost(due) > s.budget.Left()-s.reserve() {
			break
		}
		if len(due) == 0 {
			continue
		}
		s.observe(Event{Phase: "measure", What: live[0].place(), Done: s.decided, Total: total, Left: min(s.budget.Left(), time.Duration(max(1, looks[0]-n))*passCost(live))})
		if stop, err := s.pass(ctx, due, s.screened[n%builds]); err != nil || stop {
			return live, err
		}
		if err := s.maybeControl(ctx, live, s.reserve()); err != nil {
			return live, err
		}
		s.tune(live)
		s.squeeze(live, looks[0]-n-1)
		live = s.lookAtSpent(live)
		if slices.Contains(looks, n+1) {
			live = s.look(live, n+1 == looks[len(looks)-1])
		}
		if n+1 == looks[0] && len(live) > 0 && s.plan.Judge != nil {
			if err := s.linkScreen(ctx, live); err != nil {
				return live, err
			}
		}
		s.save()
	}
	return live, nil
}

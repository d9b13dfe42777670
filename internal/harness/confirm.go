package harness

import (
	"context"
	"slices"
	"time"

	"github.com/org/perfgate/internal/result"
)

// reserve is what the suspects' second stage will need.
func (s *schedule) reserve() time.Duration {
	if len(s.suspects) == 0 {
		return 0
	}
	return s.confirmCost(s.suspects)
}

// confirmCost is the machine time of the second stage of targets.
func (s *schedule) confirmCost(targets []*Target) time.Duration {
	return time.Duration(s.plan.Judge.Builds(len(targets))) * buildCost(targets)
}

// buildCost is the machine time of the targets on one build of the second stage.
func buildCost(targets []*Target) time.Duration {
	var sum time.Duration
	for _, t := range targets {
		sum += t.Cost * time.Duration(t.onBuild())
	}
	return sum
}

// confirm is the second stage: the suspects again, on builds with the code in another order each time,
// and after them the benchmarks that seem to have become faster, as far as the budget allows.
func (s *schedule) confirm(ctx context.Context) error {
	picked := s.wholeSuite()
	switch {
	case s.plan.ConfirmAll:
		picked = s.affordable(s.runner.Targets())
	case len(picked) == 0:
		picked = s.affordable(s.suspects, s.candidates)
	}
	if len(picked) == 0 {
		return nil
	}
	s.confirming = true
	builds := s.plan.Judge.Builds(len(picked))
	for i := range builds {
		build := s.newBuild()
		s.observe(Event{Phase: "link", What: "for the confirmation", Done: i, Total: builds})
		if err := s.runner.Link(ctx, build, picked); err != nil {
			return err
		}
		s.observe(Event{Phase: "confirm", What: picked[0].Key.String(), Done: i, Total: builds, Left: time.Duration(builds-i) * buildCost(picked)})
		stop, err := s.pass(ctx, picked, build)
		s.runner.Unlink(build)
		if err != nil || stop {
			return err
		}
		s.confirmed = append(s.confirmed, build)
		if err := s.maybeControl(ctx, picked, time.Duration(builds-i-1)*buildCost(picked)); err != nil {
			return err
		}
		s.save()
	}
	return nil
}

// wholeSuite returns all measured targets where they seem slower together and the budget allows to
// measure all of them again.
func (s *schedule) wholeSuite() []*Target {
	if s.plan.Judge == nil {
		return nil
	}
	base, head := s.runner.Sets()
	if base == nil || s.plan.Judge.ScreenSuite(base, head) != result.Suspect {
		return nil
	}
	all := slices.DeleteFunc(slices.Clone(s.runner.Targets()), func(t *Target) bool { return t.passes == 0 || t.sides() < 2 })
	if picked := s.affordable(all); len(picked) == len(all) {
		return all
	}
	return nil
}

// affordable picks the targets, group after group, whose second stage fits into the budget, and sets
// how often each of them is measured on a build.
func (s *schedule) affordable(groups ...[]*Target) []*Target {
	var picked []*Target
	for _, group := range groups {
		for _, t := range group {
			if t.sides() < 2 {
				continue
			}
			next := append(slices.Clone(picked), t)
			t.again = s.plan.Judge.Passes(t.Bench[Base], t.Bench[Head], len(next))
			for t.again > 1 && s.confirmCost(next) > s.budget.Left() { // a large change shows in fewer
				t.again--
			}
			if s.confirmCost(next) <= s.budget.Left() {
				picked = next
			}
		}
	}
	return picked
}

package harness

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/org/perfgate/internal/result"
)

// schedule spends the budget on pairs.
type schedule struct {
	runner  Runner
	plan    Plan
	budget  *Budget
	observe func(Event)

	rng    *rand.Rand
	floor  int // pairs to plan for
	need   int // pairs below which nothing can be judged
	pairs  int // whole rounds taken, or the pairs that each benchmark is brought to
	saved  time.Time
	failed map[*Target][2]int
}

// maxFailures is how many failed samples of one side end the measuring of a benchmark:
// what fails at a fixed iteration count fails again.
const maxFailures = 3

// run measures all live targets. Where the budget does not allow the floor for all, those
// whose code changed come first, and each is brought to the floor before the next begins.
func (s *schedule) run(ctx context.Context) error {
	s.rng = rand.New(rand.NewPCG(s.plan.Seed, 0))
	s.failed = map[*Target][2]int{}
	s.saved = time.Now()
	defer s.budget.Start()()
	targets := s.live()
	gated := 0
	for _, t := range targets {
		gated += t.Gated
	}
	s.floor, s.need = s.plan.Floor(max(gated, 1)), s.plan.Need(max(gated, 1))
	calibrated, err := s.calibrate(ctx, targets)
	if err != nil {
		return err
	}
	if len(calibrated) == len(targets) && s.fits(targets, s.floor) {
		return s.rounds(ctx, targets)
	}
	s.pairs = s.floor
	return s.oneByOne(ctx, targets, len(calibrated))
}

// live returns the targets to measure, the changed ones first, else in random order so that
// a budget that ends does not always end on the same ones.
func (s *schedule) live() []*Target {
	var live []*Target
	for _, t := range s.runner.Targets() {
		if t.sides() > 0 {
			live = append(live, t)
		}
	}
	s.rng.Shuffle(len(live), func(i, j int) { live[i], live[j] = live[j], live[i] })
	slices.SortStableFunc(live, func(a, b *Target) int { return cmp.Compare(order(a), order(b)) })
	return live
}

func order(t *Target) int {
	if t.Changed {
		return 0
	}
	return 1
}

// calibrate fixes iteration counts until the floor of what is calibrated uses up the budget.
func (s *schedule) calibrate(ctx context.Context, targets []*Target) ([]*Target, error) {
	var sum time.Duration
	for i, t := range targets {
		if sum > s.budget.Left() {
			return targets[:i], nil
		}
		s.observe(Event{Phase: "calibrate", What: t.Key.String(), Done: i, Total: len(targets)})
		if err := s.calibrateOne(ctx, t); err != nil {
			return targets[:i], err
		}
		if ctx.Err() == nil && s.budget.Left() == 0 {
			return targets[:i], nil
		}
		if t.sides() > 0 {
			sum += time.Duration(s.floor) * t.Cost
		}
	}
	return targets, ctx.Err()
}

func (s *schedule) calibrateOne(ctx context.Context, t *Target) error {
	limited, cancel := s.budget.context(ctx)
	defer cancel()
	err := s.runner.Calibrate(limited, t)
	if limited.Err() != nil {
		return ctx.Err() // the budget ended: not an error
	}
	return err
}

// fits reports whether every target can have n pairs in what is left of the budget.
func (s *schedule) fits(targets []*Target, n int) bool {
	return time.Duration(n)*roundCost(targets) <= s.budget.Left()
}

func roundCost(targets []*Target) time.Duration {
	var sum time.Duration
	for _, t := range targets {
		if t.sides() > 0 {
			sum += t.Cost
		}
	}
	return sum
}

// rounds visits every target once a round, in random order, until each has MaxPairs or another
// round would not fit into the budget. The time that pairs take says nothing about which side is
// slower, so ending by it leaves the test exact; ending by the values would not.
func (s *schedule) rounds(ctx context.Context, targets []*Target) error {
	visit := slices.Clone(targets)
	began := time.Now()
	most := max(s.floor, s.plan.MaxPairs)
	for round := range most {
		if used := time.Since(began); round > 0 && used/time.Duration(round) >= s.budget.Left() {
			break
		}
		s.rng.Shuffle(len(visit), func(i, j int) { visit[i], visit[j] = visit[j], visit[i] })
		for i, t := range visit {
			done, total := round*len(visit)+i, most*len(visit)
			left := min(remaining(began, done, total), s.budget.Left())
			s.observe(Event{Phase: "measure", What: t.Key.String(), Done: done, Total: total, Left: left})
			if stop, err := s.pair(ctx, t); stop || err != nil {
				return err
			}
		}
		s.pairs = round + 1
		s.save()
	}
	return nil
}

func remaining(began time.Time, done, total int) time.Duration {
	if done == 0 {
		return 0
	}
	return time.Duration(float64(time.Since(began)) / float64(done) * float64(total-done))
}

// oneByOne brings each target to the floor before it begins the next.
func (s *schedule) oneByOne(ctx context.Context, targets []*Target, calibrated int) error {
	for i, t := range targets {
		s.observe(Event{Phase: "measure", What: t.Key.String(), Done: i, Total: len(targets), Left: s.budget.Left()})
		if i >= calibrated {
			if s.budget.Left() == 0 {
				break
			}
			if err := s.calibrateOne(ctx, t); err != nil {
				return err
			}
		}
		if t.Cost == 0 || time.Duration(s.floor)*t.Cost > s.budget.Left() {
			continue // a cheaper one may still fit
		}
		for range s.floor {
			if stop, err := s.pair(ctx, t); stop || err != nil {
				s.explainUnmeasured(targets)
				return err
			}
		}
		s.save()
	}
	s.explainUnmeasured(targets)
	return ctx.Err()
}

// explainUnmeasured writes on each target without a sample why it has none.
func (s *schedule) explainUnmeasured(targets []*Target) {
	for _, t := range targets {
		for side, b := range t.Bench {
			if b == nil || !t.Live[side] || t.done > 0 {
				continue
			}
			b.Unmeasured = "the budget ended before it"
			if t.Cost > 0 {
				b.Unmeasured = fmt.Sprintf("its %d pairs take %v", s.floor, (time.Duration(s.floor) * t.Cost).Round(time.Second))
			}
		}
	}
}

// pair takes one sample a side, back to back, in coin-flip order. A failed process voids the
// pair. It says stop when the budget is used up.
func (s *schedule) pair(ctx context.Context, t *Target) (stop bool, err error) {
	if t.sides() == 0 {
		return false, nil
	}
	limited, cancel := s.budget.context(ctx)
	defer cancel()
	sides := []Side{Base, Head}
	if s.rng.IntN(2) == 1 {
		slices.Reverse(sides)
	}
	var got [2]Reading
	for _, side := range sides {
		if !t.Live[side] {
			continue
		}
		got[side], err = s.runner.Sample(limited, t, side)
		if limited.Err() != nil {
			return true, ctx.Err() // cut off half-way: the pair never was
		}
		if err != nil {
			return true, err
		}
	}
	s.keep(t, got)
	return false, nil
}

// keep stores a pair, or notes on the side that failed why it is void.
func (s *schedule) keep(t *Target, got [2]Reading) {
	void := false
	fails := s.failed[t]
	for side, r := range got {
		if t.Live[side] && r.Failure != "" {
			void = true
			fails[side]++
			t.Bench[side].Void = append(t.Bench[side].Void, result.Void{Pair: t.done, Message: r.Failure})
		}
	}
	s.failed[t] = fails
	for side, r := range got {
		if void || !t.Live[side] {
			continue
		}
		for _, m := range r.Metrics {
			sample := m.Samples[0]
			sample.Pair = t.done
			t.Bench[side].Add(m.Unit, sample)
		}
	}
	t.done++
	if max(fails[Base], fails[Head]) >= maxFailures && t.done < 2*(fails[Base]+fails[Head]) {
		t.Live = [2]bool{}
	}
}

// saveEvery keeps a killed run's loss small without writing all the time.
const saveEvery = 5 * time.Second

func (s *schedule) save() {
	if s.plan.AfterRound == nil || time.Since(s.saved) < saveEvery {
		return
	}
	s.saved = time.Now()
	s.plan.AfterRound(s.runner.Sets())
}

// measured counts the benchmarks that have the pairs that the judge needs.
func (s *schedule) measured() int {
	n := 0
	for _, t := range s.runner.Targets() {
		if t.done > 0 && t.done >= s.need {
			n++
		}
	}
	return n
}

// total counts the benchmarks that a side could run, those included that the budget did not even
// allow to list.
func (s *schedule) total() int {
	n := 0
	for _, t := range s.runner.Targets() {
		unlisted := func(b *result.Benchmark) bool { return b != nil && b.Unmeasured != "" }
		if t.sides() > 0 || t.done > 0 || slices.ContainsFunc(t.Bench[:], unlisted) {
			n++
		}
	}
	return n
}

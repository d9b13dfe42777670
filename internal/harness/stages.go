package harness

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/org/perfgate/internal/result"
)

// schedule spends the budget on passes, in two stages: all benchmarks until each is found unchanged or
// suspect, then the suspects on re-linked builds.
type schedule struct {
	runner  Runner
	plan    Plan
	budget  *Budget
	observe func(Event)

	rng        *rand.Rand
	saved      time.Time
	suspects   []*Target
	candidates []*Target // for an improvement
	confirming bool
	decided    int
	calibrated int

	screened, confirmed []Build
	control             control
}

// The looks of the first stage, in passes.
var looks = []int{6, 8, 12, 16, 24, 48}

const (
	// maxFailures is how many failed passes of one side end the measuring of a benchmark: what
	// fails at a fixed iteration count fails again.
	maxFailures = 3
	// atOnce is how many benchmarks are calibrated, and where the budget is scarce measured, before
	// the next ones are begun.
	atOnce = 16
	// fewestPairs is the least number of pairs in a pass, but of slices so long that a pass would be, too.
	fewestPairs = 12
	// dearer than most by this factor is a target that waits for the others after the first look.
	dearer = 8
	// screenBuilds is the number of builds that the first stage's passes are spread over, from the
	// first look on: what is clear by then needs no second one.
	screenBuilds = 2
)

// run measures all live targets.
func (s *schedule) run(ctx context.Context) error {
	s.rng = rand.New(rand.NewPCG(s.plan.Seed, 0))
	s.saved = time.Now()
	s.screened = []Build{0}
	defer func() { s.explainUnmeasured(ctx.Err() != nil) }()
	chunks := s.chunks()
	if s.plan.Exact && !s.plan.OnlyPlan {
		all := slices.Concat(chunks...)
		if err := s.count(ctx, all); err != nil || s.budget.Left() == 0 {
			return err
		}
		if err := s.countInstructions(ctx, all); err != nil || s.budget.Left() == 0 {
			return err
		}
	}
	if s.plan.Leaks != nil && !s.plan.OnlyPlan {
		if err := s.leaks(ctx, slices.Concat(chunks...)); err != nil || s.budget.Left() == 0 {
			return err
		}
	}
	if s.plan.NoTimes {
		return nil
	}
	all, scarce, err := s.calibrate(ctx, chunks)
	if s.plan.OnlyPlan {
		return err
	}
	if err == nil && !scarce {
		err = s.screen(ctx, all)
	}
	if err == nil && scarce {
		err = s.facts(ctx, chunks)
	}
	for _, c := range chunks {
		if err != nil || !scarce || s.budget.Left() == 0 {
			break
		}
		err = s.oneChunk(ctx, c)
	}
	if err == nil {
		err = s.confirm(ctx)
	}
	return err
}

// chunks groups the live targets by package, the changed ones first, else in random order so that a
// budget that ends does not always end on the same ones.
func (s *schedule) chunks() [][]*Target {
	byPackage := map[string][]*Target{}
	var names []string
	for _, t := range s.runner.Targets() {
		if t.sides() == 0 {
			continue
		}
		if byPackage[t.Key.Package] == nil {
			names = append(names, t.Key.Package)
		}
		byPackage[t.Key.Package] = append(byPackage[t.Key.Package], t)
	}
	s.rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(order(byPackage[a]), order(byPackage[b])) })
	var chunks [][]*Target
	for _, n := range names {
		for c := range slices.Chunk(byPackage[n], atOnce) {
			chunks = append(chunks, c)
		}
	}
	return chunks
}

func order(ts []*Target) int {
	if slices.ContainsFunc(ts, func(t *Target) bool { return t.Changed }) {
		return 0
	}
	return 1
}

// calibrate fixes iteration counts. It stops, and says that the budget is scarce, when the first look
// at what is calibrated would use it up.
func (s *schedule) calibrate(ctx context.Context, chunks [][]*Target) (all []*Target, scarce bool, err error) {
	total := 0
	for _, c := range chunks {
		total += len(c)
	}
	for _, c := range chunks {
		s.observe(Event{Phase: "calibrate", What: c[0].place(), Done: s.calibrated, Total: total})
		if err := s.calibrateChunk(ctx, c); err != nil {
			return nil, true, err
		}
		all = append(all, c...)
		if !s.plan.OnlyPlan && withReserve(time.Duration(looks[0])*passCost(all)) >= s.budget.Left() {
			return all, true, nil
		}
	}
	return all, false, nil
}

func (s *schedule) calibrateChunk(ctx context.Context, c []*Target) error {
	s.calibrated += len(c)
	defer s.budget.Start()()
	limited, cancel := s.budget.context(ctx)
	defer cancel()
	err := s.runner.Calibrate(limited, c)
	if limited.Err() != nil {
		return ctx.Err() // the budget ended: not an error
	}
	return err
}

// calibrateOnce calibrates a chunk that was not yet.
func (s *schedule) calibrateOnce(ctx context.Context, c []*Target) error {
	if slices.ContainsFunc(c, func(t *Target) bool { return t.Cost > 0 }) {
		return nil
	}
	return s.calibrateChunk(ctx, c)
}

// owed is the machine time of the passes that t still needs for the first look.
func (t *Target) owed() time.Duration {
	return time.Duration(max(0, looks[0]*t.share()-t.passes)) * t.Cost
}

// passCost is the machine time of one pass over the targets, in the gate's passes.
func passCost(targets []*Target) time.Duration {
	var sum time.Duration
	for _, t := range targets {
		if t.sides() > 0 {
			sum += t.Cost * time.Duration(t.share())
		}
	}
	return sum
}

// withReserve adds to an expected time what a busier moment of the machine may take.
func withReserve(d time.Duration) time.Duration { return d + d/4 }

func (t *Target) share() int { return max(1, t.Share) }

// onBuild is the number of passes that t takes on a build of the second stage.
func (t *Target) onBuild() int { return t.share() * max(1, t.again) }

// linkScreen makes the further builds of the first stage for targets that need more passes.
func (s *schedule) linkScreen(ctx context.Context, targets []*Target) error {
	for len(s.screened) < screenBuilds {
		s.screened = append(s.screened, s.newBuild())
	}
	for i, build := range s.screened[1:] {
		s.observe(Event{Phase: "link", What: "another build", Done: i, Total: len(s.screened) - 1})
		if err := s.runner.Link(ctx, build, targets); err != nil {
			return err
		}
	}
	return nil
}

func (s *schedule) newBuild() Build { return Build(1 + s.rng.Uint32N(1<<31-1)) }

// oneChunk brings a chunk's benchmarks to their decision before the next ones are begun.
func (s *schedule) oneChunk(ctx context.Context, c []*Target) error {
	if s.budget.Left() <= s.reserve() {
		return nil
	}
	if err := s.calibrateOnce(ctx, c); err != nil {
		return err
	}
	var fit []*Target
	left := s.budget.Left() - s.reserve()
	for _, t := range c { // a cheaper one may still fit
		if need := withReserve(t.owed()); t.Cost > 0 && need <= left {
			fit = append(fit, t)
			left -= need
		}
	}
	return s.screen(ctx, fit)
}

// pass takes one pass of each target, or as many as make up one of the gate's, or in the second stage
// what a build needs. It says stop when the budget ended half-way.
func (s *schedule) pass(ctx context.Context, targets []*Target, build Build) (stop bool, err error) {
	defer s.budget.Start()()
	limited, cancel := s.budget.context(ctx)
	defer cancel()
	began := time.Now()
	defer func() { s.control.measured += time.Since(began) }()
	for left := targets; len(left) > 0; {
		err = s.runner.Pass(limited, left, build, s.rng, s.keep)
		if limited.Err() != nil {
			return true, ctx.Err()
		}
		if err != nil {
			return true, err
		}
		left = slices.DeleteFunc(slices.Clone(left), func(t *Target) bool {
			if s.confirming {
				return t.sides() == 0 || t.confirmed%t.onBuild() == 0
			}
			return t.sides() == 0 || t.passes%t.share() == 0
		})
	}
	return false, nil
}

// tune sets the number of pairs of the next pass by what is known of the noise.
func (s *schedule) tune(targets []*Target) {
	if s.plan.Judge == nil {
		return
	}
	for _, t := range targets {
		if t.sides() < 2 || t.Share > 0 {
			continue
		}
		t.take(min(t.MaxPairs, s.plan.Judge.Pairs(t.Bench[Base], t.Bench[Head], t.MinPairs, float64(t.Begin)/float64(max(1, t.pairCost())))))
	}
}

// pairCost is the machine time of a pair.
func (t *Target) pairCost() time.Duration { return (t.Cost - t.Begin) / time.Duration(max(1, t.Pairs)) }

// take sets the number of pairs of the next pass.
func (t *Target) take(pairs int) {
	pair := t.pairCost()
	t.Pairs, t.Cost = pairs, t.Begin+time.Duration(pairs)*pair
}

// squeeze takes pairs off the passes where the first look would leave less than half of the budget.
func (s *schedule) squeeze(live []*Target, passes int) {
	need, have := time.Duration(passes)*passCost(live), s.budget.Left()-s.budget.Limit/2
	if passes <= 0 || need <= have || s.plan.Judge == nil {
		return
	}
	share := max(0, float64(have)/float64(need))
	for _, t := range live {
		if pairs := max(min(t.MinPairs, t.Pairs), int(share*float64(t.Pairs))); pairs < t.Pairs {
			t.take(pairs)
		}
	}
}

// trim gives the last targets up where the first look at all of them does not fit any more: the machine
// is busier than it was, and a look at some is worth more than half a look at all.
func (s *schedule) trim(live []*Target) []*Target {
	left := s.budget.Left() - s.reserve()
	for len(live) > 1 && owed(live) > max(left, 0) {
		live = live[:len(live)-1]
	}
	return live
}

// owed is what all of them need for it.
func owed(live []*Target) (sum time.Duration) {
	for _, t := range live {
		sum += t.owed()
	}
	return sum
}

// lookAtSpent routes the targets that may have no more passes, and returns the others.
func (s *schedule) lookAtSpent(live []*Target) []*Target {
	spent := func(t *Target) bool { return t.MaxPasses > 0 && t.passes >= t.MaxPasses*t.share() }
	s.look(slices.DeleteFunc(slices.Clone(live), func(t *Target) bool { return !spent(t) }), true)
	return slices.DeleteFunc(slices.Clone(live), spent)
}

// look routes the targets and returns those that need further passes.
func (s *schedule) look(live []*Target, last bool) []*Target {
	return slices.DeleteFunc(slices.Clone(live), func(t *Target) bool {
		route := result.Settled
		if s.plan.Judge != nil && t.sides() == 2 && t.passes > 0 {
			route = s.plan.Judge.Screen(t.Bench[Base], t.Bench[Head], last)
		}
		switch route {
		case result.Undecided:
			return false
		case result.Suspect:
			s.suspects = append(s.suspects, t)
			t.again = s.plan.Judge.Passes(t.Bench[Base], t.Bench[Head], 1)
		case result.Candidate:
			s.candidates = append(s.candidates, t)
		}
		s.decided++
		return true
	})
}

// keep stores what a pass gave, or notes on the side that failed why it is void.
func (s *schedule) keep(t *Target, r Reading) {
	void := false
	for side, why := range r.Failure {
		if t.Live[side] && why != "" {
			void = true
			t.failed[side]++
			t.Bench[side].Void = append(t.Bench[side].Void, result.Void{Pass: t.passes + t.confirmed, Message: why})
		}
	}
	if r.Untimely != "" && !void { // the other side's times have none to be compared with
		for side, b := range t.Bench {
			if t.Live[side] {
				t.failed[side]++
				b.Void = append(b.Void, result.Void{Pass: t.passes + t.confirmed, Message: r.Untimely, Counted: true})
			}
		}
	}
	pass := t.passes
	if s.confirming {
		pass = len(s.confirmed) // a build is one value, however many passes it takes
	}
	for side := range t.Bench {
		if void || !t.Live[side] {
			continue
		}
		b := t.Bench[side]
		for i, v := range r.Times[side] {
			b.Take(result.UnitOf("sec/op"), result.Sample{Value: v, Iters: t.Iters, Pair: t.pairs + i, Pass: pass}, s.confirming)
		}
		for _, m := range r.Metrics[side] {
			sample := m.Samples[0]
			sample.Pair, sample.Pass = t.pairs, pass
			b.Take(m.Unit, sample, s.confirming)
		}
	}
	if !void {
		t.pairs += max(1, len(r.First)) // a benchmark can suppress its time
		if t.sides() == 2 {
			t.Bench[Head].First += firsts(r.First)
		}
	}
	if s.confirming {
		t.confirmed++
	} else {
		t.passes++
	}
	if r.Wall > 0 {
		t.Cost, t.Begin = r.Wall, r.Begin
	}
	if most := max(t.failed[Base], t.failed[Head]); most >= maxFailures && t.passes+t.confirmed < 2*(t.failed[Base]+t.failed[Head]) {
		t.Live = [2]bool{}
	}
}

// firsts writes who went first, a letter a pair.
func firsts(first []Side) string {
	out := make([]byte, len(first))
	for i, s := range first {
		out[i] = s.String()[0]
	}
	return string(out)
}

// saveEvery keeps a killed run's loss small without writing all the time.
const saveEvery = 5 * time.Second

func (s *schedule) save() {
	if s.plan.AfterPass == nil || time.Since(s.saved) < saveEvery {
		return
	}
	s.saved = time.Now()
	s.plan.AfterPass(s.runner.Sets())
}

// explainUnmeasured writes on each target without a sample, or without a time, why it has none.
func (s *schedule) explainUnmeasured(interrupted bool) {
	for _, t := range s.runner.Targets() {
		for side, b := range t.Bench {
			if b != nil && t.passes > 0 {
				t.explainUntimed(b)
			}
			if b == nil || !t.Live[side] || t.passes > 0 || t.leaked {
				continue
			}
			why := "the budget ended before it"
			if s.plan.NoTimes && t.Uncounted != "" {
				why = t.Uncounted
			}
			switch {
			case interrupted:
				why = "the run was interrupted before it"
			case t.Cost > 0:
				why = "the first look at it takes " + (time.Duration(looks[0]*t.share()) * t.Cost).Round(100*time.Millisecond).String() + ", and less of the budget was left"
			}
			switch {
			case t.counted == 0:
				b.Unmeasured = why
			case !s.plan.NoTimes:
				b.Untimed = why
			}
		}
	}
}

// measured counts the benchmarks that came to the first look.
func (s *schedule) measured() int {
	n := 0
	for _, t := range s.runner.Targets() {
		if t.passes >= looks[0]*t.share() || t.same() || t.factsKnown() || s.plan.NoTimes && t.counted >= countPasses {
			n++
		}
	}
	return n
}

// same reports whether there was nothing to measure.
func (t *Target) same() bool { return t.Bench[Head] != nil && t.Bench[Head].Same != "" }

// total counts the benchmarks that a side could run, those included that the budget did not even
// allow to list.
func (s *schedule) total() int {
	n := 0
	for _, t := range s.runner.Targets() {
		unlisted := func(b *result.Benchmark) bool { return b != nil && b.Unmeasured != "" }
		if t.sides() > 0 || t.passes > 0 || t.same() || slices.ContainsFunc(t.Bench[:], unlisted) {
			n++
		}
	}
	return n
}

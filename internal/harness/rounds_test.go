package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/result"
)

// fakeRunner measures nothing: its benchmarks cost time of a synctest bubble.
type fakeRunner struct {
	targets []*Target
	// cost is the time of one sample, hidden what it really takes where that differs, and later
	// what it takes from the fourth on.
	cost, hidden, later map[string]time.Duration
	// fail returns why the n-th sample of a side fails, empty where it does not.
	fail func(name string, side Side, n int) string

	log   []string // what was done, in order
	taken map[string]int
	err   error // what Calibrate returns
}

func (r *fakeRunner) Targets() []*Target { return r.targets }
func (r *fakeRunner) Warnings() []string { return nil }
func (r *fakeRunner) Close() error       { r.log = append(r.log, "close"); return nil }

func (r *fakeRunner) Sets() (base, head *result.Set) {
	var sets [2]result.Set
	for _, t := range r.targets {
		for side, b := range t.Bench {
			if b != nil {
				sets[side].Benchmarks = append(sets[side].Benchmarks, b)
			}
		}
	}
	return &sets[Base], &sets[Head]
}

func (r *fakeRunner) spend(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *fakeRunner) Calibrate(ctx context.Context, t *Target) error {
	r.log = append(r.log, "calibrate "+t.Key.Name)
	t.Cost = time.Duration(t.sides()) * r.cost[t.Key.Name]
	if r.err != nil {
		return r.err
	}
	return r.spend(ctx, t.Cost)
}

func (r *fakeRunner) Sample(ctx context.Context, t *Target, side Side) (Reading, error) {
	name := t.Key.Name
	r.log = append(r.log, fmt.Sprint(name, " ", side))
	cost := r.cost[name]
	if h, ok := r.hidden[name]; ok {
		cost = h
	}
	key := fmt.Sprint(name, side)
	if l, ok := r.later[name]; ok && r.taken[key] >= 3 {
		cost = l
	}
	if err := r.spend(ctx, cost); err != nil {
		return Reading{}, err
	}
	r.taken[key]++
	if r.fail != nil {
		if why := r.fail(name, side, r.taken[key]); why != "" {
			return Reading{Failure: why}, nil
		}
	}
	unit := result.UnitOf("sec/op")
	return Reading{Metrics: []*result.Metric{{Unit: unit, Samples: []result.Sample{{Value: 1, Iters: 1}}}}}, nil
}

// fakeSuite is prepared at once.
type fakeSuite struct {
	runner *fakeRunner
	err    error
}

func (s fakeSuite) Prepare(context.Context, *Budget, func(Event)) (Runner, error) {
	return s.runner, s.err
}

// newTarget makes a benchmark that both sides can run.
func newTarget(name string) *Target {
	t := &Target{Key: result.Key{Name: name}, Live: [2]bool{true, true}, Gated: 1}
	for side := range t.Bench {
		t.Bench[side] = &result.Benchmark{Name: name, Status: result.OK}
	}
	return t
}

func runnerOf(cost time.Duration, names ...string) *fakeRunner {
	r := &fakeRunner{cost: map[string]time.Duration{}, taken: map[string]int{}}
	for _, n := range names {
		r.targets = append(r.targets, newTarget(n))
		r.cost[n] = cost
	}
	return r
}

// planOf plans 6 pairs at least and 10 at most; 4 suffice to judge.
func planOf(budget time.Duration) Plan {
	return Plan{Seed: 1, Budget: budget, MaxPairs: 10,
		Floor: func(int) int { return 6 }, Need: func(int) int { return 4 }}
}

// pairsIn reads the log's samples as pairs: two of one benchmark, one a side, back to back.
func pairsIn(t *testing.T, log []string) (pairs []string) {
	t.Helper()
	var samples []string
	for _, l := range log {
		if strings.HasSuffix(l, " base") || strings.HasSuffix(l, " head") {
			samples = append(samples, l)
		}
	}
	for i := 0; i+1 < len(samples); i += 2 {
		a, sideA, _ := strings.Cut(samples[i], " ")
		b, sideB, _ := strings.Cut(samples[i+1], " ")
		if a != b || sideA == sideB {
			t.Fatalf("samples %d and %d are %q and %q, want a pair", i, i+1, samples[i], samples[i+1])
		}
		pairs = append(pairs, a+" "+sideA)
	}
	return pairs
}

func measure(t *testing.T, r *fakeRunner, p Plan) *Measurement {
	t.Helper()
	m, err := Measure(t.Context(), fakeSuite{runner: r}, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Every benchmark gets the same number of pairs, in rounds, each side first now and then.
func TestRounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runnerOf(10*time.Millisecond, "a", "b", "c")
		m := measure(t, r, planOf(time.Hour))
		pairs := pairsIn(t, r.log)
		if len(pairs) != 30 {
			t.Fatalf("%d pairs, want 10 of each of 3 benchmarks", len(pairs))
		}
		first := map[string]int{}
		for round := range 10 {
			names := map[string]bool{}
			for _, p := range pairs[3*round : 3*round+3] {
				name, side, _ := strings.Cut(p, " ")
				names[name] = true
				first[side]++
			}
			if len(names) != 3 {
				t.Errorf("round %d has %v, want each benchmark once", round, pairs[3*round:3*round+3])
			}
		}
		if first["base"] < 5 || first["head"] < 5 {
			t.Errorf("base came first %d times and head %d times: no coin gives that", first["base"], first["head"])
		}
		if m.Pairs != 10 || m.Measured != 3 || m.Total != 3 || m.Partial {
			t.Errorf("Measurement = %+v, want 10 pairs and 3 of 3, not partial", m)
		}
		for _, s := range []*result.Set{m.Base, m.Head} {
			for _, b := range s.Benchmarks {
				for i, smp := range b.Metrics[0].Samples {
					if smp.Pair != i || len(b.Metrics[0].Samples) != 10 {
						t.Errorf("%s: sample %d of %d has pair %d", b.Name, i, len(b.Metrics[0].Samples), smp.Pair)
					}
				}
			}
		}
		if r.log[len(r.log)-1] != "close" {
			t.Error("the runner was not closed")
		}
	})
}

// The seed repeats the order, and another one gives another.
func TestSeed(t *testing.T) {
	order := func(seed uint64) (log []string) {
		synctest.Test(t, func(t *testing.T) {
			r := runnerOf(time.Millisecond, "a", "b", "c", "d")
			p := planOf(time.Hour)
			p.Seed = seed
			measure(t, r, p)
			log = r.log
		})
		return log
	}
	if diff := cmp.Diff(order(7), order(7)); diff != "" {
		t.Errorf("the same seed gave another order:\n%s", diff)
	}
	if cmp.Equal(order(7), order(8)) {
		t.Error("seeds 7 and 8 gave the same order")
	}
}

// Rounds go on as long as another one fits into the budget.
func TestAffordable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runnerOf(time.Second, "a", "b") // a round takes 4 s, calibrating as much
		m := measure(t, r, planOf(40*time.Second))
		if want := 8; m.Pairs != want { // 36 s are left, and a ninth round would need all that is left then
			t.Errorf("%d pairs, want %d", m.Pairs, want)
		}
		if m.RunTime > 40*time.Second {
			t.Errorf("it took %v of a budget of 40s", m.RunTime)
		}
	})
}

// Where benchmarks take longer than they did when calibrated, fewer rounds fit: each takes what
// the ones before it took.
func TestBudgetEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runnerOf(time.Second, "a", "b")
		r.hidden = map[string]time.Duration{"a": 3 * time.Second, "b": 3 * time.Second}
		m := measure(t, r, planOf(60*time.Second))
		if want := 52 * time.Second; m.RunTime != want { // 4 s of calibrating and four rounds of 12 s
			t.Errorf("it took %v of a budget of 1m0s, want %v", m.RunTime, want)
		}
		if m.Partial {
			t.Error("an ended budget is no interruption")
		}
		for i, b := range m.Base.Benchmarks {
			h := m.Head.Benchmarks[i]
			if b.Pairs() != h.Pairs() || b.Pairs() != 4 {
				t.Errorf("%s: %d and %d samples, want 4 pairs", b.Name, b.Pairs(), h.Pairs())
			}
		}
		if m.Measured != 2 {
			t.Errorf("%d measured, want 2: they have the 4 pairs that they need", m.Measured)
		}
	})
}

// A budget that ends within a pair ends the run there: what is half done is not kept.
func TestBudgetEndsWithinPair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runnerOf(time.Second, "a")
		r.later = map[string]time.Duration{"a": 15 * time.Second}
		m := measure(t, r, planOf(30*time.Second)) // 2 s of calibrating, three pairs of 2 s, 22 s for one of 30 s
		base, head := m.Base.Benchmarks[0].Pairs(), m.Head.Benchmarks[0].Pairs()
		if base != 3 || head != 3 || m.RunTime != 30*time.Second || m.Partial {
			t.Errorf("%d and %d samples in %v, Partial = %v, want 3 pairs in all of the 30s", base, head, m.RunTime, m.Partial)
		}
		if n := r.taken["abase"] + r.taken["ahead"]; n != 7 {
			t.Errorf("%d samples were taken, want 7: one has no partner", n)
		}
	})
}

// Where not all fit, the changed ones come first, one is brought to the floor before the next begins,
// and the others say what they would take.
func TestNotAllFit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runnerOf(time.Second, "a", "b", "changed", "d", "huge")
		r.cost["huge"] = time.Minute
		r.targets[2].Changed = true
		m := measure(t, r, planOf(45*time.Second))
		pairs := pairsIn(t, r.log)
		if m.Pairs != 6 {
			t.Errorf("%d pairs planned, want the floor", m.Pairs)
		}
		var order []string
		for i, p := range pairs {
			name, _, _ := strings.Cut(p, " ")
			if i%6 == 0 {
				order = append(order, name)
			}
			if name != order[len(order)-1] {
				t.Fatalf("pair %d is of %s, want all 6 of %s first", i, name, order[len(order)-1])
			}
		}
		if len(order) == 0 || order[0] != "changed" {
			t.Errorf("measured %v, want the changed one first", order)
		}
		if len(order) != m.Measured || m.Measured < 2 || m.Total != 5 {
			t.Errorf("%d of %d measured, log has %v", m.Measured, m.Total, order)
		}
		if m.RunTime > 45*time.Second {
			t.Errorf("it took %v of a budget of 45s", m.RunTime)
		}
		for _, b := range m.Head.Benchmarks {
			why := b.Unmeasured
			switch {
			case slices.Contains(order, b.Name) != (why == ""):
				t.Errorf("%s: Unmeasured = %q; measured are %v", b.Name, why, order)
			case slices.Contains(r.log, "calibrate "+b.Name) && why != "" && !strings.Contains(why, "its 6 pairs take"):
				t.Errorf("%s: Unmeasured = %q, want what it would take", b.Name, why)
			}
		}
	})
}

// A cheap benchmark still fits after one that does not.
func TestCheaperFits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runnerOf(time.Second, "huge", "cheap")
		r.cost["huge"] = 10 * time.Second
		r.targets[0].Changed = true
		m := measure(t, r, planOf(60*time.Second))
		if m.Measured != 1 || m.Head.Benchmarks[1].Pairs() != 6 {
			t.Errorf("%d measured, cheap has %d pairs, want 6", m.Measured, m.Head.Benchmarks[1].Pairs())
		}
		if got, want := m.Head.Benchmarks[0].Unmeasured, "its 6 pairs take 2m0s"; got != want {
			t.Errorf("huge: Unmeasured = %q, want %q", got, want)
		}
	})
}

// A budget that ends while calibrating leaves nothing calibrated in vain: the first are measured.
func TestNotAllCalibrated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := strings.Split("abcdefghijklmnopqrst", "")
		r := runnerOf(time.Second, names...)
		m := measure(t, r, planOf(40*time.Second))
		calibrated := 0
		for _, l := range r.log {
			if strings.HasPrefix(l, "calibrate") {
				calibrated++
			}
		}
		if calibrated >= len(names) {
			t.Error("all were calibrated although two use up the budget")
		}
		if m.Measured != 2 || m.Total != 20 || m.RunTime > 40*time.Second {
			t.Errorf("%d of %d measured in %v, want 2 of 20 within 40s", m.Measured, m.Total, m.RunTime)
		}
		n := 0
		for _, b := range m.Base.Benchmarks {
			if strings.Contains(b.Unmeasured, "the budget ended before it") {
				n++
			}
		}
		if n != 20-calibrated {
			t.Errorf("%d say that the budget ended before them, want the %d that were not calibrated", n, 20-calibrated)
		}
	})
}

// A failed sample voids its pair, whose other half is not kept. Benchmarks go on after one.
func TestVoidPair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runnerOf(time.Millisecond, "a")
		r.fail = func(_ string, side Side, n int) string {
			if side == Head && n == 3 {
				return "out of luck"
			}
			return ""
		}
		m := measure(t, r, planOf(time.Hour))
		base, head := m.Base.Benchmarks[0], m.Head.Benchmarks[0]
		if diff := cmp.Diff([]result.Void{{Pair: 2, Message: "out of luck"}}, head.Void); diff != "" {
			t.Errorf("head's void pairs (-want +got):\n%s", diff)
		}
		if len(base.Void) != 0 || base.Pairs() != 9 || head.Pairs() != 9 {
			t.Errorf("base has %d void and %d pairs, head %d, want 0, 9 and 9", len(base.Void), base.Pairs(), head.Pairs())
		}
		for _, b := range []*result.Benchmark{base, head} {
			if b.Metrics[0].Samples[2].Pair != 3 {
				t.Errorf("the pair after the void one has number %d, want 3", b.Metrics[0].Samples[2].Pair)
			}
		}
	})
}

// Three failures on a side end a benchmark, and only that one.
func TestThreeFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runnerOf(time.Millisecond, "bad", "good")
		r.fail = func(name string, side Side, _ int) string {
			if name == "bad" && side == Head {
				return "always"
			}
			return ""
		}
		m := measure(t, r, planOf(time.Hour))
		if got := r.taken["badhead"]; got != 3 {
			t.Errorf("the failing side was run %d times, want 3", got)
		}
		if n := len(m.Head.Benchmarks[0].Void); n != 3 {
			t.Errorf("%d void pairs, want 3", n)
		}
		if m.Base.Benchmarks[0].Pairs() != 0 || m.Base.Benchmarks[1].Pairs() != 10 {
			t.Errorf("bad has %d pairs and good %d, want 0 and 10", m.Base.Benchmarks[0].Pairs(), m.Base.Benchmarks[1].Pairs())
		}
	})
}

// A benchmark that fails now and then goes on.
func TestRareFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runnerOf(time.Millisecond, "a")
		r.fail = func(_ string, side Side, n int) string {
			if side == Base && n > 2 && n < 9 && n%2 == 0 { // 4, 6 and 8
				return "now and then"
			}
			return ""
		}
		m := measure(t, r, planOf(time.Hour))
		if b := m.Base.Benchmarks[0]; b.Pairs() != 7 || len(b.Void) != 3 {
			t.Errorf("%d pairs and %d void ones, want 7 and 3", b.Pairs(), len(b.Void))
		}
	})
}

// Where one side alone can run the benchmark, that side is measured.
func TestOneSide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runnerOf(time.Millisecond, "a", "gone")
		r.targets[0].Live[Base] = false
		r.targets[1].Live = [2]bool{}
		m := measure(t, r, planOf(time.Hour))
		if m.Base.Benchmarks[0].Pairs() != 0 || m.Head.Benchmarks[0].Pairs() != 10 {
			t.Errorf("base has %d samples and head %d, want 0 and 10", m.Base.Benchmarks[0].Pairs(), m.Head.Benchmarks[0].Pairs())
		}
		if n := r.taken["abase"]; n != 0 {
			t.Errorf("base was run %d times", n)
		}
		if m.Total != 1 || m.Measured != 1 {
			t.Errorf("%d of %d measured, want 1 of 1: nobody can run the other", m.Measured, m.Total)
		}
		if slices.Contains(r.log, "calibrate gone") {
			t.Error("a benchmark that no side can run was calibrated")
		}
	})
}

// A benchmark that the budget did not even allow to list counts: none of one is measured.
func TestUnlistedCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runnerOf(time.Millisecond, "a")
		r.targets[0].Live = [2]bool{}
		r.targets[0].Bench[Head].Unmeasured = "the budget ended before it was listed"
		if m := measure(t, r, planOf(time.Hour)); m.Total != 1 || m.Measured != 0 {
			t.Errorf("%d of %d measured, want 0 of 1", m.Measured, m.Total)
		}
	})
}

// An interrupted run keeps the pairs that it finished, and says that it is a part.
func TestInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runnerOf(time.Second, "a")
		ctx, cancel := context.WithTimeout(t.Context(), 9500*time.Millisecond) // 2 s to calibrate, 3 pairs, half of one
		defer cancel()
		m, err := Measure(ctx, fakeSuite{runner: r}, planOf(time.Hour), nil)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("error = %v, want the context's", err)
		}
		if !m.Partial || m.Base.Benchmarks[0].Pairs() != 3 || m.Head.Benchmarks[0].Pairs() != 3 {
			t.Errorf("Partial = %v with %d and %d samples, want 3 pairs", m.Partial, m.Base.Benchmarks[0].Pairs(), m.Head.Benchmarks[0].Pairs())
		}
		if m.Measured != 0 {
			t.Errorf("%d measured, want 0: 3 pairs are fewer than 4", m.Measured)
		}
	})
}

// What stops the whole run is an error, and there is no measurement.
func TestCalibrateError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runnerOf(time.Second, "a")
		r.err = errors.New("disk full")
		m, err := Measure(t.Context(), fakeSuite{runner: r}, planOf(time.Hour), nil)
		if m != nil || !errors.Is(err, r.err) {
			t.Errorf("Measure = %v, %v, want nil and the error", m, err)
		}
	})
}

// What was measured is offered for saving between rounds, not all the time.
func TestAfterRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runnerOf(time.Second, "a") // rounds of 2 s
		p := planOf(time.Hour)
		var seen []int
		p.AfterRound = func(base, head *result.Set) {
			if base.Benchmarks[0].Pairs() != head.Benchmarks[0].Pairs() {
				t.Error("half a pair was saved")
			}
			seen = append(seen, head.Benchmarks[0].Pairs())
		}
		measure(t, r, p)
		if want := []int{2, 5, 8}; !slices.Equal(seen, want) { // after 2+4, 12 and 18 s
			t.Errorf("saved with %v pairs, want %v: every 5 s, at the end of a round", seen, want)
		}
	})
}

// Events come in order and never claim more than all.
func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runnerOf(time.Second, "a", "b")
		var phases []string
		_, err := Measure(t.Context(), fakeSuite{runner: r}, planOf(time.Hour), func(e Event) {
			if len(phases) == 0 || phases[len(phases)-1] != e.Phase {
				phases = append(phases, e.Phase)
			}
			if e.Done > e.Total || e.Left < 0 {
				t.Errorf("event %+v", e)
			}
		})
		if want := []string{"calibrate", "measure"}; err != nil || !slices.Equal(phases, want) {
			t.Errorf("phases = %v, %v, want %v", phases, err, want)
		}
	})
}

// grow aims at 25 ms, in two digits.
func TestGrow(t *testing.T) {
	for _, tt := range []struct {
		n    int
		took time.Duration
		want int
	}{
		{1, 0, 100},               // below the clock's resolution
		{1, time.Nanosecond, 100}, // at most a hundred times as many
		{100, 100 * time.Nanosecond, 10_000},
		{1, 25 * time.Millisecond, 1},
		{1, time.Second, 1},     // never below one
		{1000, time.Second, 25}, // down, too
		{1, 10 * time.Millisecond, 3},
		{7, 7 * time.Millisecond, 25},
		{1000, 13 * time.Millisecond, 1900}, // of 1923
		{1_000_000, 1_234_567, 20_000_000},  // of 20,250,019
	} {
		if got := grow(tt.n, tt.took); got != tt.want {
			t.Errorf("grow(%d, %v) = %d, want %d", tt.n, tt.took, got, tt.want)
		}
	}
}

func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &Budget{Limit: 10 * time.Second}
		time.Sleep(time.Minute) // building is not taken from it
		stop := b.Start()
		time.Sleep(3 * time.Second)
		if b.Used() != 3*time.Second || b.Left() != 7*time.Second {
			t.Errorf("running: %v used, %v left, want 3s and 7s", b.Used(), b.Left())
		}
		stop()
		time.Sleep(time.Minute)
		if b.Used() != 3*time.Second {
			t.Errorf("stopped: %v used, want 3s", b.Used())
		}
		stop = b.Start()
		ctx, cancel := b.context(t.Context())
		defer cancel()
		<-ctx.Done()
		stop()
		if b.Used() != 10*time.Second || b.Left() != 0 {
			t.Errorf("ended: %v used, %v left, want all and none", b.Used(), b.Left())
		}
		b.Start()
		time.Sleep(time.Second)
		if b.Left() != 0 {
			t.Errorf("%v left of an ended budget", b.Left())
		}
	})
}

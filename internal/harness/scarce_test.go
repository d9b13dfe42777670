package harness

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/result"
)

// Passes go on as long as another one fits into the budget.
func TestAffordable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runnerOf(time.Second, "a", "b") // a pass takes 2 s, calibrating as much
		j := &fakeJudge{from: map[string]int{"a": 100, "b": 100}}
		m := measure(t, r, planOf(21*time.Second, j))
		if r.taken["a"] != 9 || r.taken["b"] != 9 || m.RunTime != 20*time.Second {
			t.Errorf("%v passes in %v, want 9 in 20s", r.taken, m.RunTime)
		}
		if want := []string{"6", "8", "9!"}; !slices.Equal(j.looks["a"], want) {
			t.Errorf("looks at passes %v, want %v: what the budget ends is looked at once more", j.looks["a"], want)
		}
	})
}

// Where benchmarks take longer than they did when calibrated, the last are given up, so that the first
// look at the others still fits.
func TestBudgetEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runnerOf(time.Second, "a", "b")
		r.hidden = map[string]time.Duration{"a": 3 * time.Second, "b": 3 * time.Second}
		m := measure(t, r, planOf(30*time.Second, &fakeJudge{}))
		if want := 23 * time.Second; m.RunTime != want { // 2 s of calibrating, a pass of 6 s and five of 3 s
			t.Errorf("it took %v of a budget of 30s, want %v", m.RunTime, want)
		}
		if m.Partial || m.Measured != 1 || m.Total != 2 {
			t.Errorf("%+v: an ended budget is no interruption, and one pass is no first look", m)
		}
		for i, b := range m.Base.Benchmarks {
			h := m.Head.Benchmarks[i]
			want := map[string]int{"a": 6, "b": 1}[b.Name]
			if b.Passes() != h.Passes() || b.Passes() != want || b.Unmeasured != "" {
				t.Errorf("%s: %d and %d passes, want %d", b.Name, b.Passes(), h.Passes(), want)
			}
		}
	})
}

// A budget that ends within a pass ends the run there: what is half done is not kept.
func TestBudgetEndsWithinPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runnerOf(time.Second, "a")
		r.later = map[string]time.Duration{"a": 15 * time.Second}
		m := measure(t, r, planOf(10*time.Second, &fakeJudge{routes: map[string]result.Route{"a": result.Suspect}}))
		base, head := m.Base.Benchmarks[0].Passes(), m.Head.Benchmarks[0].Passes()
		if base != 3 || head != 3 || m.RunTime != 10*time.Second || m.Partial || len(m.Confirmed) != 0 {
			t.Errorf("%d and %d passes in %v, Partial = %v, want 3 in all of the 10s", base, head, m.RunTime, m.Partial)
		}
	})
}

// When the budget ends in the second stage no further build is linked, and the one at hand is none.
func TestBudgetEndsOnBuild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runnerOf(time.Second, "a")
		r.fail = func(_ string, side Side, n int) string {
			if n == 8 && side == Base {
				time.Sleep(2 * time.Hour)
			}
			return ""
		}
		m := measure(t, r, planOf(time.Hour, &fakeJudge{routes: map[string]result.Route{"a": result.Suspect}}))
		links := 0
		for _, l := range r.log {
			if strings.HasPrefix(l, "link ") {
				links++
			}
		}
		if len(m.Confirmed) < 1 || len(m.Confirmed) > 2 || links != len(m.Confirmed)+1 {
			t.Errorf("%d builds are confirmed and %d were linked, want one more", len(m.Confirmed), links)
		}
	})
}

// A budget that was used up before calibrating links nothing.
func TestBudgetEndedBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runnerOf(time.Second, "a", "b")
		m := measure(t, r, planOf(0, &fakeJudge{}))
		if slices.ContainsFunc(r.log, func(l string) bool { return strings.HasPrefix(l, "link") || strings.HasPrefix(l, "pass") }) {
			t.Errorf("without a budget it did %q", r.log)
		}
		for _, b := range m.Head.Benchmarks {
			if b.Unmeasured != "the budget ended before it" {
				t.Errorf("%s: Unmeasured = %q", b.Name, b.Unmeasured)
			}
		}
	})
}

// Where not all fit, the changed ones come first, a package is brought to its decision before the next
// begins, and the others say what they would take.
func TestNotAllFit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runnerOf(time.Second, "a", "b", "changed", "d", "huge")
		r.cost["huge"] = time.Minute
		r.targets[2].Changed = true
		m := measure(t, r, planOf(90*time.Second, &fakeJudge{}))
		var order []string
		for _, l := range r.log {
			if f := strings.Fields(l); f[0] == "pass" && (len(order) == 0 || order[len(order)-1] != f[2]) {
				order = append(order, f[2])
			}
		}
		if len(order) < 2 || order[0] != "changed" || len(slices.Compact(slices.Sorted(slices.Values(order)))) != len(order) {
			t.Errorf("measured %v, want the changed one first, and one after the other", order)
		}
		if len(order) != m.Measured || m.Total != 5 || m.RunTime > 90*time.Second {
			t.Errorf("%d of %d measured in %v, log has %v", m.Measured, m.Total, m.RunTime, order)
		}
		for _, b := range m.Head.Benchmarks {
			want := "the budget ended before it"
			switch {
			case slices.Contains(order, b.Name):
				want = ""
			case b.Name == "huge" && slices.Contains(r.log, "calibrate huge"):
				want = "the first look at it takes 6m0s, and less of the budget was left"
			}
			if b.Unmeasured != want {
				t.Errorf("%s: Unmeasured = %q, want %q; measured are %v", b.Name, b.Unmeasured, want, order)
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
		r.targets[1].Key.Package = r.targets[0].Key.Package // calibrated together
		m := measure(t, r, planOf(40*time.Second, &fakeJudge{}))
		if m.Measured != 1 || m.Head.Benchmarks[1].Passes() != 6 {
			t.Errorf("%d measured, cheap has %d passes, want 6", m.Measured, m.Head.Benchmarks[1].Passes())
		}
		if got, want := m.Head.Benchmarks[0].Unmeasured, "the first look at it takes 1m0s, and less of the budget was left"; got != want {
			t.Errorf("huge: Unmeasured = %q, want %q", got, want)
		}
	})
}

// A scarce budget is not spent on calibrating what cannot be measured, and a suspect's second stage comes
// before another package's first.
func TestScarceReserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := strings.Split("abcdefghijklmnopqrst", "")
		r := runnerOf(time.Second, names...)
		routes := map[string]result.Route{}
		for _, n := range names {
			routes[n] = result.Suspect
		}
		const budget = 26 * time.Second
		m := measure(t, r, planOf(budget, &fakeJudge{routes: routes}))
		calibrated := 0
		for _, l := range r.log {
			if strings.HasPrefix(l, "calibrate") {
				calibrated++
			}
		}
		// Six passes of four are more than is left when they are calibrated. Two first looks leave 10 s of
		// 22, of which one suspect's second stage takes 5 s; both would take 12 s.
		if calibrated != 4 || m.Measured != 2 || m.Total != 20 || len(m.Confirmed) != fakeBuilds || m.RunTime > budget {
			t.Errorf("%d calibrated, %d of %d measured, %d builds in %v", calibrated, m.Measured, m.Total, len(m.Confirmed), m.RunTime)
		}
		explained := map[string]int{}
		for _, b := range m.Base.Benchmarks {
			explained[b.Unmeasured]++
		}
		want := map[string]int{"": m.Measured, "the first look at it takes 6s, and less of the budget was left": calibrated - m.Measured, "the budget ended before it": 20 - calibrated}
		if diff := cmp.Diff(want, explained); diff != "" {
			t.Errorf("explanations (-want +got):\n%s", diff)
		}
	})
}

// A large package is measured in parts where the budget is scarce.
func TestChunks(t *testing.T) {
	r := runnerOf(time.Second)
	for i := range 2*atOnce + 1 {
		r.targets = append(r.targets, newTarget(fmt.Sprint("big", i)))
	}
	r.targets = append(r.targets, newTarget("small"), newTarget("gone"))
	r.targets[2*atOnce+1].Key.Package, r.targets[2*atOnce+1].Changed = "small", true
	r.targets[2*atOnce+2].Live = [2]bool{}
	s := schedule{runner: r, rng: newRand(1)}
	var sizes []int
	for _, c := range s.chunks() {
		sizes = append(sizes, len(c))
	}
	if want := []int{1, atOnce, atOnce, 1}; !slices.Equal(sizes, want) {
		t.Errorf("chunks of %v, want %v: the changed package first", sizes, want)
	}
}

// A pass that fails on a side is void on both. Benchmarks go on after one.
func TestVoidPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runnerOf(time.Millisecond, "a")
		r.fail = func(_ string, side Side, n int) string {
			if side == Head && (n == 3 || n == 8) {
				return "out of luck"
			}
			return ""
		}
		m := measure(t, r, planOf(time.Hour, &fakeJudge{routes: map[string]result.Route{"a": result.Suspect}}))
		base, head := m.Base.Benchmarks[0], m.Head.Benchmarks[0]
		if diff := cmp.Diff([]result.Void{{Pass: 2, Message: "out of luck"}, {Pass: 7, Message: "out of luck"}}, head.Void); diff != "" || len(base.Void) != 0 {
			t.Errorf("base has %v, head's void passes (-want +got):\n%s", base.Void, diff)
		}
		for _, b := range []*result.Benchmark{base, head} {
			metric := b.Metric("sec/op")
			if got, want := passNumbers(metric.Samples), []int{0, 1, 3, 4, 5}; !slices.Equal(got, want) {
				t.Errorf("passes %v, want %v", got, want)
			}
			if got, want := passNumbers(metric.Confirm), []int{0, 2, 3, 4}; !slices.Equal(got, want) {
				t.Errorf("passes of the second stage %v, want %v", got, want)
			}
			if s := metric.Samples[2*fewestPairs]; s.Pair != 2*fewestPairs {
				t.Errorf("the pass after the void one begins with pair %d, want %d", s.Pair, 2*fewestPairs)
			}
		}
		if len(head.First) != 9*fewestPairs {
			t.Errorf("First has %d letters, want %d", len(head.First), 9*fewestPairs)
		}
	})
}

// Three failures on a side end a benchmark, and only that one; rare ones do not.
func TestFailures(t *testing.T) {
	for _, tt := range []struct {
		name        string
		fails       func(n int) bool
		taken, void int
		measured    int
	}{
		{"always", func(int) bool { return true }, 3, 3, 1},
		{"twice", func(n int) bool { return n < 3 }, 12, 2, 2},
		{"every other time", func(n int) bool { return n%2 == 0 }, 24, 12, 2}, // half of them give samples
		{"mostly", func(n int) bool { return n > 1 }, 4, 3, 1},
		{"late", func(n int) bool { return n > 9 }, 12, 3, 2}, // nine of twelve gave samples
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := runnerOf(time.Millisecond, "bad", "good")
				r.fail = func(name string, side Side, n int) string {
					if name == "bad" && side == Base && tt.fails(n) {
						return "no"
					}
					return ""
				}
				m := measure(t, r, planOf(time.Hour, &fakeJudge{from: map[string]int{"bad": 9, "good": 12}}))
				bad := m.Base.Benchmarks[0]
				if r.taken["good"] != 12 || m.Measured != tt.measured || m.Total != 2 {
					t.Errorf("%d passes of the good one, %d of %d measured, want 12, %d of 2", r.taken["good"], m.Measured, m.Total, tt.measured)
				}
				if r.taken["bad"] != tt.taken || len(bad.Void) != tt.void {
					t.Errorf("%d passes, %d of them void, want %d and %d", r.taken["bad"], len(bad.Void), tt.taken, tt.void)
				}
			})
		})
	}
}

// A benchmark that the budget did not even allow to list counts, and so does one that is the same.
func TestCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runnerOf(time.Millisecond, "unlisted", "same", "absent")
		for _, target := range r.targets {
			target.Live = [2]bool{}
		}
		r.targets[0].Bench[Head].Unmeasured = "the budget ended before it was listed"
		r.targets[1].Bench[Head].Same = "the same code"
		if m := measure(t, r, planOf(time.Hour, &fakeJudge{})); m.Total != 2 || m.Measured != 1 {
			t.Errorf("%d of %d measured, want 1 of 2", m.Measured, m.Total)
		}
	})
}

// What stops the whole run is an error, and there is no measurement.
func TestCalibrateError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runnerOf(time.Second, "a")
		r.err = errors.New("disk full")
		m, err := Measure(t.Context(), fakeSuite{runner: r}, planOf(time.Hour, &fakeJudge{}), nil)
		if m != nil || !errors.Is(err, r.err) {
			t.Errorf("Measure = %v, %v, want nil and the error", m, err)
		}
	})
}

// What was measured is offered for saving between passes of both stages, not all the time.
func TestAfterPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runnerOf(2*time.Second, "a")
		p := planOf(time.Hour, &fakeJudge{routes: map[string]result.Route{"a": result.Suspect}})
		var seen []int
		p.AfterPass = func(base, head *result.Set) {
			if base.Benchmarks[0].Passes() != head.Benchmarks[0].Passes() {
				t.Error("half a pass was saved")
			}
			seen = append(seen, head.Benchmarks[0].Passes())
		}
		measure(t, r, p)
		if want := []int{2, 5, 8, 11}; !slices.Equal(seen, want) { // after 2+4, 12, 18 and 24 s
			t.Errorf("saved with %v passes, want %v: every 5 s, at the end of a pass", seen, want)
		}
	})
}

// Events come in order and never claim more than all.
func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runnerOf(time.Second, "a", "b")
		var phases []string
		plan := planOf(time.Hour, &fakeJudge{routes: map[string]result.Route{"a": result.Suspect}, from: map[string]int{"b": 7}})
		_, err := Measure(t.Context(), fakeSuite{runner: r}, plan, func(e Event) {
			if len(phases) == 0 || phases[len(phases)-1] != e.Phase {
				phases = append(phases, e.Phase)
			}
			if e.Done > e.Total || e.Left < 0 || e.What == "" {
				t.Errorf("event %+v", e)
			}
		})
		want := []string{"calibrate", "measure", "link", "measure"}
		for range fakeBuilds {
			want = append(want, "link", "confirm")
		}
		if err != nil || !slices.Equal(phases, want) {
			t.Errorf("phases = %v, %v, want %v", phases, err, want)
		}
	})
}

// Now and then base is measured against its copy, for a small share of the time and if that is to spare.
func TestControl(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runnerOf(time.Second, "a", "b", "new")
		r.targets[2].Live[Base] = false
		j := &fakeJudge{from: map[string]int{"a": 100, "b": 100}}
		m := measure(t, r, planOf(time.Hour, j))
		count := map[string]int{}
		for _, l := range r.log {
			if strings.HasPrefix(l, "control") {
				count[l]++
			}
		}
		if want := map[string]int{"control a": 2, "control b": 2}; !maps.Equal(count, want) { // 4 s beside 99
			t.Errorf("controls %v, want %v", count, want)
		}
		if m.Control == nil || len(m.Control.Base.Benchmarks) != 2 {
			t.Fatalf("Control = %+v, want both", m.Control)
		}
		for i, b := range m.Control.Base.Benchmarks {
			if diff := cmp.Diff(b, m.Control.Twin.Benchmarks[i]); diff != "" {
				t.Errorf("base and its twin (-base +twin):\n%s", diff)
			}
			if got := passNumbers(b.Metric("sec/op").Samples); !slices.Equal(got, []int{0, 1}) || len(b.Metric("sec/op").Samples) != 4 {
				t.Errorf("%s: passes %v, want 2 of 2 pairs", b.Name, got)
			}
		}
		r = runnerOf(time.Second, "new")
		r.targets[0].Live[Base] = false
		if m := measure(t, r, planOf(time.Hour, j)); m.Control != nil {
			t.Errorf("Control = %+v, want none", m.Control)
		}
	})
}

// A suite that cannot be prepared but has something to show is closed.
func TestPrepareError(t *testing.T) {
	r := runnerOf(time.Second, "a")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m, err := Measure(ctx, fakeSuite{runner: r, err: context.Canceled}, planOf(time.Hour, &fakeJudge{}), nil)
	if !errors.Is(err, context.Canceled) || m == nil || !m.Partial || m.Total != 1 {
		t.Errorf("Measure = %+v, %v, want a partial measurement", m, err)
	}
	m, err = Measure(t.Context(), fakeSuite{runner: r, err: errors.ErrUnsupported}, planOf(time.Hour, &fakeJudge{}), nil)
	if m != nil || !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Measure = %v, %v, want the error", m, err)
	}
	if want := []string{"close", "close"}; !slices.Equal(r.log, want) || len(slices.Collect(maps.Keys(r.taken))) != 0 {
		t.Errorf("log = %q, want %q", r.log, want)
	}
}

// What is dear does not use the budget up before the others are decided.
func TestDearWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runnerOf(time.Second, "a", "dear", "b")
		r.cost["dear"] = 20 * time.Second
		j := &fakeJudge{from: map[string]int{"a": 24, "b": 24, "dear": 24}}
		// Each is calibrated, 22 s. The first look takes 6 passes of 22 s, the others' further 18 of 2 s: 50 s are left, with the
		// control for one of its own.
		m := measure(t, r, planOf((22+6*22+18*2+50)*time.Second, j))
		got := map[string]int{}
		for _, b := range m.Head.Benchmarks {
			got[b.Name] = b.Passes()
		}
		if diff := cmp.Diff(map[string]int{"a": 24, "b": 24, "dear": 7}, got); diff != "" {
			t.Errorf("passes (-want +got):\n%s", diff)
		}
	})
}

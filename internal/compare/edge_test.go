package compare

import (
	"math"
	"strings"
	"testing"

	"github.com/org/perfgate/internal/result"
)

// TestBelowZero: a share of a negative base has the wrong sign, so its change is a difference.
func TestBelowZero(t *testing.T) {
	balance := result.Unit{Name: "balance", Better: result.Higher} // Unit balance better=higher
	for _, tt := range []struct {
		base, head float64
		want       Verdict
	}{{-5, -6, Regression}, {-5, 5, Improvement}, {5, -5, Regression}} {
		base, head := bench("X", metricOf(balance, constants(3, tt.base)...)), bench("X", metricOf(balance, constants(3, tt.head)...))
		o := Judge(stagedFile(set(base), set(head)), DefaultPolicy)
		c := only(t, o)
		if c.Verdict != tt.want || !c.Absolute || c.Change != tt.head-tt.base || len(o.GeoMeans) > 0 {
			t.Errorf("%v → %v: %s, change %v, absolute %v, means %v; want %s by the difference, in no mean", tt.base, tt.head, c.Verdict, c.Change, c.Absolute, o.GeoMeans, tt.want)
		}
	}
}

// TestDirectionOfBase: head can neither turn a metric's direction round nor take it away.
func TestDirectionOfBase(t *testing.T) {
	cost := func(b result.Better) result.Unit { return result.Unit{Name: "cost", Better: b} }
	for _, head := range []result.Better{result.Lower, result.Unknown, result.Higher} {
		f := stagedFile(set(bench("X", metricOf(cost(result.Lower), constants(3, 5)...))), set(bench("X", metricOf(cost(head), constants(3, 6)...))))
		c := only(t, Judge(f, DefaultPolicy))
		if c.Verdict != Regression || !c.Gated {
			t.Errorf("base says lower, head %q: %s, gated %v; want a regression", head, c.Verdict, c.Gated)
		}
		if told := strings.Contains(strings.Join(c.Notes, " "), "head says higher"); told != (head == result.Higher) {
			t.Errorf("base says lower, head %q: notes %q", head, c.Notes)
		}
	}
	f := stagedFile(set(bench("X", metricOf(cost(result.Unknown), constants(3, 5)...))), set(bench("X", metricOf(cost(result.Lower), constants(3, 6)...))))
	if c := only(t, Judge(f, DefaultPolicy)); c.Verdict != Regression {
		t.Errorf("head alone says lower: %s, want a regression", c.Verdict)
	}
}

// TestCountsFromNothing: a count that was zero and now varies is a rise, not a spread without a measure.
func TestCountsFromNothing(t *testing.T) {
	f := countedFile(constants(14, 0), shaken(14, 10000, 1))
	if c := rowOf(t, Judge(f, DefaultPolicy), "X", result.Statements); c.Verdict != Regression || strings.Contains(strings.Join(c.Notes, " "), "NaN") {
		t.Errorf("statements from none: %s, notes %q; want a regression", c.Verdict, c.Notes)
	}
}

// TestRatioOfNothing: where both are zero there is no ratio, and a budget on it is not kept by that.
func TestRatioOfNothing(t *testing.T) {
	for name, values := range map[string][]float64{"constant": {0, 0, 0}, "varying": {0, 1, 0, 0}} {
		p := DefaultPolicy
		p.Budgets = []Budget{{Subject: subject("^X$", "lost/op"), Max: ptr(0.2), RelativeTo: "Y"}}
		head := set(bench("X", metric("lost/op", values...)), bench("Y", metric("lost/op", values...)))
		c := p.CheckBudgets(head)[0]
		if c.Verdict != BudgetUnmeasured || !strings.Contains(c.Note, "zero") {
			t.Errorf("%s: %s %q of %+v; want unmeasured, saying why", name, c.Verdict, c.Note, c.Value)
		}
	}
	if c := (Policy{Budgets: []Budget{{Subject: subject("^X$", result.LeakBytes), Max: ptr(64.0)}}, Confidence: 0.95}).
		CheckBudgets(set(bench("X", &result.Metric{Unit: result.UnitOf(result.LeakBytes), Samples: []result.Sample{{Value: 1e6}, {Value: 1e6}}})))[0]; c.Verdict != BudgetUnmeasured {
		t.Errorf("a leak over no iterations: %s of %+v, want unmeasured", c.Verdict, c.Value)
	}
}

// TestHeadroomOfNone: nothing is a share of a limit of zero.
func TestHeadroomOfNone(t *testing.T) {
	for value, want := range map[float64]float64{0: 0, 5: math.Inf(-1)} {
		p := DefaultPolicy
		p.Budgets = []Budget{{Subject: subject("^X$", "allocs/op"), Max: ptr(0.0)}}
		if c := p.CheckBudgets(set(bench("X", metric("allocs/op", constants(3, value)...))))[0]; c.Headroom != want {
			t.Errorf("headroom of %v to a limit of 0: %v, want %v", value, c.Headroom, want)
		}
	}
}

// TestSuiteWithoutTime: a benchmark whose times are zero has no ratio, and leaves the others' suite as it is.
func TestSuiteWithoutTime(t *testing.T) {
	base, head := set(), set()
	for _, name := range []string{"A", "B", "C", "D", "E", "F"} {
		values := steady(FirstLook, 100)
		if name == "F" {
			values = constants(FirstLook, 0)
		}
		base.Benchmarks = append(base.Benchmarks, bench(name, metric("sec/op", values...)))
		head.Benchmarks = append(head.Benchmarks, bench(name, metric("sec/op", scaled(values, 1.2)...)))
	}
	if s := Judge(stagedFile(base, head), DefaultPolicy).Suite; s == nil || !near(s.Change, 0.2) || s.Benchmarks != 5 {
		t.Errorf("the suite is %+v; want five benchmarks 20 %% slower", s)
	}
}

// TestBlindBeforeTheFirstLook: what two passes say shows no effect, and so none is claimed to be detectable.
func TestBlindBeforeTheFirstLook(t *testing.T) {
	for _, passes := range []int{2, FirstLook} {
		b := bench("X", metric("sec/op", steady(passes, 100)...))
		c := only(t, Judge(stagedFile(set(b), set(b)), DefaultPolicy))
		if blind := math.IsInf(c.MDE, 1); blind != (passes < FirstLook) {
			t.Errorf("%d passes: MDE %v", passes, c.MDE)
		}
	}
}

// TestTimeNotReached: a benchmark that was counted, and whose time the budget did not reach, has an open time.
func TestTimeNotReached(t *testing.T) {
	allocs := metric("allocs/op", constants(6, 3)...)
	counted := func() *result.Benchmark {
		return with(bench("X", allocs), func(b *result.Benchmark) { b.Untimed = "the budget ended before it" })
	}
	p := DefaultPolicy
	p.Budgets = []Budget{{Subject: subject("^X$", "sec/op"), Max: ptr(1.0)}}
	f := stagedFile(set(counted(), bench("Y", metric("sec/op", steady(12, 1)...))), set(counted(), bench("Y", metric("sec/op", steady(12, 1)...))))
	o := Judge(f, p)
	if c := rowOf(t, o, "X", "sec/op"); c.Verdict != Inconclusive || !c.Gated || !c.Unmeasured {
		t.Errorf("its time: %s, gated %v, unmeasured %v; want inconclusive", c.Verdict, c.Gated, c.Unmeasured)
	}
	if c := rowOf(t, o, "X", "allocs/op"); c.Verdict != Unchanged {
		t.Errorf("its allocations: %s", c.Verdict)
	}
	if c := o.Budgets[0]; c.Verdict != BudgetUnmeasured || o.Gate != Pass {
		t.Errorf("its budget is %s %q, gate %s; want unmeasured, pass", c.Verdict, c.Note, o.Gate)
	}
	p.Strict = true
	if o := Judge(f, p); o.Gate != Fail {
		t.Errorf("strict: gate %s, want fail", o.Gate)
	}
}

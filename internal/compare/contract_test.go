package compare

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/result"
)

func ptr[T any](v T) *T { return &v }

func subject(benchmark, metric string) Subject { return Subject{benchmark, metric} }

// TestSubject: a benchmark is named by its name, or with its package.
func TestSubject(t *testing.T) {
	k := result.Key{Suite: "gobench", Package: "example.com/m", Name: "Parse/small"}
	for pattern, want := range map[string]bool{
		"^Parse/small$": true, "small": true, "^BenchmarkParse/": true, "^Parse$": false, `example\.com/m\.Parse`: true, "^example.*small$": true, "Encode": false, "(": false,
	} {
		if got := subject(pattern, "").Names(k); got != want {
			t.Errorf("%s names %s: %v, want %v", pattern, k, got, want)
		}
	}
}

// exactly is the file of one exact metric on both sides.
func exactly(unit string, base, head float64) *result.File {
	return stagedFile(set(bench("X", metric(unit, constants(3, base)...))), set(bench("X", metric(unit, constants(3, head)...))))
}

// TestTolerance: the policy's tolerance replaces the usual one, also by none.
func TestTolerance(t *testing.T) {
	for _, tt := range []struct {
		unit       string
		base, head float64
		tolerance  Tolerance
		want       Verdict
	}{
		{"allocs/op", 10, 12, Tolerance{Absolute: 2}, Unchanged},
		{"allocs/op", 10, 13, Tolerance{Absolute: 2}, Regression},
		{"allocs/op", 0, 2, Tolerance{Absolute: 2}, Unchanged},
		{"allocs/op", 10, 11, Tolerance{Relative: 0.1}, Unchanged},
		{"allocs/op", 10, 12, Tolerance{Relative: 0.1}, Regression},
		{"B/op", 100, 101, Tolerance{}, Regression},
		{result.Statements, 1000, 1001, Tolerance{}, Regression},
		{result.Statements, 1000, 1000, Tolerance{}, Unchanged},
		{result.Statements, 1000, 1100, Tolerance{Relative: 0.2}, Unchanged},
	} {
		p := DefaultPolicy
		p.Overrides = []Override{{Subject: subject("^X$", tt.unit), Tolerance: &tt.tolerance}, {Subject: subject("^X$", "other/op"), Tolerance: &Tolerance{Absolute: 1e6}}}
		if c := only(t, Judge(exactly(tt.unit, tt.base, tt.head), p)); c.Verdict != tt.want {
			t.Errorf("%s %v → %v with %+v: %s, want %s", tt.unit, tt.base, tt.head, tt.tolerance, c.Verdict, tt.want)
		}
	}
}

// TestToleranceNearExact: what varies is held to half of the policy's tolerance.
func TestToleranceNearExact(t *testing.T) {
	for rise, want := range map[float64]Verdict{1.005: Unchanged, 1.03: Regression} {
		p := DefaultPolicy
		if c := only(t, Judge(countedFile(shaken(14, 10000, 1), scaled(shaken(14, 10000, 2), rise)), p)); rise == 1.03 && c.Verdict != Regression {
			t.Errorf("usual tolerance, %v: %s", rise, c.Verdict)
		}
		p.Overrides = []Override{{Subject: subject("", result.Statements), Tolerance: &Tolerance{Relative: 0.05}}}
		if c := only(t, Judge(countedFile(shaken(14, 10000, 1), scaled(shaken(14, 10000, 2), rise)), p)); c.Verdict != want {
			t.Errorf("tolerance of 5 %%, %v: %s, want %s", rise, c.Verdict, want)
		}
	}
}

// TestIgnore: what is ignored is judged, shown, and fails nothing.
func TestIgnore(t *testing.T) {
	files := map[string]*result.File{
		"regression": exactly("allocs/op", 1, 9),
		"broken":     stagedFile(set(bench("X", metric("allocs/op", 1, 1, 1))), set(statusOf(result.Failed, "panic: no"))),
		"missing":    stagedFile(set(bench("X", metric("allocs/op", 1, 1, 1))), set()),
	}
	for want, f := range files {
		p := DefaultPolicy
		if o := Judge(f, p); o.Gate == Pass {
			t.Errorf("%s passes without a policy", want)
		}
		p.Overrides = []Override{{Subject: subject("^X$", ""), Ignore: ptr(true)}}
		o := Judge(f, p)
		c := only(t, o)
		if o.Gate != Pass || c.Gated || string(c.Verdict) != want || !strings.Contains(strings.Join(c.Notes, " "), "ignored") {
			t.Errorf("%s ignored: gate %s, %s, gated %v, %q", want, o.Gate, c.Verdict, c.Gated, c.Notes)
		}
		p.Overrides = append(p.Overrides, Override{Subject: subject("^X$", ""), Ignore: ptr(false)})
		if o := Judge(f, p); o.Gate == Pass {
			t.Errorf("%s passes, though the last entry says that it is not ignored", want)
		}
	}
}

// TestIgnoreOneMetric: the other metrics are judged as ever.
func TestIgnoreOneMetric(t *testing.T) {
	f := stagedFile(set(bench("X", metric("allocs/op", 1, 1, 1), metric("B/op", 64, 64, 64))), set(bench("X", metric("allocs/op", 1, 1, 1), metric("B/op", 999, 999, 999))))
	p := DefaultPolicy
	p.Overrides = []Override{{Subject: subject("", "allocs/op"), Ignore: ptr(true)}}
	if o := Judge(f, p); o.Gate != Fail || !rowOf(t, o, "X", "B/op").Failing() || rowOf(t, o, "X", "allocs/op").Gated {
		t.Errorf("gate %s, %v", o.Gate, listed(o))
	}
}

// TestRequire: what is required and has no verdict fails the gate.
func TestRequire(t *testing.T) {
	both := func(b *result.Benchmark) *result.File { return stagedFile(set(b), set(b)) }
	good := both(bench("X", metric("allocs/op", 1, 1, 1)))
	for _, tt := range []struct {
		name  string
		f     *result.File
		s     Subject
		unmet string
	}{
		{"judged", good, subject("^X$", "allocs/op"), ""},
		{"judged as a whole", good, subject("^X$", ""), ""},
		{"the same binary", both(with(bench("X"), func(b *result.Benchmark) { b.Same = "identical binary" })), subject("^X$", "sec/op"), ""},
		{"too few samples", both(bench("X", metric("allocs/op", 1, 1))), subject("^X$", "allocs/op"), "X allocs/op is required and inconclusive: fewer than 3 samples"},
		{"too few samples of it all", both(bench("X", metric("allocs/op", 1, 1))), subject("X", ""), "X allocs/op is required and inconclusive"},
		{"no such metric", good, subject("^X$", "instructions/op"), "X instructions/op is required: example.com/m.X reports no instructions/op"},
		{"no such benchmark", good, subject("^Y$", ""), "^Y$ is required: no benchmark has such a name"},
		{"not reached", both(with(bench("X"), func(b *result.Benchmark) { b.Unmeasured = "the budget ended" })), subject("^X$", ""), "X is required and inconclusive: the budget ended"},
	} {
		p := DefaultPolicy
		p.Overrides = []Override{{Subject: tt.s, Require: ptr(true)}}
		o := Judge(tt.f, p)
		got := strings.Join(o.Unmet, "\n")
		if (tt.unmet == "") != (got == "") || !strings.Contains(got, tt.unmet) || len(o.Unmet) > 1 || (o.Gate == Fail) != (tt.unmet != "") {
			t.Errorf("%s: gate %s, %q; want %q", tt.name, o.Gate, o.Unmet, tt.unmet)
		}
		p.Overrides = append(p.Overrides, Override{Subject: subject("", ""), Require: ptr(false)})
		if o := Judge(tt.f, p); len(o.Unmet) > 0 && tt.name != "no such benchmark" {
			t.Errorf("%s: %q, though the last entry does not require it", tt.name, o.Unmet)
		}
	}
	p := DefaultPolicy
	p.Selected = true
	p.Overrides = []Override{{Subject: subject("^Y$", ""), Require: ptr(true)}}
	if o := Judge(good, p); o.Gate != Pass {
		t.Errorf("a part of the benchmarks was asked for, and one beyond it is required: %q", o.Unmet)
	}
}

// TestRequireEitherReference: a verdict against base is one, whatever the baseline allows.
func TestRequireEitherReference(t *testing.T) {
	b := bench("X", metric("sec/op", steady(20, 1)...))
	f := stagedFile(set(b), set(b))
	f.Baseline = set(b)
	f.Baseline.Env.CPU = "another"
	p := DefaultPolicy
	p.Overrides = []Override{{Subject: subject("^X$", "sec/op"), Require: ptr(true)}}
	if o := Judge(f, p); o.Gate != Pass {
		t.Errorf("gate %s, %q", o.Gate, o.Unmet)
	}
	few := bench("X", metric("allocs/op", 1, 1))
	f = stagedFile(set(few), set(few))
	f.Baseline = set(few)
	p.Overrides[0].Metric = "allocs/op"
	if o := Judge(f, p); len(o.Unmet) != 1 {
		t.Errorf("without a verdict against either: %q, want it said once", o.Unmet)
	}
}

// TestBudgets holds values, rates and ratios to their limits.
func TestBudgets(t *testing.T) {
	head := set(
		bench("A/fast", metric("sec/op", steady(20, 1e-3)...), metric("allocs/op", 3, 3, 3)),
		bench("A/slow", metric("sec/op", steady(20, 1e-2)...), metric("allocs/op", 12, 12, 12)),
		bench("Rate", metric("B/s", steady(20, 100)...), metricOf(result.Unit{Name: "hits", Better: result.Higher}, 0, 0, 0)),
		bench("Few", metric("sec/op", 1, 1.1)),
		with(statusOf(result.Failed, "panic: no"), func(b *result.Benchmark) { b.Name = "Broken" }),
		with(bench("Same"), func(b *result.Benchmark) { b.Same = "identical binary" }),
	)
	for _, tt := range []struct {
		b        Budget
		verdict  BudgetVerdict
		headroom float64
		loose    bool
		note     string
	}{
		{Budget{Subject: subject("^A/fast$", "sec/op"), Max: ptr(2e-3)}, BudgetKept, 0.5, false, ""},
		{Budget{Subject: subject("^A/fast$", "sec/op"), Max: ptr(1e-2)}, BudgetKept, 0.9, true, ""},
		{Budget{Subject: subject("^A/fast$", "sec/op"), Max: ptr(0.9e-3)}, BudgetBroken, -0.111, false, ""},
		{Budget{Subject: subject("^A/fast$", "sec/op"), Max: ptr(0.99999e-3)}, BudgetUnclear, 0, false, ""},
		{Budget{Subject: subject("^A/slow$", "allocs/op"), Max: ptr(12.0)}, BudgetKept, 0, false, ""},
		{Budget{Subject: subject("^A/slow$", "allocs/op"), Max: ptr(11.0)}, BudgetBroken, -0.0909, false, ""},
		{Budget{Subject: subject("^A/slow$", "allocs/op"), Max: ptr(0.0)}, BudgetBroken, math.Inf(-1), false, ""},
		{Budget{Subject: subject("^A/slow$", "allocs/op"), Max: ptr(24.0), Min: ptr(11.0)}, BudgetKept, 0.0909, false, ""},
		{Budget{Subject: subject("^A/slow$", "allocs/op"), Max: ptr(24.0), Min: ptr(13.0)}, BudgetBroken, -0.0769, false, ""},
		{Budget{Subject: subject("^A/slow$", "allocs/op"), Max: ptr(13.0), Min: ptr(6.0)}, BudgetKept, 0.0769, false, ""},
		{Budget{Subject: subject("^Rate$", "B/s"), Min: ptr(50.0)}, BudgetKept, 1, false, ""},
		{Budget{Subject: subject("^Rate$", "B/s"), Min: ptr(10.0)}, BudgetKept, 9, true, ""},
		{Budget{Subject: subject("^Rate$", "B/s"), Min: ptr(150.0)}, BudgetBroken, -1. / 3, false, ""},
		{Budget{Subject: subject("^Rate$", "hits"), Min: ptr(0.0)}, BudgetKept, 0, false, ""},
		{Budget{Subject: subject("^A/fast$", "sec/op"), Max: ptr(0.2), RelativeTo: "A/slow"}, BudgetKept, 0.5, false, ""},
		{Budget{Subject: subject(`^(\w+)/fast$`, "sec/op"), Max: ptr(0.05), RelativeTo: "$1/slow"}, BudgetBroken, -1, false, ""},
		{Budget{Subject: subject("^A/fast$", "allocs/op"), Max: ptr(0.25), RelativeTo: "A/slow"}, BudgetKept, 0, false, ""},
		{Budget{Subject: subject("^A/fast$", "allocs/op"), Max: ptr(0.25), RelativeTo: "A/none"}, BudgetUnmeasured, 0, false, "no benchmark example.com/m.A/none to compare with"},
		{Budget{Subject: subject("^Few$", "sec/op"), Max: ptr(1.0)}, BudgetUnclear, -0.05, false, ""},
		{Budget{Subject: subject("^Few$", "sec/opp"), Max: ptr(1.0)}, BudgetBroken, 0, false, "example.com/m.Few reports no sec/opp"},
		{Budget{Subject: subject("^Few$", "allocs/op"), Max: ptr(1.0)}, BudgetBroken, 0, false, "example.com/m.Few reports no allocs/op"},
		{Budget{Subject: subject("^Few$", result.Statements), Max: ptr(1.0)}, BudgetUnmeasured, 0, false, "reports no statements/op"}, // nobody counted any
		{Budget{Subject: subject("^Broken$", "sec/op"), Max: ptr(1.0)}, BudgetUnmeasured, 0, false, "failed: panic: no"},
		{Budget{Subject: subject("^Same$", "sec/op"), Max: ptr(1.0)}, BudgetUnmeasured, 0, false, "identical binary"},
		{Budget{Subject: subject("^Nobody$", "sec/op"), Max: ptr(1.0)}, BudgetBroken, 0, false, "no benchmark has such a name"},
	} {
		p := DefaultPolicy
		p.Budgets = []Budget{tt.b}
		cs := p.CheckBudgets(head)
		if len(cs) != 1 {
			t.Fatalf("%+v: %d checks", tt.b, len(cs))
		}
		c := cs[0]
		headroom := c.Headroom == tt.headroom || math.Abs(c.Headroom-tt.headroom) < 0.01 || math.IsNaN(c.Headroom) && tt.note != ""
		if c.Verdict != tt.verdict || !headroom || c.Loose != tt.loose || !strings.Contains(c.Note, tt.note) || (c.Note == "") != (tt.note == "") {
			t.Errorf("%s %s max %v min %v: %s, headroom %.3g, loose %v, %q; want %s, %.3g, %v, %q", tt.b.Benchmark, tt.b.Metric, tt.b.Max, tt.b.Min,
				c.Verdict, c.Headroom, c.Loose, c.Note, tt.verdict, tt.headroom, tt.loose, tt.note)
		}
		o := Judge(stagedFile(head, head), p)
		if want := map[bool]Gate{true: Fail, false: Pass}[tt.verdict == BudgetBroken]; o.Gate != want && o.Gate != Error {
			t.Errorf("%s %s: gate %s, want %s", tt.b.Benchmark, tt.b.Metric, o.Gate, want)
		}
		p.Strict = true
		if got := (&Outcome{Budgets: cs}).brokenContract(p); got != (tt.verdict != BudgetKept) {
			t.Errorf("%s %s, strict: fails %v", tt.b.Benchmark, tt.b.Metric, got)
		}
	}
}

// TestBudgetBeyondSelection: a budget of what was not asked for is not due.
func TestBudgetBeyondSelection(t *testing.T) {
	p := DefaultPolicy
	p.Selected = true
	p.Budgets = []Budget{{Subject: subject("^Nobody$", "sec/op"), Max: ptr(1.0)}}
	if cs := p.CheckBudgets(set(bench("X", metric("sec/op", 1)))); len(cs) != 1 || cs[0].Verdict != BudgetUnmeasured {
		t.Errorf("%+v", cs)
	}
}

// TestBudgetOrder: the worst come first, and each benchmark that the expression matches has its own.
func TestBudgetOrder(t *testing.T) {
	p := DefaultPolicy
	p.Budgets = []Budget{{Subject: subject(".", "allocs/op"), Max: ptr(5.0)}}
	var got []string
	for _, c := range p.CheckBudgets(set(bench("A", metric("allocs/op", 1, 1, 1)), bench("B", metric("allocs/op", 9, 9, 9)), bench("C", metric("allocs/op", 5, 5, 5)))) {
		got = append(got, fmt.Sprint(c.Key.Name, " ", c.Verdict))
	}
	if diff := cmp.Diff([]string{"B broken", "A kept", "C kept"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestWaivers: a regression passes up to the waiver's limit and to its date, and is always there to see.
func TestWaivers(t *testing.T) {
	for _, tt := range []struct {
		name       string
		base, head float64
		w          Waiver
		state      WaiverState
		gate       Gate
	}{
		{"within", 3, 5, Waiver{Subject: subject("^X$", "allocs/op"), Max: ptr(5.0), Expires: "2026-11-22"}, WaiverUsed, Pass},
		{"beyond", 3, 6, Waiver{Subject: subject("^X$", "allocs/op"), Max: ptr(5.0), Expires: "2026-11-22"}, WaiverExceeded, Fail},
		{"at a floor", 3, 5, Waiver{Subject: subject("^X$", "allocs/op"), Min: ptr(5.0), Expires: "2026-11-22"}, WaiverUsed, Pass},
		{"below a floor", 3, 5, Waiver{Subject: subject("^X$", "allocs/op"), Min: ptr(6.0), Expires: "2026-11-22"}, WaiverExceeded, Fail},
		{"of another metric", 3, 5, Waiver{Subject: subject("^X$", "B/op"), Max: ptr(5.0), Expires: "2026-11-22"}, WaiverUnused, Fail},
		{"of another benchmark", 3, 5, Waiver{Subject: subject("^Y$", "allocs/op"), Max: ptr(5.0), Expires: "2026-11-22"}, WaiverUnused, Fail},
		{"without a regression", 3, 3, Waiver{Subject: subject("^X$", "allocs/op"), Max: ptr(5.0), Expires: "2026-11-22"}, WaiverUnused, Pass},
		{"expired", 3, 5, Waiver{Subject: subject("^X$", "allocs/op"), Max: ptr(5.0), Expires: "2026-11-21"}, WaiverExpired, Fail},
		{"expired and not needed", 3, 3, Waiver{Subject: subject("^X$", "allocs/op"), Max: ptr(5.0), Expires: "2026-11-21"}, WaiverExpired, Fail},
	} {
		p := DefaultPolicy
		p.Waivers = []Waiver{tt.w}
		f := exactly("allocs/op", tt.base, tt.head)
		f.GeneratedAt = time.Date(2026, 11, 22, 23, 59, 0, 0, time.UTC)
		o := Judge(f, p)
		c := only(t, o)
		if o.Gate != tt.gate || len(o.Waivers) != 1 || o.Waivers[0].State != tt.state || c.Waived != (tt.state == WaiverUsed) {
			t.Errorf("%s: gate %s, %+v, waived %v; want %s, %s", tt.name, o.Gate, o.Waivers[0], c.Waived, tt.gate, tt.state)
		}
		if tt.base != tt.head && (c.Verdict != Regression || o.Count(Regression) != 1) {
			t.Errorf("%s: verdict %s, %d regressions: it is no longer seen", tt.name, c.Verdict, o.Count(Regression))
		}
	}
}

// TestWaiverBesideExpired: an expired waiver fails the gate by itself, and takes nothing from the one that replaced it.
func TestWaiverBesideExpired(t *testing.T) {
	valid := Waiver{Subject: subject("^X$", "allocs/op"), Max: ptr(5.0), Expires: "2026-12-31"}
	expired := valid
	expired.Expires = "2026-01-31"
	for _, ws := range [][]Waiver{{valid, expired}, {expired, valid}} {
		p := DefaultPolicy
		p.Waivers = ws
		f := exactly("allocs/op", 3, 5)
		f.GeneratedAt = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
		o := Judge(f, p)
		if c := only(t, o); !c.Waived || c.Failing() {
			t.Errorf("%s and %s: waived %v, want what the valid one says", ws[0].Expires, ws[1].Expires, c.Waived)
		}
		for i, w := range ws {
			if want := map[bool]WaiverState{true: WaiverUsed, false: WaiverExpired}[w.Expires == valid.Expires]; o.Waivers[i].State != want {
				t.Errorf("%s is %s, want %s", w.Expires, o.Waivers[i].State, want)
			}
		}
	}
}

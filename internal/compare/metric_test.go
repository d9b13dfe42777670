package compare

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/org/perfgate/internal/result"
)

// near compares to a relative error that another order of arithmetic explains.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Max(1, math.Abs(b)) }

// TestTimes judges one paired time. The tolerance is two thirds of the effect of 5 %.
func TestTimes(t *testing.T) {
	wide := noisy(newRand(1), 20, 1e-6, 0.3)
	tests := []struct {
		name       string
		base, head []float64
		want       Verdict
		change     float64
	}{
		{"slower", steady(20, 1e-6), steady(20, 1.2e-6), Regression, 0.2},
		{"slower by more than the tolerance", steady(20, 1e-6), steady(20, 1.036e-6), Regression, 0.036},
		{"slower by less than the tolerance", steady(20, 1e-6), steady(20, 1.03e-6), Unchanged, 0.03},
		{"the same", steady(20, 1e-6), steady(20, 1e-6), Unchanged, 0},
		{"faster by less than the tolerance", steady(20, 1e-6), steady(20, 0.97e-6), Unchanged, -0.03},
		{"faster", steady(20, 1e-6), steady(20, 0.8e-6), Improvement, -0.2},
		{"noisy", wide, noisy(newRand(2), 20, 1e-6, 0.3), Inconclusive, math.NaN()},
		{"noisy together", wide, scaled(wide, 1.2), Regression, 0.2},
		{"enough pairs", steady(7, 1e-6), steady(7, 1.2e-6), Regression, 0.2},
		{"too few pairs", steady(6, 1e-6), steady(6, 1.2e-6), Inconclusive, 0.2},
		{"too few equal pairs", steady(6, 1e-6), steady(6, 1e-6), Inconclusive, 0},
		{"a time of zero", steady(20, 1e-6), constants(20, 0), Inconclusive, -1},
		{"equal digits are no constants", constants(20, 1e-6), constants(20, 1.01e-6), Unchanged, 0.01},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := only(t, Judge(plainFile(set(timed("X", tt.base)), set(timed("X", tt.head))), interleaved()))
			if c.Verdict != tt.want || !c.Gated || c.Exact {
				t.Errorf("%s, gated %v, exact %v, change %v %q; want %s, gated, not exact", c.Verdict, c.Gated, c.Exact, c.Change, c.Notes, tt.want)
			}
			if !math.IsNaN(tt.change) && !near(c.Change, tt.change) {
				t.Errorf("change %v, want %v", c.Change, tt.change)
			}
			if !(c.Lo <= c.Change && c.Change <= c.Hi) {
				t.Errorf("change %v outside its interval [%v, %v]", c.Change, c.Lo, c.Hi)
			}
		})
	}
}

// TestTestedNumbers checks what stands beside a verdict: pairs, p-value, MDE.
func TestTestedNumbers(t *testing.T) {
	c := only(t, Judge(plainFile(set(timed("X", constants(20, 1))), set(timed("X", constants(20, 2)))), interleaved()))
	if c.Pairs != 20 || c.P != math.Ldexp(1, -20) || c.Base.N != 20 || c.Base.Center != 1 || c.Head.Center != 2 {
		t.Errorf("got %d pairs, p %v, base %+v, head %+v", c.Pairs, c.P, c.Base, c.Head)
	}
	if want := DefaultPolicy.Tolerance(); !near(c.MDE, want) { // no noise: only the tolerance hides anything
		t.Errorf("MDE %v, want the tolerance %v", c.MDE, want)
	}
	c = only(t, Judge(plainFile(set(timed("X", constants(3, 1))), set(timed("X", constants(3, 2)))), interleaved()))
	if !math.IsInf(c.MDE, 1) {
		t.Errorf("MDE of 3 pairs %v, want +Inf: nothing could be detected", c.MDE)
	}
}

// TestPairsByNumber: pairs belong together by their number, in whatever order they are stored;
// one that a side lacks is left out.
func TestPairsByNumber(t *testing.T) {
	drift := make([]float64, 20) // a factor of 20 that only pairing takes out
	for i := range drift {
		drift[i] = float64(i + 1)
	}
	base := confirmed(metric("sec/op", drift...), drift...)
	head := confirmed(metric("sec/op", scaled(drift, 1.2)...), scaled(drift, 1.2)...)
	slices.Reverse(head.Samples)
	slices.Reverse(head.Confirm)
	head.Samples = append(head.Samples[:5], head.Samples[6:]...)
	head.Confirm = append(head.Confirm[:5], head.Confirm[7:]...)
	c := only(t, Judge(stagedFile(set(bench("X", base)), set(bench("X", head))), DefaultPolicy))
	if c.Verdict != Regression || c.Passes != 19 || c.Builds != 18 || !near(c.Change, 0.2) {
		t.Errorf("%s, %d passes, %d builds, change %v; want regression, 19 passes, 18 builds, 0.2", c.Verdict, c.Passes, c.Builds, c.Change)
	}
}

// TestNoCommonPair: samples of different pairs say nothing about each other.
func TestNoCommonPair(t *testing.T) {
	base, head := metric("sec/op", steady(20, 1)...), metric("sec/op", steady(20, 2)...)
	for i := range head.Samples {
		head.Samples[i].Pair += 100
	}
	c := only(t, Judge(stagedFile(set(bench("X", base)), set(bench("X", head))), DefaultPolicy))
	if c.Verdict != Inconclusive || len(c.Notes) != 1 || !strings.Contains(c.Notes[0], "0 passes") {
		t.Errorf("%s %q, want inconclusive, saying why", c.Verdict, c.Notes)
	}
}

// TestFiles judges plain files, whose order of measuring is not recorded.
func TestFiles(t *testing.T) {
	base, head := steady(20, 1e-6), steady(20, 1.2e-6)
	elsewhere := func(s *result.Set) *result.Set { s.Env.CPU = "Other CPU"; return s }
	file := func(base, head *result.Set) *result.File { return &result.File{Base: base, Head: head} }
	asserted := DefaultPolicy
	asserted.Interleaved = true
	tests := []struct {
		name   string
		file   *result.File
		policy Policy
		want   Verdict
		gated  bool
		note   string
	}{
		{"order unknown", file(set(timed("X", base)), set(timed("X", head))), DefaultPolicy, Inconclusive, false, "drift"},
		{"asserted", file(set(timed("X", base)), set(timed("X", head))), asserted, Regression, true, ""},
		{"asserted, uneven", file(set(timed("X", base)), set(timed("X", head[:12]))), asserted, Regression, true, ""},
		{"another machine", file(set(timed("X", base)), elsewhere(set(timed("X", head)))), DefaultPolicy, Incomparable, false, "different CPU model"},
		{"zeros", file(set(timed("X", base)), set(timed("X", constants(20, 0)))), DefaultPolicy, Inconclusive, true, "zeros"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := only(t, Judge(tt.file, tt.policy))
			if c.Verdict != tt.want || c.Gated != tt.gated || !strings.Contains(strings.Join(c.Notes, "\n"), tt.note) {
				t.Errorf("%s, gated %v %q; want %s, gated %v, a note with %q", c.Verdict, c.Gated, c.Notes, tt.want, tt.gated, tt.note)
			}
		})
	}
}

// TestFilesByPosition: files that are asserted to be interleaved are paired by position, whatever
// their pair numbers.
func TestFilesByPosition(t *testing.T) {
	head := metric("sec/op", steady(20, 1.2e-6)...)
	for i := range head.Samples {
		head.Samples[i].Pair = 100 - i
	}
	p := DefaultPolicy
	p.Interleaved = true
	f := &result.File{Base: set(timed("X", steady(20, 1e-6))), Head: set(bench("X", head))}
	if c := only(t, Judge(f, p)); c.Verdict != Regression || c.Pairs != 20 {
		t.Errorf("%s, %d pairs; want regression, 20 pairs", c.Verdict, c.Pairs)
	}
}

// TestMetricOnOneSide: a metric that comes is news, one that goes can no longer be guarded.
func TestMetricOnOneSide(t *testing.T) {
	both, rate := metric("sec/op", steady(20, 1e-6)...), metric("B/s", steady(20, 1e9)...)
	o := Judge(stagedFile(set(bench("X", both)), set(bench("X", both, rate))), DefaultPolicy)
	if c := rowOf(t, o, "X", "B/s"); c.Verdict != Added || c.Gated || o.Gate != Pass {
		t.Errorf("new metric: %s, gated %v, gate %s; want added, not gated, pass", c.Verdict, c.Gated, o.Gate)
	}
	o = Judge(stagedFile(set(bench("X", both, rate)), set(bench("X", both))), DefaultPolicy)
	if c := rowOf(t, o, "X", "B/s"); c.Verdict != Missing || !c.Gated || o.Gate != Fail {
		t.Errorf("metric gone: %s, gated %v, gate %s; want missing, gated, fail", c.Verdict, c.Gated, o.Gate)
	}
	cpu := metric("self-sec", steady(20, 1)...)
	o = Judge(stagedFile(set(bench("X", both, cpu)), set(bench("X", both))), DefaultPolicy)
	if c := only(t, o); c.Unit.Name != "sec/op" { // the system does not always tell: no row
		t.Errorf("an informational metric on one side gives the row %q", listed(o))
	}
}

func TestNegative(t *testing.T) {
	u := result.Unit{Name: "delta-sec", Better: result.Lower}
	o := Judge(stagedFile(set(bench("X", metricOf(u, steady(20, -1)...))), set(bench("X", metricOf(u, steady(20, 1)...)))), DefaultPolicy)
	if c := only(t, o); c.Verdict != Inconclusive || c.Gated || len(c.Notes) != 1 {
		t.Errorf("%s, gated %v %q; want inconclusive, not gated, with a reason", c.Verdict, c.Gated, c.Notes)
	}
}

// TestJudgeKeepsItsInput: the same Sets are judged and written many times.
func TestJudgeKeepsItsInput(t *testing.T) {
	descending := []float64{9, 8, 7, 6, 5, 4, 3, 2, 1}
	f := stagedFile(set(timed("X", descending)), set(timed("X", descending)))
	f.Baseline = set(timed("X", descending))
	Judge(f, DefaultPolicy)
	for _, s := range []*result.Set{f.Base, f.Head, f.Baseline} {
		if got := s.Benchmarks[0].Metrics[0].Values(); !slices.Equal(got, descending) {
			t.Fatalf("values are now %v", got)
		}
	}
	Describe(f.Head.Benchmarks[0].Metrics[0])
	if got := f.Head.Benchmarks[0].Metrics[0].Values(); !slices.Equal(got, descending) {
		t.Fatalf("after Describe values are %v", got)
	}
}

// TestDescribe: a constant count is known, and of three values that vary, or of times, there is no interval.
func TestDescribe(t *testing.T) {
	for _, tt := range []struct {
		name string
		m    *result.Metric
		want Summary
	}{
		{"a constant count", metric("allocs/op", 4, 4, 4), Summary{N: 3, Center: 4, Lo: 4, Hi: 4}},
		{"a count that varies", metric("allocs/op", 4, 5, 6), Summary{N: 3, Center: 5, Lo: math.Inf(-1), Hi: math.Inf(1)}},
		{"times that print alike", metric("sec/op", 4, 4, 4), Summary{N: 3, Center: 4, Lo: math.Inf(-1), Hi: math.Inf(1)}},
	} {
		if got := Describe(tt.m); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

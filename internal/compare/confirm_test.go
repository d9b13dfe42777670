package compare

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/org/perfgate/internal/result"
)

// timesOf is a staged file of one benchmark with such differences in its time.
func timesOf(first, fresh []float64) *result.File {
	b, h := differing(result.UnitOf("sec/op"), first, fresh)
	return stagedFile(set(bench("X", b)), set(bench("X", h)))
}

// TestConfirm judges one time by its two stages. Only the second says that it is slower.
func TestConfirm(t *testing.T) {
	const slower, unconfirmed = "seems slower; the budget ended before that could be confirmed", "seems faster; the budget ended before that could be confirmed"
	tests := []struct {
		name         string
		first, fresh []float64
		want         Verdict
		change       float64
		note         string // none where empty
	}{
		{"slower", tight(8, 0.5), tight(12, 0.2), Regression, 0.2, ""},
		{"faster", tight(8, -0.5), tight(12, -0.2), Improvement, -0.2, ""},
		{"slower by less than the tolerance", tight(6, 0.015), tight(12, 0.015), Regression, 0.015, ""},
		{"slower by 50 %, not confirmed", tight(8, math.Log(1.5)), nil, Inconclusive, math.Log(1.5), slower},
		{"faster, not confirmed", tight(8, -0.5), nil, Inconclusive, -0.5, unconfirmed},
		{"slower in many passes, not confirmed", tight(48, 0.05), nil, Inconclusive, 0.05, slower},
		{"seems slower at the last look", wide(48, 0.05), nil, Inconclusive, 0.05, slower},

		{"did not survive", constants(8, math.Log(1.1)), tight(12, 0), Unchanged, 0, "+10.0% in the first stage, -0.0% on re-linked builds"},
		{"faster did not survive", constants(8, math.Log(0.9)), tight(12, 0), Unchanged, 0, "-10.0% in the first stage, -0.0% on re-linked builds"},
		{"within the margin", tight(8, 0.05), tight(12, 0.005), Unchanged, 0.005, "+5.1% in the first stage, +0.5% on re-linked builds"},
		{"did not survive, and is doubtful", tight(8, 0.05), wide(12, 0), Inconclusive, math.NaN(), "+5.1% in the first stage"},
		{"never seemed changed", tight(8, 0), tight(12, 0), Unchanged, 0, ""}, // it was measured with the whole suite
		{"the other way round", tight(8, 0.05), tight(12, -0.2), Improvement, -0.2, ""},

		{"6 of 16 builds", constants(8, math.Log(1.1)), tight(6, 0.5), Inconclusive, 0.5, "seemed changed by +10.0%; the budget ended after 6 of the 16 re-linked builds that confirm 1 such metric"},
		{"7 of 16 builds", tight(8, 0.1), tight(7, 0.5), Regression, 0.5, ""},
		{"1 of 16 builds", tight(8, 0.1), tight(1, 0.5), Inconclusive, 0.497, "after 1 of the 16"},

		{"the same", tight(6, 0), nil, Unchanged, 0, ""},
		{"doubtful", wide(48, 0), nil, Inconclusive, math.NaN(), ""},
		{"too noisy for the effect", tight(6, 0), alternating(12, 0.045), Inconclusive, math.NaN(), ""},
		{"before the first look", tight(5, 0), nil, Inconclusive, 0, "5 passes; the first look needs 6: raise --budget"},
		{"slower before the first look", tight(5, 0.5), nil, Inconclusive, 0.5, "5 passes; the first look needs 6: raise --budget"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := Judge(timesOf(tt.first, tt.fresh), DefaultPolicy)
			c := only(t, o)
			if c.Verdict != tt.want || !c.Gated || c.Exact || (o.Gate == Fail) != (tt.want == Regression) {
				t.Errorf("%s, gated %v, exact %v, gate %s; want %s, gated", c.Verdict, c.Gated, c.Exact, o.Gate, tt.want)
			}
			if len(c.Notes) > 1 || (len(c.Notes) == 1) != (tt.note != "") || !strings.Contains(strings.Join(c.Notes, ""), tt.note) {
				t.Errorf("notes %q, want %q", c.Notes, tt.note)
			}
			if !math.IsNaN(tt.change) && math.Abs(math.Log1p(c.Change)-tt.change) > 0.001 && math.Abs(c.Change-tt.change) > 0.001 || !(c.Lo <= c.Change && c.Change <= c.Hi) {
				t.Errorf("change %v in [%v, %v], want %v", c.Change, c.Lo, c.Hi, tt.change)
			}
			if c.Passes != len(tt.first) || c.Builds != len(tt.fresh) || c.Pairs != 0 || c.Base.N != c.Passes+c.Builds {
				t.Errorf("%d passes, %d builds, %d pairs, %d values", c.Passes, c.Builds, c.Pairs, c.Base.N)
			}
			if o.Tests != 1 || o.Confirmed != min(1, len(tt.fresh)) {
				t.Errorf("%d tests, %d confirmed", o.Tests, o.Confirmed)
			}
		})
	}
}

// TestConfirmInterrupted: where an interrupt ended the passes, no note blames the budget or asks for more of it.
func TestConfirmInterrupted(t *testing.T) {
	for _, tt := range []struct {
		first, fresh []float64
		want         string
	}{
		{tight(5, 0), nil, "5 passes; the first look needs 6: the run was interrupted"},
		{tight(8, 0.5), nil, "seems slower; the run was interrupted before that could be confirmed on re-linked builds"},
		{tight(8, -0.5), nil, "seems faster; the run was interrupted before that could be confirmed on re-linked builds"},
		{constants(8, math.Log(1.1)), tight(6, 0.5), "seemed changed by +10.0%; the run was interrupted after 6 of the 16 re-linked builds that confirm 1 such metric"},
	} {
		f := timesOf(tt.first, tt.fresh)
		f.Partial = true
		if c := only(t, Judge(f, DefaultPolicy)); c.Verdict != Inconclusive || strings.Join(c.Notes, "\n") != tt.want {
			t.Errorf("%s with notes %q, want one: %s", c.Verdict, c.Notes, tt.want)
		}
	}
}

// TestConfirmedNumbers checks what stands beside a verdict: p-value and MDE, of the second stage where
// there is one.
func TestConfirmedNumbers(t *testing.T) {
	margin := math.Log1p(0.05 / 6)
	mde := func(sd, n float64) float64 {
		return math.Expm1(margin + (2.4089+1.2816)*sd/math.Sqrt(0.955*n))
	}
	c := only(t, Judge(timesOf(alternating(8, 0.1), alternating(12, 0.02)), DefaultPolicy))
	if math.Abs(c.MDE-mde(0.02, 12)) > 1e-5 || c.P < 0.5 {
		t.Errorf("confirmed: MDE %v, want %v of the fresh values; p %v", c.MDE, mde(0.02, 12), c.P)
	}
	c = only(t, Judge(timesOf(alternating(8, 0.1), nil), DefaultPolicy))
	if want := mde(0.1/math.Sqrt(6), 16); math.Abs(c.MDE-want) > 1e-5 || !math.IsNaN(c.P) { // six passes on a build show the effect
		t.Errorf("screened: MDE %v, want %v; p %v, want none", c.MDE, want, c.P)
	}
	c = only(t, Judge(timesOf(constants(6, 0), nil), DefaultPolicy))
	if !near(c.MDE, DefaultPolicy.Noise()) { // no noise: only the margin hides anything
		t.Errorf("without noise: MDE %v, want the margin %v", c.MDE, DefaultPolicy.Noise())
	}
	c = only(t, Judge(timesOf(tight(6, 0.5), tight(12, 0.5)), DefaultPolicy))
	if c.P != math.Ldexp(1, -12) {
		t.Errorf("12 slower builds: p %v, want 2^-12", c.P)
	}
}

// suspects are k confirmed benchmarks, the first of which is slower in all of so many builds.
func suspects(k, builds int) *result.File {
	base, head := set(), set()
	for i := range k {
		level := 0.0
		if i == 0 {
			level = 0.5
		}
		b, h := differing(result.UnitOf("sec/op"), tight(6, 0.5), tight(builds, level))
		base.Benchmarks, head.Benchmarks = append(base.Benchmarks, bench(fmt.Sprintf("X%d", i), b)), append(head.Benchmarks, bench(fmt.Sprintf("X%d", i), h))
	}
	return stagedFile(base, head)
}

// TestConfirmTogether: the confirmed share the error probability among themselves, and with no one
// else. With the builds that are asked for, three fewer even, one of them can be found slower.
func TestConfirmTogether(t *testing.T) {
	for _, k := range []int{1, 2, 5, 20, 100} {
		builds := DefaultPolicy.Builds(k)
		enough := int(math.Ceil(math.Log2(float64(k) / 0.008)))
		for _, n := range []int{enough - 1, enough, builds} {
			f := suspects(k, n)
			for i := range 50 { // which were only screened
				b, h := differing(result.UnitOf("sec/op"), tight(6, 0), nil)
				f.Base.Benchmarks, f.Head.Benchmarks = append(f.Base.Benchmarks, bench(fmt.Sprintf("Y%d", i), b)), append(f.Head.Benchmarks, bench(fmt.Sprintf("Y%d", i), h))
			}
			o := Judge(f, DefaultPolicy)
			if o.Tests != k+50 || o.Confirmed != k {
				t.Errorf("%d suspects: %d tests, %d confirmed", k, o.Tests, o.Confirmed)
			}
			checkSuspects(t, o, n, n >= enough)
		}
	}
}

func checkSuspects(t *testing.T, o *Outcome, builds int, enough bool) {
	t.Helper()
	for _, c := range o.Comparisons {
		want := Unchanged
		switch {
		case c.Key.Name[0] == 'Y':
		case !enough:
			want = Inconclusive
		case c.Key.Name == "X0":
			want = Regression
		}
		if c.Verdict != want {
			t.Fatalf("%d suspects, %d builds: %s is %s %q, want %s", o.Confirmed, builds, c.Key.Name, c.Verdict, c.Notes, want)
		}
		if c.Key.Name == "X0" && enough && !near(c.P, float64(o.Confirmed)*math.Ldexp(1, -builds)) {
			t.Errorf("%d suspects: p %v, want it times their number", o.Confirmed, c.P)
		}
	}
}

// TestConfirmFixedLayout: without another order of functions the second stage has a larger margin, and
// says so.
func TestConfirmFixedLayout(t *testing.T) {
	for level, want := range map[float64]Verdict{0.015: Unchanged, 0.025: Regression} {
		f := timesOf(tight(6, 0.1), tight(12, level))
		if c := only(t, Judge(f, DefaultPolicy)); c.Verdict != Regression {
			t.Errorf("%v: %s, want a regression", level, c.Verdict)
		}
		f.Head.Benchmarks[0].FixedLayout = "the linker has no -randlayout"
		c := only(t, Judge(f, DefaultPolicy))
		if c.Verdict != want || !strings.HasPrefix(c.Notes[0], "layout effects are not excluded") || !strings.HasSuffix(c.Notes[0], "the linker has no -randlayout") {
			t.Errorf("%v, layout fixed: %s %q, want %s and the reason", level, c.Verdict, c.Notes, want)
		}
		if strings.Contains(strings.Join(c.Notes, " "), "re-linked") {
			t.Errorf("%v, layout fixed: %q, and nothing was linked again", level, c.Notes)
		}
		if c.MDE < fixedMargin {
			t.Errorf("%v, layout fixed: MDE %v, below the margin", level, c.MDE)
		}
	}
	f := timesOf(tight(6, 0), nil)
	f.Head.Benchmarks[0].FixedLayout = "the linker has no -randlayout"
	if c := only(t, Judge(f, DefaultPolicy)); c.Verdict != Unchanged || len(c.Notes) > 0 {
		t.Errorf("screened only: %s %q, want unchanged without a word", c.Verdict, c.Notes)
	}
}

// TestSame: of equal binaries there is one row, whatever was measured.
func TestSame(t *testing.T) {
	f := timesOf(tight(6, 0.5), tight(12, 0.5))
	f.Head.Benchmarks[0].Same = "both sides run the same binary"
	o := Judge(f, DefaultPolicy)
	checkWhole(t, only(t, o), Unchanged, true, "both sides run the same binary")
	if o.Gate != Pass || o.Tests != 0 || o.Count(Unchanged) != 1 {
		t.Errorf("gate %s, %d tests, %d unchanged", o.Gate, o.Tests, o.Count(Unchanged))
	}
}

// TestConfirmOtherUnits: what is not gated came to the second stage with its benchmark, and is never a
// finding; a rate, too, is better when it is more.
func TestConfirmOtherUnits(t *testing.T) {
	tests := []struct {
		unit        string
		first, then float64
		want        Verdict
		note        string
	}{
		{"B/s", -0.5, -0.5, Regression, ""},
		{"B/s", 0.5, 0.5, Improvement, ""},
		{"B/s", math.Log(0.9), 0, Unchanged, "-10.0% in the first stage"},
		{"allocs/op", 0.02, 0.02, Regression, ""},
		{"gadgets", 0.5, 0.5, Incomparable, "no direction"},
		{"self-sec", 0.5, 0.5, Inconclusive, ""},
		{"self-sec", -0.5, -0.5, Inconclusive, ""},
		{"self-sec", 0.5, 0, Unchanged, ""},
	}
	for _, tt := range tests {
		u := result.UnitOf(tt.unit)
		b, h := differing(u, tight(6, tt.first), tight(12, tt.then))
		o := Judge(stagedFile(set(bench("X", b)), set(bench("X", h))), DefaultPolicy)
		c := only(t, o)
		gated := u.Better != result.Unknown && !u.Info()
		if c.Verdict != tt.want || c.Gated != gated || len(c.Notes) > 1 || (tt.note == "") != (len(c.Notes) == 0) || !strings.Contains(strings.Join(c.Notes, ""), tt.note) {
			t.Errorf("%s %v: %s, gated %v %q; want %s, %q", tt.unit, tt.first, c.Verdict, c.Gated, c.Notes, tt.want, tt.note)
		}
		if (o.Tests == 1) != gated || (o.Confirmed == 1) != gated {
			t.Errorf("%s: %d tests, %d confirmed", tt.unit, o.Tests, o.Confirmed)
		}
	}
}

// TestConfirmRestating: a rate that restates the time follows its verdict, and takes no part of the
// error probability.
func TestConfirmRestating(t *testing.T) {
	for level, want := range map[float64]Verdict{0.2: Regression, -0.2: Improvement, 0: Unchanged} {
		f := timesOf(tight(6, 0.2), tight(12, level))
		for _, s := range []*result.Set{f.Base, f.Head} {
			b := s.Benchmarks[0]
			vs := rates(b.Metrics[0].Values(), 4096)
			b.Metrics = append(b.Metrics, confirmed(metric("B/s", vs[:6]...), vs[6:]...))
		}
		o := Judge(f, DefaultPolicy)
		c := rowOf(t, o, "X", "B/s")
		if c.Verdict != want || c.Gated || o.Tests != 1 || o.Confirmed != 1 || rowOf(t, o, "X", "sec/op").Verdict != want {
			t.Errorf("%v: %q, gated %v, %d tests, %d confirmed; want %s twice", level, listed(o), c.Gated, o.Tests, o.Confirmed, want)
		}
	}
}

// TestConfirmBytes: bytes that vary have their own tolerance in the second stage, too.
func TestConfirmBytes(t *testing.T) {
	for more, want := range map[float64]Verdict{1000: Unchanged, 4000: Regression} { // of a million
		side := func(more float64) *result.Set {
			m := metric("B/op", jitter(6, 1e6+more)...)
			return set(bench("X", confirmed(m, jitter(12, 1e6+more)...)))
		}
		if c := only(t, Judge(stagedFile(side(0), side(more)), DefaultPolicy)); c.Verdict != want || c.MDE > 0.01 {
			t.Errorf("%v B more: %s, MDE %v; want %s", more, c.Verdict, c.MDE, want)
		}
	}
}

// TestConfirmZeros: allocations that are zero now and then have differences, no ratios.
func TestConfirmZeros(t *testing.T) {
	for more, want := range map[float64]Verdict{0: Unchanged, 1: Regression} {
		first, fresh := jitter(20, 0), jitter(12, 0)
		plus := func(vs []float64) []float64 {
			out := make([]float64, len(vs))
			for i, v := range vs {
				out[i] = v + more
			}
			return out
		}
		base := bench("X", confirmed(metric("allocs/op", first...), fresh...))
		head := bench("X", confirmed(metric("allocs/op", plus(first)...), plus(fresh)...))
		c := only(t, Judge(stagedFile(set(base), set(head)), DefaultPolicy))
		if c.Verdict != want || !c.Absolute || !near(c.Change, more) {
			t.Errorf("%v more: %s, absolute %v, change %v %q; want %s", more, c.Verdict, c.Absolute, c.Change, c.Notes, want)
		}
	}
	zero := timed("X", constants(8, 0))
	if c := only(t, Judge(stagedFile(set(zero), set(zero)), DefaultPolicy)); c.Verdict != Inconclusive || !c.Gated || !strings.Contains(strings.Join(c.Notes, ""), "clock") {
		t.Errorf("times of zero: %s, gated %v %q", c.Verdict, c.Gated, c.Notes)
	}
}

// TestOnlyConfirmed: a constant that was only measured in the second stage is one as well.
func TestOnlyConfirmed(t *testing.T) {
	side := func(v float64) *result.Set {
		return set(bench("X", confirmed(metric("allocs/op"), constants(3, v)...)))
	}
	if c := only(t, Judge(stagedFile(side(3), side(4)), DefaultPolicy)); c.Verdict != Regression || !c.Exact {
		t.Errorf("%s, exact %v; want a regression, exact", c.Verdict, c.Exact)
	}
}

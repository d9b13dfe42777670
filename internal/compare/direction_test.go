package compare

import (
	"strings"
	"testing"

	"github.com/org/perfgate/internal/result"
)

// TestDirections judges a rise and a fall of a fifth in units of every direction.
func TestDirections(t *testing.T) {
	rate := result.Unit{Name: "hits", Better: result.Higher} // Unit hits better=higher
	cost := result.Unit{Name: "misses", Better: result.Lower}
	tests := []struct {
		unit       result.Unit
		rise, fall Verdict
	}{
		{result.UnitOf("sec/op"), Regression, Improvement},
		{result.UnitOf("B/s"), Improvement, Regression},
		{rate, Improvement, Regression},
		{cost, Regression, Improvement},
		{result.UnitOf("gadgets"), Incomparable, Incomparable},
		{result.UnitOf("queue-sec"), Incomparable, Incomparable}, // no one said that waiting is bad
	}
	for _, tt := range tests {
		for _, values := range [][]float64{steady(20, 100), constants(20, 100)} {
			lower, higher := bench("X", metricOf(tt.unit, values...)), bench("X", metricOf(tt.unit, scaled(values, 1.2)...))
			up, down := Judge(plainFile(set(lower), set(higher)), interleaved()), Judge(plainFile(set(higher), set(lower)), interleaved())
			checkDirection(t, "rise of "+tt.unit.Name, up, tt.rise, 0.2)
			checkDirection(t, "fall of "+tt.unit.Name, down, tt.fall, 1/1.2-1)
		}
	}
}

func checkDirection(t *testing.T, what string, o *Outcome, want Verdict, change float64) {
	t.Helper()
	c := only(t, o)
	if c.Verdict != want || !near(c.Change, change) || c.Gated != (want != Incomparable) {
		t.Errorf("%s: %s, change %v, gated %v; want %s, change %v", what, c.Verdict, c.Change, c.Gated, want, change)
	}
	if (o.Gate == Fail) != (want == Regression) {
		t.Errorf("%s: gate %s", what, o.Gate)
	}
	if unknown := c.Unit.Better == result.Unknown; unknown != strings.Contains(strings.Join(c.Notes, ""), "better=lower") {
		t.Errorf("%s: notes %q; only an unknown direction is to be asked for", what, c.Notes)
	}
	if !(c.Lo <= c.Change && c.Change <= c.Hi) {
		t.Errorf("%s: change %v outside [%v, %v]", what, c.Change, c.Lo, c.Hi)
	}
}

// TestEqualOfUnknownDirection: what is the same is the same in any direction.
func TestEqualOfUnknownDirection(t *testing.T) {
	b := bench("X", metric("gadgets", constants(3, 7)...))
	if c := only(t, Judge(stagedFile(set(b), set(b)), DefaultPolicy)); c.Verdict != Unchanged || c.Gated {
		t.Errorf("%s, gated %v; want unchanged, not gated", c.Verdict, c.Gated)
	}
}

// rates are the rates at which a number of bytes is worked through in such times.
func rates(times []float64, bytes float64) []float64 {
	vs := make([]float64, len(times))
	for i, t := range times {
		vs[i] = bytes / t
	}
	return vs
}

// TestRestating: go test computes MB/s from ns/op, so it is not a second chance to be wrong.
func TestRestating(t *testing.T) {
	fast, slow := steady(20, 1e-6), steady(20, 1.2e-6)
	tests := []struct {
		name                 string
		base, head           []float64
		baseBytes, headBytes float64
		wantTime, wantRate   Verdict
		tests                int
		restates             bool
		cut                  int // samples of base without a rate
	}{
		{"slower", fast, slow, 4096, 4096, Regression, Regression, 1, true, 0},
		{"faster", slow, fast, 4096, 4096, Improvement, Improvement, 1, true, 0},
		{"same", fast, fast, 4096, 4096, Unchanged, Unchanged, 1, true, 0},
		{"rounded differently", fast, slow, 4096, 4096 * 1.015, Regression, Regression, 1, true, 0},
		{"twice the work in the same time", fast, fast, 4096, 8192, Unchanged, Improvement, 2, false, 0},
		{"half the work in the same time", fast, fast, 8192, 4096, Unchanged, Regression, 2, false, 0},
		{"not of the same lines", fast, slow, 4096, 4096, Regression, Regression, 2, false, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			base := bench("X", metric("sec/op", tt.base...), metric("B/s", rates(tt.base, tt.baseBytes)[tt.cut:]...))
			head := bench("X", metric("sec/op", tt.head...), metric("B/s", rates(tt.head, tt.headBytes)...))
			o := Judge(plainFile(set(base), set(head)), interleaved())
			if c := rowOf(t, o, "X", "sec/op"); c.Verdict != tt.wantTime || !c.Gated {
				t.Errorf("sec/op: %s, gated %v; want %s, gated", c.Verdict, c.Gated, tt.wantTime)
			}
			c := rowOf(t, o, "X", "B/s")
			if c.Verdict != tt.wantRate || c.Gated == tt.restates || (len(c.Notes) == 1) != tt.restates {
				t.Errorf("B/s: %s, gated %v, notes %q; want %s, restating %v", c.Verdict, c.Gated, c.Notes, tt.wantRate, tt.restates)
			}
			if o.Tests != tt.tests {
				t.Errorf("%d tests share the error probability, want %d", o.Tests, tt.tests)
			}
		})
	}
}

// TestRestatingAlone: it is the rate that restates the time, and not a metric behind it in the table.
func TestRestatingAlone(t *testing.T) {
	side := func(waits float64) *result.Set {
		vs := steady(20, 1e-6)
		custom := metricOf(result.Unit{Name: "waits/op", Better: result.Lower}, steady(20, waits)...)
		return set(bench("X", metric("sec/op", vs...), metric("B/s", rates(vs, 4096)...), custom))
	}
	o := Judge(plainFile(side(7), side(14)), interleaved())
	if c := rowOf(t, o, "X", "waits/op"); c.Verdict != Regression || !c.Gated || o.Gate != Fail {
		t.Errorf("waits/op: %s, gated %v, gate %s; want a regression that fails", c.Verdict, c.Gated, o.Gate)
	}
	if c := rowOf(t, o, "X", "B/s"); c.Verdict != Unchanged || c.Gated {
		t.Errorf("B/s: %s, gated %v; want what the time is", c.Verdict, c.Gated)
	}
}

package compare

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/org/perfgate/internal/result"
)

// many are m benchmarks with n samples, the first slower of which are slower by a fifth. The
// noise is so small that the intervals alone would call the others unchanged.
func many(m, n, slower int) *result.Set {
	s := set()
	for i := range m {
		level := 1e-6
		if i < slower {
			level *= 1.2
		}
		s.Benchmarks = append(s.Benchmarks, timed(fmt.Sprintf("X%d", i), scaled(steady(n, 1), level)))
	}
	return s
}

// TestFloor: with enough pairs one clear regression among m benchmarks is found;
// with as few pairs that it could not be, nothing is called unchanged.
func TestFloor(t *testing.T) {
	// The signed-rank test needs this many pairs (statistics.md, 3.2, one-sided).
	for m, need := range map[int]int{1: 7, 5: 9, 10: 10, 20: 11, 50: 13, 100: 14, 500: 16} {
		p := interleaved()
		if got := p.needPairs(m); got != need {
			t.Errorf("needPairs(%d) = %d, want %d", m, got, need)
		}
		for _, n := range []int{need - 1, need, need + 10} {
			checkFloor(t, Judge(plainFile(many(m, n, 0), many(m, n, 1)), p), n >= need)
		}
	}
}

// checkFloor checks an outcome whose first benchmark is clearly slower than base.
func checkFloor(t *testing.T, o *Outcome, enough bool) {
	t.Helper()
	m, n := len(o.Comparisons), o.Comparisons[0].Base.N
	if o.Tests != m {
		t.Errorf("m = %d: %d tests", m, o.Tests)
	}
	for _, c := range o.Comparisons {
		want := Unchanged
		switch {
		case !enough:
			want = Inconclusive
		case c.Key.Name == "X0":
			want = Regression
		}
		if c.Verdict != want {
			t.Fatalf("m = %d, %d samples: %s is %s, want %s", m, n, c.Key.Name, c.Verdict, want)
		}
		why := fmt.Sprintf("%d pairs; the test needs", n)
		if c.Pairs == 0 {
			why = fmt.Sprintf("%d and %d samples; the test needs more", n, n)
		}
		told := slices.ContainsFunc(c.Notes, func(s string) bool { return strings.HasPrefix(s, why) })
		if told == enough {
			t.Fatalf("m = %d, %d samples: notes %q", m, n, c.Notes)
		}
	}
}

// TestFloorIsShared: constants and rows that only inform take no part of the error probability,
// so they raise no floor.
func TestFloorIsShared(t *testing.T) {
	crowd := func(slower int) *result.Set {
		s := many(1, 7, slower)
		for i := range 50 {
			s.Benchmarks = append(s.Benchmarks, bench(fmt.Sprintf("Y%d", i), metric("allocs/op", constants(7, 3)...),
				metric("self-sec", steady(7, 1)...), metric("gadgets", steady(7, 1)...)))
		}
		return s
	}
	o := Judge(plainFile(crowd(0), crowd(1)), interleaved())
	if c := rowOf(t, o, "X0", "sec/op"); c.Verdict != Regression || o.Tests != 1 {
		t.Errorf("%s %q of %d tests, want a regression of 1", c.Verdict, c.Notes, o.Tests)
	}
}

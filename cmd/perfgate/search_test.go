package main

import (
	"math/rand/v2"
	"testing"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/harness"
	"github.com/org/perfgate/internal/result"
)

// TestSearch finds the first bad one wherever it is, in the fewest looks; with some that cannot be judged it ends
// with no more than those before the first bad one that could.
func TestSearch(t *testing.T) {
	for n := 1; n <= 70; n++ {
		for first := range n {
			s, looks := make(search, n), 0
			s[n-1] = bad
			most := s.left()
			for i, ok := s.next(); ok; i, ok = s.next() {
				looks++
				if s[i] != unknown {
					t.Fatalf("%d of %d: looked twice at %d", first, n, i)
				}
				s[i] = good
				if i >= first {
					s[i] = bad
				}
			}
			if lo, hi := s.bounds(); lo != first-1 || hi != first || looks > most || 1<<most >= 2*n && n > 1 {
				t.Errorf("%d of %d: found %d after %d, %d looks of %d", first, n, hi, lo, looks, most)
			}
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		n := 1 + rng.IntN(40)
		first, s := rng.IntN(n), make(search, n)
		s[n-1] = bad
		broken := make([]bool, n)
		for i := range n - 1 {
			broken[i] = rng.IntN(3) == 0
		}
		for i, ok := s.next(); ok; i, ok = s.next() {
			switch {
			case broken[i]:
				s[i] = skipped
			case i >= first:
				s[i] = bad
			default:
				s[i] = good
			}
		}
		lo, hi := s.bounds()
		for i := lo + 1; i < hi; i++ {
			if !broken[i] {
				t.Fatalf("%v, first %d: left %d", s, first, i)
			}
		}
		if lo >= first || hi < first {
			t.Fatalf("%v, first %d: between %d and %d", s, first, lo, hi)
		}
	}
}

// TestStepRow: a time is not taken once more to explain it: what it was against good stands for it.
func TestStepRow(t *testing.T) {
	b := bisection{Good: "0123456789abcdef", Steps: []step{
		{Commit: "bad", State: bad, Row: "M sec/op: 1ns → 3ns, +200%"},
		{Commit: "other", State: skipped, Reason: "it does not build"},
	}}
	if got, want := b.stepRow(harness.Commit{Hash: "bad"}), "M sec/op: 1ns → 3ns, +200% (against 0123456789ab)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := b.stepRow(harness.Commit{Hash: "other"}); got != "" {
		t.Errorf("of a commit that was skipped: %q", got)
	}
}

// A benchmark whose package has another path on head has moved; one that two packages have has not.
func TestRenamed(t *testing.T) {
	row := func(pkg string, v compare.Verdict) *compare.Comparison {
		return &compare.Comparison{Key: result.Key{Package: pkg, Name: "M"}, Verdict: v}
	}
	for _, tt := range []struct {
		rows       []*compare.Comparison
		gone, came string
	}{
		{[]*compare.Comparison{row("ex.org/a", compare.Missing), row("ex.org/b", compare.Added)}, "ex.org/a", "ex.org/b"},
		{[]*compare.Comparison{row("ex.org/a", compare.Unchanged), row("ex.org/b", compare.Added)}, "", ""},
		{[]*compare.Comparison{row("ex.org/a", compare.Missing)}, "", ""},
		{nil, "", ""},
	} {
		if gone, came := renamed(tt.rows); gone != tt.gone || came != tt.came {
			t.Errorf("%q, %q, want %q, %q", gone, came, tt.gone, tt.came)
		}
	}
}

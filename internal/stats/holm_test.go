package stats

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

func TestHolm(t *testing.T) {
	for name, c := range map[string]struct{ p, want []float64 }{
		"empty":          {nil, nil},
		"one":            {[]float64{0.3}, []float64{0.3}},
		"worked":         {[]float64{0.01, 0.04, 0.03, 0.005}, []float64{0.03, 0.06, 0.06, 0.02}},
		"capped":         {[]float64{0.6, 0.9, 0.5}, []float64{1, 1, 1}},
		"ties":           {[]float64{0.01, 0.01, 0.01}, []float64{0.03, 0.03, 0.03}},
		"NaN is no test": {[]float64{nan, 0.02, nan, 0.01}, []float64{nan, 0.02, nan, 0.02}},
		"zero":           {[]float64{0, 1}, []float64{0, 1}},
	} {
		same(t, name, Holm(c.p), c.want, near)
	}
}

func TestHolmProperties(t *testing.T) {
	r := newRand(41)
	for range 300 {
		p := make([]float64, 1+r.IntN(30))
		for i := range p {
			p[i] = math.Pow(r.Float64(), 4)
		}
		before := slices.Clone(p)
		adjusted := Holm(p)
		same(t, "input", p, before)
		for i := range p {
			if adjusted[i] < p[i] || adjusted[i] > 1 {
				t.Errorf("adjusted %v of %v", adjusted[i], p[i])
			}
			for j := range p {
				if p[i] <= p[j] && adjusted[i] > adjusted[j] {
					t.Errorf("order of %v and %v is lost", p[i], p[j])
				}
			}
		}
	}
}

// statistics.md 3.2, and what it means: with so many pairs of one sign the benchmark is
// rejected in its family, with one fewer it never can be.
func TestFloors(t *testing.T) {
	for m, want := range map[int]int{1: 7, 5: 9, 10: 10, 20: 11, 50: 13, 100: 14, 500: 16} {
		n := MinPairs(m, 0.01)
		same(t, fmt.Sprint("floor of ", m), n, want)
		if p := bestOf(m, n); p > 0.01 {
			t.Errorf("m %d: p %v with %d pairs", m, p, n)
		}
		if p := bestOf(m, n-1); p <= 0.01 {
			t.Errorf("m %d: p %v with %d pairs", m, p, n-1)
		}
	}
}

// bestOf is the adjusted p-value of one benchmark with n pairs of one sign among m.
func bestOf(m, n int) float64 {
	p := repeated(1, m)
	p[m/2], _, _ = SignedRank(repeated(0.1, n), 0)
	return Holm(p)[m/2]
}

func TestMinPairsConventions(t *testing.T) {
	for _, c := range []struct {
		m     int
		alpha float64
		want  int
	}{
		{0, 0.01, 7}, {-3, 0.01, 7}, {1, 1, 1}, {1, 0.5, 1}, {1, 0.49, 2}, {1, 7, 1},
		{1, 0, math.MaxInt}, {1, -1, math.MaxInt}, {1, nan, math.MaxInt},
		{math.MaxInt, math.SmallestNonzeroFloat64, 1137},
	} {
		same(t, fmt.Sprint(c), MinPairs(c.m, c.alpha), c.want)
	}
}

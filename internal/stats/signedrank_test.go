package stats

import (
	"fmt"
	"math"
	"testing"
)

// enumeratedSignedRank is SignedRank by its definition: all sign patterns.
func enumeratedSignedRank(d []float64, shift float64) (greater, less float64, n int) {
	size := mapped(d, func(v float64) float64 { return math.Abs(v - shift) })
	var ranks []float64
	observed := uint(0)
	for i, v := range d {
		if v == shift {
			continue
		}
		if v > shift {
			observed |= 1 << len(ranks)
		}
		ranks = append(ranks, midRank(size[i], size))
	}
	greater, less = enumerated(ranks, observed, func(uint) bool { return true })
	return greater, less, len(ranks)
}

func TestSignedRankAgreesWithEnumeration(t *testing.T) {
	r := newRand(1)
	for n := 1; n <= 15; n++ {
		for _, ties := range []bool{false, true} {
			for _, shift := range []float64{0, 1, -0.5, 2.5} {
				d := draw(r, n, ties)
				greater, less, used := SignedRank(d, shift)
				wantGreater, wantLess, wantUsed := enumeratedSignedRank(d, shift)
				same(t, fmt.Sprint(d, " against ", shift),
					[]float64{greater, less, float64(used)},
					[]float64{wantGreater, wantLess, float64(wantUsed)}, near)
			}
		}
	}
}

// The example of R's wilcox.test (Hollander and Wolfe, depression scale), paired:
// V = 40, p-value = 0.01953 for alternative = "greater".
func TestSignedRankPublishedExample(t *testing.T) {
	greater, _, n := SignedRank(depression(), 0)
	same(t, "p", fmt.Sprintf("%.5f %d", greater, n), "0.01953 9")
}

func depression() []float64 {
	x := []float64{1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30}
	y := []float64{0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29}
	for i := range x {
		x[i] -= y[i]
	}
	return x
}

// One-sided critical values of the standard tables: the largest sum of positive ranks
// that is rejected.
func TestSignedRankTable(t *testing.T) {
	for _, row := range []struct {
		n     int
		alpha float64
		sum   int
	}{
		{10, 0.05, 10}, {10, 0.025, 8}, {10, 0.005, 3}, {15, 0.025, 25},
		{20, 0.05, 60}, {20, 0.025, 52}, {20, 0.005, 37}, {25, 0.025, 89},
	} {
		k, _ := rejected(signedRankLower(oneTo(row.n), row.n*(row.n+1)/4), 1-2*row.alpha)
		same(t, fmt.Sprint("n ", row.n, " alpha ", row.alpha), k-1, row.sum)
	}
}

func oneTo(n int) []int {
	ranks := make([]int, n)
	for i := range ranks {
		ranks[i] = i + 1
	}
	return ranks
}

func TestSignedRankConventions(t *testing.T) {
	type result struct {
		Greater, Less float64
		N             int
	}
	for name, c := range map[string]struct {
		d     []float64
		shift float64
		want  result
	}{
		"empty":              {nil, 0, result{1, 1, 0}},
		"all zero":           {[]float64{0, 0, 0}, 0, result{1, 1, 0}},
		"NaN":                {[]float64{1, 2, nan, 4}, 0, result{1, 1, 0}},
		"NaN shift":          {[]float64{1, 2}, nan, result{1, 1, 0}},
		"constant":           {repeated(0.1, 10), 0, result{1. / 1024, 1, 10}},
		"constant below":     {repeated(0.1, 10), 0.2, result{1, 1. / 1024, 10}},
		"sixty constant":     {repeated(1, 60), 0, result{math.Ldexp(1, -60), 1, 60}},
		"infinite ranks top": {[]float64{inf, -5, -4}, 0, result{5. / 8, 5. / 8, 3}},
		"infinities tie":     {[]float64{inf, -inf}, 7, result{3. / 4, 3. / 4, 2}},
		"infinite shift":     {[]float64{inf, 1, 2}, inf, result{1, 1. / 4, 2}},
		"Pratt keeps ranks":  {[]float64{0, 0, 1, 2, -3}, 0, result{4. / 8, 5. / 8, 3}},
	} {
		var got result
		got.Greater, got.Less, got.N = SignedRank(c.d, c.shift)
		same(t, name, got, c.want)
	}
}

// Zeros beyond the bound must not change a p-value, only cost. Enumeration knows no
// bound.
func TestSignedRankManyZeros(t *testing.T) {
	r := newRand(2)
	const zeros = 1000
	for i := range 200 {
		n := 1 + i%10
		d := draw(r, n, false)
		greater, less, _ := SignedRank(append(repeated(0, zeros), d...), 0)
		ranks := make([]float64, n)
		observed := uint(0)
		for i, v := range d {
			ranks[i] = zeros + midRank(math.Abs(v), mapped(d, math.Abs))
			if v > 0 {
				observed |= 1 << i
			}
		}
		wantGreater, wantLess := enumerated(ranks, observed, func(uint) bool { return true })
		same(t, fmt.Sprint(d), []float64{greater, less}, []float64{wantGreater, wantLess}, near)
	}
}

// Where the exact distribution ends, the approximation must take over without a step
// and without promising more than the exact floor.
func TestSignedRankNormalContinuesExact(t *testing.T) {
	r := newRand(3)
	for range 200 {
		d := draw(r, 60, r.IntN(2) == 0)
		items, _ := deviations(d, 0.1)
		ranks, up := rank(items)
		g1, l1 := signedRankExact(ranks, up)
		g2, l2 := signedRankNormal(ranks, up)
		if math.Abs(g1-g2) > 0.005 || math.Abs(l1-l2) > 0.005 {
			t.Errorf("exact %v %v, normal %v %v", g1, l1, g2, l2)
		}
	}
	for _, d := range [][]float64{repeated(1, 61), betweenAll(repeated(1, 70))} {
		if greater, _, n := SignedRank(d, -1); greater < math.Ldexp(1, -n) || greater > 1e-7 {
			t.Errorf("n %d: p %v", n, greater)
		}
	}
}

func TestSignedRankMetamorphic(t *testing.T) {
	r := newRand(4)
	for range 300 {
		d, shift := dyadic(r, 1+r.IntN(80)), float64(r.IntN(9)-4)
		if r.IntN(2) == 0 {
			d = draw(r, len(d), true)
		}
		greater, less, n := SignedRank(d, shift)
		for name, got := range map[string][]float64{
			"permuted": pValues(SignedRank(shuffled(r, d), shift)),
			"moved":    pValues(SignedRank(mapped(d, func(v float64) float64 { return v + 12.5 }), shift+12.5)),
			"scaled":   pValues(SignedRank(mapped(d, func(v float64) float64 { return v * 0.25 }), shift*0.25)),
		} {
			same(t, name, got, []float64{greater, less, float64(n)})
		}
		same(t, "negated", pValues(SignedRank(negated(d), -shift)), []float64{less, greater, float64(n)})
	}
}

func pValues(greater, less float64, n int) []float64 { return []float64{greater, less, float64(n)} }

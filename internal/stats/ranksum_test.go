package stats

import (
	"fmt"
	"math/big"
	"math/bits"
	"slices"
	"testing"
)

// enumeratedRankSum is RankSum by its definition: all choices of len(y) mid-ranks.
func enumeratedRankSum(x, y []float64, shift float64) (greater, less float64) {
	pool := append(mapped(y, func(v float64) float64 { return v - shift }), x...)
	ranks := mapped(pool, func(v float64) float64 { return midRank(v, pool) })
	return enumerated(ranks, 1<<len(y)-1, func(mask uint) bool { return bits.OnesCount(mask) == len(y) })
}

func TestRankSumAgreesWithEnumeration(t *testing.T) {
	r := newRand(11)
	for nx := 1; nx <= 7; nx++ {
		for ny := 1; ny <= 7; ny++ {
			for _, ties := range []bool{false, true} {
				x, y, shift := draw(r, nx, ties), draw(r, ny, ties), float64(r.IntN(5)-2)
				greater, less := RankSum(x, y, shift)
				wantGreater, wantLess := enumeratedRankSum(x, y, shift)
				same(t, fmt.Sprint(x, y, shift), []float64{greater, less}, []float64{wantGreater, wantLess}, near)
			}
		}
	}
}

// The example of R's wilcox.test (Hollander and Wolfe, permeability constants):
// W = 35, p-value = 0.1272 for alternative = "greater".
func TestRankSumPublishedExample(t *testing.T) {
	x := []float64{0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46}
	y := []float64{1.15, 0.88, 0.90, 0.74, 1.21}
	greater, _ := RankSum(y, x, 0)
	same(t, "p", fmt.Sprintf("%.4f", greater), "0.1272")
	_, less := RankSum(x, y, 0)
	same(t, "swapped", less, greater)
}

// One-sided critical values of the standard tables of U.
func TestRankSumTable(t *testing.T) {
	for _, row := range []struct {
		a, b  int
		alpha float64
		u     int
	}{
		{5, 5, 0.025, 2}, {8, 8, 0.025, 13}, {10, 10, 0.025, 23},
		{10, 10, 0.05, 27}, {10, 10, 0.005, 16}, {20, 20, 0.025, 127},
	} {
		k, _ := rejected(uLower(row.a, row.b, row.a*row.b/2), 1-2*row.alpha)
		same(t, fmt.Sprint(row), k-1, row.u)
	}
}

// Both null distributions against whole numbers: the closed form subtracts, so its
// rounding at the largest size is the one to look at.
func TestRankSumDistributions(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {2, 5}, {10, 10}, {7, 40}, {40, 40}} {
		a, b := size[0], size[1]
		last := a * b / 2
		want := bigU(a, b, last)
		same(t, fmt.Sprint("closed form ", size), uLower(a, b, last), want, near)
		doubled := oneTo(a + b)
		for i := range doubled {
			doubled[i] *= 2
		}
		got := subsetLower(doubled, a, 2*last)
		every := make([]float64, 0, last+1)
		for s := 0; s < len(got); s += 2 {
			every = append(every, got[s])
		}
		same(t, fmt.Sprint("subsets ", size), every, want, near)
	}
}

// bigU counts exactly, by Mann and Whitney's recursion on the largest value.
func bigU(a, b, last int) []float64 {
	ways := make([][]*big.Int, a+1) // by number of x, for a growing number of y
	for i := range ways {
		ways[i] = zeros(last)
		ways[i][0].SetInt64(1)
	}
	for range b {
		for i := 1; i <= a; i++ {
			next := zeros(last)
			for u := range next {
				next[u].Set(ways[i][u]) // ways[i]: b-1 y; a largest y adds i to U
				if u >= i {
					next[u].Set(ways[i][u-i])
				} else {
					next[u].SetInt64(0)
				}
				next[u].Add(next[u], ways[i-1][u]) // ways[i-1] already has b y
			}
			ways[i] = next
		}
	}
	all := new(big.Int).Binomial(int64(a+b), int64(a))
	p := make([]float64, last+1)
	for u, w := range ways[a] {
		p[u], _ = new(big.Rat).SetFrac(w, all).Float64()
	}
	return p
}

func zeros(last int) []*big.Int {
	z := make([]*big.Int, last+1)
	for i := range z {
		z[i] = new(big.Int)
	}
	return z
}

func TestRankSumConventions(t *testing.T) {
	ones := repeated(1, 3)
	for name, c := range map[string]struct {
		x, y          []float64
		shift         float64
		greater, less float64
	}{
		"empty x":        {nil, ones, 0, 1, 1},
		"empty y":        {ones, nil, 0, 1, 1},
		"NaN":            {ones, []float64{2, nan}, 0, 1, 1},
		"NaN shift":      {ones, ones, nan, 1, 1},
		"infinite shift": {ones, ones, inf, 1, 1},
		"constant":       {ones, ones, 0, 1, 1},
		"many constant":  {repeated(1, 100), repeated(1, 100), 0, 1, 1},
		"apart":          {ones, repeated(2, 3), 0, 1. / 20, 1},
		"apart by shift": {ones, repeated(2, 3), 1, 1, 1},
		"infinite":       {[]float64{inf, inf, 1}, []float64{-inf, -inf, -inf}, 0, 1, 1. / 20},
		"infinities tie": {[]float64{inf}, []float64{inf}, 0, 1, 1},
	} {
		greater, less := RankSum(c.x, c.y, c.shift)
		same(t, name, []float64{greater, less}, []float64{c.greater, c.less})
	}
}

// statistics.md 3.2: the smallest n a side that can reach 1 % in a family of m.
func TestRankSumFloors(t *testing.T) {
	for m, want := range map[int]int{1: 5, 5: 6, 10: 7, 20: 7, 50: 8, 100: 8, 500: 10} {
		n := 1
		for ; ; n++ {
			if greater, _ := RankSum(repeated(1, n), repeated(2, n), 0); greater*float64(m) <= 0.01 {
				break
			}
		}
		same(t, fmt.Sprint("m ", m), n, want)
	}
}

func TestRankSumNormalContinuesExact(t *testing.T) {
	r := newRand(12)
	for range 50 {
		x, y := draw(r, 25, r.IntN(2) == 0), draw(r, 40, r.IntN(2) == 0)
		ranks, sum := rank(pooled(x, y, 0))
		g1, l1 := rankSumExact(ranks, len(y), sum)
		g2, l2 := rankSumNormal(ranks, len(y), sum)
		if diff := max(g1-g2, g2-g1, l1-l2, l2-l1); diff > 0.01 {
			t.Errorf("exact %v %v, normal %v %v", g1, l1, g2, l2)
		}
	}
}

func TestRankSumMetamorphic(t *testing.T) {
	r := newRand(13)
	for range 300 {
		x, y, shift := dyadic(r, 1+r.IntN(12)), dyadic(r, 1+r.IntN(12)), float64(r.IntN(9)-4)
		if r.IntN(2) == 0 {
			x, y = draw(r, len(x), true), draw(r, len(y), true)
		}
		greater, less := RankSum(x, y, shift)
		pair := func(g, l float64) []float64 { return []float64{g, l} }
		move := func(v float64) float64 { return v + 12.5 }
		double := func(v float64) float64 { return v * 2 }
		for name, got := range map[string][]float64{
			"permuted":   pair(RankSum(shuffled(r, x), shuffled(r, y), shift)),
			"y moved":    pair(RankSum(x, mapped(y, move), shift+12.5)),
			"both moved": pair(RankSum(mapped(x, move), mapped(y, move), shift)),
			"scaled":     pair(RankSum(mapped(x, double), mapped(y, double), shift*2)),
		} {
			same(t, name, got, pair(greater, less), near)
		}
		swapped := pair(RankSum(y, x, -shift))
		slices.Reverse(swapped)
		same(t, "swapped", swapped, pair(greater, less), near)
		same(t, "negated", pair(RankSum(negated(x), negated(y), -shift)), pair(less, greater), near)
	}
}

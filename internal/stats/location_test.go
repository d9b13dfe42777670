package stats

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// walshAverages and allDifferences write out, in order, what pairSums never does.
func walshAverages(d []float64) (w []float64) {
	for i := range d {
		for _, v := range d[i:] {
			w = append(w, midpoint(d[i], v))
		}
	}
	slices.Sort(w)
	return w
}

func allDifferences(x, y []float64) (w []float64) {
	for _, a := range x {
		for _, b := range y {
			w = append(w, b-a)
		}
	}
	slices.Sort(w)
	return w
}

func TestEstimatesAreMedians(t *testing.T) {
	r := newRand(21)
	for n := 1; n <= 40; n++ {
		for _, ties := range []bool{false, true} {
			d, y := draw(r, n, ties), draw(r, 1+r.IntN(20), ties)
			same(t, fmt.Sprint("HodgesLehmann ", d), HodgesLehmann(d), Median(walshAverages(d)))
			same(t, fmt.Sprint("ShiftBetween ", d, y), ShiftBetween(d, y), Median(allDifferences(d, y)))
		}
	}
}

func TestPairSumsOrderStatistics(t *testing.T) {
	r := newRand(22)
	for n := 1; n <= 12; n++ {
		d, y := draw(r, n, n%2 == 0), draw(r, 7, n%3 == 0)
		g, _ := walsh(d)
		for k, want := range walshAverages(d) {
			same(t, fmt.Sprint("Walsh average ", k+1), g.kth(k+1), want)
		}
		g, _ = differences(d, y)
		for k, want := range allDifferences(d, y) {
			same(t, fmt.Sprint("difference ", k+1), g.kth(k+1), want)
		}
	}
}

func TestOrderedInvertsOrderOf(t *testing.T) {
	values := []float64{-inf, -math.MaxFloat64, -1, -math.SmallestNonzeroFloat64, 0, math.SmallestNonzeroFloat64, 1, math.MaxFloat64, inf}
	for i, v := range values {
		same(t, "inverse", ordered(orderOf(v)), v)
		if i > 0 && orderOf(values[i-1]) >= orderOf(v) {
			t.Errorf("%v is not ordered below %v", values[i-1], v)
		}
	}
}

// The floats around zero, where two of them are equal but have different bits: a
// bisection that tells them apart goes on for ever.
func TestEstimatesAroundZero(t *testing.T) {
	const tiny = math.SmallestNonzeroFloat64
	around := []float64{-4 * tiny, -2 * tiny, math.Copysign(0, -1), 0, 2 * tiny, 4 * tiny}
	r := newRand(24)
	for range 500 {
		x, y := make([]float64, 1+r.IntN(8)), make([]float64, 1+r.IntN(8))
		for _, s := range [][]float64{x, y} {
			for i := range s {
				s[i] = around[r.IntN(len(around))]
			}
		}
		same(t, fmt.Sprint("HodgesLehmann ", x), HodgesLehmann(x), Median(walshAverages(x)))
		same(t, fmt.Sprint("ShiftBetween ", x, y), ShiftBetween(x, y), Median(allDifferences(x, y)))
		same(t, "order of zeros", orderOf(math.Copysign(0, -1)), orderOf(0))
	}
}

func TestEstimateConventions(t *testing.T) {
	for name, c := range map[string]struct {
		d    []float64
		want float64
	}{
		"empty":                {nil, nan},
		"NaN":                  {[]float64{1, nan}, nan},
		"one":                  {[]float64{3}, 3},
		"constant":             {repeated(0.1, 9), 0.1},
		"one infinite":         {[]float64{1, 2, 3, inf}, 2.75},
		"all infinite":         {repeated(-inf, 3), -inf},
		"infinities cancel":    {[]float64{-inf, 1, 2, 3, inf}, 2},
		"nothing but infinity": {[]float64{-inf, inf}, nan},
		"no overflow":          {repeated(math.MaxFloat64, 2), math.MaxFloat64},
	} {
		same(t, name, HodgesLehmann(c.d), c.want)
	}
	same(t, "shift without x", ShiftBetween(nil, []float64{1}), nan)
	same(t, "shift without y", ShiftBetween([]float64{1}, nil), nan)
	same(t, "shift with NaN", ShiftBetween([]float64{1, nan}, []float64{1}), nan)
	same(t, "equal infinities only", ShiftBetween([]float64{inf}, []float64{inf}), nan)
	same(t, "equal infinities cancel", ShiftBetween([]float64{1, inf}, []float64{2, 3, inf}), 1.)
}

func TestEstimatesMetamorphic(t *testing.T) {
	r := newRand(23)
	move := func(v float64) float64 { return v + 12.5 }
	scale := func(v float64) float64 { return v * 4 }
	for range 200 {
		x, y := dyadic(r, 1+r.IntN(30)), dyadic(r, 1+r.IntN(30))
		hl, shift := HodgesLehmann(x), ShiftBetween(x, y)
		before := slices.Clone(x)
		same(t, "HL permuted", HodgesLehmann(shuffled(r, x)), hl)
		same(t, "HL negated", HodgesLehmann(negated(x)), -hl)
		same(t, "HL moved", HodgesLehmann(mapped(x, move)), move(hl))
		same(t, "HL scaled", HodgesLehmann(mapped(x, scale)), scale(hl))
		same(t, "shift permuted", ShiftBetween(shuffled(r, x), shuffled(r, y)), shift)
		same(t, "shift swapped", ShiftBetween(y, x), -shift)
		same(t, "shift negated", ShiftBetween(negated(x), negated(y)), -shift)
		same(t, "shift moved", ShiftBetween(x, mapped(y, move)), move(shift))
		same(t, "shift scaled", ShiftBetween(mapped(x, scale), mapped(y, scale)), scale(shift))
		same(t, "input", x, before)
	}
}

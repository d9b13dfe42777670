package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

func TestSignedRankIntervalInvertsTest(t *testing.T) {
	r := newRand(31)
	for _, n := range []int{1, 2, 3, 5, 6, 7, 8, 10, 13, 20, 35, 60, 61, 75} {
		for _, wanted := range []float64{0, 0.5, 0.9, 0.95, 0.99} {
			d := draw(r, n, false)
			inverts(t, SignedRankInterval(d, wanted), wanted, betweenAll(walshAverages(d)),
				func(shift float64) (float64, float64) {
					greater, less, _ := SignedRank(d, shift)
					return greater, less
				})
		}
	}
}

func TestRankSumIntervalInvertsTest(t *testing.T) {
	r := newRand(32)
	for _, size := range [][2]int{{1, 1}, {2, 3}, {3, 3}, {4, 9}, {9, 4}, {10, 10}, {50, 6}, {60, 45}} {
		for _, wanted := range []float64{0, 0.5, 0.9, 0.95, 0.99} {
			x, y := draw(r, size[0], false), draw(r, size[1], false)
			inverts(t, RankSumInterval(x, y, wanted), wanted, betweenAll(allDifferences(x, y)),
				func(shift float64) (float64, float64) { return RankSum(x, y, shift) })
		}
	}
}

// Hollander and Wolfe's depression data (there with the sign of y-x): estimate 0.46,
// interval 0.010 to 0.786 at 96.1 %.
func TestIntervalPublishedExample(t *testing.T) {
	iv := SignedRankInterval(depression(), 0.95)
	got := fmt.Sprintf("%.3f %.3f %.3f %.3f", HodgesLehmann(depression()), iv.Lo, iv.Hi, iv.Confidence)
	same(t, "estimate and interval", got, "0.460 0.010 0.786 0.961")
}

func TestIntervalConventions(t *testing.T) {
	line := Interval{-inf, inf, 1}
	five, six := []float64{1, 2, 3, 4, 5}, []float64{1, 2, 3, 4, 5, 6}
	for name, c := range map[string]struct {
		d      []float64
		wanted float64
		want   Interval
	}{
		"empty":              {nil, 0.95, line},
		"NaN":                {[]float64{1, nan}, 0.95, line},
		"NaN confidence":     {six, nan, line},
		"NaN, many":          {draw(newRand(1), 80, false), nan, line},
		"certainty":          {six, 1, line},
		"certainty, many":    {draw(newRand(1), 80, false), 1, line},
		"more":               {six, 2, line},
		"too few":            {five, 0.95, line},
		"just enough":        {six, 0.95, Interval{1, 6, 1 - 2./64}},
		"exactly what it is": {six, 1 - 2./64, Interval{1, 6, 1 - 2./64}},
		"negative":           {[]float64{3}, -1, Interval{3, 3, 0}},
		"constant":           {repeated(2, 10), 0.95, Interval{2, 2, 1 - 50./1024}},
		"infinite bound":     {[]float64{1, 2, 3, 4, 5, inf}, 0.95, Interval{1, inf, 1 - 2./64}},
		"clashes widen":      {[]float64{-inf, 1, 2, 3, 4, inf}, 0.6, Interval{-inf, inf, 1 - 20./64}},
	} {
		same(t, name, SignedRankInterval(c.d, c.wanted), c.want)
	}
	same(t, "rank-sum, empty", RankSumInterval(nil, six, 0.9), line)
	same(t, "rank-sum, NaN", RankSumInterval(six, []float64{nan}, 0.9), line)
	same(t, "rank-sum, certainty", RankSumInterval(six, six, 1), line)
	same(t, "rank-sum, too few", RankSumInterval([]float64{1, 2}, []float64{1, 2, 3}, 0.95), line)
	same(t, "rank-sum, just enough", RankSumInterval([]float64{1, 2, 3}, []float64{1, 2, 4}, 0.9), Interval{-2, 3, 0.9})
}

func TestIntervalsMetamorphic(t *testing.T) {
	r := newRand(33)
	for range 100 {
		x, y := dyadic(r, 5+r.IntN(70)), dyadic(r, 5+r.IntN(70))
		one, two := SignedRankInterval(x, 0.9), RankSumInterval(x, y, 0.9)
		flipped := func(iv Interval) Interval { return Interval{-iv.Hi, -iv.Lo, iv.Confidence} }
		moved := func(iv Interval) Interval { return Interval{iv.Lo + 8, iv.Hi + 8, iv.Confidence} }
		scaled := func(iv Interval) Interval { return Interval{iv.Lo * 2, iv.Hi * 2, iv.Confidence} }
		add := func(v float64) float64 { return v + 8 }
		double := func(v float64) float64 { return v * 2 }
		same(t, "permuted", SignedRankInterval(shuffled(r, x), 0.9), one)
		same(t, "negated", SignedRankInterval(negated(x), 0.9), flipped(one))
		same(t, "moved", SignedRankInterval(mapped(x, add), 0.9), moved(one))
		same(t, "scaled", SignedRankInterval(mapped(x, double), 0.9), scaled(one))
		same(t, "swapped", RankSumInterval(y, x, 0.9), flipped(two))
		same(t, "y moved", RankSumInterval(x, mapped(y, add), 0.9), moved(two))
		same(t, "both scaled", RankSumInterval(mapped(x, double), mapped(y, double), 0.9), scaled(two))
		if hl := HodgesLehmann(x); hl < one.Lo || hl > one.Hi {
			t.Errorf("estimate %v outside %+v", hl, one)
		}
	}
}

// cauchy has no mean and no variance, like the worst of timing noise, but is symmetric.
func cauchy(r *rand.Rand) float64 { return math.Tan(math.Pi * (r.Float64() - 0.5)) }

// Over many samples the interval must miss the truth as often as it says, from both
// sides, and the test must reject at 5 % no more often than that. The bounds are four
// binomial standard deviations; the seed is fixed.
func TestCoverageAndSize(t *testing.T) {
	const runs = 4000
	r := newRand(34)
	for _, n := range []int{8, 20, 70} {
		missed, rejections, said := 0, 0, 0.
		for range runs {
			d := make([]float64, n)
			for i := range d {
				d[i] = cauchy(r) * (1 + float64(i)) // not even identically distributed
			}
			iv := SignedRankInterval(d, 0.95)
			said = 1 - iv.Confidence
			if !(iv.Lo <= 0 && 0 <= iv.Hi) {
				missed++
			}
			if greater, _, _ := SignedRank(d, 0); greater <= 0.05 {
				rejections++
			}
		}
		band := 4 * math.Sqrt(said*(1-said)/runs)
		if share := float64(missed) / runs; math.Abs(share-said) > band {
			t.Errorf("n %d: missed %.4f of the time, says %.4f", n, share, said)
		}
		if share := float64(rejections) / runs; share > 0.05+4*math.Sqrt(0.05*0.95/runs) || share < 0.02 {
			t.Errorf("n %d: size %.4f at level 0.05", n, share)
		}
	}
}

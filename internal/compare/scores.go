package compare

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"github.com/org/perfgate/internal/stats"
)

// fewestScored is the least number of pairs of a pass that is judged by them all.
const fewestScored = 8

// scored reports whether all passes have enough pairs to be judged by them all.
func scored(passes [][]float64) bool {
	return !slices.ContainsFunc(passes, func(p []float64) bool { return len(p) < fewestScored })
}

// tails tests where the differences of passes are located, as [stats.SignedRank] does. Each pass has one
// value: by how much more of its pairs lie above shift than below, a sign test for clustered data
// (Larocque 2005). A pass that the machine disturbed has as many on both sides and a low rank, however
// far off its median is. Swapping the sides swaps the signs, so they are fair coins.
func tails(passes [][]float64, shift float64) (greater, less float64) {
	if !scored(passes) {
		greater, less, _ = stats.SignedRank(medians(passes), shift)
		return greater, less
	}
	scores := make([]float64, len(passes))
	for i, p := range passes {
		sum := 0
		for _, d := range p {
			sum += cmp.Compare(d, shift)
		}
		scores[i] = float64(sum) / float64(len(p))
	}
	greater, less, _ = stats.SignedRank(scores, 0)
	return greater, less
}

// located estimates where the differences of passes are located, with the interval of the shifts that
// [tails] does not refute: the median of all pairs, since each pair has a voice in the test.
func located(passes [][]float64, confidence float64) (float64, stats.Interval) {
	if !scored(passes) || len(passes) == 0 {
		d := medians(passes)
		return stats.HodgesLehmann(d), stats.SignedRankInterval(d, confidence)
	}
	all := slices.Concat(passes...)
	slices.Sort(all)
	each := (1 - confidence) / 2
	// Between one pair's difference and the next the test is the same: the limits are among them.
	n := len(all)
	gap := func(i int) float64 { // before the i-th
		switch i {
		case 0:
			return math.Inf(-1)
		case n:
			return math.Inf(1)
		}
		return all[i-1]/2 + all[i]/2
	}
	lo := sort.Search(n, func(i int) bool { greater, _ := tails(passes, gap(i)); return greater > each })
	hi := sort.Search(n, func(i int) bool { _, less := tails(passes, gap(n-i)); return less > each })
	iv := stats.Interval{Lo: math.Inf(-1), Hi: math.Inf(1), Confidence: confidence}
	if lo > 0 {
		iv.Lo = all[lo-1]
	}
	if hi > 0 {
		iv.Hi = all[n-hi]
	}
	return stats.Median(all), iv
}

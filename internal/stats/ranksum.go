package stats

import (
	"math"
	"slices"
)

// exactPairs is the largest product of two sample sizes whose null distribution is
// computed: 50 x 50, 5 x 500. Beyond it the normal approximation serves.
const exactPairs = 2500

// RankSum tests by how much y lies above x, two independent samples, with Wilcoxon's
// rank-sum statistic (Mann and Whitney's U). greater is the p-value of the hypothesis
// "y - x <= shift" (small: y lies above x by more than shift), less that of
// "y - x >= shift". Samples and shift are in one unit, the sizes may differ.
//
// Up to len(x)*len(y) = 2500 the p-values are exact, with ties as without: every
// choice of len(y) of the pooled mid-ranks is equally likely. Beyond, they are the
// normal approximation with tie and continuity correction. Both contain the observed
// sum, so greater + less >= 1.
//
// Ties are decided by comparing y[j]-shift with x[i] in floating point. Infinite
// values rank first or last. With an empty sample, an infinite shift, or a NaN
// anywhere, the result is 1, 1.
func RankSum(x, y []float64, shift float64) (greater, less float64) {
	items := pooled(x, y, shift)
	if items == nil {
		return 1, 1
	}
	ranks, sum := rank(items)
	switch {
	case len(x)*len(y) > exactPairs:
		return rankSumNormal(ranks, len(y), sum)
	case len(y) <= len(x):
		return rankSumExact(ranks, len(y), sum)
	}
	// The ranks of x are the rest, and there are fewer of them to choose.
	less, greater = rankSumExact(ranks, len(x), total(ranks)-sum)
	return greater, less
}

// pooled returns both samples with y moved down by shift and marked, or nil where
// they cannot be ranked.
func pooled(x, y []float64, shift float64) []marked {
	if len(x) == 0 || len(y) == 0 || math.IsInf(shift, 0) {
		return nil
	}
	items := make([]marked, 0, len(x)+len(y))
	for _, v := range x {
		items = append(items, marked{v, false})
	}
	for _, v := range y {
		items = append(items, marked{v - shift, true})
	}
	if slices.ContainsFunc(items, func(m marked) bool { return math.IsNaN(m.value) }) {
		return nil
	}
	return items
}

// rankSumExact returns the p-values of sum, the doubled ranks of k of the pooled
// values. Ranking from the other end maps an upper tail to a lower one, so only the
// shorter end is computed.
func rankSumExact(ranks []int, k, sum int) (greater, less float64) {
	mean := k * (len(ranks) + 1)
	if sum > mean {
		greater, less = tails(rankSumLower(reversed(ranks), k, 2*mean-sum))
	} else {
		less, greater = tails(rankSumLower(ranks, k, sum))
	}
	return greater, less
}

// reversed returns the doubled ranks that ranking in descending order would give.
func reversed(ranks []int) []int {
	out := make([]int, len(ranks))
	for i, r := range ranks {
		out[len(ranks)-1-i] = 2*(len(ranks)+1) - r
	}
	return out
}

// rankSumNormal is the approximation for large samples. The variance of the pooled
// mid-ranks contains the correction for ties.
func rankSumNormal(ranks []int, k, sum int) (greater, less float64) {
	n, chosen := float64(len(ranks)), float64(k)
	squares := 0.0
	for _, r := range ranks {
		away := float64(r) - (n + 1)
		squares += away * away
	}
	sd := math.Sqrt(chosen * (n - chosen) / (n * (n - 1)) * squares)
	return normalTails(float64(sum), chosen*(n+1), sd, 1)
}

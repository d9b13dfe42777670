package stats

import "math"

// Interval is a two-sided confidence interval with the confidence that it really has,
// in [0, 1]. The bounds belong to it and are in the unit of the data.
type Interval struct{ Lo, Hi, Confidence float64 }

// SignedRankInterval returns the shifts that [SignedRank] does not reject in either
// direction at (1-confidence)/2 each: it goes from the k-th smallest to the k-th
// largest Walsh average of d. Confidence is at least what is wanted, exact for up to
// 60 differences and by the normal approximation beyond; ties can only raise it.
//
// The whole line with confidence 1 is returned where no finite interval reaches what
// is wanted: for small len(d), for empty d, a NaN in d, and a confidence that is NaN
// or not below 1. A confidence below 0 counts as 0. A bound can also be infinite where d is.
func SignedRankInterval(d []float64, confidence float64) Interval {
	g, ok := walsh(d)
	if !ok {
		return wholeLine()
	}
	if n := len(d); n > exactDifferences {
		pairs := float64(n) * float64(n+1)
		sd := math.Sqrt(pairs * float64(2*n+1) / 24)
		return g.interval(rejectedNormal(pairs/4, sd, confidence))
	}
	ranks := make([]int, len(d))
	for i := range ranks {
		ranks[i] = i + 1
	}
	return g.interval(rejected(signedRankLower(ranks, g.size()/2), confidence))
}

// RankSumInterval returns the shifts between x and y that [RankSum] does not reject in
// either direction at (1-confidence)/2 each: it goes from the k-th smallest to the k-th
// largest of all y[j]-x[i]. Confidence is exact up to len(x)*len(y) = 2500. Everything
// else is as in [SignedRankInterval].
func RankSumInterval(x, y []float64, confidence float64) Interval {
	g, ok := differences(x, y)
	if !ok {
		return wholeLine()
	}
	a, b := min(len(x), len(y)), max(len(x), len(y))
	if a*b > exactPairs {
		pairs := float64(a) * float64(b)
		sd := math.Sqrt(pairs * float64(a+b+1) / 12)
		return g.interval(rejectedNormal(pairs/2, sd, confidence))
	}
	return g.interval(rejected(uLower(a, b, g.size()/2), confidence))
}

func wholeLine() Interval { return Interval{math.Inf(-1), math.Inf(1), 1} }

// interval goes from the k-th smallest to the k-th largest sum. A sum without a value
// widens it at either end.
func (g pairSums) interval(k int, confidence float64) Interval {
	if k == 0 {
		return wholeLine()
	}
	low, high := g, g
	low.clash, high.clash = math.Inf(-1), math.Inf(1)
	return Interval{low.kth(k), high.kth(g.size() + 1 - k), confidence}
}

// rejected returns the number k of the smallest values of a symmetric statistic, whose
// probabilities are the first k of lower, that can be rejected at either end while the
// confidence of the rest is as wanted, and that confidence. A confidence of at least 0
// keeps k within the lower half, so the ends never cross.
func rejected(lower []float64, wanted float64) (k int, confidence float64) {
	wanted, confidence = max(wanted, 0), 1
	below := 0.0
	for _, p := range lower {
		below += p
		if !(wanted < 1 && 1-2*below >= wanted) {
			break
		}
		k, confidence = k+1, 1-2*below
	}
	return k, confidence
}

// rejectedNormal is rejected by the normal approximation with continuity correction
// of a statistic of whole numbers from 0.
func rejectedNormal(mean, sd, wanted float64) (k int, confidence float64) {
	tail := (1 - max(wanted, 0)) / 2
	last := math.Floor(mean - 0.5 + sd*NormalQuantile(tail))
	if !(last >= 0) {
		return 0, 1
	}
	return int(last) + 1, 1 - 2*normalAbove((mean-0.5-last)/sd)
}

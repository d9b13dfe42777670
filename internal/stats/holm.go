package stats

import (
	"cmp"
	"math"
	"slices"
)

// Holm returns Holm's step-down adjusted p-values (1979) in the order of p, whose
// values are in [0, 1]: rejecting those at or below a level keeps the chance of any
// false rejection at that level, whatever the dependence between the tests. A NaN
// stays NaN and is not counted as a test. The result is never below p nor above 1.
func Holm(p []float64) []float64 {
	adjusted := slices.Clone(p)
	order := make([]int, 0, len(p))
	for i, v := range p {
		if !math.IsNaN(v) {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	highest := 0.0
	for done, i := range order {
		highest = max(highest, min(1, float64(len(order)-done)*p[i]))
		adjusted[i] = highest
	}
	return adjusted
}

// MinPairs returns the smallest number of pairs with which the exact one-sided
// [SignedRank] can reject one of m hypotheses under [Holm] at the family level alpha:
// the smallest n >= 1 with m*2^-n <= alpha. With fewer pairs a test is blind, whatever
// the data. m below 1 counts as 1. Where no number is enough (alpha 0, negative or
// NaN) it is math.MaxInt. It speaks of the exact test: past 60 pairs it is a lower bound.
func MinPairs(m int, alpha float64) int {
	if !(alpha > 0) {
		return math.MaxInt
	}
	n := 1
	for math.Ldexp(float64(max(m, 1)), -n) > alpha {
		n++
	}
	return n
}

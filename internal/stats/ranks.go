package stats

import (
	"cmp"
	"slices"
)

// marked is a value to be ranked together with the group whose ranks are summed:
// the positive differences of a signed-rank test, the second sample of a rank-sum.
type marked struct {
	value float64
	in    bool
}

// rank sorts items and returns their ranks in that order, doubled, and the sum of
// the doubled ranks of those in the group. Tied items share the mean of the ranks
// they occupy; doubled, mid-ranks are whole numbers, so sums of them are exact and
// index an array.
func rank(items []marked) (ranks []int, sum int) {
	slices.SortFunc(items, func(a, b marked) int { return cmp.Compare(a.value, b.value) })
	ranks = make([]int, len(items))
	for first := 0; first < len(items); {
		end := first + 1
		for end < len(items) && items[end].value == items[first].value {
			end++
		}
		for i := first; i < end; i++ {
			ranks[i] = first + 1 + end // twice the mean of first+1 … end
			if items[i].in {
				sum += ranks[i]
			}
		}
		first = end
	}
	return ranks, sum
}

// untied says whether no two of the doubled ranks are equal.
func untied(ranks []int) bool {
	for i, r := range ranks {
		if r != 2*(i+1) {
			return false
		}
	}
	return true
}

// total is the sum of ranks.
func total(ranks []int) int {
	sum := 0
	for _, r := range ranks {
		sum += r
	}
	return sum
}

// tails returns both tails of a statistic at the last value of lower, which holds the
// probabilities of its values from the smallest one up to there. The upper tail is a
// complement and therefore only for a last value in the lower half, where it is not
// small and loses nothing.
func tails(lower []float64) (atMost, atLeast float64) {
	last := len(lower) - 1
	below := 0.0
	for _, p := range lower[:last] {
		below += p
	}
	return min(1, below+lower[last]), max(0, 1-below)
}

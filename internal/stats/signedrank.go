package stats

import "math"

// exactDifferences is the largest number of non-zero differences whose null
// distribution is computed; beyond it the normal approximation is better than any
// use that is made of it, and in the far tail it errs to the safe side.
const exactDifferences = 60

// SignedRank tests where the paired differences d are located, with Wilcoxon's
// signed-rank statistic. greater is the p-value of the hypothesis "location <= shift"
// (small: d lies above shift), less that of "location >= shift"; d and shift are in
// the same unit. n is the number of differences that are not equal to shift, the one
// that counts for the floor 2^-n of either p-value.
//
// Differences equal to shift are ranked and then dropped from the sum (Pratt 1959),
// ties get mid-ranks. Up to 60 non-zero differences the p-values are exact given the
// ranks: every sign is a fair coin. Beyond, they are the normal approximation with
// tie and continuity correction. Both contain the observed sum, so greater + less >= 1.
//
// Whether two differences tie, or equal shift, is decided by comparing d[i]-shift in
// floating point. Infinite differences rank highest, tied with each other. With no
// usable difference, or a NaN in d or shift, the result is 1, 1, 0.
func SignedRank(d []float64, shift float64) (greater, less float64, n int) {
	items, zeros := deviations(d, shift)
	n = len(items)
	if n == 0 {
		return 1, 1, 0
	}
	ranks, up := rank(items)
	lift := 2 * min(zeros, enoughZeros(n))
	for i := range ranks {
		ranks[i] += lift
	}
	for _, it := range items {
		if it.in {
			up += lift
		}
	}
	if n <= exactDifferences {
		greater, less = signedRankExact(ranks, up)
	} else {
		greater, less = signedRankNormal(ranks, up)
	}
	return greater, less, n
}

// deviations returns the distances of d from shift, marked if they are upward, and
// the number of those that are zero and left out. A NaN leaves nothing.
func deviations(d []float64, shift float64) (items []marked, zeros int) {
	items = make([]marked, 0, len(d))
	for _, v := range d {
		switch {
		case math.IsNaN(v), math.IsNaN(shift):
			return nil, 0
		case v == shift: // also where both are infinite, whose difference is NaN
			zeros++
		default:
			items = append(items, marked{math.Abs(v - shift), v > shift})
		}
	}
	return items, zeros
}

// enoughZeros is a number of zeros beyond which more zeros change no p-value. Zeros
// lift the rank of each of n differences, so the sum becomes lift*count + rest with
// rest <= n(n+1)/2. Once lift exceeds that, sums are ordered by count, then by rest,
// however large lift is. The bound keeps a million zeros from costing memory.
func enoughZeros(n int) int { return n*(n+1)/2 + 1 }

// signedRankExact returns the p-values of a sum of doubled ranks. Swapping all signs
// maps the upper tail to a lower one, so only the shorter end is computed.
func signedRankExact(ranks []int, up int) (greater, less float64) {
	down := total(ranks) - up
	if up < down {
		less, greater = tails(signedRankLower(halved(ranks, up)))
	} else {
		greater, less = tails(signedRankLower(halved(ranks, down)))
	}
	return greater, less
}

// halved undoes the doubling where no rank needs it, which is the usual case and
// makes the distribution half as long.
func halved(ranks []int, sum int) ([]int, int) {
	for _, r := range ranks {
		if r%2 != 0 {
			return ranks, sum
		}
	}
	half := make([]int, len(ranks))
	for i, r := range ranks {
		half[i] = r / 2
	}
	return half, sum / 2
}

// signedRankLower returns the probabilities that the ranks chosen by fair coins sum
// to 0, 1, … last. Each rank convolves the distribution with "not chosen or chosen".
// The unit is one sign pattern, 2^-n, from the start, so nothing needs scaling and
// the smallest probability is exact.
func signedRankLower(ranks []int, last int) []float64 {
	p := make([]float64, last+1)
	p[0] = math.Ldexp(1, -len(ranks))
	reach := 0
	for _, r := range ranks {
		reach = min(reach+r, last)
		for s := reach; s >= r; s-- {
			p[s] += p[s-r]
		}
	}
	return p
}

// signedRankNormal is the approximation for many differences, given their doubled
// ranks. The sum of the squared mid-ranks contains the correction for ties and zeros.
func signedRankNormal(ranks []int, up int) (greater, less float64) {
	squares := 0.0
	for _, r := range ranks {
		squares += float64(r) * float64(r)
	}
	return normalTails(float64(up), float64(total(ranks))/2, math.Sqrt(squares)/2, 1)
}

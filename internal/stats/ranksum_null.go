package stats

// rankSumLower returns the probabilities of the sums of k of the doubled ranks, from
// the smallest one to sum. Without ties the closed form is some ten times faster.
func rankSumLower(ranks []int, k, sum int) []float64 {
	last := sum - total(ranks[:k])
	if untied(ranks) {
		return uLower(k, len(ranks)-k, last/2)
	}
	return subsetLower(ranks, k, last)
}

// uLower returns the probabilities that Mann and Whitney's U of samples of a and b
// untied values is 0, 1, … last. The numbers of arrangements are the coefficients of
// the Gaussian binomial, the product over i = 1…a of (1-q^(b+i)) / (1-q^i) (Harding,
// Applied Statistics 33, 1984). Coefficients follow from lower ones only, so those of
// the far tail come from small whole numbers and are exact.
func uLower(a, b, last int) []float64 {
	ways := make([]float64, last+1)
	ways[0] = 1
	for i := 1; i <= a; i++ {
		for u := last; u >= b+i; u-- {
			ways[u] -= ways[u-b-i]
		}
		for u := i; u <= last; u++ {
			ways[u] += ways[u-i]
		}
	}
	return scaled(ways, choose(a+b, a))
}

// subsetLower returns the probabilities that k of the ascending ranks, chosen at
// random, sum to 0, 1, … last above the smallest possible sum. ways[j] counts the
// choices of j ranks by that excess: taking rank i as the next one after j others adds
// ranks[i]-ranks[j], which is never negative.
func subsetLower(ranks []int, k, last int) []float64 {
	ways, cells := make([][]float64, k+1), make([]float64, (k+1)*(last+1))
	for j := range ways {
		ways[j] = cells[j*(last+1) : (j+1)*(last+1)]
	}
	ways[0][0] = 1
	for i, r := range ranks {
		for j := min(i, k-1); j >= max(0, k-len(ranks)+i); j-- {
			addMoved(ways[j+1], ways[j], r-ranks[j])
		}
	}
	return scaled(ways[k], choose(len(ranks), k))
}

// addMoved adds from to the end of to, moved up by steps.
func addMoved(to, from []float64, steps int) {
	for s := steps; s < len(to); s++ {
		to[s] += from[s-steps]
	}
}

// scaled divides ways by all, in place.
func scaled(ways []float64, all float64) []float64 {
	for i := range ways {
		ways[i] /= all
	}
	return ways
}

// choose is the number of ways to take k of n, exact as long as it fits a float64.
func choose(n, k int) float64 {
	c := 1.0
	for i := 1; i <= k; i++ {
		c = c * float64(n-k+i) / float64(i)
	}
	return c
}

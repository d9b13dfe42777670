package stats

import "math"

// pairSums is the multiset of a[i]+b[j], never written out: a thousand differences
// have half a million Walsh averages. Both slices ascend, so one walk along the border
// counts the sums up to a value, and any order statistic is found by bisection over
// float64 itself: some twenty walks, never more than 64, no memory and no rounding.
type pairSums struct {
	a, b []float64
	// triangle restricts the pairs to i <= j; a and b are then the same slice.
	triangle bool
	// clash is -Inf or +Inf and stands for the sum of opposite infinities, which has
	// no value of its own. Either choice keeps the sums ascending along both slices.
	clash float64
}

func (g pairSums) size() int {
	if g.triangle {
		return len(g.a) * (len(g.a) + 1) / 2
	}
	return len(g.a) * len(g.b)
}

func (g pairSums) sum(x, y float64) float64 {
	s := x + y
	if s != s {
		return g.clash
	}
	return s
}

// split returns how many sums are at most v, the largest of them, and the smallest
// sum above v. Where there is none it returns an infinity.
func (g pairSums) split(v float64) (count int, below, above float64) {
	below, above = math.Inf(-1), math.Inf(1)
	end, start := len(g.b), 0
	for i, x := range g.a {
		if g.triangle {
			start = i
		}
		for end > start && g.sum(x, g.b[end-1]) > v {
			end--
		}
		if next := max(end, start); next < len(g.b) {
			above = min(above, g.sum(x, g.b[next]))
		}
		if end <= start {
			break // further rows hold larger sums only
		}
		count += end - start
		below = max(below, g.sum(x, g.b[end-1]))
	}
	return count, below, above
}

// kth is the k-th smallest sum, 1 <= k <= size. Both ends of the bisection are always
// sums, so it ends as soon as one value is left between them.
func (g pairSums) kth(k int) float64 {
	low, high := g.sum(g.a[0], g.b[0]), g.sum(g.a[len(g.a)-1], g.b[len(g.b)-1])
	for low < high {
		from, to := orderOf(low), orderOf(high)
		count, below, above := g.split(ordered(from + (to-from)/2))
		if count >= k {
			high = below
		} else {
			low = above
		}
	}
	return low + 0 // minus zero becomes zero
}

// median is the median of the sums that have a value: each clash counts half below
// and half above everything, as the tie that it is in the rank test does. It is NaN
// where no sum has a value, and where the middle two are opposite infinities.
func (g pairSums) median() float64 {
	g.clash = math.Inf(-1)
	clashes := g.clashes()
	n := g.size() - clashes
	if n == 0 {
		return math.NaN()
	}
	lower := g.kth(clashes + (n+1)/2)
	if n%2 == 1 {
		return lower
	}
	count, _, above := g.split(lower)
	if count > clashes+n/2 {
		return lower
	}
	return midpoint(lower, above)
}

// clashes is the number of pairs of opposite infinities.
func (g pairSums) clashes() int {
	lowA, highA := infinities(g.a)
	lowB, highB := infinities(g.b)
	if g.triangle {
		return lowA * highA
	}
	return lowA*highB + highA*lowB
}

func infinities(x []float64) (low, high int) {
	for _, v := range x {
		switch {
		case math.IsInf(v, -1):
			low++
		case math.IsInf(v, 1):
			high++
		}
	}
	return low, high
}

// signBit as a whole number is the middle of the order, where both zeros are: were
// they apart, a bisection between equal sums would never end.
const signBit = 1 << 63

// orderOf maps float64 to whole numbers that are ordered like the floats. The bits of
// positive floats are; those of negative ones count downward.
func orderOf(v float64) uint64 {
	bits := math.Float64bits(v)
	if bits >= signBit {
		return signBit - (bits - signBit)
	}
	return signBit + bits
}

// ordered is the inverse of orderOf.
func ordered(order uint64) float64 {
	if order < signBit {
		return -math.Float64frombits(signBit - order)
	}
	return math.Float64frombits(order - signBit)
}

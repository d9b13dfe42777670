package stats

import "math"

// HodgesLehmann estimates the location of the differences d: the median of the Walsh
// averages (d[i]+d[j])/2, i <= j, in the unit of d. It is the shift that [SignedRank]
// rejects least. The average of opposite infinities counts half at either end. It is
// NaN for empty d, for d with a NaN in it, and where infinities leave no middle.
func HodgesLehmann(d []float64) float64 {
	if g, ok := walsh(d); ok {
		return g.median()
	}
	return math.NaN()
}

// ShiftBetween estimates by how much y lies above x: the median of all y[j]-x[i], in
// their unit. It is the shift that [RankSum] rejects least. The difference of equal
// infinities counts half at either end. It is NaN for an empty sample, for one with a
// NaN in it, and where infinities leave no middle.
func ShiftBetween(x, y []float64) float64 {
	if g, ok := differences(x, y); ok {
		return g.median()
	}
	return math.NaN()
}

// walsh returns the Walsh averages of d as sums of halves. There are none without data.
func walsh(d []float64) (g pairSums, ok bool) {
	half := sorted(d)
	for i := range half {
		half[i] /= 2
	}
	return pairSums{a: half, b: half, triangle: true}, len(half) > 0
}

// differences returns all y[j]-x[i] as sums with x negated.
func differences(x, y []float64) (g pairSums, ok bool) {
	negated := make([]float64, len(x))
	for i, v := range x {
		negated[i] = -v
	}
	g = pairSums{a: sorted(y), b: sorted(negated)}
	return g, len(g.a) > 0 && len(g.b) > 0
}

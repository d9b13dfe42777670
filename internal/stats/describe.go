package stats

import (
	"math"
	"slices"
)

// Median returns the middle value of x, or the midpoint of its two middle values.
// It is NaN for empty x, for x with a NaN in it, and when the two middle values are
// opposite infinities.
func Median(x []float64) float64 {
	s := sorted(x)
	if len(s) == 0 {
		return math.NaN()
	}
	return midpoint(s[(len(s)-1)/2], s[len(s)/2])
}

// MAD returns the median absolute deviation of x about its median, in the unit of x
// and not scaled; 1.4826 times it estimates the standard deviation of a normal
// sample. It is 0 when more than half of x is one value. It is NaN for empty x, for
// x with a NaN in it, and where the median is infinite.
func MAD(x []float64) float64 {
	center := Median(x)
	away := make([]float64, len(x))
	for i, v := range x {
		away[i] = math.Abs(v - center)
	}
	return Median(away)
}

// GeoMean returns the geometric mean of x. It is NaN for empty x and where any value
// is NaN, zero or negative: a mean of ratios that silently left one out would lie.
func GeoMean(x []float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	logs := 0.0
	for _, v := range x {
		if !(v > 0) {
			return math.NaN()
		}
		logs += math.Log(v)
	}
	return math.Exp(logs / float64(len(x)))
}

// sorted returns x in ascending order as a new slice, empty if x has a NaN in it:
// a NaN has no rank, so nothing that is ranked can be said about such data.
func sorted(x []float64) []float64 {
	if slices.ContainsFunc(x, math.IsNaN) {
		return nil
	}
	s := slices.Clone(x)
	slices.Sort(s)
	return s
}

// midpoint halves before it adds, so that large values do not overflow.
func midpoint(a, b float64) float64 {
	if a == b {
		return a
	}
	return a/2 + b/2
}

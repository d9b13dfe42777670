package stats

import (
	"math"
	"slices"
)

// exactPoints is the largest number of points whose null distribution is computed.
const exactPoints = 60

// Slope is how y grows with x: the median of the slopes between any two points (Theil 1950, Sen 1968), which up to
// 29 % of the points can be off without moving it far, in the unit of y by that of x. The interval holds the
// slopes that Kendall's test of the residuals against x does not reject in either direction at (1-confidence)/2
// each: it goes from the k-th smallest to the k-th largest slope, exact for up to 60 points and by the normal
// approximation beyond. Ties can only raise its confidence.
//
// x must ascend, and be as long as y. The slope is NaN and the interval the whole line where it does not, where
// there are fewer than two points, and where a number is NaN or infinite; the interval alone is the whole line
// where the points are too few for the confidence.
func Slope(x, y []float64, confidence float64) (slope float64, interval Interval) {
	slopes := slopesBetween(x, y)
	n := len(slopes)
	if n == 0 {
		return math.NaN(), wholeLine()
	}
	points := float64(len(x))
	k, reached := 0, 1.0
	if len(x) > exactPoints {
		k, reached = rejectedNormal(float64(n)/2, math.Sqrt(points*(points-1)*(2*points+5)/72), confidence)
	} else {
		k, reached = rejected(inversionsLower(len(x), n/2), confidence)
	}
	if k == 0 {
		return Median(slopes), wholeLine()
	}
	return Median(slopes), Interval{slopes[k-1], slopes[n-k], reached}
}

// slopesBetween returns the slopes between any two points in ascending order, nil where they cannot be had.
func slopesBetween(x, y []float64) []float64 {
	if len(x) != len(y) {
		return nil
	}
	var slopes []float64
	for i := range x {
		for j := range i {
			s := (y[i] - y[j]) / (x[i] - x[j])
			if !(x[i] > x[j]) || math.IsNaN(s) || math.IsInf(s, 0) {
				return nil
			}
			slopes = append(slopes, s)
		}
	}
	slices.Sort(slopes)
	return slopes
}

// inversionsLower returns the probabilities that a random order of n things has 0, 1, … last inversions. The i-th
// thing makes 0 to i-1 of them, each as likely.
func inversionsLower(n, last int) []float64 {
	p := make([]float64, last+1)
	p[0] = 1
	for i := 2; i <= n; i++ {
		next := make([]float64, last+1)
		sum := 0.0
		for s := range p {
			sum += p[s]
			if s >= i {
				sum -= p[s-i]
			}
			next[s] = max(0, sum) / float64(i)
		}
		p = next
	}
	return p
}

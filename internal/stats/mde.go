package stats

import "math"

const (
	// madToSD makes the MAD of a normal sample its standard deviation.
	madToSD = 1.4826
	// efficiency of the signed-rank test relative to the t test under normality: 3/pi.
	efficiency = 0.955
)

// MDE returns the smallest shift of the differences d that the one-sided [SignedRank]
// test of "shift <= margin" at level alpha detects with probability power, on the scale
// of d and margin (a log-ratio, where d is one):
//
//	margin + (z(1-alpha) + z(power)) * sd / sqrt(0.955 n),  sd = 1.4826 MAD(d)
//
// This is the normal approximation, optimistic near the floor: with 14 normal differences
// at alpha 0.01 a power of 0.9 is really 0.81, with 30 it is 0.86. A robust sd leaves out
// what outliers add; the rank test mostly does too. It is 0, and MDE the margin itself,
// when more than half of d is one value.
//
// It is +Inf where nothing can be detected: len(d) differences can never reject at
// alpha (2^-n > alpha), an argument is NaN, d has a NaN in it or an infinite median, or
// alpha or power is not between 0 and 1.
func MDE(d []float64, margin, alpha, power float64) float64 {
	return Detectable(RobustSD(d), len(d), margin, alpha, power)
}

// Detectable is [MDE] for n differences that are not taken yet, from their standard deviation sd.
func Detectable(sd float64, n int, margin, alpha, power float64) float64 {
	inside := 0 < alpha && alpha < 1 && 0 < power && power < 1
	if !inside || math.Ldexp(1, -n) > alpha {
		return math.Inf(1)
	}
	se := sd / math.Sqrt(efficiency*float64(n))
	mde := margin + (NormalQuantile(power)-NormalQuantile(alpha))*se
	if math.IsNaN(mde) {
		return math.Inf(1)
	}
	return mde
}

// RobustSD is the standard deviation of a normal sample with the MAD of x: 1.4826 MAD(x).
func RobustSD(x []float64) float64 { return madToSD * MAD(x) }

package stats

import "math"

// NormalQuantile returns z with Phi(z) = p, Phi the standard normal distribution
// function: -Inf for 0, +Inf for 1, NaN outside [0, 1]. It is [math.Erfinv] of 2p-1,
// so the relative error grows as p nears 0 and z is -Inf below about 1e-17.
func NormalQuantile(p float64) float64 {
	return math.Sqrt2 * math.Erfinv(2*p-1)
}

// normalAbove is 1 - Phi(z), accurate for large z, where the difference would not be.
func normalAbove(z float64) float64 {
	return math.Erfc(z/math.Sqrt2) / 2
}

// normalTails approximates both tails of a rank statistic that was observed at s.
// half is the continuity correction: half a step of the statistic. The two tails
// overlap by one step, as those of a discrete statistic do. A statistic that cannot
// vary (sd 0, s at its mean) has tails 1.
func normalTails(s, mean, sd, half float64) (atLeast, atMost float64) {
	return normalAbove((s - mean - half) / sd), normalAbove((mean - s - half) / sd)
}

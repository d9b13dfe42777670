package compare

import (
	"math"

	"golang.org/x/perf/benchmath"

	"github.com/org/perfgate/internal/result"
	"github.com/org/perfgate/internal/stats"
)

// Rule is how another tool decides that a benchmark became slower. They are here to be compared with,
// on the same values; none of them gates.
type Rule struct {
	Name string
	// ratio is the threshold on the ratio of means, or of medians where p is set.
	ratio float64
	p     float64
}

// Rules are the rules in use elsewhere: thresholds on the ratio of means, and benchstat's two-sided
// Mann-Whitney test alone and with a threshold on the ratio of medians.
var Rules = []Rule{
	{Name: "mean ratio > 1.05", ratio: 1.05},
	{Name: "mean ratio > 1.10", ratio: 1.10},
	{Name: "mean ratio > 2.0", ratio: 2},
	{Name: "benchstat p < 0.05", ratio: 1, p: 0.05},
	{Name: "p < 0.05 and > 5%", ratio: 1.05, p: 0.05},
	{Name: "p < 0.05 and > 10%", ratio: 1.10, p: 0.05},
}

// Flags reports whether the rule calls the benchmark slower by the first stage's passes.
func (r Rule) Flags(base, head *result.Benchmark) bool {
	b, h := base.Metric("sec/op"), head.Metric("sec/op")
	if b == nil || h == nil || len(b.Samples) == 0 || len(h.Samples) == 0 {
		return false
	}
	bv, hv := valuesOf(b.Samples), valuesOf(h.Samples)
	if r.p == 0 {
		return mean(hv)/mean(bv) > r.ratio
	}
	p := benchmath.AssumeNothing.Compare(benchmath.NewSample(bv, &benchmath.DefaultThresholds), benchmath.NewSample(hv, &benchmath.DefaultThresholds)).P
	return p < r.p && stats.Median(hv)/stats.Median(bv) > r.ratio
}

func valuesOf(samples []result.Sample) []float64 {
	var vs []float64
	for _, s := range result.ByPass(samples) {
		vs = append(vs, s.Value)
	}
	return vs
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// PairNoise is the robust standard deviation of ln(head/base) of a benchmark's pairs about their
// pass's median, 0 where there are no pairs of times.
func PairNoise(base, head *result.Benchmark) float64 {
	b, h := base.Metric("sec/op"), head.Metric("sec/op")
	if b == nil || h == nil {
		return 0
	}
	return stats.RobustSD(residuals(b.Samples, h.Samples))
}

// StandardError is the standard error of a benchmark's estimate by the passes of the first stage, from its
// 95 % interval; 0 where there is none.
func StandardError(base, head *result.Benchmark) float64 {
	b, h := base.Metric("sec/op"), head.Metric("sec/op")
	if b == nil || h == nil {
		return 0
	}
	const confidence = 0.95
	_, iv := located(passes(b.Samples, h.Samples, logRatio(1)), confidence)
	if math.IsInf(iv.Hi-iv.Lo, 0) {
		return 0
	}
	return (iv.Hi - iv.Lo) / 2 / stats.NormalQuantile((1+confidence)/2)
}

// residuals are the pairs' differences from their pass's median.
func residuals(b, h []result.Sample) []float64 {
	var out []float64
	for _, pass := range passes(b, h, logRatio(1)) {
		center := stats.Median(pass)
		for _, d := range pass {
			out = append(out, d-center)
		}
	}
	return out
}

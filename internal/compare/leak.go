package compare

import (
	"math"

	"github.com/org/perfgate/internal/result"
	"github.com/org/perfgate/internal/stats"
)

// slope is how a leak's readings grow with the iterations before them: the samples are the gains of slices, an
// operation. Its interval is two-sided, so that a limit below it is passed by chance in 2.5 % of all cases at most.
func slope(m *result.Metric, confidence float64) Summary {
	x, y := []float64{0}, []float64{0}
	for i, s := range m.Samples {
		x = append(x, x[i]+float64(s.Iters))
		y = append(y, y[i]+s.Value*float64(s.Iters))
	}
	v, iv := stats.Slope(x, y, confidence)
	if math.IsNaN(v) {
		return Summary{}
	}
	return Summary{N: len(m.Samples), Center: v, Lo: iv.Lo, Hi: iv.Hi}
}

// site names where most of a leak comes from.
func site(h *result.Benchmark, unit string) string {
	for _, l := range h.Left {
		if l.Unit == unit {
			return "most of it from " + l.Where
		}
	}
	return ""
}

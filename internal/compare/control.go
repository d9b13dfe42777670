package compare

import (
	"math"

	"github.com/org/perfgate/internal/result"
	"github.com/org/perfgate/internal/stats"
)

// controlP is the two-sided p-value at which a copy of base differs from base. It is small because a
// machine is called unfit by it, and because every run asks.
const controlP = 0.001

// ControlLeast is the number of passes at which controlP can first be reached.
const ControlLeast = 11

// ControlShift is what a copy of base differed by from base.
type ControlShift struct {
	// Change is the estimate with its interval [Lo, Hi], over so many passes.
	Change, Lo, Hi float64
	Passes         int
	// P is the two-sided p-value of "no difference".
	P float64
	// Unfit says that the machine, or something that knows the sides apart, makes times differ.
	Unfit bool
}

// judgeControl judges the control of a run.
func (p Policy) judgeControl(c *result.Control) *ControlShift {
	index := c.Base.Index()
	byPass := map[int][]float64{}
	var order []int
	for _, twin := range c.Twin.Benchmarks {
		base := index[twin.Key()]
		if base == nil || base.Metric("sec/op") == nil || twin.Metric("sec/op") == nil {
			continue
		}
		samples := twin.Metric("sec/op").Samples
		values := medians(passes(base.Metric("sec/op").Samples, samples, logRatio(1)))
		for i, s := range result.ByPass(samples) {
			if i >= len(values) {
				break
			}
			if byPass[s.Pass] == nil {
				order = append(order, s.Pass)
			}
			byPass[s.Pass] = append(byPass[s.Pass], values[i])
		}
	}
	if len(order) == 0 {
		return nil
	}
	d := make([]float64, len(order))
	for i, pass := range order {
		d[i] = stats.Median(byPass[pass])
	}
	worse, better, _ := stats.SignedRank(d, 0)
	iv := stats.SignedRankInterval(d, p.Confidence)
	s := &ControlShift{Passes: len(d), P: math.Min(1, 2*math.Min(worse, better)),
		Change: math.Expm1(stats.HodgesLehmann(d)), Lo: math.Expm1(iv.Lo), Hi: math.Expm1(iv.Hi)}
	s.Unfit = s.P <= controlP
	return s
}

// distrust takes the verdicts of times back where the control shows that the machine is unfit.
func (o *Outcome) distrust() {
	for _, c := range o.Comparisons {
		if c.staged() && c.Unit.Timing() && (c.Verdict == Regression || c.Verdict == Improvement || c.Verdict == Unchanged) {
			was := c.Verdict
			c.Verdict = Inconclusive
			c.note("would be: %s; but a copy of base differs from base as well: this machine is unfit for timing", was)
		}
	}
	if o.Suite != nil {
		o.Suite.Verdict = Incomparable
	}
}

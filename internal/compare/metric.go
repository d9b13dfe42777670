package compare

import (
	"math"
	"strings"

	"golang.org/x/perf/benchmath"

	"github.com/org/perfgate/internal/result"
	"github.com/org/perfgate/internal/stats"
)

// test is what decide needs to know of a comparison of noisy samples. Differences are oriented so
// that positive is worse.
type test struct {
	active        bool
	worse, better float64 // p-values of "not worse" and "not better than the tolerance"
	floor         float64 // the smallest p-value that so many samples can give
	diffs         []float64
	fresh         []float64 // of the second stage, a build each
	passes        [][]float64
	builds        [][]float64
	margin        float64
	tolerance     float64 // of a staged test: the change that is unchanged, and
	effect        float64 // the change that must be caught
	interval      stats.Interval
	staged        bool // taken in passes
	interrupted   bool // before all of them were taken
	need          bool // gated: shares the error probability
	restates      bool // a rate that only restates sec/op
	counted       bool // near-exact: it needs no second stage
}

// MinConstant is the number of equal samples a side that make a metric a constant.
const MinConstant = 3

// metric compares one unit of one benchmark.
func (j judge) metric(k result.Key, u result.Unit, b, h *result.Metric) *Comparison {
	t := j.policy.termsOf(k, u.Name)
	j.policy, j.tolerance = t.policy, t.tolerance
	c := newComparison(k, u, j.against)
	c.Effect, c.Gated = j.policy.Effect, u.Better != result.Unknown && !u.Info() && !t.ignore && (t.named || !u.Optional())
	switch {
	case b == nil:
		return c.as(Added, false, "a metric that base has not")
	case h == nil && j.uncounted && u.Counted():
		return c.as(Incomparable, false, "") // the benchmark says why
	case h == nil && j.stored && !j.alone && u.Timing():
		return c.as(Incomparable, false, "head's was not measured; times are judged against the re-measured base")
	case h == nil:
		return c.as(Missing, c.Gated, "head reports no such metric")
	}
	bs := benchmath.NewSample(b.Values(), &benchmath.DefaultThresholds)
	hs := benchmath.NewSample(h.Values(), &benchmath.DefaultThresholds)
	c.Base, c.Head = summarize(bs, j.policy.Confidence), summarize(hs, j.policy.Confidence)
	if !j.screening {
		c.RankP = benchmath.AssumeNothing.Compare(bs, hs).P
	}
	c.setChange(c.Base.Center, c.Head.Center)
	c.judgeSamples(j, b, h)
	if t.ignore && !u.Info() {
		c.note(ignored)
	}
	if said := h.Unit.Better; said != u.Better && said != result.Unknown {
		c.note("base says %s is better, head says %s: judged as base has it", u.Better, said)
	}
	if u.Better == result.Unknown {
		c.note("no direction: print a line `Unit %s better=lower` (or higher) from the benchmark to have it judged", u.Name)
	}
	return c
}

// Describe summarizes the samples of one metric.
func Describe(m *result.Metric) Summary {
	if m.Unit.Leak() {
		return slope(m, DefaultPolicy.Confidence)
	}
	s := summarize(benchmath.NewSample(m.Values(), &benchmath.DefaultThresholds), DefaultPolicy.Confidence)
	if !m.Unit.Timing() && constant(m.Values()) {
		s.Lo, s.Hi = s.Center, s.Center
	}
	return s
}

func summarize(s *benchmath.Sample, confidence float64) Summary {
	m := benchmath.AssumeNothing.Summary(s, confidence)
	return Summary{N: len(s.Values), Center: m.Center, Lo: m.Lo, Hi: m.Hi}
}

// setChange sets the change of the medians, absolute where base is zero or one of them is negative: their ratio says
// nothing then.
func (c *Comparison) setChange(base, head float64) {
	c.Absolute = base <= 0 || head < 0
	c.Change = head/base - 1
	if c.Absolute {
		c.Change = head - base
	}
	c.Lo, c.Hi = c.Change, c.Change
}

// judgeSamples chooses the way of comparing that the data allow.
func (c *Comparison) judgeSamples(j judge, b, h *result.Metric) {
	bv, hv := b.Values(), h.Values()
	switch {
	case !c.Unit.Timing() && constant(bv) && constant(hv):
		c.exact(j, b, h)
	case c.Unit.Name == result.Instructions && j.stored:
		c.storedInstructions(j, bv, hv)
	case !c.Unit.Timing() && (len(bv) < MinConstant || len(hv) < MinConstant):
		c.as(Inconclusive, c.Gated, "fewer than 3 samples a side: whether it is a constant is not known")
	case (j.counted && (c.Unit.Counted() || j.untimed && !c.Unit.Timing()) || j.staged && c.Unit.Name == result.Instructions) && !negative(bv) && !negative(hv):
		c.nearExact(j, b, h)
	case j.stored && !c.Unit.Timing():
		c.as(Incomparable, false, "it varies within a side, so a stored value is no fact; it is judged against base")
	case j.stored && !j.alone:
		c.as(Incomparable, false, "a stored time; times are judged against the re-measured base")
	case len(j.envDiffers) > 0 && (j.stored || !j.paired && !j.staged):
		c.as(Incomparable, false, "measured elsewhere: different "+strings.Join(j.envDiffers, ", "))
	case negative(bv) || negative(hv):
		c.as(Inconclusive, false, "negative values have no ratio")
	case j.staged:
		c.byPasses(j, b, h)
	case j.paired:
		c.paired(j, b, h)
	default:
		c.unpaired(j, bv, hv)
	}
}

func constant(vs []float64) bool {
	if len(vs) < MinConstant {
		return false
	}
	for _, v := range vs[1:] {
		if v != vs[0] {
			return false
		}
	}
	return true
}

func negative(vs []float64) bool {
	for _, v := range vs {
		if v < 0 {
			return true
		}
	}
	return false
}

// Tolerances of exact metrics.
const (
	bytesRelative  = 0.01
	allocsRelative = 0.01
	allocsAbsolute = 0.5
	bytesAbsolute  = 16 // bytes: below the smallest change of a size class that matters
	// otherIters are the differences in allocations that a different iteration count explains: a
	// one-time set-up is divided by another number.
	otherItersAllocs   = 1
	otherItersRelative = 0.05
)

// toleranceOf is the difference of an exact metric that is accepted, in the unit itself: the policy's, or
// the usual one. From zero and to zero that is none.
func toleranceOf(policy *Tolerance, u result.Unit, base, head float64) float64 {
	switch {
	case policy != nil:
		return policy.of(base)
	case base == 0 || head == 0:
		return 0
	case u.Name == "B/op":
		return math.Max(bytesRelative*base, bytesAbsolute)
	case u.Name == "allocs/op": // they are whole, but for what is amortised and what the runtime does
		return allocsAbsolute
	case u.Name == result.Statements:
		return statementsRelative * base
	case u.Name == result.Instructions:
		return instructionsRelative * base
	}
	return 0
}

// exact compares two constants: a difference is a fact. 0 to anything is always a regression.
func (c *Comparison) exact(j judge, b, h *result.Metric) {
	base, head := first(b), first(h)
	c.Exact, c.Pairs = true, 0
	best := j.stored && b.Best != nil
	if best {
		base.Value, base.Iters = b.Best.Value, b.Best.Iters
		c.Base.Center, c.Base.Lo, c.Base.Hi = base.Value, base.Value, base.Value
		c.setChange(base.Value, head.Value)
	}
	if differs := j.countsDiffer[c.Unit.Name]; len(differs) > 0 {
		c.as(Incomparable, false, "other code: different "+strings.Join(differs, ", "))
		return
	}
	worse := c.Unit.Better.Sign() * (head.Value - base.Value)
	tol := toleranceOf(j.tolerance, c.Unit, base.Value, head.Value)
	switch {
	case head.Value == base.Value || math.Abs(worse) <= tol && worse != 0:
		c.Verdict = Unchanged
	case c.Unit.Better == result.Unknown:
		c.Verdict = Incomparable
	case j.stored && base.Iters != head.Iters && !c.Unit.Differenced() && explained(base.Value, head.Value):
		c.as(Incomparable, false, "measured at another iteration count, which may explain the difference")
	case worse > 0:
		c.Verdict = Regression
	default:
		c.Verdict = Improvement
	}
	if best && c.Verdict == Regression {
		c.note("held to the best level, of %.12s on %s: small rises since then add up (a release accepts them with perfgate baseline update)", b.Best.Commit, b.Best.Date)
	}
}

// first returns m's first sample.
func first(m *result.Metric) result.Sample {
	if len(m.Samples) == 0 { // its first stage is lost
		return m.Confirm[0]
	}
	return m.Samples[0]
}

func explained(base, head float64) bool {
	return math.Abs(head-base) <= math.Max(otherItersAllocs, otherItersRelative*base)
}

// paired tests the differences of samples that were taken in turn, by their position.
func (c *Comparison) paired(j judge, b, h *result.Metric) {
	bv, hv := b.Values(), h.Values()
	c.Pairs = min(len(bv), len(hv))
	bv, hv = bv[:c.Pairs], hv[:c.Pairs]
	sign, difference := c.scale(bv, hv)
	if difference == nil {
		return
	}
	d := make([]float64, len(bv))
	for i := range d {
		d[i] = difference(bv[i], hv[i])
	}
	margin := c.margin(j, stats.Median(bv))
	worse, _, _ := stats.SignedRank(d, margin)
	_, better, _ := stats.SignedRank(d, -margin)
	iv := stats.SignedRankInterval(d, j.policy.Confidence)
	c.test = test{active: true, worse: worse, better: better, floor: math.Ldexp(1, -len(d)), diffs: d, margin: margin, interval: iv, need: c.Gated}
	c.showChange(sign, stats.HodgesLehmann(d), iv)
}

// unpaired tests two independent samples. Without knowledge of the order of measuring nothing is
// claimed about time: sequential runs differ by drift alone.
func (c *Comparison) unpaired(j judge, bv, hv []float64) {
	if hasZero(bv) || hasZero(hv) {
		c.as(Inconclusive, c.Gated, "zeros among the samples have no ratio")
		return
	}
	sign := c.Unit.Better.Sign()
	if sign == 0 {
		sign = 1
	}
	x, y := logs(bv, sign), logs(hv, sign)
	iv := stats.RankSumInterval(x, y, j.policy.Confidence)
	c.showChange(sign, stats.ShiftBetween(x, y), iv)
	if !j.stored {
		c.as(Inconclusive, false, "the files do not say that the sides were measured in turn, so drift of the machine is not excluded; use perfgate check, or --interleaved if they were")
		return
	}
	margin := c.margin(j, stats.Median(bv))
	worse, _ := stats.RankSum(x, y, margin)
	_, better := stats.RankSum(x, y, -margin)
	c.test = test{active: true, worse: worse, better: better, floor: rankSumFloor(len(x), len(y)), margin: margin, interval: iv, need: c.Gated}
	c.note("judged against a stored time of the same machine: drift between the two is not excluded")
}

// rankSumFloor is the smallest p-value of two samples of such sizes: one choice of all.
func rankSumFloor(n, m int) float64 {
	p := 1.0
	for i := 1; i <= n; i++ {
		p *= float64(i) / float64(m+i)
	}
	return p
}

func logs(vs []float64, sign float64) []float64 {
	out := make([]float64, len(vs))
	for i, v := range vs {
		out[i] = sign * math.Log(v)
	}
	return out
}

func hasZero(vs []float64) bool {
	for _, v := range vs {
		if v == 0 {
			return true
		}
	}
	return false
}

// margin is the worsening that is accepted, on the scale of the differences.
func (c *Comparison) margin(j judge, base float64) float64 {
	switch {
	case j.tolerance != nil && !c.Unit.Timing():
		accepted := j.tolerance.of(base)
		if j.counted { // what varies is held to half of it, so that a rise of all of it is found
			accepted /= 2
		}
		if c.Absolute {
			return accepted
		}
		return math.Log1p(accepted / base)
	case c.Absolute && c.Unit.Name == "B/op":
		return bytesAbsolute
	case c.Absolute:
		return 0.5 // a count that is zero now and then: half a unit
	case c.Unit.Name == "B/op":
		return math.Log1p(math.Max(bytesRelative, bytesAbsolute/base))
	case c.Unit.Name == "allocs/op" && j.counted:
		return math.Log1p(math.Max(allocsRelative, allocsAbsolute/2/base))
	case c.Unit.Name == "allocs/op":
		return math.Log1p(allocsRelative)
	case c.Unit.Name == result.Statements:
		return math.Log1p(nearMargin)
	case c.Unit.Name == result.Instructions:
		return math.Log1p(instructionsMargin)
	}
	return math.Log1p(j.policy.Tolerance())
}

// showChange turns an oriented estimate and its interval into the change of head against base.
func (c *Comparison) showChange(sign, estimate float64, iv stats.Interval) {
	lo, hi := sign*iv.Lo, sign*iv.Hi
	if lo > hi {
		lo, hi = hi, lo
	}
	c.Change, c.Lo, c.Hi = sign*estimate, lo, hi
	if !c.Absolute {
		c.Change, c.Lo, c.Hi = math.Expm1(c.Change), math.Expm1(c.Lo), math.Expm1(c.Hi)
	}
}

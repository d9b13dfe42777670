package compare

import (
	"fmt"
	"math"

	"github.com/org/perfgate/internal/result"
	"github.com/org/perfgate/internal/stats"
)

// Times are judged in two stages (a screening test and a confirmation on fresh data, after the
// group-sequential designs of clinical trials, with the signed-rank test of Wilcoxon 1945 in both). The
// first only routes: it finds what is clearly unchanged and what is suspect, and fails nothing. The
// second measures suspects again on builds that are linked in another order each time, and only it says
// "regression": P(any false one) <= Alpha whatever the selection, because its data are fresh.
const (
	suspectP = 0.02  // of "not worse than the noise margin", to be suspect
	clearP   = 0.025 // of either limit of the tolerance, to be unchanged
	// minBuilds is the least number of re-linked builds of the second stage.
	minBuilds = 12
	// suiteShare is the share of Alpha that the suite-wide test has.
	suiteShare = 0.2
	// fixedMargin is the noise margin where builds cannot be linked in another order: layout
	// moves times by so much.
	fixedMargin = 0.02
	// Bounds of the number of pairs in a pass.
	fewestPairs, mostPairs = 12, 32
)

// FirstLook is the number of passes at which clearP and suspectP can first be reached.
const FirstLook = 6

// Noise is the margin that layout and chance may take without a word: a sixth of the effect.
func (p Policy) Noise() float64 { return p.Effect / 6 }

// ConfirmAlpha is the probability that any unchanged benchmark is said to be slower.
func (p Policy) ConfirmAlpha() float64 { return p.Alpha * (1 - suiteShare) }

// Builds is the number of re-linked builds that k suspects are measured on: three more than the
// exact test needs to reject at all.
func (p Policy) Builds(k int) int {
	return max(minBuilds, stats.MinPairs(max(k, 1), p.ConfirmAlpha())+3)
}

// Pairs is the number of pairs that a pass should have by the noise of the pairs so far: in the first
// stage so many that a few passes show the tolerance, in the second so many that all builds together
// show it for one of so many suspects with 95 % power.
func (p Policy) Pairs(base, head *result.Benchmark, suspects int) int {
	p = p.For(head.Key())
	b, h := base.Metric("sec/op"), head.Metric("sec/op")
	if b == nil || h == nil {
		return fewestPairs
	}
	noise := residuals(b.Samples, h.Samples)
	if len(noise) < fewestPairs {
		return fewestPairs
	}
	tolerance, margin := math.Log1p(p.Tolerance()), math.Log1p(p.Noise())
	sd := stats.RobustSD(noise)
	var n float64
	if suspects == 0 {
		const passesToShow, medianCost = 2, 1.2533 // sd of a normal sample's median over its mean's
		n = math.Pow(medianCost*sd*passesToShow/tolerance, 2)
	} else {
		z := 1.645 - stats.NormalQuantile(p.ConfirmAlpha()/float64(suspects))
		n = 1.2 * math.Pow(z*sd/(tolerance-margin), 2) / float64(p.Builds(suspects))
	}
	if !(n > fewestPairs) { // or NaN: times of zero have no ratio
		return fewestPairs
	}
	return int(math.Ceil(math.Min(mostPairs, n)))
}

// Screen routes a benchmark by its first stage; last says that there is no time for more passes.
func (p Policy) Screen(base, head *result.Benchmark, last bool) result.Route {
	j := judge{policy: p, against: AgainstBase, staged: true, screening: true}
	route := result.Settled
	for _, c := range j.benchmark(head.Key(), base, head) {
		if !c.test.active || !c.test.need || c.test.restates {
			continue
		}
		switch r := c.route(p, last); {
		case r == result.Suspect:
			return r
		case r == result.Undecided, r == result.Candidate && route == result.Settled:
			route = r
		}
	}
	return route
}

// route decides by the passes of the first stage.
func (c *Comparison) route(p Policy, last bool) result.Route {
	t := c.test
	worse, _, _ := stats.SignedRank(t.diffs, t.margin)
	_, better, _ := stats.SignedRank(t.diffs, -t.margin)
	estimate := stats.HodgesLehmann(t.diffs)
	switch {
	case worse <= suspectP, last && estimate > t.tolerance/2:
		return result.Suspect
	case better <= suspectP:
		return result.Candidate
	case c.clear(p, t.diffs) || last:
		return result.Settled
	}
	return result.Undecided
}

// clear reports whether the differences show that nothing beyond the tolerance changed, and a change
// of the effect would have been seen.
func (c *Comparison) clear(p Policy, d []float64) bool {
	_, upper, _ := stats.SignedRank(d, c.test.tolerance)
	lower, _, _ := stats.SignedRank(d, -c.test.tolerance)
	return upper <= clearP && lower <= clearP && c.detectable(p, d, 1) <= c.test.effect
}

// detectable is the smallest worsening that the second stage would have found with the noise of d, for
// one of k suspects.
func (c *Comparison) detectable(p Policy, d []float64, k int) float64 {
	return stats.Detectable(stats.RobustSD(d), p.Builds(k), c.test.margin, p.ConfirmAlpha()/float64(k), power)
}

// byPasses prepares the judging of two sides that took turns in passes.
func (c *Comparison) byPasses(j judge, b, h *result.Metric) {
	bv, hv := b.Values(), h.Values()
	sign, difference := c.scale(bv, hv)
	if difference == nil {
		return
	}
	t := test{active: true, staged: true, need: c.Gated, diffs: medians(passes(b.Samples, h.Samples, difference)), fresh: medians(passes(b.Confirm, h.Confirm, difference))}
	t.tolerance = c.margin(j.policy, stats.Median(bv))
	t.margin, t.effect = t.tolerance/4, t.tolerance*3/2 // as of the effect's, see Policy
	if c.Unit.Timing() {
		t.margin, t.effect = math.Log1p(j.policy.Noise()), math.Log1p(j.policy.Effect)
		if j.fixedLayout {
			t.margin = max(t.margin, math.Log1p(fixedMargin))
		}
	}
	c.Passes, c.Builds = len(t.diffs), len(t.fresh)
	shown := t.diffs
	if c.Builds > 0 {
		shown = t.fresh
		t.worse, _, _ = stats.SignedRank(t.fresh, t.margin)
		_, t.better, _ = stats.SignedRank(t.fresh, -t.margin)
		t.floor = math.Ldexp(1, -c.Builds)
	}
	c.test = t
	c.showChange(sign, stats.HodgesLehmann(shown), stats.SignedRankInterval(shown, j.policy.Confidence))
}

// scale chooses how pairs of such values differ: positive is worse for sign 1, a difference where there
// are zeros, else the logarithm of the ratio. It decides the comparison and returns no difference where
// times are zero.
func (c *Comparison) scale(bv, hv []float64) (sign float64, difference func(b, h float64) float64) {
	c.Absolute = hasZero(bv) || hasZero(hv)
	if c.Absolute && c.Unit.Timing() {
		c.as(Inconclusive, c.Gated, "a time of zero: the benchmark is below the clock's resolution")
		return 0, nil
	}
	if sign = c.Unit.Better.Sign(); sign == 0 {
		sign = 1
	}
	if c.Absolute {
		return sign, func(b, h float64) float64 { return sign * (h - b) }
	}
	return sign, logRatio(sign)
}

func logRatio(sign float64) func(b, h float64) float64 {
	return func(b, h float64) float64 { return sign * math.Log(h/b) }
}

// passes returns the differences of the pairs that both sides have, pass by pass.
func passes(b, h []result.Sample, difference func(b, h float64) float64) [][]float64 {
	at := make(map[int]float64, len(b))
	for _, s := range b {
		at[s.Pair] = s.Value
	}
	var out [][]float64
	last := -1
	for _, s := range h {
		v, ok := at[s.Pair]
		if !ok {
			continue
		}
		if s.Pass != last || out == nil {
			out, last = append(out, nil), s.Pass
		}
		out[len(out)-1] = append(out[len(out)-1], difference(v, s.Value))
	}
	return out
}

func medians(passes [][]float64) []float64 {
	out := make([]float64, len(passes))
	for i, p := range passes {
		out[i] = stats.Median(p)
	}
	return out
}

// settleStaged decides a comparison whose passes were screened, and confirmed beside k-1 others where
// it has builds.
func (c *Comparison) settleStaged(p Policy, worse, better float64, k int) {
	t := c.test
	d := t.diffs
	if c.Builds > 0 {
		c.P, d = worse, t.fresh
	}
	c.MDE = c.detectable(p, d, max(1, k))
	if !c.Absolute {
		c.MDE = math.Expm1(c.MDE)
	}
	switch {
	case c.Unit.Better == result.Unknown:
		c.Verdict = Incomparable
	case c.Builds == 0:
		c.settleScreened(p)
	case !t.need: // it came with its benchmark, and has no part in the error probability
		c.Verdict = Inconclusive
		if c.clear(p, d) {
			c.Verdict = Unchanged
		}
	case float64(k)*t.floor > p.ConfirmAlpha():
		c.Verdict = Inconclusive
		c.note("seemed changed by %s; the budget ended after %d of the %d re-linked builds that confirm %d such metrics", c.percent(t.diffs), c.Builds, p.Builds(k), k)
	case worse <= p.ConfirmAlpha():
		c.Verdict = Regression
	case better <= p.Alpha:
		c.Verdict = Improvement
	default:
		c.Verdict = Inconclusive
		if c.clear(p, t.fresh) {
			c.Verdict = Unchanged
		}
		if route := c.route(p, true); route == result.Suspect || route == result.Candidate {
			c.note("%s in the first stage, %s on re-linked builds", c.percent(t.diffs), c.percent(t.fresh))
		}
	}
}

// settleScreened decides what has no second stage.
func (c *Comparison) settleScreened(p Policy) {
	c.Verdict = Inconclusive
	route := c.route(p, true)
	switch {
	case c.Passes < FirstLook:
		c.note("%d passes; the first look needs %d: raise --budget", c.Passes, FirstLook)
	case route == result.Suspect && c.test.need:
		c.note("seems slower; the budget ended before that could be confirmed on re-linked builds")
	case route == result.Candidate && c.test.need:
		c.note("seems faster; the budget ended before that could be confirmed on re-linked builds")
	case c.clear(p, c.test.diffs):
		c.Verdict = Unchanged
	}
}

// percent writes the estimate of differences for a note.
func (c *Comparison) percent(d []float64) string {
	v := stats.HodgesLehmann(d)
	if c.Unit.Better == result.Higher {
		v = -v
	}
	if c.Absolute {
		return fmt.Sprintf("%+.3g", v)
	}
	return fmt.Sprintf("%+.1f%%", 100*math.Expm1(v))
}

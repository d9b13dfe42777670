package compare

import (
	"fmt"
	"math"
	"slices"

	"github.com/dustin/go-humanize/english"

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
	// minBuilds is the least number of re-linked builds of the second stage: the test survives one
	// that the machine tore apart, as it would not with 12.
	minBuilds = 16
	// suiteShare is the share of Alpha that the suite-wide test has.
	suiteShare = 0.2
	// fixedMargin is the noise margin where builds cannot be linked in another order: layout
	// moves times by so much.
	fixedMargin = 0.02
	// mostPairs is the most pairs that a pass should have.
	mostPairs = 192
	// fewestDeviations is the least number of pairs that their noise is known by.
	fewestDeviations = 12
	// leastBetween is the standard deviation of processes that is reckoned with before it is known.
	leastBetween = 0.01
	// mostPerBuild is the most passes on a build.
	mostPerBuild = 8
	// fewestPerBuild is the least: to link a build takes longer than these passes.
	fewestPerBuild = 3
	// longScreen is the number of passes from which on what is still undecided is so because the
	// pairs of its passes are too few for their noise.
	longScreen = 24
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

// Pairs is the number of pairs that a pass should have, the least that it may have or more, where its beginning costs
// as much as so many: the balance of Kalibera and Jones, "Rigorous benchmarking in reasonable time" (2013), which makes
// the most of the machine's time from the noise within passes and between them.
func (p Policy) Pairs(base, head *result.Benchmark, least int, begin float64) int {
	b, h := base.Metric("sec/op"), head.Metric("sec/op")
	if b == nil || h == nil || !(begin > 0) {
		return least
	}
	noise, values := residuals(b.Samples, h.Samples), medians(passes(b.Samples, h.Samples, logRatio(1)))
	if len(noise) < fewestDeviations {
		return least
	}
	const medianVar = math.Pi / 2 // of a normal sample's median, by its mean's
	within := medianVar * square(stats.RobustSD(noise))
	between := square(leastBetween)
	if len(values) >= FirstLook {
		pairs := float64(len(noise)) / float64(len(values))
		between = max(between, square(stats.RobustSD(values))-within/pairs)
	}
	if len(values) >= longScreen {
		least *= 2
	}
	n := math.Sqrt(begin * within / between)
	if !(n > float64(least)) { // or NaN: times of zero have no ratio
		return least
	}
	return int(math.Ceil(math.Min(max(mostPairs, float64(least)), n)))
}

func square(x float64) float64 { return x * x }

// Passes is the number of passes on each build with which the second stage would find the effect, or half of the
// change that the first one saw where that is larger, in one of k suspects, by the noise of the passes so far.
func (p Policy) Passes(base, head *result.Benchmark, suspects int) int {
	n := fewestPerBuild
	for _, c := range p.screened(base, head) {
		if len(c.test.diffs) >= FirstLook {
			n = max(n, c.perBuild(p, c.test.diffs, c.sought(), suspects))
		}
	}
	return n
}

// screened are the metrics of a benchmark that its passes decide on.
func (p Policy) screened(base, head *result.Benchmark) []*Comparison {
	j := judge{policy: p, against: AgainstBase, staged: true, screening: true}
	return slices.DeleteFunc(j.benchmark(head.Key(), base, head), func(c *Comparison) bool {
		return !c.test.active || !c.test.staged || !c.test.need || c.test.restates
	})
}

// Screen routes a benchmark by its first stage; last says that there is no time for more passes.
func (p Policy) Screen(base, head *result.Benchmark, last bool) result.Route {
	route := result.Settled
	for _, c := range p.screened(base, head) {
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
	worse, _ := tails(t.passes, t.margin)
	_, better := tails(t.passes, -t.margin)
	estimate := stats.HodgesLehmann(t.diffs)
	switch {
	case worse <= suspectP, last && estimate > t.tolerance/2:
		return result.Suspect
	case better <= suspectP:
		return result.Candidate
	case c.clear(p, t.passes, mostPerBuild) || last:
		return result.Settled
	}
	return result.Undecided
}

// clear reports whether the differences of passes show that nothing beyond the tolerance changed, and a change
// of the effect would be found with at most so many passes on a build.
func (c *Comparison) clear(p Policy, passes [][]float64, perBuild int) bool {
	_, upper := tails(passes, c.test.tolerance)
	lower, _ := tails(passes, -c.test.tolerance)
	return upper <= clearP && lower <= clearP && c.detectable(p, medians(passes), perBuild, 1) <= c.test.effect
}

// detectable is the smallest worsening that the second stage would have found with values as noisy as
// d, so many passes together on each build, for one of k suspects.
func (c *Comparison) detectable(p Policy, d []float64, perBuild, k int) float64 {
	sd := stats.RobustSD(d) / math.Sqrt(float64(perBuild))
	return stats.Detectable(sd, p.Builds(k), c.test.margin, p.ConfirmAlpha()/float64(k), power)
}

// perBuild is the number of passes as noisy as d on each build with which the second stage would find
// such an effect, or the most that there can be.
func (c *Comparison) perBuild(p Policy, d []float64, effect float64, k int) int {
	n := 1
	for n < mostPerBuild && c.detectable(p, d, n, k) > effect {
		n++
	}
	return n
}

// sought is what the second stage has to find: the effect, or half of the change that the first one saw.
func (c *Comparison) sought() float64 {
	return max(c.test.effect, math.Abs(stats.HodgesLehmann(c.test.diffs))/2)
}

// byPasses prepares the judging of two sides that took turns in passes.
func (c *Comparison) byPasses(j judge, b, h *result.Metric) {
	bv, hv := b.Values(), h.Values()
	sign, difference := c.scale(bv, hv)
	if difference == nil {
		return
	}
	c.stages(j, passes(b.Samples, h.Samples, difference), passes(b.Confirm, h.Confirm, difference), stats.Median(bv))
	switch {
	case j.screening: // nobody reads it
	case c.Builds > 0:
		c.showChange(sign, stats.HodgesLehmann(c.test.fresh), stats.SignedRankInterval(c.test.fresh, j.policy.Confidence))
	default:
		estimate, iv := located(c.test.passes, j.policy.Confidence)
		c.showChange(sign, estimate, iv)
	}
}

// stages prepares the test of the passes of both stages, about a typical value of base.
func (c *Comparison) stages(j judge, screened, confirmed [][]float64, typical float64) {
	t := test{active: true, staged: true, interrupted: j.interrupted, need: c.Gated, passes: screened, builds: confirmed, diffs: medians(screened), fresh: medians(confirmed)}
	t.tolerance = c.margin(j, typical)
	t.margin, t.effect = t.tolerance/4, t.tolerance*3/2 // as of the effect's, see Policy
	if c.Unit.Timing() {
		t.margin, t.effect = math.Log1p(j.policy.Noise()), math.Log1p(j.policy.Effect)
		if j.fixedLayout {
			t.margin = max(t.margin, math.Log1p(fixedMargin))
		}
	}
	c.Passes, c.Builds = len(t.diffs), len(t.fresh)
	if c.Builds > 0 {
		t.worse, _, _ = stats.SignedRank(t.fresh, t.margin)
		_, t.better, _ = stats.SignedRank(t.fresh, -t.margin)
		t.floor = math.Ldexp(1, -c.Builds)
	}
	c.test = t
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
	k = max(1, k)
	c.MDE = c.detectable(p, t.diffs, c.perBuild(p, t.diffs, t.effect, k), k)
	if c.Passes < FirstLook && c.Builds == 0 { // so few do not even tell how noisy they are
		c.MDE = math.Inf(1)
	}
	if c.Builds > 0 {
		c.P = worse
		if m := stats.MDE(t.fresh, t.margin, p.ConfirmAlpha()/float64(k), power); !math.IsInf(m, 1) {
			c.MDE = m
		}
	}
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
		if c.clear(p, t.builds, 1) {
			c.Verdict = Unchanged
		}
	case float64(k)*t.floor > p.ConfirmAlpha():
		c.Verdict = Inconclusive
		c.note("seemed changed by %s; %s after %d of the %d %s that confirm %s", c.percent(t.diffs), t.end(), c.Builds, p.Builds(k), c.again(), english.Plural(k, "such metric", ""))
	case worse <= p.ConfirmAlpha():
		c.Verdict = Regression
	case better <= p.Alpha:
		c.Verdict = Improvement
	default:
		c.Verdict = Inconclusive
		if c.clear(p, t.builds, 1) {
			c.Verdict = Unchanged
		}
		if route := c.route(p, true); route == result.Suspect || route == result.Candidate {
			c.note("%s in the first stage, %s on %s", c.percent(t.diffs), c.percent(t.fresh), c.again())
		}
	}
}

// settleScreened decides what has no second stage.
func (c *Comparison) settleScreened(p Policy) {
	c.Verdict = Inconclusive
	route := c.route(p, true)
	switch {
	case c.Passes < FirstLook:
		c.note("%s; the first look needs %d: %s", english.Plural(c.Passes, "pass", ""), FirstLook, c.test.more())
	case route == result.Suspect && c.test.need:
		c.note("seems slower; %s before that could be confirmed on %s", c.test.end(), c.again())
	case route == result.Candidate && c.test.need:
		c.note("seems faster; %s before that could be confirmed on %s", c.test.end(), c.again())
	case c.clear(p, c.test.passes, mostPerBuild):
		c.Verdict = Unchanged
	}
}

// end says what ended the passes before all were taken.
func (t test) end() string {
	if t.interrupted {
		return "the run was interrupted"
	}
	return "the budget ended"
}

// more says how one gets what the test lacks.
func (t test) more() string {
	switch {
	case t.interrupted:
		return t.end()
	case t.staged, t.counted:
		return "raise --budget"
	}
	return "take more samples"
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

// again is what the second stage measures on.
func (c *Comparison) again() string {
	if c.fixed {
		return "fresh samples of the same builds"
	}
	return "re-linked builds"
}

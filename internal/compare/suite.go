package compare

import (
	"math"
	"slices"

	"github.com/org/perfgate/internal/result"
	"github.com/org/perfgate/internal/stats"
)

// Shift is the change that the benchmarks have in common: a slowdown of 1.5 % of all of them shows here
// and in no single row.
type Shift struct {
	// Change is the estimate of (head-base)/base with its interval [Lo, Hi], over so many
	// benchmarks.
	Change, Lo, Hi float64
	Benchmarks     int
	// Passes were judged in the first stage, Builds in the second.
	Passes, Builds int
	// P is the p-value of "not worse than half the noise margin" over the builds, NaN without them.
	P       float64
	Verdict Verdict
}

// suiteLeast is the number of benchmarks without which there is no suite to speak of.
const suiteLeast = 5

// ScreenSuite says whether all benchmarks together seem slower, so that all should be measured again.
func (p Policy) ScreenSuite(base, head *result.Set) result.Route {
	s := p.suite(base, head)
	if s == nil || s.Passes < FirstLook {
		return result.Settled
	}
	worse, _, _ := stats.SignedRank(s.screen, p.suiteMargin())
	if worse <= suspectP {
		return result.Suspect
	}
	return result.Settled
}

// suiteMargin is half the noise margin: what all benchmarks share has no layout in it.
func (p Policy) suiteMargin() float64 { return math.Log1p(p.Noise() / 2) }

// blocks are the common shifts of a suite's benchmarks, pass by pass and build by build.
type blocks struct {
	Shift
	screen, confirm []float64
}

// suite collects the common shifts of what is not ignored. It is nil without enough benchmarks.
func (p Policy) suite(base, head *result.Set) *blocks {
	index := base.Index()
	var screens, confirms [][]float64
	for _, h := range head.Benchmarks {
		b := index[h.Key()]
		if b == nil || b.Metric("sec/op") == nil || h.Metric("sec/op") == nil || p.termsOf(h.Key(), "sec/op").ignore {
			continue
		}
		bm, hm := b.Metric("sec/op"), h.Metric("sec/op")
		first := medians(passes(bm.Samples, hm.Samples, logRatio(1)))
		if len(first) < FirstLook || slices.ContainsFunc(first, math.IsNaN) { // times of zero have no ratio
			continue
		}
		screens = append(screens, first[:FirstLook])
		if fresh := medians(passes(bm.Confirm, hm.Confirm, logRatio(1))); len(fresh) > 0 {
			confirms = append(confirms, fresh)
		}
	}
	if len(screens) < suiteLeast {
		return nil
	}
	s := &blocks{screen: common(screens)}
	s.Benchmarks, s.Passes, s.P = len(screens), len(s.screen), math.NaN()
	if len(confirms) == len(screens) { // else they are the suspects, not the suite
		s.confirm = common(confirms)
		s.Builds = len(s.confirm)
	}
	return s
}

// common is the Hodges-Lehmann estimate over the benchmarks, value by value.
func common(benchmarks [][]float64) []float64 {
	n := len(benchmarks[0])
	for _, b := range benchmarks {
		n = min(n, len(b))
	}
	out := make([]float64, n)
	at := make([]float64, len(benchmarks))
	for i := range out {
		for j, b := range benchmarks {
			at[j] = b[i]
		}
		out[i] = stats.HodgesLehmann(at)
	}
	return out
}

// judgeSuite judges the common shift. It fails the gate only on fresh data of re-linked builds.
func (p Policy) judgeSuite(base, head *result.Set) *Shift {
	s := p.suite(base, head)
	if s == nil {
		return nil
	}
	d := s.screen
	s.Verdict = Unchanged
	if p.ScreenSuite(base, head) == result.Suspect {
		s.Verdict = Inconclusive
	}
	if s.Builds > 0 {
		d = s.confirm
		var better float64
		s.P, _, _ = stats.SignedRank(d, p.suiteMargin())
		_, better, _ = stats.SignedRank(d, -p.suiteMargin())
		switch alpha := p.Alpha * suiteShare; {
		case s.P <= alpha:
			s.Verdict = Regression
		case better <= alpha:
			s.Verdict = Improvement
		case s.Verdict == Inconclusive && math.Ldexp(1, -s.Builds) <= alpha:
			s.Verdict = Unchanged
		}
	}
	iv := stats.SignedRankInterval(d, p.Confidence)
	s.Change, s.Lo, s.Hi = math.Expm1(stats.HodgesLehmann(d)), math.Expm1(iv.Lo), math.Expm1(iv.Hi)
	return &s.Shift
}

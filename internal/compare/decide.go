package compare

import (
	"math"

	"github.com/dustin/go-humanize/english"

	"github.com/org/perfgate/internal/result"
	"github.com/org/perfgate/internal/stats"
)

// decide gives a verdict to every comparison that rests on a test. The judged ones share the error
// probability by Holm's procedure, in the staged way those that came to the second stage; improvements
// are a family of their own.
func (o *Outcome) decide(p Policy) {
	var plain, confirmed []*Comparison
	var counted []*Comparison // near-exact, which need no second stage
	var others []*Comparison  // without a part in the error probability
	for _, c := range o.Comparisons {
		switch t := c.test; {
		case !t.active || t.restates:
		case t.need && t.counted:
			counted = append(counted, c)
		case t.need && !c.staged():
			plain = append(plain, c)
		case t.need && c.Builds > 0:
			confirmed = append(confirmed, c)
		case c.staged():
			others = append(others, c)
			if t.need {
				o.Tests++
			}
		default:
			c.settle(p, math.NaN(), math.NaN(), 1)
		}
	}
	family := append(confirmed, counted...)
	o.Tests += len(plain) + len(family)
	o.Confirmed = len(confirmed)
	byHolm(plain, func(c *Comparison, worse, better float64) { c.settle(p, worse, better, len(plain)) })
	shared := p
	shared.Alpha = p.ConfirmAlpha()
	byHolm(family, func(c *Comparison, worse, better float64) {
		if c.test.counted {
			c.settle(shared, worse, better, len(family))
		} else {
			c.settleStaged(p, worse, better, len(family))
		}
	})
	for _, c := range others {
		c.settleStaged(p, math.NaN(), math.NaN(), max(1, len(confirmed)))
	}
	o.followRestated()
}

// staged reports whether c's samples were taken in passes.
func (c *Comparison) staged() bool { return c.test.staged }

// byHolm hands each comparison its p-values, adjusted over all of them.
func byHolm(cs []*Comparison, settle func(c *Comparison, worse, better float64)) {
	worse, better := make([]float64, len(cs)), make([]float64, len(cs))
	for i, c := range cs {
		worse[i], better[i] = c.test.worse, c.test.better
	}
	worse, better = stats.Holm(worse), stats.Holm(better)
	for i, c := range cs {
		settle(c, worse[i], better[i])
	}
}

// settle decides one comparison, one of m that share the error probability.
func (c *Comparison) settle(p Policy, worse, better float64, m int) {
	t := c.test
	c.P = worse
	c.setMDE(p, m)
	switch {
	case c.Unit.Better == result.Unknown:
		c.Verdict = Incomparable
	case t.counted && t.within(): // its passes end with that
		c.Verdict = Unchanged
	case float64(m)*t.floor > p.Alpha && t.diffs == nil:
		c.Verdict = Inconclusive
		c.note("%d and %d samples; the test needs more to reject at all", c.Base.N, c.Head.N)
	case float64(m)*t.floor > p.Alpha:
		c.Verdict = Inconclusive
		c.note("%s; the test needs %d to reject at all: %s", english.Plural(c.Pairs, "pair", ""), p.needPairs(m), t.more())
	case worse <= p.Alpha:
		c.Verdict = Regression
	case better <= p.Alpha:
		c.Verdict = Improvement
	case t.within():
		c.Verdict = Unchanged
	default:
		c.Verdict = Inconclusive
	}
}

// within reports whether the interval excludes a change beyond the margin.
func (t test) within() bool { return t.interval.Lo > -t.margin && t.interval.Hi < t.margin }

// setMDE computes the smallest worsening that the comparison would have detected.
func (c *Comparison) setMDE(p Policy, m int) {
	if c.test.diffs == nil {
		return
	}
	n := len(c.test.diffs)
	if c.test.counted && c.test.within() { // what is worse is not let go so soon
		n = max(n, p.Builds(m))
	}
	c.MDE = stats.Detectable(stats.RobustSD(c.test.diffs), n, c.test.margin, p.Alpha/float64(max(m, 1)), power)
	if !c.Absolute {
		c.MDE = math.Expm1(c.MDE)
	}
}

// restated is the share by which B/s times sec/op may vary when the one only restates the other:
// both are printed with few digits.
const restated = 0.02

// markRestating finds a B/s row that only restates sec/op. It is shown, follows that row's verdict
// and takes no part of the error probability.
func markRestating(rows []*Comparison, b, h *result.Benchmark) {
	var rate *Comparison
	for _, c := range rows {
		if c.Unit.Name == "B/s" && c.test.active {
			rate = c
		}
	}
	if rate == nil {
		return
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, side := range []*result.Benchmark{b, h} {
		t, r := side.Metric("sec/op"), side.Metric("B/s")
		if t == nil || r == nil {
			return
		}
		ts, rs := t.Values(), r.Values()
		if len(ts) != len(rs) {
			return
		}
		for i := range ts {
			bytes := ts[i] * rs[i]
			lo, hi = math.Min(lo, bytes), math.Max(hi, bytes)
		}
	}
	if lo > 0 && hi <= lo*(1+restated) {
		rate.Gated = false
		rate.test.restates = true
	}
}

// followRestated gives each restating row the verdict of its benchmark's sec/op.
func (o *Outcome) followRestated() {
	type row struct {
		key     result.Key
		against Reference
	}
	times := map[row]Verdict{}
	for _, c := range o.Comparisons {
		if c.Unit.Name == "sec/op" {
			times[row{c.Key, c.Against}] = c.Verdict
		}
	}
	for _, c := range o.Comparisons {
		if c.test.restates {
			c.Verdict = times[row{c.Key, c.Against}]
			c.note("restates sec/op and follows its verdict")
		}
	}
}

package compare

import (
	"math"

	"github.com/org/perfgate/internal/result"
	"github.com/org/perfgate/internal/stats"
)

// decide gives a verdict to every comparison that rests on a test. The judged ones share the error
// probability by Holm's procedure; improvements are a family of their own.
func (o *Outcome) decide(p Policy) {
	var tested []*Comparison
	var worse, better []float64
	for _, c := range o.Comparisons {
		if !c.test.active || c.test.restates {
			continue
		}
		if !c.test.need {
			c.settle(p, math.NaN(), math.NaN(), 1)
			continue
		}
		tested = append(tested, c)
		worse, better = append(worse, c.test.worse), append(better, c.test.better)
	}
	o.Tests = len(tested)
	worse, better = stats.Holm(worse), stats.Holm(better)
	for i, c := range tested {
		c.settle(p, worse[i], better[i], o.Tests)
	}
	o.followRestated()
}

// settle decides one comparison, one of m that share the error probability.
func (c *Comparison) settle(p Policy, worse, better float64, m int) {
	t := c.test
	c.P = worse
	c.setMDE(p, m)
	within := t.interval.Lo > -t.margin && t.interval.Hi < t.margin
	switch {
	case c.Unit.Better == result.Unknown:
		c.Verdict = Incomparable
	case float64(m)*t.floor > p.Alpha && t.diffs == nil:
		c.Verdict = Inconclusive
		c.note("%d and %d samples; the test needs more to reject at all", c.Base.N, c.Head.N)
	case float64(m)*t.floor > p.Alpha:
		c.Verdict = Inconclusive
		c.note("%d pairs; the test needs %d to reject at all: raise --budget", c.Pairs, p.NeedPairs(m))
	case worse <= p.Alpha:
		c.Verdict = Regression
	case better <= p.Alpha:
		c.Verdict = Improvement
	case within:
		c.Verdict = Unchanged
	default:
		c.Verdict = Inconclusive
	}
}

// setMDE computes the smallest worsening that the comparison would have detected.
func (c *Comparison) setMDE(p Policy, m int) {
	if c.test.diffs == nil {
		return
	}
	c.MDE = stats.MDE(c.test.diffs, c.test.margin, p.Alpha/float64(max(m, 1)), power)
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
		if t == nil || r == nil || len(t.Samples) != len(r.Samples) {
			return
		}
		for i := range t.Samples {
			bytes := t.Samples[i].Value * r.Samples[i].Value
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

package compare

import (
	"fmt"
	"math"
	"slices"

	"golang.org/x/perf/benchmath"

	"github.com/org/perfgate/internal/result"
)

// Budget is a limit on a metric of some benchmarks, whatever base has.
type Budget struct {
	Subject
	// Max and Min are the limits, in the metric's unit; nil for none.
	Max *float64 `json:"max,omitempty"`
	Min *float64 `json:"min,omitempty"`
	// RelativeTo names another benchmark of the same package, where $1 stands for what the first
	// parentheses of Benchmark matched. The limits are then on the ratio to it.
	RelativeTo string `json:"relative_to,omitempty"`
}

// BudgetVerdict is what a budget came to.
type BudgetVerdict string

// The verdicts on budgets, the worst first.
const (
	BudgetBroken     BudgetVerdict = "broken"
	BudgetUnclear    BudgetVerdict = "unclear" // the limit lies within the interval of the estimate
	BudgetUnmeasured BudgetVerdict = "unmeasured"
	BudgetKept       BudgetVerdict = "kept"
)

// BudgetCheck is one budget of one benchmark.
type BudgetCheck struct {
	Budget Budget
	// Key is empty where the budget names no benchmark.
	Key  result.Key
	Unit result.Unit
	// Value is head's, or the ratio.
	Value   Summary
	Verdict BudgetVerdict
	// Headroom is what is left to the nearer limit, as a share of it; NaN where nothing was measured.
	Headroom float64
	// Loose says that the limit is so far away that it cannot catch much.
	Loose bool
	Note  string
}

// loose is the factor between a value and its limit from which on the limit is said to be loose.
const loose = 5

// CheckBudgets holds head to the budgets.
func (p Policy) CheckBudgets(head *result.Set) []*BudgetCheck {
	var out []*BudgetCheck
	index, measured := head.Index(), unitsIn(head)
	for _, b := range p.Budgets {
		n := len(out)
		for _, h := range head.Benchmarks {
			if b.Names(h.Key()) {
				out = append(out, p.checkBudget(b, h, index, measured))
			}
		}
		if len(out) == n {
			c := &BudgetCheck{Budget: b, Unit: result.UnitOf(b.Metric), Verdict: BudgetBroken, Headroom: math.NaN(), Note: "no benchmark has such a name"}
			if p.Selected {
				c.Verdict, c.Note = BudgetUnmeasured, "none of the chosen benchmarks has such a name"
			}
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b *BudgetCheck) int { return budgetRank(a) - budgetRank(b) })
	return out
}

func budgetRank(c *BudgetCheck) int {
	return slices.Index([]BudgetVerdict{BudgetBroken, BudgetUnclear, BudgetUnmeasured, BudgetKept}, c.Verdict)
}

func (p Policy) checkBudget(b Budget, h *result.Benchmark, index map[result.Key]*result.Benchmark, measured map[string]bool) *BudgetCheck {
	c := &BudgetCheck{Budget: b, Key: h.Key(), Unit: result.UnitOf(b.Metric), Headroom: math.NaN()}
	values, exact, why := valuesFor(b, h, index)
	if why != "" {
		c.Verdict, c.Note = BudgetUnmeasured, why
		if missing := h.Metric(b.Metric) == nil && h.Passes() > 0 && !unasked(b.Metric, measured) && !(h.Untimed != "" && b.Unit().Timing()); missing {
			c.Verdict = BudgetBroken
		}
		return c
	}
	if c.Unit.Leak() && b.RelativeTo == "" {
		if c.Value = slope(h.Metric(b.Metric), p.Confidence); c.Value.N == 0 {
			c.Verdict, c.Note = BudgetUnmeasured, "its readings have no slope"
			return c
		}
		if c.hold(); c.Verdict == BudgetBroken {
			c.Note = site(h, b.Metric)
		}
		return c
	}
	c.Value = summarize(benchmath.NewSample(values, &benchmath.DefaultThresholds), p.Confidence)
	if exact {
		c.Value.Lo, c.Value.Hi = c.Value.Center, c.Value.Center
	}
	c.hold()
	return c
}

// hold compares the value with the limits. Only what lies beyond one with its whole interval breaks it.
func (c *BudgetCheck) hold() {
	c.Verdict, c.Headroom = BudgetKept, math.Inf(1)
	v := c.Value
	limit := func(limit *float64, room float64, broken, beyond, far bool) {
		if limit == nil {
			return
		}
		switch {
		case broken:
			c.Verdict = BudgetBroken
		case beyond && c.Verdict != BudgetBroken:
			c.Verdict = BudgetUnclear
		}
		if room != 0 { // of a limit of zero nothing is a share, and any distance is infinite
			room /= math.Abs(*limit)
		}
		if room < c.Headroom {
			c.Headroom, c.Loose = room, far
		}
	}
	if l := c.Budget.Max; l != nil {
		limit(l, *l-v.Center, v.Lo > *l, v.Center > *l, loose*v.Center < *l)
	}
	if l := c.Budget.Min; l != nil {
		limit(l, v.Center-*l, v.Hi < *l, v.Center < *l, *l > 0 && v.Center > loose**l)
	}
}

// valuesFor returns what a budget limits, a value a pass, and whether it is constant; or why there is
// nothing.
func valuesFor(b Budget, h *result.Benchmark, index map[result.Key]*result.Benchmark) (values []float64, exact bool, why string) {
	m := h.Metric(b.Metric)
	if m == nil {
		return nil, false, absent(b.Metric, h)
	}
	if b.RelativeTo == "" {
		values = m.Values()
		return values, !m.Unit.Timing() && constant(values), ""
	}
	key := h.Key()
	key.Name = b.other(key)
	other := index[key]
	if other == nil {
		return nil, false, fmt.Sprintf("no benchmark %s to compare with", key)
	}
	o := other.Metric(b.Metric)
	if o == nil {
		return nil, false, absent(b.Metric, other)
	}
	values, others := m.Values(), o.Values()
	exact = !m.Unit.Timing() && constant(values) && constant(others)
	values = values[:min(len(values), len(others))]
	for i := range values {
		values[i] /= others[i]
	}
	if slices.ContainsFunc(values, math.IsNaN) {
		return nil, false, "zero to zero has no ratio"
	}
	return values, exact, ""
}

// other is the name of the benchmark that the budget is relative to.
func (b Budget) other(k result.Key) string {
	re, name, at := b.match(k)
	return string(re.ExpandString(nil, b.RelativeTo, name, at))
}

// absent says why a benchmark has no such metric.
func absent(unit string, b *result.Benchmark) string {
	switch {
	case b.Status != result.OK:
		return fmt.Sprintf("%s: %s", b.Status, b.Message)
	case b.Same != "":
		return b.Same
	case b.Unmeasured != "":
		return b.Unmeasured
	case b.Untimed != "" && result.UnitOf(unit).Timing():
		return b.Untimed
	}
	return fmt.Sprintf("%s reports no %s", b.Key(), unit)
}

// Waiver lets a metric be worse than it was, up to a limit and a date.
type Waiver struct {
	Subject
	Max    *float64 `json:"max,omitempty"`
	Min    *float64 `json:"min,omitempty"`
	Reason string   `json:"reason"`
	// Expires is the last day on which it holds, in UTC, such as 2027-03-01.
	Expires string `json:"expires"`
}

// DateFormat is that of Waiver.Expires.
const DateFormat = "2006-01-02"

// WaiverState is what became of a waiver.
type WaiverState string

// The states of waivers.
const (
	WaiverExpired  WaiverState = "expired"
	WaiverExceeded WaiverState = "exceeded" // a regression goes beyond its limit
	WaiverUsed     WaiverState = "in use"
	WaiverUnused   WaiverState = "unused"
)

// WaiverCheck is a waiver and the regressions that it is about.
type WaiverCheck struct {
	Waiver Waiver
	State  WaiverState
	Rows   []*Comparison
}

// waive applies the waivers to the regressions, on the day of the run.
func (o *Outcome) waive(p Policy, today string) {
	for _, w := range p.Waivers {
		c := &WaiverCheck{Waiver: w, State: WaiverUnused}
		o.Waivers = append(o.Waivers, c)
		for _, row := range o.Comparisons {
			if row.Verdict != Regression || !row.Gated || !w.is(row.Key, row.Unit.Name) {
				continue
			}
			c.Rows = append(c.Rows, row)
			if w.allows(row.Head.Center) {
				row.Waived = row.Waived || today <= w.Expires
				c.State = WaiverUsed
			}
		}
		switch {
		case w.Expires < today:
			c.State = WaiverExpired
		case slices.ContainsFunc(c.Rows, func(r *Comparison) bool { return !r.Waived }):
			c.State = WaiverExceeded
		}
	}
}

func (w Waiver) allows(v float64) bool {
	return (w.Max == nil || v <= *w.Max) && (w.Min == nil || v >= *w.Min)
}

// require lists what the policy wants a verdict on and there is none.
func (o *Outcome) require(p Policy, head *result.Set) {
	type metric struct {
		key  result.Key
		unit string
	}
	open := map[metric]string{}
	settled := map[metric]bool{}
	for _, c := range o.Comparisons {
		if !p.termsOf(c.Key, c.Unit.Name).require || c.Unit.Info() {
			continue
		}
		at := metric{c.Key, c.Unit.Name}
		switch c.Verdict {
		case Inconclusive, Incomparable:
			open[at] = string(c.Verdict)
			if len(c.Notes) > 0 {
				open[at] += ": " + c.Notes[0]
			}
		default:
			settled[at] = true
		}
	}
	for _, c := range o.Comparisons {
		at := metric{c.Key, c.Unit.Name}
		if why, ok := open[at]; ok && !settled[at] {
			o.unmet("%s is required and %s", nameOf(c.Key.String(), c.Unit.Name), why)
			delete(open, at)
		}
	}
	for _, r := range p.Overrides {
		if r.Require == nil || !*r.Require {
			continue
		}
		found := false
		for _, h := range head.Benchmarks {
			if !r.Names(h.Key()) {
				continue
			}
			found = true
			if r.Metric != "" && h.Metric(r.Metric) == nil && h.Same == "" && p.termsOf(h.Key(), r.Metric).require {
				o.unmet("%s is required: %s", nameOf(h.Key().String(), r.Metric), absent(r.Metric, h))
			}
		}
		if !found && !p.Selected {
			o.unmet("%s is required: no benchmark has such a name", nameOf(r.Benchmark, r.Metric))
		}
	}
}

// nameOf names a metric of a benchmark, or the benchmark.
func nameOf(benchmark, unit string) string {
	if unit == "" {
		return benchmark
	}
	return benchmark + " " + unit
}

func (o *Outcome) unmet(format string, args ...any) {
	o.Unmet = append(o.Unmet, fmt.Sprintf(format, args...))
}

// brokenContract reports whether a budget, a requirement or a waiver fails the gate.
func (o *Outcome) brokenContract(p Policy) bool {
	return len(o.Unmet) > 0 ||
		slices.ContainsFunc(o.Budgets, func(c *BudgetCheck) bool {
			return c.Verdict == BudgetBroken || p.Strict && c.Verdict != BudgetKept
		}) ||
		slices.ContainsFunc(o.Waivers, func(c *WaiverCheck) bool { return c.State == WaiverExpired })
}

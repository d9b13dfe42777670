package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/dustin/go-humanize/english"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/result"
)

// What the policy asks of head beyond the comparison: budgets, waivers, requirements.

// contract counts what of it fails the gate.
func contract(d *Document) (parts []string) {
	broken, expired := 0, 0
	for _, b := range d.Outcome.Budgets {
		if b.Verdict == compare.BudgetBroken {
			broken++
		}
	}
	for _, w := range d.Outcome.Waivers {
		if w.State == compare.WaiverExpired {
			expired++
		}
	}
	if broken > 0 {
		parts = append(parts, english.Plural(broken, "budget", "")+" broken")
	}
	if expired > 0 {
		parts = append(parts, english.Plural(expired, "waiver", "")+" expired")
	}
	if n := len(d.Outcome.Unmet); n > 0 {
		parts = append(parts, english.Plural(n, "requirement", "")+" not met")
	}
	return parts
}

// BudgetSentence says in one line what a budget came to, for an annotation.
func BudgetSentence(c *compare.BudgetCheck) string {
	text := fmt.Sprintf("%s %s: %s, the budget is %s", inert(budgetName(c, c.Key.String())), inert(c.Unit.Name), budgetValue(c), inert(limits(c.Budget)))
	if c.Note != "" {
		text += "; " + inert(c.Note)
	}
	return text
}

// WaiverSentence says in one line what a waiver allows, and what became of it.
func WaiverSentence(c *compare.WaiverCheck) string {
	w := c.Waiver
	b := compare.Budget{Subject: w.Subject, Max: w.Max, Min: w.Min}
	return inert(fmt.Sprintf("waiver %s: %s %s %s until %s: %s", c.State, w.Benchmark, w.Metric, limits(b), w.Expires, w.Reason))
}

// budgetName is the benchmark that a budget is about, or the expression that names none.
func budgetName(c *compare.BudgetCheck, name string) string {
	if c.Key == (result.Key{}) {
		return oneLine(c.Budget.Benchmark)
	}
	return name
}

func budgetValue(c *compare.BudgetCheck) string { return summary(c.Value, limitUnit(c.Budget)) }

// limitUnit is that of the limits: a ratio has none.
func limitUnit(b compare.Budget) result.Unit {
	if b.RelativeTo != "" {
		return result.Unit{}
	}
	return b.Unit()
}

// limits writes the limits of a budget.
func limits(b compare.Budget) string {
	var parts []string
	for _, l := range []struct {
		sign  string
		limit *float64
	}{{"≤", b.Max}, {"≥", b.Min}} {
		if l.limit != nil {
			parts = append(parts, l.sign+" "+value(*l.limit, limitUnit(b)))
		}
	}
	text := strings.Join(parts, ", ")
	if b.RelativeTo != "" {
		text += " × " + oneLine(b.RelativeTo)
	}
	return text
}

// headroom writes what is left to the limit.
func headroom(c *compare.BudgetCheck) string {
	if math.IsNaN(c.Headroom) || math.IsInf(c.Headroom, 0) {
		return "–"
	}
	return percent(c.Headroom)
}

// budgetNote is the remark on a budget.
func budgetNote(c *compare.BudgetCheck) string {
	switch {
	case c.Note != "":
		return c.Note
	case c.Verdict == compare.BudgetUnclear:
		return "the limit lies within the interval of the estimate"
	case c.Loose:
		return "more than 5 times away: it cannot catch much"
	}
	return ""
}

func (p *printer) contract(d *Document) {
	short := namesOf(d)
	if len(d.Outcome.Budgets) > 0 && p.err == nil {
		tw := tabwriter.NewWriter(p.w, 0, 0, 2, ' ', 0)
		t := &printer{w: tw}
		t.line("budget\tmetric\tlimit\thead\theadroom\t")
		for _, c := range d.Outcome.Budgets {
			verdict := string(c.Verdict)
			if c.Verdict == compare.BudgetBroken {
				verdict = strings.ToUpper(verdict)
			}
			if note := budgetNote(c); note != "" {
				verdict += ": " + note
			}
			t.line("%s\t%s\t%s\t%s\t%s\t%s", inert(budgetName(c, short.of(c.Key))), inert(c.Unit.Name), inert(limits(c.Budget)), budgetValue(c), headroom(c), inert(verdict))
		}
		if p.err = t.err; p.err == nil {
			p.err = tw.Flush()
		}
		p.line("")
	}
	for _, c := range d.Outcome.Waivers {
		p.line("%s", WaiverSentence(c))
	}
	for _, text := range d.Outcome.Unmet {
		p.line("%s", inert(text))
	}
}

func (m *markdown) contract() {
	o := m.d.Outcome
	budgets := worstFirst(o.Budgets, func(c *compare.BudgetCheck) bool { return c.Verdict == compare.BudgetBroken })
	m.budgetTable(budgets[:m.most(len(budgets))], m.short)
	m.more(len(budgets))
	expired := func(c *compare.WaiverCheck) bool { return c.State == compare.WaiverExpired }
	waivers := worstFirst(o.Waivers, expired)
	over, held := []string{}, []string{}
	for _, c := range waivers[:m.most(len(waivers))] {
		if expired(c) {
			over = append(over, WaiverSentence(c))
		} else {
			held = append(held, WaiverSentence(c))
		}
	}
	m.alert("CAUTION", over)
	m.alert("NOTE", held)
	m.more(len(waivers))
	m.alert("CAUTION", o.Unmet[:m.most(len(o.Unmet))])
	m.more(len(o.Unmet))
}

// worstFirst returns what fails the gate before the rest, each in its order: a report that must be short loses
// the end of a list.
func worstFirst[T any](all []T, fails func(T) bool) []T {
	return slices.SortedStableFunc(slices.Values(all), func(a, b T) int {
		switch fa, fb := fails(a), fails(b); {
		case fa && !fb:
			return -1
		case fb && !fa:
			return 1
		}
		return 0
	})
}

// budgetTable draws budgets in Markdown.
func (p *printer) budgetTable(checks []*compare.BudgetCheck, short names) {
	if len(checks) == 0 {
		return
	}
	p.line("| budget | metric | limit | head | headroom | verdict |")
	p.line("|---|---|--:|--:|--:|---|")
	for _, c := range checks {
		verdict := string(c.Verdict)
		if c.Verdict == compare.BudgetBroken {
			verdict = "**" + verdict + "**"
		}
		if note := budgetNote(c); note != "" {
			verdict += ": " + prose(note)
		}
		p.line("| %s | %s | %s | %s | %s | %s |", cell(code(budgetName(c, short.of(c.Key)))), cell(code(c.Unit.Name)),
			cell(prose(limits(c.Budget))), budgetValue(c), headroom(c), cell(verdict))
	}
	p.line("")
}

// The contract in the JSON report.
type jsonBudget struct {
	Suite      string                `json:"suite,omitempty"`
	Package    string                `json:"package,omitempty"`
	Benchmark  string                `json:"benchmark"`
	Unit       string                `json:"unit"`
	Max        *float64              `json:"max,omitempty"`
	Min        *float64              `json:"min,omitempty"`
	RelativeTo string                `json:"relative_to,omitempty"`
	Head       *jsonSummary          `json:"head,omitempty"`
	Headroom   *float64              `json:"headroom"`
	Loose      bool                  `json:"loose,omitempty"`
	Verdict    compare.BudgetVerdict `json:"verdict"`
	Note       string                `json:"note,omitempty"`
}

type jsonWaiver struct {
	compare.Waiver
	State compare.WaiverState `json:"state"`
}

func budgetJSON(c *compare.BudgetCheck) jsonBudget {
	name := c.Key.Name
	if c.Key == (result.Key{}) {
		name = c.Budget.Benchmark
	}
	return jsonBudget{Suite: c.Key.Suite, Package: c.Key.Package, Benchmark: name, Unit: c.Unit.Name, Max: c.Budget.Max, Min: c.Budget.Min,
		RelativeTo: c.Budget.RelativeTo, Head: summaryJSON(c.Value), Headroom: finite(c.Headroom), Loose: c.Loose, Verdict: c.Verdict, Note: c.Note}
}

package report

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/result"
)

// Sentence says in one line what a row came to, for an annotation.
func Sentence(c *compare.Comparison) string {
	text := Name(c.Key)
	if c.Unit.Name != "" {
		text += fmt.Sprintf(" %s: %s → %s, %s", inert(metricName(c)), side(c, c.Base), side(c, c.Head), change(c))
	}
	if len(c.Notes) > 0 {
		text += "; " + inert(c.Notes[0])
	}
	return text
}

// Name is a benchmark's name in a line for people or programs, with nothing in it that either could
// take for more than text.
func Name(k result.Key) string { return inert(k.String()) }

// Inert is a stranger's text in a line for people.
func Inert(s string) string { return inert(s) }

// MetricLine describes one stored metric: benchmark, unit, median and number of samples.
func MetricLine(b *result.Benchmark, m *result.Metric) []string {
	return []string{Name(b.Key()), inert(m.Unit.Name), summary(compare.Describe(m), m.Unit), plural(len(m.Samples), "sample")}
}

// Moves lists what a baseline's renewal changes: every metric whose median is another, old → new.
func Moves(w io.Writer, d *Document) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	p := &printer{w: tw}
	short := namesOf(d)
	for _, c := range d.Outcome.Comparisons {
		switch {
		case c.Unit.Name == "":
			p.line("%s\t\t%s", inert(short.of(c.Key)), c.Verdict)
		case !c.Unit.Info() && c.Base.N > 0 && c.Head.N > 0 && c.Base.Center != c.Head.Center:
			p.line("%s\t%s\t%s → %s\t%s", inert(short.of(c.Key)), inert(c.Unit.Name), value(c.Base.Center, c.Unit), value(c.Head.Center, c.Unit), estimate(c, c.Change))
		}
	}
	if p.err != nil {
		return p.err
	}
	return tw.Flush()
}

package report

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/dustin/go-humanize/english"

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

// Value writes a value of a unit with a prefix: 1.234ms, 1.500KiB, 3.
func Value(v float64, u result.Unit) string { return value(v, u) }

// MetricLine describes one stored metric: benchmark, unit, median, number of samples, and the level that it is
// held to where that is a better one.
func MetricLine(b *result.Benchmark, m *result.Metric) []string {
	line := []string{Name(b.Key()), inert(m.Unit.Name), summary(compare.Describe(m), m.Unit), english.Plural(len(m.Values()), "sample", "")}
	if l := m.Best; l != nil {
		line = append(line, inert(fmt.Sprintf("held to %s of %.12s, %s", value(l.Value, m.Unit), l.Commit, l.Date)))
	}
	return line
}

// Moves lists what a baseline's renewal changes: every metric whose median is another, old → new, or for an exact
// one the best level that the old baseline held it to.
func Moves(w io.Writer, d *Document) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	p := &printer{w: tw}
	short := namesOf(d)
	for _, c := range d.Outcome.Comparisons {
		switch {
		case c.Unit.Name == "":
			p.line("%s\t\t%s", inert(short.of(c.Key)), c.Verdict)
		case !c.Unit.Info() && c.Base.N > 0 && c.Head.N > 0 && c.Base.Center != c.Head.Center:
			line := fmt.Sprintf("%s\t%s\t%s → %s\t%s", inert(short.of(c.Key)), inert(c.Unit.Name), value(c.Base.Center, c.Unit), value(c.Head.Center, c.Unit), estimate(c, c.Change))
			if remark := accepted(c, short.heads[c.Key]); remark != "" {
				line += "\t" + remark
			}
			p.line("%s", line)
		}
	}
	if p.err != nil {
		return p.err
	}
	return tw.Flush()
}

// accepted says what a renewed baseline does about a rise: one beyond the tolerance is accepted with it, a
// smaller one is held to the level where it began.
func accepted(c *compare.Comparison, renewed *result.Benchmark) string {
	if m := renewed.Metric(c.Unit.Name); m != nil && m.Best != nil {
		return fmt.Sprintf("held to %s of %s", value(m.Best.Value, c.Unit), inert(m.Best.Date))
	}
	if c.Exact && c.Verdict == compare.Regression {
		return "a rise, accepted with this baseline"
	}
	return ""
}

package report

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/dustin/go-humanize/english"

	"github.com/org/perfgate/internal/compare"
)

// Text draws the document for a terminal: the verdict, what changed, the times of the rest. The
// other metrics that did not change are in the Markdown report.
func Text(w io.Writer, d *Document) error {
	p := &printer{w: w}
	ns := newNotes(d)
	rows := textRows(d)
	if len(rows) > 0 {
		p.table(d, rows, &ns)
		p.line("")
	}
	for i, n := range ns.texts {
		p.line("  (%d) %s", i+1, inert(n))
	}
	if len(ns.texts) > 0 {
		p.line("")
	}
	p.why(d)
	p.imports(d)
	p.contract(d)
	p.topSpans(d)
	if rows := untouched(d); len(rows) > 0 {
		p.line("%s unchanged without measuring, both sides run the same code: %s", english.Plural(len(rows), "benchmark", ""), inert(strings.Join(reasons(rows), ", ")))
		p.line("")
	}
	if rows := unmeasured(d); len(rows) > 0 {
		p.line("%s not measured:", english.Plural(len(rows), "benchmark", ""))
		short := namesOf(d)
		for _, c := range rows {
			p.line("  %s: %s", inert(strings.TrimSpace(short.of(c.Key)+" "+c.Unit.Name)), inert(strings.Join(c.Notes, "; ")))
		}
		p.line("")
	}
	found, worst := detectable(d)
	if worst != "" {
		found += ", " + worst + "."
	}
	for _, text := range []string{found, shift(d), control(d), pipeline(d), geoMeans(d)} {
		if text != "" {
			p.line("%s", inert(text))
		}
	}
	for _, text := range d.File.Warnings {
		p.line("warning: %s", inert(text))
	}
	for _, text := range d.Outcome.Problems {
		p.line("error: %s", inert(text))
	}
	if text := acceptance(d); text != "" {
		p.line("%s", inert(text))
	}
	p.line("%s: %s", word(d), headline(d))
	return p.err
}

// textRows are the changed rows and one row, its time, for every other benchmark.
func textRows(d *Document) []*compare.Comparison {
	return append(changed(d), selectRows(d, func(c *compare.Comparison) bool {
		if c.Unmeasured { // listed by themselves
			return false
		}
		switch c.Verdict {
		case compare.Inconclusive, compare.Unchanged, compare.Incomparable:
			return c.Unit.Name == "sec/op" && c.Against == compare.AgainstBase || c.Unit.Name != "" && c.Gated && c.Verdict == compare.Inconclusive
		}
		return false
	})...)
}

// printer keeps the first error of a series of writes.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *printer) table(d *Document, rows []*compare.Comparison, ns *notes) {
	short := namesOf(d)
	tw := tabwriter.NewWriter(p.w, 0, 0, 2, ' ', 0)
	t := &printer{w: tw}
	t.line("benchmark\tmetric\tbase\thead\tchange\tverdict")
	for _, c := range rows {
		var refs strings.Builder
		for _, r := range ns.refs(c) {
			fmt.Fprintf(&refs, " (%d)", r)
		}
		t.line("%s\t%s\t%s\t%s\t%s\t%s%s", inert(short.of(c.Key)), inert(metricName(c)),
			side(c, c.Base), short.head(c), change(c), verdictWord(c), refs.String())
	}
	if t.err == nil {
		t.err = tw.Flush()
	}
	if p.err == nil {
		p.err = t.err
	}
}

// verdictWord shouts what fails the gate.
func verdictWord(c *compare.Comparison) string {
	if c.Failing() {
		return strings.ToUpper(verdict(c))
	}
	return verdict(c)
}

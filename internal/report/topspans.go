package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"text/tabwriter"

	"github.com/org/perfgate/internal/result"
)

// mostSpans are shown of a program.
const mostSpans = 5

// spanRow is the spans of a name on both sides, as far as they are there.
type spanRow struct {
	name       string
	base, head *result.Span
}

// topSpans pairs spans by name, the largest own time of either side first.
func topSpans(base, head []result.Span) []spanRow {
	var rows []spanRow
	for i := range head {
		rows = append(rows, spanRow{name: head[i].Name, head: &head[i]})
	}
	for i := range base {
		if at := slices.IndexFunc(rows, func(r spanRow) bool { return r.name == base[i].Name }); at >= 0 {
			rows[at].base = &base[i]
		} else {
			rows = append(rows, spanRow{name: base[i].Name, base: &base[i]})
		}
	}
	slices.SortStableFunc(rows, func(a, b spanRow) int { return cmp.Compare(b.self(), a.self()) })
	return rows[:min(len(rows), mostSpans)]
}

// self is the larger own time of both sides.
func (r spanRow) self() (most float64) {
	for _, s := range []*result.Span{r.base, r.head} {
		if s != nil {
			most = max(most, s.Self)
		}
	}
	return most
}

// cells are the columns behind the name: how many a run, and the own time a run, of base and head, and its change.
// Without a base they are those of head alone.
func (r spanRow) cells(paired bool) []string {
	count := func(s *result.Span) string {
		if s == nil {
			return "–"
		}
		return strconv.FormatFloat(s.Count, 'g', 4, 64)
	}
	self := func(s *result.Span) string {
		if s == nil {
			return "–"
		}
		return value(s.Self, seconds)
	}
	if !paired {
		return []string{count(r.head), self(r.head), value(r.head.Total, seconds), value(r.head.P95, seconds)}
	}
	change := "–"
	switch {
	case r.base == nil:
		change = "new"
	case r.head == nil:
		change = "gone"
	case r.base.Self > 0:
		change = fmt.Sprintf("%s (%s)", signed(r.head.Self-r.base.Self, seconds), percent(r.head.Self/r.base.Self-1))
	}
	return []string{count(r.base), count(r.head), self(r.base), self(r.head), change}
}

// spanColumns are the heads of cells.
func spanColumns(paired bool) []string {
	if !paired {
		return []string{"a run", "self a run", "total a run", "p95 of one"}
	}
	return []string{"base: a run", "head: a run", "base: self a run", "head: self a run", "change of self"}
}

// TopSpans draws where the time of a program under load went, by the spans with the largest own time. Base is nil
// where there is none.
func TopSpans(w io.Writer, base, head []result.Span) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	t := &printer{w: tw}
	t.spans(base, head)
	if t.err != nil {
		return t.err
	}
	return tw.Flush()
}

func (p *printer) spans(base, head []result.Span) {
	rows := topSpans(base, head)
	if len(rows) == 0 {
		return
	}
	line := func(cells []string) {
		text := "  "
		for i, c := range cells {
			if i > 0 {
				text += "\t"
			}
			text += c
		}
		p.line("%s", text)
	}
	line(append([]string{"top spans"}, spanColumns(base != nil)...))
	for _, r := range rows {
		line(append([]string{inert(r.name)}, r.cells(base != nil)...))
	}
}

// withSpans are the benchmarks that told of spans on either side, as head has them.
func withSpans(d *Document) (all []*result.Benchmark, base map[result.Key]*result.Benchmark) {
	if d.File.Base != nil {
		base = d.File.Base.Index()
	}
	for _, b := range d.File.Head.Benchmarks {
		if o := base[b.Key()]; len(b.Spans) > 0 || o != nil && len(o.Spans) > 0 {
			all = append(all, b)
		}
	}
	return all, base
}

// spansOf are those of base, not nil where there is one.
func spansOf(base map[result.Key]*result.Benchmark, k result.Key) []result.Span {
	if o := base[k]; o != nil {
		return append([]result.Span{}, o.Spans...)
	}
	return nil
}

// topSpans draws where the time of programs under load went.
func (p *printer) topSpans(d *Document) {
	all, base := withSpans(d)
	short := namesOf(d)
	for _, b := range all {
		p.line("%s", inert(short.of(b.Key())))
		if p.err == nil {
			p.err = TopSpans(p.w, spansOf(base, b.Key()), b.Spans)
		}
		p.line("")
	}
}

// spans draws the same in Markdown.
func (m *markdown) spans() {
	all, base := withSpans(m.d)
	for _, b := range all {
		of := spansOf(base, b.Key())
		rows := topSpans(of, b.Spans)
		if len(rows) == 0 {
			continue
		}
		m.line("<details><summary>Where the time of a program went: top spans</summary>")
		m.line("")
		m.line("%s, by the own time of its spans. A span is told by the program; this is no verdict.", code(m.short.of(b.Key())))
		m.line("")
		text, rule := "| span |", "|---|"
		for _, c := range spanColumns(of != nil) {
			text += " " + c + " |"
			rule += "--:|"
		}
		m.line("%s", text)
		m.line("%s", rule)
		for _, r := range rows {
			text := "| " + cell(code(r.name)) + " |"
			for _, c := range r.cells(of != nil) {
				text += " " + c + " |"
			}
			m.line("%s", text)
		}
		m.line("")
		m.line("</details>")
		m.line("")
	}
}

package report

import (
	"fmt"
	"html"
	"io"
	"regexp"
	"strings"

	"github.com/dustin/go-humanize/english"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/result"
)

// Markdown draws the document as GitHub Markdown for the job summary: the verdict in one line, the
// rows that changed, the rest folded away.
func Markdown(w io.Writer, d *Document) error {
	m := &markdown{printer: printer{w: w}, d: d, short: namesOf(d), ns: newNotes(d)}
	return m.draw()
}

// markdown draws one document, as much of it as level says.
type markdown struct {
	printer
	d     *Document
	short names
	ns    notes
	level detail
	noted int    // of the remarks are drawn
	full  string // names the file that has everything
}

func (m *markdown) draw() error {
	m.line("## %s perfgate: %s", sign(m.d.Gate()), word(m.d))
	m.line("")
	m.line("**%s**", html.EscapeString(headline(m.d)))
	m.line("")
	m.paragraph(acceptance(m.d))
	if text, command := next(m.d); text != "" {
		m.line("%s %s", prose(text), code(command))
		m.line("")
	}
	m.shortened()
	if m.level == countsOnly {
		return m.err
	}
	m.problems()
	if c := m.d.Outcome.Control; c != nil && c.Unfit {
		m.alert("WARNING", []string{control(m.d)})
	}
	if wholeSuite(m.d) {
		m.line("**%s**", prose(shift(m.d)))
		m.line("")
	}
	m.changes()
	m.why()
	if m.level < topRows {
		m.imports()
	}
	m.contract()
	m.warnings()
	if text, worst := detectable(m.d); worst != "" {
		m.line("%s, %s.", prose(text), code(worst))
		m.line("")
	} else {
		m.paragraph(text)
	}
	if !wholeSuite(m.d) {
		m.paragraph(shift(m.d))
	}
	if m.level < noUnchanged {
		m.spans()
		m.memory()
		m.details("Unchanged and inconclusive", rest(m.d, compare.AgainstBase))
		m.details("Against the committed baseline", rest(m.d, compare.AgainstBaseline))
		m.list("Unchanged without measuring, both sides run the same code", untouched(m.d))
	}
	m.list("Not measured", unmeasured(m.d))
	m.environment()
	return m.err
}

func sign(g compare.Gate) string {
	switch g {
	case compare.Pass:
		return "✅"
	case compare.Fail:
		return "❌"
	}
	return "⚠️"
}

func (m *markdown) paragraph(text string) {
	if text != "" {
		m.line("%s", prose(text))
		m.line("")
	}
}

func (m *markdown) problems() {
	all := m.d.Outcome.Problems
	m.alert("CAUTION", all[:m.most(len(all))])
	m.more(len(all))
}

// alert draws sentences of one kind, which GitHub sets apart from the rest: one by itself, several as a list.
func (m *markdown) alert(kind string, texts []string) {
	if len(texts) == 0 {
		return
	}
	m.line("> [!%s]", kind)
	for _, text := range texts {
		if len(texts) > 1 {
			text = "- " + prose(text)
		} else {
			text = prose(text)
		}
		m.line("> %s", text)
	}
	m.line("")
}

func (m *markdown) changes() {
	rows := changed(m.d)
	switch {
	case len(rows) > 0:
		rows = m.top(rows)
		first := rows[:min(len(rows), mostRows)]
		m.rows(first)
		m.more(len(changed(m.d)))
		m.details("Further changes", rows[len(first):])
		if m.level < noChart {
			m.chart()
		}
	case m.d.Outcome.Gate == compare.Error || wholeSuite(m.d):
	case m.d.Outcome.Count(compare.Inconclusive) > 0:
		m.paragraph(fmt.Sprintf("No change was found, and none is excluded where it says inconclusive: %s below. With strict: true in perfgate.yaml such rows fail the gate.",
			english.Plural(m.d.Outcome.Count(compare.Inconclusive), "row", "")))
	default:
		m.paragraph("No benchmark changed.")
	}
}

// rows draws a table of comparisons.
func (m *markdown) rows(rows []*compare.Comparison) {
	m.line("| benchmark | metric | base | head | change | verdict |")
	m.line("|---|---|--:|--:|--:|---|")
	for _, c := range rows {
		var refs []string
		for _, r := range m.ns.refs(c) {
			refs = append(refs, fmt.Sprint(r))
		}
		verdict := verdict(c)
		if c.Failing() {
			verdict = "**" + verdict + "**"
		}
		if len(refs) > 0 {
			verdict += " <sup>" + strings.Join(refs, ",") + "</sup>"
		}
		m.line("| %s | %s | %s | %s | %s | %s |", cell(code(m.short.of(c.Key))), cell(code(metricName(c))),
			side(c, c.Base), m.short.head(c), together(change(c)), verdict)
	}
	m.line("")
	m.notes()
}

// together keeps an interval on one line of a narrow cell. A table of a comment is about 800 pixels wide, and what does
// not fit into that is out of sight.
func together(change string) string { return strings.ReplaceAll(change, ", ", ",\u00a0") }

func (m *markdown) details(title string, rows []*compare.Comparison) {
	if len(rows) == 0 {
		return
	}
	m.line("<details><summary>%s: %s</summary>", title, english.Plural(len(rows), "metric", ""))
	m.line("")
	m.rows(rows)
	m.line("</details>")
	m.line("")
}

// list names benchmarks that have no metrics to show: none is lost from sight.
func (m *markdown) list(title string, rows []*compare.Comparison) {
	if len(rows) == 0 {
		return
	}
	m.line("<details><summary>%s: %s</summary>", title, english.Plural(len(rows), "benchmark", ""))
	m.line("")
	for _, c := range m.top(rows) {
		m.line("- %s: %s", code(strings.TrimSpace(m.short.of(c.Key)+" "+c.Unit.Name)), prose(strings.Join(c.Notes, "; ")))
	}
	m.line("")
	m.more(len(rows))
	m.line("</details>")
	m.line("")
}

// environment shows where and how both sides were measured.
func (m *markdown) environment() {
	f := m.d.File
	m.line("<details><summary>How this was measured</summary>")
	m.line("")
	m.paragraph(method(m.d))
	m.paragraph(control(m.d))
	m.paragraph(pipeline(m.d))
	m.paragraph(geoMeans(m.d))
	m.line("| | base | head |")
	m.line("|---|---|---|")
	m.line("| source | %s | %s |", cell(prose(source(f.Base))), cell(prose(source(f.Head))))
	var base []result.EnvField
	if f.Base != nil {
		base = f.Base.Env.Fields()
	}
	for i, field := range f.Head.Env.Fields() {
		other := ""
		if base != nil {
			other = base[i].Value
		}
		if field.Value != "" || other != "" {
			m.line("| %s | %s | %s |", field.Name, cell(prose(other)), cell(prose(field.Value)))
		}
	}
	m.line("")
	m.provenance()
	m.line("</details>")
	m.line("")
}

func (m *markdown) provenance() {
	f := m.d.File
	if f.BaselineInfo != "" {
		m.paragraph("Baseline: " + f.BaselineInfo + ".")
	}
	text := fmt.Sprintf("perfgate %s.", f.Tool.Version)
	if !f.GeneratedAt.IsZero() { // the output of go test does not say when
		text = fmt.Sprintf("perfgate %s, %s.", f.Tool.Version, f.GeneratedAt.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	if r := f.Run; r != nil {
		text += fmt.Sprintf(" %.0f s of the budget of %.0f s, %.0f s of building.", r.RunSec, r.BudgetSec, r.BuildSec)
	}
	m.paragraph(text)
	if cmd := replay(m.d); cmd != "" {
		m.line("Repeat this order of measuring with `%s`.", cmd)
		m.line("")
	}
}

// notes draws the remarks that the rows of a table have and none before it had.
func (m *markdown) notes() {
	for ; m.noted < len(m.ns.texts); m.noted++ {
		m.line("<sup>%d</sup> %s  ", m.noted+1, prose(m.ns.texts[m.noted]))
		if m.noted == len(m.ns.texts)-1 {
			m.line("")
		}
	}
}

func (m *markdown) warnings() {
	all := m.d.File.Warnings
	m.alert("WARNING", all[:m.most(len(all))])
	m.more(len(all))
}

// code writes hostile text as a code span: nothing in it is a link, a mention or markup.
func code(s string) string { return span(oneLine(s)) }

// cell keeps a bar in a table's cell from ending it.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

func span(s string) string {
	if s == "" {
		return ""
	}
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " "
	}
	return fence + breakCommand(s) + fence
}

// harmless text has nothing that Markdown, HTML or GitHub could read as more than text.
var harmless = regexp.MustCompile(`^[\p{L}\p{N} ,.;:%()/+=→∞“”'–−…±≤≥×-]*$`)

// links are what GitHub makes a link of, though it is harmless text: addresses and issues.
var links = regexp.MustCompile(`(?i)://|www\.|\bgh-\d`)

// prose writes a sentence of ours that may quote a stranger: as text where it is harmless, else
// as a code span.
func prose(s string) string {
	if s = clean(s, maxSentence); harmless.MatchString(s) && !links.MatchString(s) {
		return s
	}
	return span(s)
}

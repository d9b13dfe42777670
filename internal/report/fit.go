package report

import (
	"bytes"
	"fmt"

	"github.com/org/perfgate/internal/compare"
)

// detail is how much of a document its Markdown shows. Each step leaves out what the ones before do, and more.
type detail int

// The steps, in the order in which a report gives way when it must be short.
const (
	everything  detail = iota
	noChart            // the chart, which repeats the table
	noUnchanged        // rows that did not change
	topRows            // all but the largest changes
	countsOnly         // all rows
)

// mostRows is how many rows of a kind topRows leaves.
const mostRows = 20

// left says what a step leaves out, empty for nothing.
func (l detail) left() string {
	switch l {
	case noChart:
		return "the chart"
	case noUnchanged:
		return "the chart, what did not change and the further reasons"
	case topRows:
		return fmt.Sprintf("the chart, what did not change, the further reasons and all but %d rows of a kind", mostRows)
	case countsOnly:
		return "all rows"
	}
	return ""
}

// MarkdownWithin draws the document as Markdown of at most limit bytes: what matters least is left out first, and
// a line then says so and names the file that has everything. It is an error when not even the counts fit.
func MarkdownWithin(d *Document, limit int, full string) ([]byte, error) {
	for level := everything; level <= countsOnly; level++ {
		var out bytes.Buffer
		m := &markdown{printer: printer{w: &out}, d: d, short: namesOf(d), ns: newNotes(d), level: level, full: full}
		if err := m.draw(); err != nil {
			return nil, err
		}
		if out.Len() <= limit {
			return out.Bytes(), nil
		}
	}
	return nil, fmt.Errorf("the report does not fit into %d bytes, not even without its rows", limit)
}

// shortened says what is left out, where something is.
func (m *markdown) shortened() {
	if left := m.level.left(); left != "" {
		m.line("Shortened to fit: %s. Everything is in %s.", left, code(m.full))
		m.line("")
	}
}

// most is how many of n rows of a kind are shown.
func (m *markdown) most(n int) int {
	if m.level >= topRows {
		return min(n, mostRows)
	}
	return n
}

// more says how many rows of a kind are not shown.
func (m *markdown) more(n int) {
	if left := n - m.most(n); left > 0 {
		m.line("%d more.", left)
		m.line("")
	}
}

// top returns the rows of a kind that are shown, which come in order of their effect.
func (m *markdown) top(rows []*compare.Comparison) []*compare.Comparison {
	return rows[:m.most(len(rows))]
}

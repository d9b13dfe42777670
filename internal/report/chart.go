package report

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/org/perfgate/internal/compare"
)

// Bounds of the chart: bars, and the characters of a bar's label.
const (
	maxBars  = 20
	maxLabel = 48
)

// bars lists the rows that the chart shows, the largest changes first: what became slower, heavier, faster or
// lighter by a finite share.
func bars(d *Document) []*compare.Comparison {
	rows := selectRows(d, func(c *compare.Comparison) bool {
		return (c.Verdict == compare.Regression || c.Verdict == compare.Improvement) && !c.Absolute &&
			!math.IsNaN(c.Change) && !math.IsInf(c.Change, 0)
	})
	slices.SortStableFunc(rows, func(a, b *compare.Comparison) int {
		switch sa, sb := size(a), size(b); {
		case sa > sb:
			return -1
		case sa < sb:
			return 1
		}
		return 0
	})
	return rows[:min(len(rows), maxBars)]
}

// chart draws the changes as a Mermaid chart, folded away: the table holds all that it says, and mails and some
// phones do not draw it. One bar would say nothing. The old keyword of the language is the one that every version
// of GitHub's knows.
func (m *markdown) chart() {
	rows := bars(m.d)
	if len(rows) < 2 {
		return
	}
	var labels, values []string
	for i, c := range rows {
		labels = append(labels, `"`+strconv.Itoa(i+1)+" "+label(m.short.of(c.Key)+" "+metricName(c))+`"`)
		values = append(values, strconv.FormatFloat(math.Round(c.Change*1e4)/1e2, 'f', -1, 64))
	}
	m.line("<details><summary>Chart of the changes</summary>")
	m.line("")
	m.line("```mermaid")
	m.line("xychart-beta horizontal")
	m.line(`    title "change of head against base in percent"`)
	m.line("    x-axis [%s]", strings.Join(labels, ", "))
	m.line(`    y-axis "percent"`)
	m.line("    bar [%s]", strings.Join(values, ", "))
	m.line("```")
	m.line("")
	m.line("</details>")
	m.line("")
}

// label keeps what a quoted label of a chart may hold: ASCII letters, digits and a few signs. No quoting is known
// to Mermaid that would keep the rest harmless.
func label(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune(" _./-", r):
			return r
		}
		return '_'
	}, s)
	return s[:min(len(s), maxLabel)]
}

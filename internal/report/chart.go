package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/org/perfgate/internal/compare"
)

// Bounds of the chart: bars, and the characters of a bar's label and of the metric in it. Mermaid leaves out the labels
// of all bars where the longest one is too long: this many of the widest letter fit into what look leaves beside the bars.
const (
	maxBars   = 20
	maxLabel  = 44
	maxMetric = 20
)

// look leaves room for labels of that length. The chart keeps Mermaid's own width of 700: where a page shrinks it,
// Mermaid measures labels as too short and cuts them off.
const look = `%%{init: {"xyChart": {"plotReservedSpacePercent": 30, "xAxis": {"labelFontSize": 11, "labelPadding": 10}}}}%%`

// bars lists the rows that the chart shows, the largest changes of each verdict first: what became slower, heavier,
// faster or lighter by a finite share. Against a baseline as well, most of them would be there twice.
func bars(d *Document) []*compare.Comparison {
	rows := selectRows(d, func(c *compare.Comparison) bool {
		if d.File.Base != nil && c.Against == compare.AgainstBaseline {
			return false
		}
		return (c.Verdict == compare.Regression || c.Verdict == compare.Improvement) && !c.Absolute &&
			!math.IsNaN(c.Change) && !math.IsInf(c.Change, 0)
	})
	slices.SortStableFunc(rows, func(a, b *compare.Comparison) int { return cmp.Compare(size(b), size(a)) })
	rows = rows[:min(len(rows), maxBars)]
	slices.SortStableFunc(rows, func(a, b *compare.Comparison) int { return cmp.Compare(rank(a), rank(b)) })
	return rows
}

// chart draws how large the changes are as a Mermaid chart, folded away: the table holds all that it says, and mails
// and some phones do not draw it. One bar would say nothing. Mermaid draws every bar from the least value of its axis,
// and so a bar of a value below zero would be the shorter, the larger the change: the bars are sizes, and the labels say
// which way. The old keyword of the language is the one that every version of GitHub's knows.
func (m *markdown) chart() {
	rows := bars(m.d)
	if len(rows) < 2 {
		return
	}
	var labels, values []string
	most := 1.0
	for i, c := range rows {
		v := math.Round(math.Abs(c.Change)*1e4) / 1e2
		most = max(most, math.Ceil(v))
		values = append(values, strconv.FormatFloat(v, 'f', -1, 64))
		labels = append(labels, `"`+label(i+1, m.short.of(c.Key), metricName(c), c.Change)+`"`)
	}
	m.line("<details><summary>Chart of the changes</summary>")
	m.line("")
	m.line("```mermaid")
	m.line("%s", look)
	m.line("xychart-beta horizontal")
	m.line(`    title "size of the change of head against base"`)
	m.line("    x-axis [%s]", strings.Join(labels, ", "))
	m.line(`    y-axis "percent" 0 --> %s`, strconv.FormatFloat(most, 'f', -1, 64))
	m.line("    bar [%s]", strings.Join(values, ", "))
	m.line("```")
	m.line("")
	m.line("</details>")
	m.line("")
}

// label names a bar: its number, which makes it the only one of its name, the benchmark, the metric, and the change in
// percent. Of a name that is too long the end is kept, in which the parts of one benchmark differ.
func label(number int, name, metric string, change float64) string {
	name, metric = plain(name), plain(metric)
	metric = metric[:min(len(metric), maxMetric)]
	head, tail := strconv.Itoa(number)+" ", " "+metric+" "+fmt.Sprintf("%+.4g", 100*change)
	if room := maxLabel - len(head) - len(tail); len(name) > room {
		name = ".." + name[len(name)-room+2:]
	}
	return head + name + tail
}

// plain keeps what a quoted label of a chart may hold: ASCII letters, digits and a few signs. No quoting is known
// to Mermaid that would keep the rest harmless.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune(" _./-", r):
			return r
		}
		return '_'
	}, s)
}

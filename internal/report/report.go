// Package report draws a finished document: for the terminal, as Markdown, as JSON and in the Go
// benchmark format. A report is a function of its input and an io.Writer; it judges nothing and
// changes nothing.
//
// Names and messages come from the measured project, which on a pull request is a stranger's:
// every format makes them inert in its own way.
package report

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/result"
)

// Document is all that a report may say.
type Document struct {
	File    *result.File
	Outcome *compare.Outcome
	Policy  compare.Policy
	// Accepted is a maintainer's word on a document that fails, nil where nobody gave it.
	Accepted *Acceptance
	// AcceptLabel is the label by which a maintainer may accept it, empty where nobody looks for one.
	AcceptLabel string
}

// Acceptance is a maintainer's word that what the gate found may be so. All of it stays in sight.
type Acceptance struct {
	By    string // who set the label
	At    string // when, for people
	Label string
	Head  string // the commit that it holds for
}

// Gate is the gate's verdict after a maintainer's word.
func (d *Document) Gate() compare.Gate {
	if d.accepted() {
		return compare.Pass
	}
	return d.Outcome.Gate
}

func (d *Document) accepted() bool { return d.Accepted != nil && d.Outcome.Gate == compare.Fail }

// acceptance tells of the maintainer's word, empty where it made no difference.
func acceptance(d *Document) string {
	if !d.accepted() {
		return ""
	}
	a := d.Accepted
	return fmt.Sprintf("Accepted on purpose: %s set the label %s on %s, for commit %.12s. Without it the gate would fail.", a.By, a.Label, a.At, a.Head)
}

// Format is one way of drawing a document.
type Format struct {
	Name string
	// File is where check leaves it in the reports folder, empty for none.
	File  string
	Write func(io.Writer, *Document) error
}

// Formats is the one list of formats.
var Formats = []Format{
	{Name: "text", Write: Text},
	{Name: "markdown", File: "before_after.md", Write: Markdown},
	{Name: "json", Write: JSON},
	{Name: "base", File: "base.txt", Write: func(w io.Writer, d *Document) error { return GoBench(w, d.File.Base) }},
	{Name: "head", File: "head.txt", Write: func(w io.Writer, d *Document) error { return GoBench(w, d.File.Head) }},
}

// isChanged reports whether a reader looks at the row first: it is not the same on both sides, or
// is a benchmark that could not be compared at all.
func isChanged(c *compare.Comparison) bool {
	switch c.Verdict {
	case compare.Regression, compare.Broken, compare.Missing, compare.Improvement, compare.Added:
		return true
	}
	return c.Unit.Name == "" && !c.Unmeasured && !c.Same
}

// untouched lists the benchmarks that had not to be measured.
func untouched(d *Document) []*compare.Comparison {
	return selectRows(d, func(c *compare.Comparison) bool { return c.Same })
}

// reasons lists the rows' first remarks, each once.
func reasons(rows []*compare.Comparison) []string {
	var texts []string
	for _, c := range rows {
		if len(c.Notes) > 0 && !slices.Contains(texts, c.Notes[0]) {
			texts = append(texts, c.Notes[0])
		}
	}
	return texts
}

// unmeasured lists the benchmarks that the budget did not reach.
func unmeasured(d *Document) []*compare.Comparison {
	return selectRows(d, func(c *compare.Comparison) bool { return c.Unmeasured })
}

// changed lists the rows that a reader looks at first.
func changed(d *Document) []*compare.Comparison { return selectRows(d, isChanged) }

// rest lists the other rows against one reference.
func rest(d *Document, against compare.Reference) []*compare.Comparison {
	return selectRows(d, func(c *compare.Comparison) bool {
		return c.Against == against && !isChanged(c) && !c.Unmeasured && !c.Same
	})
}

// selectRows returns the rows that keep wants, the worst verdicts and the largest changes first. What one verdict says
// of one benchmark stands together.
func selectRows(d *Document, keep func(*compare.Comparison) bool) []*compare.Comparison {
	var rows []*compare.Comparison
	for _, c := range d.Outcome.Comparisons {
		if keep(c) {
			rows = append(rows, c)
		}
	}
	type group struct {
		rank int
		key  result.Key
	}
	groupOf := func(c *compare.Comparison) group { return group{rank(c), c.Key} }
	most := map[group]float64{}
	for _, c := range rows {
		most[groupOf(c)] = max(most[groupOf(c)], size(c))
	}
	slices.SortStableFunc(rows, func(a, b *compare.Comparison) int {
		return cmp.Or(
			cmp.Compare(rank(a), rank(b)),
			cmp.Compare(most[groupOf(b)], most[groupOf(a)]),
			a.Key.Compare(b.Key),
			cmp.Compare(size(b), size(a)),
			a.Unit.Compare(b.Unit),
		)
	})
	return rows
}

func rank(c *compare.Comparison) int {
	r := 2 * slices.Index(compare.Verdicts, c.Verdict)
	if !c.Gated {
		r++
	}
	return r
}

// size orders rows by how much they changed, or may have; what did not change keeps the order of names.
func size(c *compare.Comparison) float64 {
	switch c.Verdict {
	case compare.Regression, compare.Improvement, compare.Inconclusive:
	default:
		return 0
	}
	if math.IsNaN(c.Change) {
		return 0
	}
	return math.Abs(math.Log1p(math.Max(c.Change, -0.999999)))
}

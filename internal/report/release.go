package report

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/result"
)

// Release is a new baseline as the performance report of a project tells of it.
type Release struct {
	// Name is the release's, empty where the commit has none.
	Name string
	File *result.File
	// Previous is what the baseline before it holds. Nil where there is none, or one of the same commit.
	Previous *result.Set
	// Budgets are what the values were held to.
	Budgets []*compare.BudgetCheck
}

// Record renews the marked section of a Markdown file: what the baseline is, its values, and a line of
// history for each release. The text outside of the markers and the lines of other releases stay as they
// are. A text without markers gets the section at its end.
func Record(text []byte, r *Release) ([]byte, error) {
	s, err := findSection(text)
	if err != nil {
		return nil, err
	}
	var pkgs []string
	for _, b := range r.File.Head.Benchmarks {
		pkgs = append(pkgs, b.Package)
	}
	var body bytes.Buffer
	d := &releaseDrawing{printer: printer{w: &body}, r: r, short: shortNames(pkgs, r.File.Head)}
	d.line("## Performance")
	d.line("")
	d.line("`perfgate baseline update` writes what stands between the markers; the rest of the file is yours.")
	d.line("")
	d.metadata()
	d.benchmarks()
	if len(r.Budgets) > 0 {
		d.line("### Budgets")
		d.line("")
		d.budgetTable(r.Budgets, d.short)
	}
	d.history(oldHistory(s.body))
	return s.with(body.Bytes()), nil
}

// releaseDrawing draws the section's body.
type releaseDrawing struct {
	printer
	r     *Release
	short names
}

// metadata says what the baseline is of, and where and how it was measured.
func (d *releaseDrawing) metadata() {
	f := d.r.File
	d.line("| | |")
	d.line("|---|---|")
	row := func(name, value string) {
		if value != "" {
			d.line("| %s | %s |", cell(name), cell(value))
		}
	}
	row("release", code(d.r.Name))
	row("commit", commitOf(f.Head))
	row("measured", f.GeneratedAt.UTC().Format("2006-01-02 15:04 UTC"))
	row("perfgate", prose(f.Tool.Version))
	row("forced, because", prose(f.Reason))
	for _, field := range f.Head.Env.Fields() {
		row(field.Name, prose(field.Value))
	}
	for _, name := range slices.Sorted(maps.Keys(f.Scenario)) {
		row(code(name), code(f.Scenario[name]))
	}
	d.line("")
}

// commitOf names what a baseline was measured on.
func commitOf(s *result.Set) string {
	text := code(fmt.Sprintf("%.12s", s.Commit))
	if text != "" && s.Dirty {
		text += " with uncommitted changes"
	}
	return text
}

// benchmarks is a table with a column for each unit.
func (d *releaseDrawing) benchmarks() {
	var units []result.Unit
	for _, b := range d.r.File.Head.Benchmarks {
		for _, m := range b.Metrics {
			if !m.Unit.Info() && !slices.ContainsFunc(units, func(u result.Unit) bool { return u.Name == m.Unit.Name }) {
				units = append(units, m.Unit)
			}
		}
	}
	slices.SortStableFunc(units, result.Unit.Compare)
	d.line("### Benchmarks")
	d.line("")
	head, line := "| benchmark | passes |", "|---|--:|"
	for _, u := range units {
		head, line = head+" "+cell(code(u.Name))+" |", line+"--:|"
	}
	d.line("%s", head)
	d.line("%s", line)
	for _, b := range d.r.File.Head.Benchmarks {
		name := cell(code(d.short.of(b.Key())))
		if b.Status != result.OK {
			name += " " + cell(prose(string(b.Status)))
		}
		row := fmt.Sprintf("| %s | %d |", name, b.Passes())
		for _, u := range units {
			text := "–"
			if m := b.Metric(u.Name); m != nil {
				text = summary(compare.Describe(m), m.Unit)
			}
			row += " " + text + " |"
		}
		d.line("%s", row)
	}
	d.line("")
}

package report

import (
	"slices"
	"text/tabwriter"

	"github.com/org/perfgate/internal/result"
)

// What the start of a program initialises, where that is another than on base.

// starting lists head's programs that initialise more than base's, the one with the largest growth first.
func starting(d *Document) []*result.Benchmark {
	var all []*result.Benchmark
	for _, b := range d.File.Head.Benchmarks {
		if len(heavier(b)) > 0 {
			all = append(all, b)
		}
	}
	slices.SortStableFunc(all, func(a, b *result.Benchmark) int {
		switch x, y := growth(a.Imports[0]), growth(b.Imports[0]); {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	return all
}

func growth(i result.Import) float64 { return i.Head - i.Base }

// heavier are the packages that are new or grew.
func heavier(b *result.Benchmark) []result.Import {
	return slices.DeleteFunc(slices.Clone(b.Imports), func(i result.Import) bool { return !i.New && !i.Grew })
}

func what(i result.Import) string {
	if i.New {
		return "new"
	}
	return "grew"
}

// importRow are a package's columns: its own time on base and head, the difference, with its imports, and a word.
func importRow(i result.Import) []any {
	sec := result.UnitOf("sec/op")
	base := value(i.Base, sec)
	if i.New {
		base = "–"
	}
	return []any{base, value(i.Head, sec), "+" + value(growth(i), sec), value(i.Total, sec), what(i)}
}

func (p *printer) imports(d *Document) {
	short := namesOf(d)
	for _, b := range starting(d) {
		tw := tabwriter.NewWriter(p.w, 0, 0, 2, ' ', 0)
		t := &printer{w: tw}
		t.line("%s initialises\tbase\thead\tchange\twith its imports\t", inert(short.of(b.Key())))
		for _, i := range heavier(b) {
			t.line("%s\t%s\t%s\t%s\t%s\t%s", append([]any{inert(i.Name)}, importRow(i)...)...)
		}
		if t.err == nil {
			t.err = tw.Flush()
		}
		if p.err == nil {
			p.err = t.err
		}
		p.line("")
	}
}

func (m *markdown) imports() {
	for _, b := range starting(m.d) {
		m.line("| %s initialises | base | head | change | with its imports | |", cell(code(m.short.of(b.Key()))))
		m.line("|---|--:|--:|--:|--:|---|")
		for _, i := range heavier(b) {
			m.line("| %s | %s | %s | %s | %s | **%s** |", append([]any{cell(code(i.Name))}, importRow(i)...)...)
		}
		m.line("")
	}
}

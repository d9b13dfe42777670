package report

import (
	"strconv"

	"github.com/dustin/go-humanize/english"

	"github.com/org/perfgate/internal/result"
)

// What the processes of each benchmark held and allocated. It is no verdict: what is judged of it stands among the
// rows, as metrics.

// held are the benchmarks of which something is known, as head has them, and those of base.
func held(d *Document) (all []*result.Benchmark, base map[result.Key]*result.Benchmark) {
	if d.File.Base != nil {
		base = d.File.Base.Index()
	}
	for _, b := range d.File.Head.Benchmarks {
		if b.Memory != nil {
			all = append(all, b)
		}
	}
	return all, base
}

// heldColumns are the columns of a memory, each with what it draws: nothing where that is not known.
var heldColumns = []struct {
	title string
	draw  func(*result.Memory) string
}{
	{"in RAM at most", func(m *result.Memory) string {
		if m.Peak == 0 {
			return "–"
		}
		return value(m.Peak, result.UnitOf(result.PeakRSS))
	}},
	{"live heap", fromInside(func(i *result.Inside) string { return value(i.Live, result.UnitOf("B/op")) })},
	{"allocated", fromInside(func(i *result.Inside) string { return value(i.Allocated, result.UnitOf("B/op")) })},
	{"objects", fromInside(func(i *result.Inside) string { return short(i.Objects) })},
	{"collections", fromInside(func(i *result.Inside) string { return short(i.Cycles) })},
	{"goroutines", fromInside(func(i *result.Inside) string { return short(i.Goroutines) })},
}

func short(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }

func fromInside(draw func(*result.Inside) string) func(*result.Memory) string {
	return func(m *result.Memory) string {
		if m.Inside == nil {
			return "–"
		}
		return draw(m.Inside)
	}
}

// heldCells are head's values, behind base's where they look different.
func heldCells(base, head *result.Memory) (cells []string) {
	for _, c := range heldColumns {
		text := c.draw(head)
		if base != nil {
			if before := c.draw(base); before != text {
				text = before + " → " + text
			}
		}
		cells = append(cells, text)
	}
	return cells
}

func (m *markdown) memory() {
	all, base := held(m.d)
	if len(all) == 0 {
		return
	}
	m.line("<details><summary>Memory: %s</summary>", english.Plural(len(all), "benchmark", ""))
	m.line("")
	m.line("What the processes held, and what they allocated: an operation of a benchmark, a program up to its last mark. This is no verdict.")
	m.line("")
	text, rule := "| benchmark |", "|---|"
	for _, c := range heldColumns {
		text += " " + c.title + " |"
		rule += "--:|"
	}
	m.line("%s", text)
	m.line("%s", rule)
	for _, b := range all[:m.most(len(all))] {
		var before *result.Memory
		if o := base[b.Key()]; o != nil {
			before = o.Memory
		}
		text := "| " + cell(code(m.short.of(b.Key()))) + " |"
		for _, c := range heldCells(before, b.Memory) {
			text += " " + c + " |"
		}
		m.line("%s", text)
	}
	m.line("")
	m.more(len(all))
	m.line("</details>")
	m.line("")
}

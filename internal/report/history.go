package report

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/result"
)

// The table of history. Its lines are read back from the file.
const (
	historyHeading = "### History"
	historyHead    = "| date | release | commit | benchmarks | exact metrics moved | geometric mean of the change |"
	historyRule    = "|---|---|---|--:|--:|---|"
	unknownCell    = "–"
)

// Columns of historyHead, counted as splitRow does.
const (
	releaseColumn = 2
	commitColumn  = 3
	movedColumn   = 5
	changeColumn  = 6
)

// history puts the release's line in the place of an older one of the same release, else before all.
func (d *releaseDrawing) history(old []string) {
	f := d.r.File
	moved, change := d.moves()
	line := []string{"", f.GeneratedAt.UTC().Format("2006-01-02"), unknownCell, unknownCell, fmt.Sprint(len(f.Head.Benchmarks)), moved, change, ""}
	if d.r.Name != "" {
		line[releaseColumn] = cell(code(d.r.Name))
	}
	if f.Head.Commit != "" {
		line[commitColumn] = cell(commitOf(f.Head))
	}
	if i := slices.IndexFunc(old, func(o string) bool { return sameIn(commitColumn, splitRow(o), line) }); i >= 0 && d.r.Previous == nil {
		before := splitRow(old[i]) // counts of one commit are the same whenever they are taken
		line[movedColumn], line[changeColumn] = before[movedColumn], before[changeColumn]
	}
	at := slices.IndexFunc(old, func(o string) bool { return sameRelease(splitRow(o), line) })
	rest := slices.DeleteFunc(slices.Clone(old), func(o string) bool { return sameRelease(splitRow(o), line) })
	rows := slices.Insert(rest, max(at, 0), strings.TrimSpace(strings.Join(line, " | ")))
	d.line("%s", historyHeading)
	d.line("")
	d.line("%s", historyHead)
	d.line("%s", historyRule)
	for _, row := range rows {
		d.line("%s", row)
	}
}

// moves says how many exact metrics moved, and by how much those of each unit did on average. It compares
// values with values: the best levels that a baseline is held to belong to older releases.
func (d *releaseDrawing) moves() (moved, change string) {
	if d.r.Previous == nil {
		return unknownCell, unknownCell
	}
	all, changed := 0, 0
	var units []result.Unit
	ratios := map[string][]float64{}
	before := d.r.Previous.Index()
	for _, b := range d.r.File.Head.Benchmarks {
		for _, m := range b.Metrics {
			old, exact := fact(before[b.Key()], m.Unit)
			value, still := fact(b, m.Unit)
			if !exact || !still {
				continue
			}
			all++
			if value != old {
				changed++
			}
			if value <= 0 || old <= 0 { // which have no ratio
				continue
			}
			if ratios[m.Unit.Name] == nil {
				units = append(units, m.Unit)
			}
			ratios[m.Unit.Name] = append(ratios[m.Unit.Name], value/old)
		}
	}
	slices.SortStableFunc(units, result.Unit.Compare)
	var parts []string
	for _, u := range units {
		parts = append(parts, fmt.Sprintf("%s %s (%d)", code(u.Name), percent(geoMean(ratios[u.Name])-1), len(ratios[u.Name])))
	}
	if differs := d.r.Previous.Env.DiffersInCode(d.r.File.Head.Env); len(differs) > 0 {
		parts = append(parts, "other "+strings.Join(differs, ", "))
	}
	return fmt.Sprintf("%d of %d", changed, all), cell(cmp.Or(strings.Join(parts, ", "), unknownCell))
}

// fact returns the value of an exact metric: one that all passes agree on.
func fact(b *result.Benchmark, u result.Unit) (v float64, exact bool) {
	if b == nil || b.Metric(u.Name) == nil || u.Timing() {
		return 0, false
	}
	vs := b.Metric(u.Name).Values()
	if len(vs) < compare.MinConstant || slices.Min(vs) != slices.Max(vs) {
		return 0, false
	}
	return vs[0], true
}

func geoMean(ratios []float64) float64 {
	sum := 0.0
	for _, r := range ratios {
		sum += math.Log(r)
	}
	return math.Exp(sum / float64(len(ratios)))
}

// sameRelease compares two lines of history by the release's name, by the commit where one has none.
func sameRelease(a, b []string) bool {
	if len(a) == len(b) && a[releaseColumn] != unknownCell && b[releaseColumn] != unknownCell {
		return sameIn(releaseColumn, a, b)
	}
	return sameIn(commitColumn, a, b)
}

// sameIn reports whether two lines say the same in a column, and say something.
func sameIn(column int, a, b []string) bool {
	return len(a) == len(b) && a[column] == b[column] && a[column] != unknownCell
}

// splitRow returns the cells of a table's line, with what stands before the first bar and behind the
// last. A bar behind a backslash is text.
func splitRow(line string) []string {
	var cells []string
	from := 0
	for i := range len(line) {
		if line[i] == '|' && (i == 0 || line[i-1] != '\\') {
			cells = append(cells, strings.TrimSpace(line[from:i]))
			from = i + 1
		}
	}
	return append(cells, strings.TrimSpace(line[from:]))
}

// headRule is the line below a table's head.
var headRule = regexp.MustCompile(`^\|[-:| ]*$`)

// oldHistory returns the lines of history as they stand in a section's body.
func oldHistory(body []byte) []string {
	var rows []string
	inside := false
	for line := range strings.Lines(string(body)) {
		line = strings.TrimSpace(line)
		switch {
		case line == historyHeading:
			inside = true
		case inside && strings.HasPrefix(line, "|") && line != historyHead && !headRule.MatchString(line):
			rows = append(rows, line)
		}
	}
	return rows
}

package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/org/perfgate/internal/result"
)

// FuzzMarkdownRow: a benchmark of any name, in a package and with a unit of any name, is one row of
// six cells without markup.
func FuzzMarkdownRow(f *testing.F) {
	for _, s := range strangers {
		f.Add(s, "example.com/m", "sec/op")
		f.Add("X", s, s)
	}
	f.Fuzz(func(t *testing.T, name, pkg, unit string) {
		file := run()
		u := result.Unit{Name: unit, Better: result.Lower}
		file.Base.Benchmarks = []*result.Benchmark{bench(pkg, name, metric(u, 1, 1, 1))}
		file.Head.Benchmarks = []*result.Benchmark{bench(pkg, name, metric(u, 2, 2, 2)), bench("other", "Y", metric(u, 2, 2, 2))}
		var out bytes.Buffer
		if err := Markdown(&out, document(file)); err != nil {
			t.Fatal(err)
		}
		checkMarkdown(t, out.String())
		_, rows, _ := strings.Cut(out.String(), "|---|---|--:|--:|--:|---|\n")
		row, _, _ := strings.Cut(rows, "\n")
		if cells := cellsOf(row); len(cells) != 6+2 { // before the first bar and behind the last is nothing
			t.Errorf("%d cells in %q", len(cells)-2, row)
		}
	})
}

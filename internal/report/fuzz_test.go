package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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

// FuzzRecord: what stands outside of the markers is there afterwards, to the byte, and writing the same
// release again changes nothing.
func FuzzRecord(f *testing.F) {
	for _, s := range strangers {
		f.Add(s, kept, s, "v1")
	}
	f.Add("# Mine\r\n", "| a | b |\n", "\r\nafter", "v2|x")
	f.Add("", historyHeading+"\n| 2026-08-01 | `v1` | – | 3 | – | – |\n", "", "v1")
	f.Add("a\n"+sectionBegin, "x", sectionEnd, "")
	f.Fuzz(func(t *testing.T, before, body, after, name string) {
		r := release()
		r.Name = name
		text := before + "\n" + sectionBegin + "\n" + body + "\n" + sectionEnd + "\n" + after
		out, err := Record([]byte(text), r)
		if err != nil {
			if marked := before + body + after; !strings.Contains(marked, sectionBegin) && !strings.Contains(marked, sectionEnd) {
				t.Errorf("Record(%q): %v", text, err)
			}
			return
		}
		if !bytes.HasPrefix(out, []byte(before+"\n"+sectionBegin)) || !bytes.HasSuffix(out, []byte("\n"+after)) {
			t.Errorf("Record(%q) = %q", text, out)
		}
		again, err := Record(out, r)
		if err != nil || !bytes.Equal(out, again) {
			t.Errorf("twice: %v (-once +twice):\n%s", err, cmp.Diff(string(out), string(again)))
		}
	})
}

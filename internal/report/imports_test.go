package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/org/perfgate/internal/result"
)

// What the start initialises stands in a table of its own, the largest growth first, and what did not grow nowhere.
// Names are a stranger's.
func TestImports(t *testing.T) {
	d := same()
	d.File.Head.Benchmarks = append(d.File.Head.Benchmarks,
		&result.Benchmark{Suite: "startup", Name: "light", Imports: []result.Import{{Name: "a", Grew: true, Base: 0.001, Head: 0.002, Total: 0.002}}},
		&result.Benchmark{Suite: "startup", Name: "tool", Imports: []result.Import{
			{Name: "example.com/heavy", New: true, Head: 0.21, Total: 0.25}, {Name: "x|<b>\n::error::", Grew: true, Base: 0.001, Head: 0.003, Total: 0.003},
			{Name: "example.com/same", Base: 0.001, Head: 0.001, Total: 0.001}}})
	for _, name := range []string{"text", "markdown"} {
		var b bytes.Buffer
		if err := format(t, name).Write(&b, d); err != nil {
			t.Fatal(err)
		}
		got := b.String()
		tool, light := strings.Index(got, "example.com/heavy"), strings.Index(got, "light")
		if tool < 0 || light < tool || strings.Contains(got, "example.com/same") {
			t.Errorf("%s: want tool's heavy package before light, and none that did not grow:\n%s", name, got)
		}
		for line := range strings.Lines(got) {
			if strings.HasPrefix(line, "::") || strings.Contains(line, "heavy") && (!strings.Contains(line, "+210.0ms") || !strings.Contains(line, "new")) {
				t.Errorf("%s: line %q", name, line)
			}
		}
	}
}

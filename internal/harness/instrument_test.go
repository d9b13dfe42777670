package harness

import (
	"slices"
	"testing"
)

// TestInstrumentCgo: files with cgo cannot be instrumented, and it is known which packages have some, also those that
// have nothing else.
func TestInstrumentCgo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const cgo = "\n\n// int one(void) { return 1; }\nimport \"C\"\n\nfunc One() int { return int(C.one()) }\n"
	write(t, dir, map[string]string{
		"go.mod":      "module example.com/m\n\ngo 1.26\n",
		"m.go":        "package m\n\nimport \"example.com/m/c\"\n\nfunc Two() int { return 2 * c.One() }\n",
		"mixed.go":    "package m" + cgo,
		"c/c.go":      "package c" + cgo,
		"m_test.go":   "package m\n" + benchFile,
		"pure/p.go":   "package pure\n",
		"c/other.txt": "",
	})
	tool := goOffline()
	tool.env = append(tool.env, "CGO_ENABLED=1")
	b := &builder{trees: [2]*tree{nil, {root: dir, tool: tool}}, scratch: t.TempDir(), flags: map[module]moduleFlags{}, counted: map[string]*coveredPackage{}, copies: map[string]string{}}
	made, err := b.instrument(t.Context(), recipe{side: Head, pkg: goPackage{ImportPath: "example.com/m", Module: module{Rel: "."}}})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(made.without)
	if want := []string{"1 file of example.com/m", "1 file of example.com/m/c"}; !slices.Equal(made.without, want) || len(made.files) != 1 {
		t.Errorf("without %q, %d files instrumented; want %q, and m.go", made.without, len(made.files), want)
	}
}

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/org/perfgate/internal/harness"
	"github.com/org/perfgate/internal/result"
)

func TestPosition(t *testing.T) {
	top := t.TempDir()
	for name, text := range map[string]string{
		"sub/go.mod":             "module example.com/m\n\ngo 1.26\n",
		"sub/a_test.go":          "package m\n\nimport \"testing\"\n\nfunc BenchmarkA(b *testing.B) {}\n",
		"sub/in/ner/b_test.go":   "package ner_test\n\ntype x struct{}\n\nfunc (x) BenchmarkB() {}\nfunc BenchmarkB(b int) {}\n",
		"sub/in/ner/broken.go":   "package",
		"sub/in/ner/c_test.go":   "package ner\nfunc BenchmarkB(",
		"sub/other/go.mod":       "module example.com/other\n",
		"sub/other/x/d_test.go":  "package x\nfunc BenchmarkD() {}\n",
		"outside/go.mod":         "module example.com/outside\n",
		"outside/escape_test.go": "package outside\nfunc BenchmarkE() {}\n",
	} {
		name = filepath.Join(top, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := &project{app: inStep("GITHUB_WORKSPACE=" + top), root: filepath.Join(top, "sub"), repo: &harness.Repo{Top: top}}
	for _, tt := range []struct {
		suite, pkg, name, file string
		line                   int
	}{
		{harness.SuiteGoBench, "example.com/m", "A", "sub/a_test.go", 5},
		{harness.SuiteGoBench, "example.com/m", "A/size=10/x", "sub/a_test.go", 5},
		{harness.SuiteGoBench, "example.com/m/in/ner", "B", "sub/in/ner/b_test.go", 6},
		{harness.SuiteGoBench, "example.com/other/x", "D/|##[error]", "sub/other/x/d_test.go", 2},
		{harness.SuiteGoBench, "example.com/m", "Gone", "", 0},
		{harness.SuiteGoBench, "example.com/m/../../outside", "E", "", 0},
		{harness.SuiteGoBench, "example.com/more", "A", "", 0},
		{harness.SuiteLoad, "example.com/m", "A", "", 0},
	} {
		file, line := p.position(result.Key{Suite: tt.suite, Package: tt.pkg, Name: tt.name})
		if file != tt.file || line != tt.line {
			t.Errorf("position of %s.%s = %s:%d, want %s:%d", tt.pkg, tt.name, file, line, tt.file, tt.line)
		}
	}
}

package harness

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const sourceFile = `// Package m is measured.
package m

import "testing"

// BenchmarkDirect stands alone.
func BenchmarkDirect(b *testing.B) {
	for range b.N {
		work() // of the package itself
	}
}

func BenchmarkHelped(b *testing.B) {
	for range b.N {
		outer()
	}
}

func outer() { helper(limit) }

func helper(n int) {}

const limit = 3

type thing struct{ n int }

func (t *thing) Do() { t.n++ }

type box[T any] struct{ v T }

func (b box[T]) Get() T { return b.v }

func BenchmarkTyped(b *testing.B) {
	t := new(thing)
	for range b.N {
		t.Do()
	}
}

func BenchmarkGeneric(b *testing.B) {
	x := box[int]{}
	for range b.N {
		x.Get()
	}
}

func unrelated() {}

func TestX(t *testing.T) { unrelated() }

var table = map[string]func(){"a": listed}

func listed() {}

func BenchmarkTable(b *testing.B) {
	for name, f := range table {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				f()
			}
		})
	}
}

var BenchmarkVariable = 1
`

// A benchmark is touched where its text, or anything of the test files that it reaches, changes.
func TestSources(t *testing.T) {
	for _, tt := range []struct {
		name     string
		old, new string
		touched  string
	}{
		{"nothing", "", "", ""},
		{"a comment", "stands alone", "stands quite alone", ""},
		{"a comment in a body", " // of the package itself", " // ours", ""},
		{"another order", "func outer() { helper(limit) }\n\nfunc helper(n int) {}\n", "func helper(n int) {}\n\nfunc outer() { helper(limit) }\n", ""},
		{"white space", "func outer() { helper(limit) }", "func outer()  {  helper( limit )  }", ""},
		{"an unrelated function", "func unrelated() {}", "func unrelated() { println() }", ""},
		{"a test", "{ unrelated() }", "{ unrelated(); unrelated() }", ""},
		{"a new test", "func unrelated() {}", "func unrelated() {}\n\nfunc TestY(t *testing.T) {}", ""},
		{"its own body", "work() //", "work(); work() //", "Direct"},
		{"a helper's helper", "func helper(n int) {}", "func helper(n int) { println(n) }", "Helped"},
		{"a constant", "const limit = 3", "const limit = 4", "Helped"},
		{"a method", "{ t.n++ }", "{ t.n += 2 }", "Typed"},
		{"a type", "type thing struct{ n int }", "type thing struct{ n int64 }", "Typed"},
		{"a method of a generic type", "{ return b.v }", "{ v := b.v; return v }", "Generic"},
		{"a variable", `"a": listed`, `"b": listed`, "Table"},
		{"a function in a variable", "func listed() {}", "func listed() { println() }", "Table"},
		{"an init function", "func unrelated() {}", "func init() { println() }\n\nfunc unrelated() {}", "Direct Generic Helped Table Typed"},
		{"TestMain", "func unrelated() {}", "func TestMain(m *testing.M) { m.Run() }\n\nfunc unrelated() {}", "Direct Generic Helped Table Typed"},
		{"a variable without a name", "func unrelated() {}", "var _ = helper\n\nfunc unrelated() {}", "Direct Generic Helped Table Typed"},
		{"a renamed benchmark", "func BenchmarkDirect(", "func BenchmarkOther(", "Direct Other"},
		{"a new benchmark", "func unrelated() {}", "func BenchmarkNew(b *testing.B) {}\n\nfunc unrelated() {}", "New"},
		{"an import", "import \"testing\"", "import (\n\t\"testing\"\n)", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			if !strings.Contains(sourceFile, tt.old) {
				t.Fatalf("the source does not contain %q", tt.old)
			}
			write(t, dir, map[string]string{"base/m_test.go": sourceFile, "head/m_test.go": strings.Replace(sourceFile, tt.old, tt.new, 1)})
			var s [2]sources
			for i, side := range []string{"base", "head"} {
				var ok bool
				if s[i], ok = readSources(filepath.Join(dir, side), []string{"m_test.go"}); !ok {
					t.Fatal(side, " was not read")
				}
			}
			var touched []string
			for name, h := range s[1] {
				if s[0][name] != h {
					touched = append(touched, name)
				}
			}
			for name := range s[0] {
				if _, ok := s[1][name]; !ok {
					touched = append(touched, name)
				}
			}
			slices.Sort(touched)
			if got := strings.Join(touched, " "); got != tt.touched {
				t.Errorf("touched = %q, want %q", got, tt.touched)
			}
		})
	}
}

// What moves to another file of the package stays the same.
func TestSourcesMoved(t *testing.T) {
	dir := t.TempDir()
	helper := "func helper(n int) {}\n"
	write(t, dir, map[string]string{
		"base/m_test.go":     sourceFile,
		"head/m_test.go":     strings.Replace(sourceFile, helper, "", 1),
		"head/other_test.go": "package m\n\n// Now here.\n" + helper,
	})
	base, _ := readSources(filepath.Join(dir, "base"), []string{"m_test.go"})
	head, ok := readSources(filepath.Join(dir, "head"), []string{"m_test.go", "other_test.go"})
	if !ok || len(base) != 5 || len(head) != 5 {
		t.Fatalf("%d and %d benchmarks, want 5", len(base), len(head))
	}
	for name := range base {
		if base[name] != head[name] {
			t.Errorf("%s is another since its helper moved", name)
		}
	}
}

func TestSourcesUnreadable(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"m_test.go": "package m\n\nfunc {"})
	for _, name := range []string{"m_test.go", "nosuch_test.go"} {
		if s, ok := readSources(dir, []string{name}); ok {
			t.Errorf("readSources(%s) = %v, want that it cannot be read", name, s)
		}
	}
}

func TestLayFolder(t *testing.T) {
	dir := t.TempDir()
	head, base := filepath.Join(dir, "head"), filepath.Join(dir, "base")
	write(t, dir, map[string]string{"head/a.txt": "new", "head/sub/b.txt": "b", "base/a.txt": "old", "base/gone.txt": "x"})
	if sameFolder(head, base) {
		t.Error("different folders are the same")
	}
	if err := layFolder(head, base); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(filepath.Join(base, "sub", "b.txt")); err != nil || string(data) != "b" {
		t.Errorf("base has %q, %v, want head's file", data, err)
	}
	if !sameFolder(head, base) {
		t.Error("the folders still differ")
	}
	if err := layFolder(filepath.Join(dir, "none"), base); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(base); !os.IsNotExist(err) {
		t.Errorf("stat base: %v, want that it is gone as on head", err)
	}
	if !sameFolder(filepath.Join(dir, "none"), base) {
		t.Error("two folders that do not exist differ")
	}
}

//go:build unix

package harness

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/result"
)

// TestTrial measures a tree against itself with more functions and an exact slowdown, beside its control:
// the trial's sides are what they are said to be.
func TestTrial(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"go.mod":    "module example.com/m\n\ngo 1.24\n",
		"m_test.go": "package m\n\nimport \"testing\"\n\nvar s []byte\n\nfunc BenchmarkA(b *testing.B) {\n\tfor range b.N {\n\t\ts = make([]byte, 100)\n\t}\n}\n\nfunc BenchmarkB(b *testing.B) {\n\tfor range b.N {\n\t}\n}\n",
	})
	key := result.Key{Suite: SuiteGoBench, Package: "example.com/m", Name: "A"}
	suite := &GoBench{HeadDir: dir, BaseDir: dir, Scratch: t.TempDir(), Packages: []string{"./..."}, Bench: "A", Environ: os.Environ(), Cache: knownGate(t),
		Trial: &Trial{Padding: 3, Slow: map[result.Key]float64{key: 1}}}
	runner, err := suite.Prepare(t.Context(), &Budget{Limit: 1 << 40}, func(Event) {})
	if err != nil {
		t.Fatal(err)
	}
	r := runner.(*goRunner)
	if p := r.pkgs[0]; p.same != "" || p.bins[Base].hash == p.bins[Head].hash {
		t.Error("the padded binary is the same")
	}
	target := r.Targets()[0]
	target.Iters, target.Pairs = 1000, 2
	take := func(want [2]float64) func(*Target, Reading) {
		return func(tt *Target, got Reading) {
			if got.Failure != [2]string{} {
				t.Errorf("failures %q", got.Failure)
				return
			}
			var allocs [2]float64
			for side := range allocs {
				i := slices.IndexFunc(got.Metrics[side], func(m *result.Metric) bool { return m.Unit.Name == "allocs/op" })
				allocs[side] = got.Metrics[side][i].Samples[0].Value
			}
			if allocs != want {
				t.Errorf("allocations %v, want %v: a slowdown of 100%% is twice as many iterations", allocs, want)
			}
		}
	}
	if err := r.Pass(t.Context(), r.Targets(), 0, newRand(1), take([2]float64{1, 2})); err != nil {
		t.Error(err)
	}
	taken := 0
	if err := r.Control(t.Context(), r.Targets(), newRand(1), func(tt *Target, got Reading) { taken++; take([2]float64{1, 1})(tt, got) }); err != nil || taken != 1 {
		t.Errorf("the control took %d readings: %v", taken, err)
	}
	// Where head takes so much longer a pass has fewer pairs: slices as short as on base would leave room for hundreds.
	suite.Trial.Slow[key] = 30
	if err := r.Calibrate(t.Context(), r.Targets()); err != nil || target.MaxPairs > 24 || target.Pairs > target.MaxPairs {
		t.Errorf("%d pairs of %d on a head that is 31 times as slow: %v", target.Pairs, target.MaxPairs, err)
	}
	twin := r.twins[r.pkgs[0].bins[Base]]
	if twin == nil || len(twin.path) != len(r.pkgs[0].bins[Base].path) {
		t.Fatalf("twin %+v", twin)
	}
	if h, err := hashFile(twin.path); err != nil || h != r.pkgs[0].bins[Base].hash {
		t.Errorf("the twin is no copy: %v", err)
	}
	if names, _ := filepath.Glob(filepath.Join(dir, "*")); len(names) != 2 {
		t.Errorf("the tree has %q", names)
	}
}

func TestPadding(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"x_test.go": "package x_test\n"})
	b := &builder{scratch: t.TempDir()}
	p := goPackage{Dir: dir, TestFiles: []string{"x_test.go"}}
	if got, err := b.padding(p, 0); got != nil || err != nil {
		t.Errorf("no padding is %v, %v", got, err)
	}
	got, err := b.padding(p, 4)
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), got[filepath.Join(dir, paddingFile)], nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	if file.Name.Name != "x_test" || len(file.Decls) != 1+1+4 {
		t.Errorf("package %s with %d declarations", file.Name.Name, len(file.Decls))
	}
	write(t, dir, map[string]string{"x_test.go": "pack"})
	if _, err := b.padding(p, 1); err == nil {
		t.Error("no error for a file without a package")
	}
}

func TestTrialChoose(t *testing.T) {
	var all []*goTarget
	for i := range 10 {
		g := &goTarget{}
		g.Key.Name, g.Live = string(rune('a'+i)), [2]bool{i != 3, true}
		all = append(all, g)
	}
	names := func(gs []*goTarget) (s string) {
		for _, g := range gs {
			s += g.Key.Name
		}
		return s
	}
	for most, want := range map[int]string{0: "abcdefghij", 20: "abcdefghij", 3: "aeh", 1: "a"} {
		if got := names((&Trial{Most: most}).choose(all)); got != want {
			t.Errorf("the most %d: %s, want %s", most, got, want)
		}
	}
	if got := names((*Trial)(nil).choose(all)); got != "abcdefghij" {
		t.Errorf("without a trial: %s", got)
	}
}

func TestSameData(t *testing.T) {
	files := map[string]string{"a.go": "package a\n", "data.json": "{}", "testdata/x/y": "y", "README.md": "words", ".hidden": "", "go.sum": "", "LICENSE": ""}
	tests := []struct {
		name, file, text string
		want             bool
	}{
		{"equal", "", "", true},
		{"Go files are in the binary", "a.go", "package b\n", true},
		{"prose", "README.md", "other words", true},
		{"hidden", ".hidden", "x", true},
		{"module file", "go.sum", "x", true},
		{"licence", "LICENSE", "x", true},
		{"a folder beside", "sub/data", "x", true},
		{"data beside the source", "data.json", "[]", false},
		{"one more file", "more.csv", "", false},
		{"test data", "testdata/x/y", "z", false},
		{"more test data", "testdata/z", "", false},
	}
	for _, tt := range tests {
		base, head := t.TempDir(), t.TempDir()
		write(t, base, files)
		write(t, head, files)
		if tt.file != "" {
			write(t, head, map[string]string{tt.file: tt.text})
		}
		if got := sameData(base, head); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
	if sameData(t.TempDir(), filepath.Join(t.TempDir(), "none")) {
		t.Error("a folder that is not there is the same")
	}
}

// TestSameLoaded: what is no ELF file is never the same.
func TestSameLoaded(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"a": "text", "b": "text"})
	if sameLoaded(filepath.Join(dir, "a"), filepath.Join(dir, "b")) {
		t.Error("two texts are the same program")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if elf := sameLoaded(self, self); !elf && isELF(t, self) {
		t.Error("this program is not the same as itself")
	}
	if diff := cmp.Diff(false, sameLoaded(self, filepath.Join(dir, "a"))); diff != "" {
		t.Error(diff)
	}
}

func isELF(t *testing.T, name string) bool {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return len(data) > 4 && string(data[:4]) == "\x7fELF"
}

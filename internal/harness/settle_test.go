package harness

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/result"
)

// Where the budget ended before head was listed, nothing of base's is gone: neither its functions nor the
// sub-benchmarks that only a listing shows.
func TestSettleUnlisted(t *testing.T) {
	dir := t.TempDir()
	source := "package m\n\nimport \"testing\"\n\nfunc BenchmarkLevels(b *testing.B) {}\n\nfunc BenchmarkNew(b *testing.B) {}\n"
	if err := os.WriteFile(filepath.Join(dir, "m_test.go"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	filter, err := NewFilter(".")
	if err != nil {
		t.Fatal(err)
	}
	ran := &result.Benchmark{Status: result.OK}
	pkg := &goPackage{ImportPath: "example.com/m", Dir: dir, TestFiles: []string{"m_test.go"}}
	p := &pkgState{
		on:   [2]*goPackage{pkg, pkg},
		bins: [2]*binary{{hash: [32]byte{1}}, {hash: [32]byte{2}}},
		own:  [2]*listing{Base: {bench: map[string]*result.Benchmark{"Levels/0": ran, "Levels/1": ran, "Gone": ran}, procs: 1}},
	}
	r := &goRunner{suite: &GoBench{}, filter: filter, build: &builder{trees: [2]*tree{{}, {}}}}
	r.settle(p)
	got := map[string][2]string{}
	for _, target := range r.targets {
		var said [2]string
		for side, b := range target.Bench {
			said[side] = string(b.Status)
			if b.Unmeasured != "" {
				said[side] = "unmeasured"
			}
		}
		got[target.Key.Name] = said
	}
	want := map[string][2]string{
		"Levels/0": {"ok", "unmeasured"}, "Levels/1": {"ok", "unmeasured"}, "New": {"absent", "unmeasured"}, "Gone": {"ok", "absent"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("base and head (-want +got):\n%s", diff)
	}
}

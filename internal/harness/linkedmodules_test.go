package harness

import (
	"debug/buildinfo"
	"runtime/debug"
	"slices"
	"testing"
)

// Dependencies of another version, and those in folders, are looked into like one's own code; the toolchain is none.
func TestModulesChanged(t *testing.T) {
	base := modulesOf(&buildinfo.BuildInfo{GoVersion: "go1.25.1", Deps: []*debug.Module{
		{Path: "ex.org/same", Version: "v1.0.0"}, {Path: "ex.org/newer", Version: "v1.1.0"}, {Path: "ex.org/gone", Version: "v0.1.0"},
		{Path: "ex.org/folder", Version: "v1.0.0", Replace: &debug.Module{Path: "./folder"}}, {Path: "ex.org/forked", Version: "v1.0.0"},
	}})
	head := modulesOf(&buildinfo.BuildInfo{GoVersion: "go1.26.0", Deps: []*debug.Module{
		{Path: "ex.org/same", Version: "v1.0.0"}, {Path: "ex.org/newer", Version: "v1.2.0"},
		{Path: "ex.org/folder", Version: "v1.0.0", Replace: &debug.Module{Path: "./folder"}},
		{Path: "ex.org/forked", Version: "v1.0.0", Replace: &debug.Module{Path: "ex.org/fork", Version: "v1.0.1"}},
	}})
	for _, tt := range []struct {
		sides            [2]linkedModules
		changed, suspect []string
	}{
		{[2]linkedModules{base, head},
			[]string{"ex.org/forked v1.0.0 → ex.org/fork v1.0.1", "ex.org/gone v0.1.0 → none", "ex.org/newer v1.1.0 → v1.2.0", "go go1.25.1 → go1.26.0"},
			[]string{"ex.org/folder", "ex.org/forked", "ex.org/gone", "ex.org/newer"}},
		{[2]linkedModules{base, base}, nil, []string{"ex.org/folder"}},
		{[2]linkedModules{modulesOf(nil), head}, nil, []string{"ex.org/folder"}},
	} {
		if got := modulesChanged(tt.sides); !slices.Equal(got, tt.changed) {
			t.Errorf("changed %q, want %q", got, tt.changed)
		}
		if got := suspectModules(tt.sides); !slices.Equal(got, tt.suspect) {
			t.Errorf("suspect %q, want %q", got, tt.suspect)
		}
	}
}

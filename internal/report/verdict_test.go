package report

import (
	"testing"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/result"
)

// TestReplay: the order can be repeated only where perfgate measured and its seed is known.
func TestReplay(t *testing.T) {
	tests := []struct {
		file *result.File
		want string
	}{
		{&result.File{Seed: 42, Run: &result.Run{}}, "perfgate check --seed 42"},
		{&result.File{Run: &result.Run{}}, ""},
		{&result.File{Seed: 42}, ""},
	}
	for _, tt := range tests {
		if got := replay(&Document{File: tt.file}); got != tt.want {
			t.Errorf("replay(%+v) = %q, want %q", *tt.file, got, tt.want)
		}
	}
}

func TestSource(t *testing.T) {
	const commit = "0123456789abcdef0123"
	for want, s := range map[string]*result.Set{
		"–":                   nil,
		"old.txt":             {Ref: "old.txt"},
		"0123456789ab":        {Commit: commit},
		"0123456789ab (main)": {Commit: commit, Ref: "main"},
		"0123456789ab (HEAD) with uncommitted changes": {Commit: commit, Ref: "HEAD", Dirty: true},
	} {
		if got := source(s); got != want {
			t.Errorf("source(%+v) = %q, want %q", s, got, want)
		}
	}
	if got := source(&result.Set{Commit: commit, Ref: commit}); got != "0123456789ab" {
		t.Errorf("a commit that was asked for by its name: %q", got)
	}
}

// TestDetectableNamesItsMetric: the worst is not always a time.
func TestDetectableNamesItsMetric(t *testing.T) {
	for unit, want := range map[string]string{"sec/op": "Slow", "B/op": "Slow B/op"} {
		c := &compare.Comparison{Key: result.Key{Name: "Slow"}, Unit: result.UnitOf(unit), Gated: true, MDE: 0.2, Effect: 0.05}
		if _, got := detectable(&Document{File: run(), Outcome: &compare.Outcome{Comparisons: []*compare.Comparison{c}}}); got != want {
			t.Errorf("the worst is %q, want %q", got, want)
		}
	}
}

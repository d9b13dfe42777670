package harness

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestBaseWorkspace: base is built in the workspace of its own checkout, also where the project is a module below it,
// in head's where git knows none, and in none where head's is not the repository's.
func TestBaseWorkspace(t *testing.T) {
	t.Parallel()
	const work, mod = "go 1.26\n\nuse ./m\n", "module example.com/m\n\ngo 1.26\n"
	for _, tt := range []struct {
		name, top     string // of the repository, relative to the folder of all
		files         map[string]string
		want, warning string
	}{
		{"of the checkout", "head", map[string]string{"head/go.work": work, "base/go.work": work}, "base/go.work", ""},
		{"of head alone", "head", map[string]string{"head/go.work": work}, "base/go.work", ""},
		{"of base alone", "head", map[string]string{"base/go.work": work}, "base/go.work", ""},
		{"none", "head", nil, "", ""},
		{"no repository", "head/m", map[string]string{"head/go.work": work, "base/go.work": work}, "off", "which lies outside the repository"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir, err := filepath.EvalSymlinks(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			write(t, dir, map[string]string{"head/m/go.mod": mod, "base/m/go.mod": mod})
			write(t, dir, tt.files)
			r := &goRunner{suite: &GoBench{HeadDir: filepath.Join(dir, "head/m"), HeadTop: filepath.Join(dir, tt.top)}}
			base := &tree{tool: goOffline(), root: filepath.Join(dir, "base/m")}
			if err := r.baseWorkspace(t.Context(), base); err != nil {
				t.Fatal(err)
			}
			e, err := base.tool.environment(t.Context(), base.root)
			if err != nil {
				t.Fatal(err)
			}
			want := tt.want
			if strings.Contains(want, "/") {
				want = filepath.Join(dir, want)
			}
			if got := strings.Join(r.warnings, "\n"); e.GOWORK != want || (got != "") != (tt.warning != "") || !strings.Contains(got, tt.warning) {
				t.Errorf("base has the workspace %q with warnings %q, want %q", e.GOWORK, got, want)
			}
		})
	}
}

package harness

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const surveyBench = "package m\n\nimport \"testing\"\n\nfunc BenchmarkM(b *testing.B) {\n}\n"

func TestLook(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		files map[string]string
		want  Survey
	}{
		{"nothing", map[string]string{"main.py": "", "vendor/m/go.mod": "module m\n"}, Survey{}},
		{"no benchmark", map[string]string{"go.mod": "module example.com/m\n\ngo 1.24\n", "m.go": "package m\n"},
			Survey{Modules: []string{"."}, GoVersion: "1.24", GoVersionFile: "go.mod"}},
		{"nested", map[string]string{
			"go.mod": "module example.com/m\n\ngo 1.21\n", "m_test.go": surveyBench, "in/m_test.go": surveyBench,
			"b/go.mod": "module example.com/b\n\ngo 1.25.1\n", "b/m_test.go": surveyBench,
		}, Survey{Modules: []string{".", "b"}, Benchmarks: []string{"example.com/m", "example.com/m/in", "example.com/b"}, GoVersion: "1.25.1", GoVersionFile: "go.mod"}},
		{"only nested", map[string]string{"b/go.mod": "module example.com/b\n\ngo 1.24\n", "b/m_test.go": surveyBench},
			Survey{Modules: []string{"b"}, Benchmarks: []string{"example.com/b"}, GoVersion: "1.24", GoVersionFile: "b/go.mod"}},
		{"libraries", map[string]string{
			"go.mod": "module example.com/m\n\ngo 1.24\n", "m_test.go": surveyBench,
			"m.go": "package m\n\n// #cgo pkg-config: libfoo\n// #cgo LDFLAGS: -L/opt/lib -lm -lsqlite3\nimport \"C\"\n",
		}, Survey{Modules: []string{"."}, Benchmarks: []string{"example.com/m"}, GoVersion: "1.24", GoVersionFile: "go.mod", Libraries: []string{"libfoo", "sqlite3"}}},
		{"only a C compiler", map[string]string{
			"go.mod": "module example.com/m\n\ngo 1.24\n", "m_test.go": surveyBench, "m.go": "package m\n\n// #cgo LDFLAGS: -lm\nimport \"C\"\n",
		}, Survey{Modules: []string{"."}, Benchmarks: []string{"example.com/m"}, GoVersion: "1.24", GoVersionFile: "go.mod"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, dir, tt.files)
			got, err := Look(t.Context(), dir, append(goOffline().env, "CGO_ENABLED=1"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&tt.want, got); diff != "" {
				t.Errorf("Look (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDefaultBranch(t *testing.T) {
	t.Parallel()
	c := newClone(t)
	c.git("symbolic-ref", "HEAD", "refs/heads/trunk")
	if got := c.open().DefaultBranch(t.Context()); got != "trunk" {
		t.Errorf("of a repository with nothing but trunk = %q", got)
	}
	c.commit("one")
	c.git("branch", "master")
	if got := c.open().DefaultBranch(t.Context()); got != "master" {
		t.Errorf("with master = %q", got)
	}
	c.git("update-ref", "refs/remotes/origin/dev", "HEAD")
	c.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/dev")
	if got := c.open().DefaultBranch(t.Context()); got != "dev" {
		t.Errorf("with a remote whose default is dev = %q", got)
	}
}

func TestRemoteTag(t *testing.T) {
	t.Parallel()
	c := newClone(t)
	head := c.commit("one")
	c.git("tag", "v1.0.0")
	c.git("tag", "--annotate", "--message=two", "v1.1.0")
	r := c.open()
	for _, tag := range []string{"v1.0.0", "v1.1.0"} {
		if got, err := r.RemoteTag(t.Context(), c.dir, tag); got != head || err != nil {
			t.Errorf("RemoteTag(%s) = %q, %v, want %s", tag, got, err, head)
		}
	}
	if got, err := r.RemoteTag(t.Context(), c.dir, "v1"); err == nil {
		t.Errorf("RemoteTag(v1) = %q, want an error", got)
	}
	if got, err := r.RemoteTag(t.Context(), c.dir+"-elsewhere", "v1.0.0"); err == nil {
		t.Errorf("RemoteTag of no repository = %q, want an error", got)
	}
}

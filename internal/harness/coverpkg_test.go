//go:build unix

package harness

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/goproxytest"

	"github.com/org/perfgate/internal/result"
)

const dependency = `module example.com/dep@VERSION
-- .mod --
module example.com/dep

go 1.24
-- .info --
{"Version":"VERSION"}
-- inner/inner.go --
package inner

func Sum(n int) int {
	s := 0
	for i := range n {
		s += iMORE
	}
	return s
}
`

// needing is a project that uses the dependency, and a package of the standard library that package testing
// does not.
var needing = map[string]string{
	"go.mod":    "module example.com/m\n\ngo 1.24\n\nrequire example.com/dep VERSION\n",
	"m.go":      "package m\n\nimport (\n\t\"encoding/hex\"\n\n\t\"example.com/dep/inner\"\n)\n\nfunc Sum() int { return inner.Sum(hex.EncodedLen(5)) }\n",
	"m_test.go": "package m\n\nimport \"testing\"\n\nvar sum int\n\nfunc BenchmarkSum(b *testing.B) {\n\tfor range b.N {\n\t\tsum = Sum()\n\t}\n}\n",
}

// covering makes base, which needs the dependency's first version, and head, which needs its second, in a
// workspace that base has no part in.
func covering(t *testing.T, patterns ...string) *GoBench {
	t.Helper()
	modules := t.TempDir()
	for version, more := range map[string]string{"v1.0.0": "", "v1.1.0": "\n\t\ts--"} {
		write(t, modules, map[string]string{"example.com_dep_" + version + ".txt": strings.NewReplacer("VERSION", version, "MORE", more).Replace(dependency)})
	}
	proxy, err := goproxytest.NewServer(modules, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	env := append(os.Environ(), "GOPROXY="+proxy.URL, "GOMODCACHE="+t.TempDir(), "GONOSUMDB=*", "GOFLAGS=-modcacherw")
	s := &GoBench{Scratch: t.TempDir(), Packages: []string{"./..."}, Bench: ".", Environ: env, CoverPackages: patterns, Cache: knownGate(t)}
	for version, dir := range map[string]*string{"v1.0.0": &s.BaseDir, "v1.1.0": &s.HeadDir} {
		*dir = filepath.Join(t.TempDir(), "project")
		for name, text := range needing {
			write(t, *dir, map[string]string{name: strings.Replace(text, "VERSION", version, 1)})
		}
		tidy := exec.Command("go", "mod", "tidy")
		tidy.Dir, tidy.Env = *dir, env
		if out, err := tidy.CombinedOutput(); err != nil {
			t.Fatalf("go mod tidy: %v\n%s", err, out)
		}
	}
	write(t, filepath.Dir(s.HeadDir), map[string]string{"go.work": "go 1.24\n\nuse ./project\n\nreplace example.com/dep v1.1.0 => example.com/dep v1.1.0\n"})
	return s
}

// TestCountCovered: statements of a module in the module cache, and of the standard library, count where they are
// named, and a newer version that executes more is found in it.
func TestCountCovered(t *testing.T) {
	t.Parallel()
	suite := covering(t, "example.com/dep/...", "e...") // also encoding/hex, and errors, which package testing needs
	runner, err := suite.Prepare(t.Context(), &Budget{Limit: 1 << 40}, func(Event) {})
	if err != nil {
		t.Fatal(err)
	}
	for side, set := range sets(runner) {
		if len(set.BuildFailures) > 0 {
			t.Fatalf("%v does not build: %s", Side(side), set.BuildFailures[0].Message)
		}
	}
	var got [2]float64
	err = runner.Count(t.Context(), runner.Targets(), func(_ *Target, r Reading) {
		for side, ms := range r.Metrics {
			for _, m := range ms {
				if m.Unit.Name == result.Statements {
					got[side] = m.Samples[0].Value
				}
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	// One statement in m.Sum, one in hex.EncodedLen, three in inner.Sum and ten or twenty in its loop.
	if want := [2]float64{15, 25}; got != want {
		t.Errorf("statements of base and head: %v, want %v; warnings %q", got, want, runner.Warnings())
	}
	want := []result.Block{{File: "example.com/dep/inner/inner.go", From: 5, To: 8, Base: 10, Head: 20}}
	if diff := cmp.Diff(want, runner.Targets()[0].Bench[Head].Blocks); diff != "" {
		t.Errorf("blocks (-want +got):\n%s", diff)
	}
	if _, head := runner.Sets(); head.Env.Covered != "example.com/dep/... e..." {
		t.Errorf("the fingerprint has covered packages %q", head.Env.Covered)
	}
	for _, name := range []string{suite.BaseDir + "/go.mod", suite.HeadDir + "/../go.work"} {
		if text, err := os.ReadFile(name); err != nil || strings.Contains(string(text), os.TempDir()) {
			t.Errorf("%s of the project was changed: %s (%v)", filepath.Base(name), text, err)
		}
	}
}

// TestCoverUnknown: a pattern that counts nothing is a wrong command line.
func TestCoverUnknown(t *testing.T) {
	t.Parallel()
	suite := covering(t)
	for pattern, want := range map[string]string{
		"example.com/other": "--coverpkg example.com/other: no benchmark is built from such a package; go list -deps -test ./... shows what they are built from",
		"net/...":           "--coverpkg net/...: no benchmark is built from such a package; go list -deps -test ./... shows what they are built from",
		"fmt":               "--coverpkg fmt: its statements cannot be counted, because package testing, which counts them, is built from it",
	} {
		suite.Scratch, suite.CoverPackages = t.TempDir(), []string{"encoding/hex", pattern}
		_, err := suite.Prepare(t.Context(), &Budget{Limit: 1 << 40}, func(Event) {})
		if usage := new(*ErrUsage); !errors.As(err, usage) || err.Error() != want {
			t.Errorf("--coverpkg %s: %v, want %s", pattern, err, want)
		}
	}
}

func sets(r Runner) (s [2]*result.Set) {
	s[Base], s[Head] = r.Sets()
	return s
}

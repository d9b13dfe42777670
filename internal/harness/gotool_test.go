package harness

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplitFlags(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want []string
	}{
		{"", nil},
		{" \t\n", nil},
		{"-mod=mod", []string{"-mod=mod"}},
		{"  -a  -b\t-c\n", []string{"-a", "-b", "-c"}},
		{"'-ldflags=-s -w' -v", []string{"-ldflags=-s -w", "-v"}},
		{`"-ldflags=-X=a.b='c d'" -v`, []string{"-ldflags=-X=a.b='c d'", "-v"}},
		{"-ldflags='-s", []string{"-ldflags='-s"}}, // a quote counts at the beginning of a field only
		{"''", []string{""}},
	} {
		got, err := splitFlags(tt.in)
		if err != nil {
			t.Errorf("splitFlags(%q): %v", tt.in, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("splitFlags(%q) (-want +got):\n%s", tt.in, diff)
		}
	}
	for _, in := range []string{"'-a", `-v "-b`} {
		if got, err := splitFlags(in); !errors.As(err, new(*ErrUsage)) {
			t.Errorf("splitFlags(%q) = %q, %v, want a usage error", in, got, err)
		}
	}
}

func TestLdflags(t *testing.T) {
	for _, tt := range []struct{ goflags, extra, want string }{
		{"", "", ""},
		{"", "-funcalign=64", "-funcalign=64"},
		{"-mod=mod -trimpath", "-funcalign=64", "-funcalign=64"},
		{"-ldflags=-X=a.b=c", "-funcalign=64", "-X=a.b=c -funcalign=64"},
		{"--ldflags=-s", "-funcalign=64", "-s -funcalign=64"},
		{"'-ldflags=-s -w'", "", "-s -w"},
		{"'-ldflags=-s -w' -v", "-funcalign=64", "-s -w -funcalign=64"},
		{"-ldflags=-s -ldflags=-w", "-funcalign=64", "-w -funcalign=64"}, // the last one counts
		{"-ldflagsX=1 -gcflags=-ldflags=2", "", ""},
	} {
		got, err := ldflags(tt.goflags, tt.extra)
		if err != nil || got != tt.want {
			t.Errorf("ldflags(%q, %q) = %q, %v, want %q", tt.goflags, tt.extra, got, err, tt.want)
		}
	}
	if _, err := ldflags("'-s", ""); err == nil {
		t.Error("ldflags of an unterminated quote = nil error")
	}
}

func TestNewer(t *testing.T) {
	for _, tt := range []struct {
		a, b, want string
		differ     bool
	}{
		{"go1.26.1", "go1.26.1", "go1.26.1", false},
		{"go1.25.3", "go1.26.1", "go1.26.1", true},
		{"go1.26.10", "go1.26.9", "go1.26.10", true},
		{"go1.26rc1", "go1.26.0", "go1.26.0", true},
		{"go1.26.1 X:simd", "go1.26.1 X:simd", "go1.26.1", false},
		{"go1.25.1 X:simd", "go1.26.1 X:simd", "go1.26.1", true},
		{"devel go1.27-0123abc", "devel go1.27-0123abc", "devel", false},
		{"devel go1.27-0123abc", "go1.26.1", "go1.26.1", true},
	} {
		if got, differ := newer(tt.a, tt.b); got != tt.want || differ != tt.differ {
			t.Errorf("newer(%q, %q) = %q, %v, want %q, %v", tt.a, tt.b, got, differ, tt.want, tt.differ)
		}
	}
}

func TestFingerprint(t *testing.T) {
	e := Fingerprint()
	if e.GOOS == "" || e.GOARCH == "" || e.Cores < 1 || e.GOMAXPROCS < 1 {
		t.Errorf("Fingerprint() = %+v", e)
	}
	if diff := cmp.Diff(e, Fingerprint()); diff != "" {
		t.Errorf("another fingerprint the second time:\n%s", diff)
	}
}

func TestOwnPattern(t *testing.T) {
	root, nested, deep := module{Rel: "."}, module{Rel: "nested"}, module{Rel: "nested/deep"}
	all := []module{root, nested, deep}
	rootless := []module{{Rel: "a"}, {Rel: "b"}}
	for _, tt := range []struct {
		m       module
		all     []module
		pattern string
		want    string // empty: none of the module's
	}{
		{root, all, "./...", "./..."},
		{root, all, ".", "."},
		{root, all, "./internal/x", "./internal/x"},
		{root, all, "./nested", ""},
		{root, all, "./nested/...", ""},
		{root, all, "./nested/deep", ""},
		{root, all, "./nestedness", "./nestedness"},
		{root, all, "example.com/m/x", "example.com/m/x"},
		{nested, all, "./...", "./..."},
		{nested, all, ".", ""},
		{nested, all, "./nested", "./"},
		{nested, all, "./nested/", "./"},
		{nested, all, "./nested/...", "./..."},
		{nested, all, "./nested/x", "./x"},
		{nested, all, "./nested/x/...", "./x/..."},
		{nested, all, "./nestedness/...", ""},
		{nested, all, "./internal/...", ""},
		{nested, all, "example.com/m/x", ""},
		{nested, all, "./nested/deep/...", ""},
		{nested, all, "./nested/deep", ""},
		{deep, all, "./nested/...", "./..."},
		{deep, all, "./nested/deep/x", "./x"},
		{deep, all, "./nested/x", ""},
		{rootless[0], rootless, "./...", "./..."},
		{rootless[0], rootless, "./a", "./"},
		{rootless[0], rootless, "./b", ""},
		{rootless[1], rootless, "example.com/b/x", "example.com/b/x"},
	} {
		got, ok := ownPattern(tt.m, tt.all, tt.pattern)
		if !ok {
			got = ""
		}
		if got != tt.want {
			t.Errorf("ownPattern(%s, %s) = %q, want %q", tt.m.Rel, tt.pattern, got, tt.want)
		}
	}
}

// benchFile is a test file with a benchmark.
const benchFile = "import \"testing\"\n\nfunc BenchmarkX(b *testing.B) {\n}\n"

// Packages with benchmarks are found in the root's module, in nested ones and in the workspace, each
// once, wherever the tree lies.
func TestPackages(t *testing.T) {
	t.Parallel()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(dir, "with space")
	write(t, dir, map[string]string{
		"go.work":                   "go 1.26\n\nuse (\n\t.\n\t./listed\n)\n",
		"go.mod":                    "module example.com/m\n\ngo 1.26\n",
		"m_test.go":                 "package m\n" + benchFile,
		"none/none.go":              "package none\n",
		"tests/t_test.go":           "package tests\n\nimport \"testing\"\n\nfunc TestX(*testing.T) {}\n",
		"external/x_test.go":        "package external_test\n" + benchFile,
		"external/x.go":             "package external\n",
		"tagged/t_test.go":          "//go:build special\n\npackage tagged\n" + benchFile,
		"broken/b_test.go":          "package broken\n" + benchFile + "func {",
		"testdata/x/x_test.go":      "package x\n" + benchFile,
		"vendor/v/v_test.go":        "package v\n" + benchFile,
		".hidden/h_test.go":         "package h\n" + benchFile,
		"listed/go.mod":             "module example.com/listed\n\ngo 1.26\n",
		"listed/sub/l_test.go":      "package sub\n" + benchFile,
		"aside/go.mod":              "module example.com/aside\n\ngo 1.26\n",
		"aside/a_test.go":           "package aside\n" + benchFile,
		"aside/inner/go.mod":        "module example.com/inner\n\ngo 1.26\n",
		"aside/inner/i_test.go":     "package inner\n" + benchFile,
		"testdata/mod/go.mod":       "module example.com/no\n",
		"node_modules/x/go.mod":     "module example.com/no\n",
		"node_modules/x/no_test.go": "package no\n" + benchFile,
	})
	for _, tt := range []struct {
		patterns, tags, want string
	}{
		{"./...", "", "example.com/aside example.com/inner example.com/listed/sub example.com/m example.com/m/broken example.com/m/external"},
		{"./...", "special", "example.com/aside example.com/inner example.com/listed/sub example.com/m example.com/m/broken example.com/m/external example.com/m/tagged"},
		{".", "", "example.com/m"},
		{". ./...", "", "example.com/aside example.com/inner example.com/listed/sub example.com/m example.com/m/broken example.com/m/external"},
		{"./listed/... ./aside", "", "example.com/aside example.com/listed/sub"},
		{"./aside/...", "", "example.com/aside example.com/inner"},
		{"./aside/inner", "", "example.com/inner"},
		{"example.com/m/external", "", "example.com/m/external"},
		{"./none", "", ""},
	} {
		tool := goOffline()
		tool.tags = tt.tags
		tr := &tree{root: dir, tool: tool}
		if tr.env, err = tool.environment(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
		pkgs, err := tr.packages(t.Context(), strings.Fields(tt.patterns))
		if err != nil {
			t.Errorf("packages(%s): %v", tt.patterns, err)
			continue
		}
		var got []string
		for _, p := range pkgs {
			got = append(got, p.ImportPath)
			if _, err := os.Stat(filepath.Join(p.Dir, p.TestFiles[0])); err != nil {
				t.Errorf("%s: %v", p.ImportPath, err)
			}
		}
		if diff := cmp.Diff(tt.want, strings.Join(got, " ")); diff != "" {
			t.Errorf("packages(%s) with tags %q (-want +got):\n%s", tt.patterns, tt.tags, diff)
		}
	}
	tr := &tree{root: dir, tool: goOffline()}
	if tr.env, err = tr.tool.environment(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{"./nosuch", "example.com/nosuch"} {
		if got, err := tr.packages(t.Context(), []string{pattern}); !errors.As(err, new(*ErrUsage)) {
			t.Errorf("packages(%s) = %v, %v, want a usage error", pattern, got, err)
		}
	}
	empty := &tree{root: t.TempDir(), tool: goOffline()}
	if got, err := empty.packages(t.Context(), []string{"./..."}); !errors.As(err, new(*ErrUsage)) {
		t.Errorf("packages without a module = %v, %v, want a usage error", got, err)
	}
}

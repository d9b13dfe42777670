package harness

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/org/perfgate/internal/harness/proc"
)

// goPackage is a Go package that has benchmarks.
type goPackage struct {
	ImportPath string
	Dir        string   // absolute
	TestFiles  []string // names within Dir, external tests included
	Module     module
}

// module is where a package is built from.
type module struct {
	// Rel is the folder that go runs in, relative to the project's root.
	Rel string
	// GoworkOff says that the module is outside the workspace in force.
	GoworkOff bool
}

// tree is one side's source.
type tree struct {
	root string // the project's root in this tree
	tool goTool
	env  goEnv
}

func (t *tree) dir(m module) string { return filepath.Join(t.root, filepath.FromSlash(m.Rel)) }

func (t *tree) toolFor(m module) goTool {
	g := t.tool
	if m.GoworkOff {
		g.env = proc.WithVar(g.env, "GOWORK", "off")
	}
	return g
}

// packages finds the packages with benchmarks that the patterns select, in the main module, in
// nested modules and in the workspace, each to be built from its own module.
func (t *tree) packages(ctx context.Context, patterns []string) ([]goPackage, error) {
	mods, err := t.modules(ctx)
	if err != nil {
		return nil, err
	}
	var found []goPackage
	unmatched := slices.Clone(patterns)
	for _, m := range mods {
		own, used := ownPatterns(m, mods, patterns)
		if len(own) == 0 {
			continue
		}
		unmatched = slices.DeleteFunc(unmatched, func(p string) bool { return slices.Contains(used, p) })
		pkgs, err := t.list(ctx, m, own)
		if err != nil {
			return nil, err
		}
		found = append(found, pkgs...)
	}
	if len(mods) == 0 {
		return nil, nothingf("%s: no go.mod and no go.work here, above or below; run perfgate in a Go module, or name one with --working-directory", t.root)
	}
	if len(unmatched) > 0 {
		return nil, usagef("--packages %s: no module of this project holds it; patterns are relative to %s, such as ./...", unmatched[0], t.root)
	}
	slices.SortFunc(found, func(a, b goPackage) int { return strings.Compare(a.ImportPath, b.ImportPath) })
	return slices.CompactFunc(found, func(a, b goPackage) bool { return a.ImportPath == b.ImportPath }), nil
}

// modules lists the modules at and below the root: the one that holds the root, and every
// folder with a go.mod.
func (t *tree) modules(ctx context.Context) ([]module, error) {
	var mods []module
	if t.env.GOMOD != "" {
		mods = append(mods, module{Rel: "."})
	}
	workspace, err := t.workspace(ctx)
	if err != nil {
		return nil, err
	}
	err = filepath.WalkDir(t.root, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && p == t.root:
			return err
		case err != nil:
			return nil // unreadable folders hold nothing of the project's
		case d.IsDir() && p != t.root && ignoredDir(d.Name()):
			return fs.SkipDir
		case d.Name() == "go.mod" && !d.IsDir() && filepath.Dir(p) != t.root:
			rel, err := filepath.Rel(t.root, filepath.Dir(p))
			if err != nil {
				return err
			}
			mods = append(mods, module{Rel: filepath.ToSlash(rel), GoworkOff: t.env.GOWORK != "" && !slices.Contains(workspace, filepath.Dir(p))})
		}
		return nil
	})
	return mods, err
}

// ignoredDir reports whether the go command's "./..." would not enter the folder either.
func ignoredDir(name string) bool {
	return name == "vendor" || name == "testdata" || name == "node_modules" || name[0] == '.' || name[0] == '_'
}

// workspace lists the module folders of the go.work in force.
func (t *tree) workspace(ctx context.Context) ([]string, error) {
	if t.env.GOWORK == "" || t.env.GOWORK == "off" {
		return nil, nil
	}
	out, err := t.tool.run(ctx, t.root, "list", "-m", "-f", "{{.Dir}}")
	if err != nil {
		return nil, err
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n"), nil
}

// ownPatterns translates the patterns, which are relative to the root, into ones of module m.
// Used are the patterns that m has a part in.
func ownPatterns(m module, all []module, patterns []string) (own, used []string) {
	for _, p := range patterns {
		if q, ok := ownPattern(m, all, p); ok {
			own, used = append(own, q), append(used, p)
		}
	}
	return own, used
}

func ownPattern(m module, all []module, pattern string) (string, bool) {
	local := pattern == "." || pattern == ".." || strings.HasPrefix(pattern, "./") || strings.HasPrefix(pattern, "../")
	if !local { // an import path: any module may know it
		return pattern, m.Rel == "." || !slices.ContainsFunc(all, func(o module) bool { return o.Rel == "." })
	}
	dir, wild := strings.CutSuffix(pattern, "...")
	dir = path.Clean(dir)
	// A folder inside a module that lies in this one is not this one's.
	if slices.ContainsFunc(all, func(o module) bool { return o.Rel != m.Rel && within(m.Rel, o.Rel) && within(o.Rel, dir) }) {
		return "", false
	}
	if m.Rel == "." {
		return pattern, true
	}
	if wild && within(dir, m.Rel) {
		return "./...", true
	}
	if !within(m.Rel, dir) {
		return "", false
	}
	rel := "./" + strings.TrimPrefix(strings.TrimPrefix(dir, m.Rel), "/")
	if wild {
		rel = strings.TrimSuffix(rel, "/") + "/..."
	}
	return rel, true
}

// within reports whether the clean relative path p lies in dir or is dir.
func within(dir, p string) bool {
	return dir == "." && !strings.HasPrefix(p, "..") || p == dir || strings.HasPrefix(p, dir+"/")
}

// listed is what we ask `go list` for.
type listed struct {
	Dir, ImportPath           string
	TestGoFiles, XTestGoFiles []string
	Error                     *struct{ Err string }
}

// list returns the packages with benchmarks that match m's own patterns.
func (t *tree) list(ctx context.Context, m module, patterns []string) ([]goPackage, error) {
	g := t.toolFor(m)
	args := g.tagged([]string{"list", "-e", "-find", "-json=Dir,ImportPath,TestGoFiles,XTestGoFiles,Error"})
	out, err := g.run(ctx, t.dir(m), append(append(args, "--"), patterns...)...)
	if err != nil {
		return nil, err
	}
	var pkgs []goPackage
	dec := json.NewDecoder(bytes.NewReader(out))
	for {
		var l listed
		if err := dec.Decode(&l); errors.Is(err, io.EOF) {
			return pkgs, nil
		} else if err != nil {
			return nil, err
		}
		if l.Error != nil && l.Dir == "" {
			return nil, usagef("--packages: %s", strings.TrimSpace(l.Error.Err))
		}
		files := append(l.TestGoFiles, l.XTestGoFiles...)
		if hasBenchmarks(l.Dir, files) {
			pkgs = append(pkgs, goPackage{ImportPath: l.ImportPath, Dir: l.Dir, TestFiles: files, Module: m})
		}
	}
}

// benchmarkFunc finds benchmarks without parsing, so that a file with a syntax error still
// counts. The built binary has the last word.
var benchmarkFunc = regexp.MustCompile(`^func Benchmark`)

func hasBenchmarks(dir string, files []string) bool {
	return slices.ContainsFunc(files, func(name string) bool {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			return false
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if benchmarkFunc.Match(lines.Bytes()) {
				return true
			}
		}
		return false
	})
}

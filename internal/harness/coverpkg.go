package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Further packages, of other modules and of the standard library, count their statements where the user
// names them, as for go test -coverpkg.

// builtFrom is a module of one side, which benchmarks are built from.
type builtFrom struct {
	side   Side
	module module
}

// findCovered finds the packages that the patterns of coverpkg name among those that the benchmarks are
// built from.
func (r *goRunner) findCovered(ctx context.Context) error {
	patterns := r.suite.CoverPackages
	if len(patterns) == 0 {
		return nil
	}
	packages := map[builtFrom][]string{}
	for _, p := range r.pkgs {
		for side, on := range p.on {
			if on != nil {
				from := builtFrom{Side(side), on.Module}
				packages[from] = append(packages[from], on.ImportPath)
			}
		}
	}
	r.build.covered = map[builtFrom]map[string]bool{}
	built, countable := map[string]bool{}, map[string]bool{} // patterns
	for from, paths := range packages {
		c, err := r.build.matchCovered(ctx, from, paths, patterns)
		if err != nil {
			return err
		}
		covered := map[string]bool{}
		for path, by := range c.named {
			for _, pattern := range by {
				built[pattern] = built[pattern] || c.built[path]
				countable[pattern] = countable[pattern] || c.built[path] && !c.testing[path]
			}
			if c.built[path] && !c.testing[path] {
				covered[path] = true
			}
		}
		r.build.covered[from] = covered
	}
	for _, pattern := range patterns {
		switch {
		case !built[pattern]:
			return usagef("--coverpkg %s: no benchmark is built from such a package; go list -deps -test %s shows what they are built from", pattern, strings.Join(r.suite.Packages, " "))
		case !countable[pattern]:
			return usagef("--coverpkg %s: its statements cannot be counted, because package testing, which counts them, is built from it", pattern)
		}
	}
	return nil
}

// candidates are import paths: those that patterns name, with the patterns; what benchmarks are built from; and
// what package testing is.
type candidates struct {
	named          map[string][]string
	built, testing map[string]bool
}

func (b *builder) matchCovered(ctx context.Context, from builtFrom, packages, patterns []string) (c candidates, err error) {
	f, err := b.flagsFor(ctx, from.module)
	if err != nil {
		return c, err
	}
	g, dir := b.toolOf(recipe{side: from.side, pkg: goPackage{Module: from.module}, flags: f}), b.trees[from.side].dir(from.module)
	if c.built, err = g.importPaths(ctx, dir, append([]string{"-e", "-deps", "-test", "--"}, packages...)); err != nil {
		return c, err
	}
	overlay, err := b.writeOverlay(f.gate.replace)
	if err != nil {
		return c, err
	}
	if c.testing, err = g.importPaths(ctx, dir, []string{"-deps", "-overlay=" + overlay, "testing"}); err != nil {
		return c, err
	}
	args := append(g.tagged([]string{"list", "-e", "-find", "-json=ImportPath,Match", "--"}), patterns...)
	out, err := g.run(ctx, dir, args...)
	if err != nil {
		return c, err
	}
	c.named = map[string][]string{}
	return c, decodeAll(out, func(p struct {
		ImportPath string
		Match      []string
	}) error {
		c.named[p.ImportPath] = p.Match
		return nil
	})
}

// importPaths are the packages that `go list` names, without those that it makes for tests.
func (g goTool) importPaths(ctx context.Context, dir string, args []string) (map[string]bool, error) {
	out, err := g.run(ctx, dir, append(g.tagged([]string{"list", "-f", "{{.ImportPath}}"}), args...)...)
	if err != nil {
		return nil, err
	}
	paths := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		path, _, _ := strings.Cut(strings.TrimSpace(line), " ") // "a/b [a/b.test]"
		paths[path] = true
	}
	return paths, nil
}

// decodeAll hands over the JSON values that `go list -json` wrote one after the other.
func decodeAll[T any](out []byte, take func(T) error) error {
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var v T
		if err := dec.Decode(&v); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("go list: %w", err)
		}
		if err := take(v); err != nil {
			return err
		}
	}
}

// goModule is what `go list` says of a package's module.
type goModule struct {
	Path, Dir, GoMod string
	Main             bool
}

// ownCopies moves packages of the module cache, of which the go command lets no file be replaced, to copies of
// their modules, and returns what an overlay has to replace so that the copies are built: go.mod, or
// go.work.
func (b *builder) ownCopies(ctx context.Context, g goTool, dir string, packages []*coveredPackage) (map[string]string, error) {
	e, err := g.environment(ctx, dir)
	if err != nil {
		return nil, err
	}
	var edits []string
	for _, p := range packages {
		if p.Module == nil || !inside(e.GOMODCACHE, p.Dir) {
			continue
		}
		copied, err := b.copyModule(*p.Module)
		if err != nil {
			return nil, err
		}
		rel, err := filepath.Rel(p.Module.Dir, p.Dir)
		if err != nil {
			return nil, err
		}
		p.Dir = filepath.Join(copied, rel)
		if edit := "-replace=" + p.Module.Path + "=" + copied; !slices.Contains(edits, edit) {
			edits = append(edits, edit)
		}
	}
	if len(edits) == 0 {
		return nil, nil
	}
	file, kind := e.GOMOD, "mod"
	if e.GOWORK != "" && e.GOWORK != "off" {
		file, kind = e.GOWORK, "work"
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	b.overlays++
	edited := filepath.Join(b.scratch, fmt.Sprintf("copies-%04d.%s", b.overlays, kind))
	if err := os.WriteFile(edited, text, 0o600); err != nil {
		return nil, err
	}
	if _, err := g.run(ctx, dir, append(append([]string{kind, "edit"}, edits...), edited)...); err != nil {
		return nil, err
	}
	return map[string]string{file: edited}, nil
}

// inside reports whether dir lies below root, which may be empty for none.
func inside(root, dir string) bool {
	rel, err := filepath.Rel(root, dir)
	return root != "" && err == nil && filepath.IsLocal(rel)
}

// copyModule copies a module to the scratch folder, once. The module cache keeps its go.mod beside it, which one
// from before there were modules has not within.
func (b *builder) copyModule(m goModule) (string, error) {
	if known := b.copies[m.Dir]; known != "" {
		return known, nil
	}
	to := filepath.Join(b.scratch, fmt.Sprintf("module-%04d", len(b.copies)))
	if err := os.CopyFS(to, os.DirFS(m.Dir)); err != nil {
		return "", err
	}
	mod, err := os.ReadFile(m.GoMod)
	if err != nil {
		return "", err
	}
	name := filepath.Join(to, "go.mod")
	if err := os.RemoveAll(name); err != nil { // it is read-only, as its original
		return "", err
	}
	b.copies[m.Dir] = to
	return to, os.WriteFile(name, mod, 0o600)
}

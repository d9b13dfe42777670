package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/org/perfgate/internal/harness/proc"
)

// Survey is what a project's source shows before anything is built.
type Survey struct {
	// Modules are the folders of its Go modules, relative to its root, with slashes; "." is the root.
	Modules []string
	// Benchmarks are the import paths of the packages that have benchmarks.
	Benchmarks []string
	// GoVersion is the highest go line of its modules, such as 1.24.0, empty where there is no module.
	GoVersion string
	// GoVersionFile is the go.work or go.mod that the project's own Go is chosen by, relative to the root.
	GoVersionFile string
	// Libraries are C libraries that its packages name in #cgo lines and that no C compiler brings along.
	Libraries []string
}

// Look surveys the project in root. A folder without any Go module has an empty Survey. environ is
// perfgate's own environment.
func Look(ctx context.Context, root string, environ []string) (*Survey, error) {
	s := &Survey{}
	t := &tree{root: root, tool: goTool{env: proc.BuildEnv(environ, nil)}}
	if !holdsModule(root) { // nothing to ask go, which may not be installed
		return s, nil
	}
	var err error
	if t.env, err = t.tool.environment(ctx, root); err != nil {
		return nil, err
	}
	mods, err := t.modules(ctx)
	if err != nil {
		return nil, err
	}
	for _, m := range mods {
		if err := s.add(ctx, t, m); err != nil {
			return nil, err
		}
	}
	s.GoVersionFile = versionFile(root, s.Modules)
	return s, nil
}

// holdsModule reports whether a go.mod or go.work lies in root or below it.
func holdsModule(root string) bool {
	t := &tree{root: root}
	mods, err := t.modules(context.Background()) // the nested ones alone: go env was not asked
	return err == nil && len(mods) > 0 || versionFile(root, nil) != ""
}

// add adds what a module has.
func (s *Survey) add(ctx context.Context, t *tree, m module) error {
	s.Modules = append(s.Modules, m.Rel)
	pkgs, err := t.list(ctx, m, []string{"./..."})
	if err != nil {
		return err
	}
	for _, p := range pkgs {
		s.Benchmarks = append(s.Benchmarks, p.ImportPath)
	}
	g := t.toolFor(m)
	out, err := g.run(ctx, t.dir(m), "list", "-e", "-find", "-f", "{{with .Module}}{{.GoVersion}}{{end}}|{{join .CgoPkgConfig \" \"}}|{{join .CgoLDFLAGS \" \"}}", "./...")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(out)) {
		parts := strings.SplitN(strings.TrimSpace(line), "|", 3)
		if v, _ := newer("go"+s.GoVersion, "go"+parts[0]); len(parts) == 3 && parts[0] != "" {
			s.GoVersion = strings.TrimPrefix(v, "go")
			s.needs(strings.Fields(parts[1]), strings.Fields(parts[2]))
		}
	}
	return nil
}

// needs notes the libraries of one package: pkg-config names, and those of -l flags.
func (s *Survey) needs(packages, flags []string) {
	for _, f := range flags {
		if lib, ok := strings.CutPrefix(f, "-l"); ok && !slices.Contains(ofTheCompiler, lib) {
			packages = append(packages, lib)
		}
	}
	for _, p := range packages {
		if !strings.HasPrefix(p, "-") && !slices.Contains(s.Libraries, p) {
			s.Libraries = append(s.Libraries, p)
		}
	}
}

// ofTheCompiler are libraries that come with the C compiler.
var ofTheCompiler = []string{"c", "m", "dl", "pthread", "rt", "resolv", "gcc", "gcc_s", "stdc++"}

// versionFile is the file of the project by which a Go is chosen: the workspace's, else the root module's, else
// the first.
func versionFile(root string, modules []string) string {
	for _, name := range []string{"go.work", "go.mod"} {
		if exists(filepath.Join(root, name)) {
			return name
		}
	}
	if len(modules) == 0 {
		return ""
	}
	return path.Join(modules[0], "go.mod")
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return !errors.Is(err, os.ErrNotExist)
}

// DefaultBranch is the name of the branch that pull requests go to: the remote's default, else main or master,
// else the branch that is checked out.
func (r *Repo) DefaultBranch(ctx context.Context) string {
	if ref, _ := r.defaultBranch(ctx); ref != "" {
		return strings.TrimPrefix(ref, "origin/")
	}
	name, err := r.git(ctx, "symbolic-ref", "--quiet", "--short", "HEAD")
	if err != nil { // a detached HEAD, and no branch of a usual name
		return "main"
	}
	return name
}

// RemoteTag asks a repository elsewhere which commit a tag of it names.
func (r *Repo) RemoteTag(ctx context.Context, url, tag string) (string, error) {
	ref := "refs/tags/" + tag
	out, err := r.git(ctx, "ls-remote", "--", url, ref, ref+"^{}")
	if err != nil {
		return "", err
	}
	commit := ""
	for line := range strings.Lines(out) { // of an annotated tag the last line is its commit
		commit, _, _ = strings.Cut(line, "\t")
	}
	if commit == "" {
		return "", fmt.Errorf("%s has no tag %s", url, tag)
	}
	return commit, nil
}

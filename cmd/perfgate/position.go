package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/org/perfgate/internal/harness"
	"github.com/org/perfgate/internal/result"
)

// position finds the function of a Go benchmark in the work tree: its file, relative to the repository as annotations
// want it, and its line. The file is empty where it is not found, or is of another kind: the annotation then stands at
// the top of the run alone.
func (p *project) position(k result.Key) (file string, line int) {
	dir, ok := p.packageDir(k.Package)
	if k.Suite != harness.SuiteGoBench || !ok {
		return "", 0
	}
	top, _, _ := strings.Cut(k.Name, "/")
	names, _ := filepath.Glob(filepath.Join(dir, "*_test.go"))
	for _, name := range names {
		if line := p.app.functionLine(name, "Benchmark"+top); line > 0 {
			return p.inRepository(name), line
		}
	}
	return "", 0
}

// packageDir is the folder of a package of the project: below the root's go.mod, or below one of another folder of
// the workspace that the root has.
func (p *project) packageDir(pkg string) (string, bool) {
	mods, _ := filepath.Glob(filepath.Join(p.root, "*", "go.mod"))
	for _, mod := range slices.Insert(mods, 0, filepath.Join(p.root, "go.mod")) {
		data, err := p.app.readFile(mod)
		if err != nil {
			continue
		}
		module := modfile.ModulePath(data)
		rel, within := strings.CutPrefix(pkg+"/", module+"/")
		if dir := filepath.Join(filepath.Dir(mod), filepath.FromSlash(rel)); module != "" && within && filepath.IsLocal("."+string(filepath.Separator)+rel) && exists(dir) {
			return dir, true
		}
	}
	return "", false
}

// functionLine is the line of a function of a file, 0 where it has none of that name.
func (a *app) functionLine(name, function string) int {
	text, err := a.readFile(name)
	if err != nil {
		return 0
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, text, parser.SkipObjectResolution)
	if err != nil {
		return 0
	}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == function {
			return fset.Position(f.Pos()).Line
		}
	}
	return 0
}

// inRepository names a file as the repository does; outside git as the project does.
func (p *project) inRepository(name string) string {
	top := p.root
	if p.repo != nil {
		top = p.repo.Top
	}
	rel, err := filepath.Rel(top, name)
	if err != nil || !filepath.IsLocal(rel) {
		return ""
	}
	return filepath.ToSlash(rel)
}

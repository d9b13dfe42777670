package harness

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/org/perfgate/internal/profiler"
	"github.com/org/perfgate/internal/result"
)

const (
	mostCompiled = 3 // packages whose compilation is compared
	mostSaid     = 10
)

// compiledOtherwise is what the compiler does otherwise to the functions that grew, by what it says of the
// packages on either side.
func (r *goRunner) compiledOtherwise(ctx context.Context, g group, why *result.Why) ([]result.Remark, error) {
	return remarksOn(why, mainPackage, func(side Side, pkg string) (map[remark][]int, error) {
		return r.build.compilerSays(ctx, g.bins[side].recipe, pkg)
	})
}

// remarksOn is what the compiler says otherwise of the functions that grew, by what says returns of a package on a side.
// program is the import path of what profiles call main.
func remarksOn(why *result.Why, program string, says func(side Side, pkg string) (map[remark][]int, error)) ([]result.Remark, error) {
	functions := map[string]bool{}
	var packages []string
	for _, growth := range slices.Concat(why.Own, why.Allocs) {
		for _, f := range append(slices.Clip(growth.Path), growth.Function) {
			functions[inPackage(withoutClosures(f), program)] = true
		}
		if pkg := profiler.PackageOf(inPackage(growth.Function, program)); !slices.Contains(packages, pkg) && len(packages) < mostCompiled {
			packages = append(packages, pkg)
		}
	}
	var out []result.Remark
	for _, pkg := range packages {
		var said [2]map[remark][]int
		for side := range said {
			var err error
			if said[side], err = says(Side(side), pkg); err != nil {
				return nil, err
			}
		}
		out = append(out, newRemarks(pkg, said, functions)...)
	}
	return out[:min(len(out), mostSaid)], nil
}

// inPackage is a function of a profile with the import path of the program in the place of the linker's.
func inPackage(function, program string) string {
	if name, ok := strings.CutPrefix(function, mainPackage+"."); ok {
		return program + "." + name
	}
	return function
}

// remark is what the compiler says of a function, without the line, which moves.
type remark struct{ file, function, text string }

// newRemarks are what the compiler says on head alone of some functions, and what it no longer says of inlining.
func newRemarks(pkg string, said [2]map[remark][]int, functions map[string]bool) []result.Remark {
	var out []result.Remark
	add := func(of remark, lines []int, text string) {
		if functions[pkg+"."+of.function] {
			for _, line := range lines {
				out = append(out, result.Remark{File: pkg + "/" + of.file, Line: line, Text: text})
			}
		}
	}
	for of, lines := range said[Head] {
		if more := len(lines) - len(said[Base][of]); more > 0 && escapes(of.text) {
			add(of, lines[len(lines)-more:], of.text)
		}
	}
	for of, lines := range said[Base] {
		fewer := len(lines) - len(said[Head][of])
		if fewer <= 0 || escapes(of.text) {
			continue
		}
		if now := lineOf(said[Head], of); now > 0 || strings.HasPrefix(of.text, "can inline") {
			add(of, []int{max(now, 1)}, "no longer: "+of.text)
		}
	}
	slices.SortFunc(out, func(a, b result.Remark) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Text, b.Text))
	})
	return out
}

// lineOf is a line of head of which anything is said about the function, 0 where nothing is.
func lineOf(said map[remark][]int, like remark) int {
	least := 0
	for of, lines := range said {
		if of.function == like.function && of.file == like.file && (least == 0 || lines[0] < least) {
			least = lines[0]
		}
	}
	return least
}

func escapes(text string) bool {
	return strings.HasSuffix(text, "escapes to heap") || strings.HasPrefix(text, "moved to heap")
}

// diagnostic is a line of the compiler's -m.
var diagnostic = regexp.MustCompile(`^(.+\.go):(\d+):\d+: ((?:moved to heap: |can inline |inlining call to ).*|.* escapes to heap)$`)

// compilerSays compiles a package as the binary's recipe does, and returns what the compiler says of each function.
func (b *builder) compilerSays(ctx context.Context, how recipe, pkg string) (map[remark][]int, error) {
	return b.toolOf(how).compilerSays(ctx, b.trees[how.side].dir(how.pkg.Module), pkg)
}

// compilerSays compiles a package in a module's folder, and returns what the compiler says of each function. A package
// that is not there says nothing.
func (g goTool) compilerSays(ctx context.Context, dir, pkg string) (map[remark][]int, error) {
	out, err := g.run(ctx, dir, append(g.tagged([]string{"list", "-e", "-f", "{{.Dir}}"}), "--", pkg)...)
	if err != nil {
		return nil, err
	}
	folder := strings.TrimSpace(string(out))
	if folder == "" {
		return nil, nil
	}
	// -export compiles without linking. What the compiler said is kept with what it made, and said again.
	args := append(g.tagged([]string{"list", "-export", "-f", "{{.Export}}", "-gcflags=" + pkg + "=-m"}), "--", pkg)
	_, said, err := g.outputs(ctx, dir, args...)
	var ge *goError
	switch {
	case errors.As(err, &ge):
		return nil, nil // it was built with the tests' overlay, and is not built without
	case err != nil:
		return nil, err
	}
	at := functionsOf(folder)
	remarks := map[remark][]int{}
	for lines := bufio.NewScanner(bytes.NewReader(said)); lines.Scan(); {
		m := diagnostic.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		line, _ := strconv.Atoi(m[2])
		file := filepath.Base(m[1])
		of := remark{file: file, function: at.name(file, line), text: m[3]}
		if name, ok := strings.CutPrefix(of.text, "can inline "); ok {
			of.text = "can inline " + strings.TrimSpace(name)
		}
		remarks[of] = append(remarks[of], line)
	}
	return remarks, nil
}

// functionLines are the functions of a folder's files, by file, in the order of their lines.
type functionLines map[string][]functionLine

type functionLine struct {
	from, to int
	name     string
}

// functionsOf finds where the functions of a folder's Go files lie.
func functionsOf(folder string) functionLines {
	found := functionLines{}
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return found
	}
	fset := token.NewFileSet()
	for _, name := range names {
		src, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		f, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
		if err != nil {
			continue
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				found[filepath.Base(name)] = append(found[filepath.Base(name)],
					functionLine{fset.Position(fn.Pos()).Line, fset.Position(fn.End()).Line, linkerName(fn)})
			}
		}
	}
	return found
}

func (at functionLines) name(file string, line int) string {
	for _, f := range at[file] {
		if f.from <= line && line <= f.to {
			return f.name
		}
	}
	return ""
}

// linkerName is a function's name behind its package's, as profiles have it.
func linkerName(f *ast.FuncDecl) string {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return f.Name.Name
	}
	kind := receiverName(f.Recv.List[0].Type)
	if _, ok := f.Recv.List[0].Type.(*ast.StarExpr); ok {
		kind = "(*" + kind + ")"
	}
	return kind + "." + f.Name.Name
}

// closure is the end of the name of a function literal, or of an instance of a generic function.
var closure = regexp.MustCompile(`(\.func\d+(\.\d+)*|\.gowrap\d+|\.deferwrap\d+|-range\d+)+$|\[\.\.\.\]`)

// withoutClosures is the declared function that a function of a profile belongs to.
func withoutClosures(function string) string {
	for {
		shorter := closure.ReplaceAllString(function, "")
		if shorter == function {
			return function
		}
		function = shorter
	}
}

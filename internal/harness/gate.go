package harness

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/org/perfgate/internal/cache"
)

// The gate: test binaries whose package testing hands out its iterations slice by slice, so that
// base and head stay alive and take turns every few milliseconds. The toolchain's own benchmark.go is
// patched when the binaries are built, with a build overlay; nothing of it is stored here, and the
// toolchain is not touched.

// gateSource joins package testing.
//
//go:embed gate/testing.go.txt
var gateSource []byte

// leaksSource joins it there.
//
//go:embed gate/leaks.go.txt
var leaksSource []byte

// gate is the overlay for one toolchain, or the reason why there is none.
type gate struct {
	replace map[string]string
	why     error
}

// errNoGate says that a toolchain's package testing is not what the patch was written for.
var errNoGate = errors.New("package testing of this toolchain is not known")

// patchBenchmark returns benchmark.go of package testing with the calls of the gate in it: at the start
// of the iteration ramp, and of b.Loop's slow path. Both are found by syntax.
func patchBenchmark(src []byte) ([]byte, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "benchmark.go", src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	type insertion struct {
		at   int
		code string
	}
	var ins []insertion
	found := map[string]*ast.FuncDecl{}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil && f.Body != nil && receiver(f) == "*B" {
			found[f.Name.Name] = f
		}
	}
	launch, loop, runN := found["launch"], found["loopSlowPath"], found["runN"]
	if launch == nil || loop == nil || runN == nil || len(launch.Body.List) == 0 {
		return nil, errNoGate
	}
	first, ok := launch.Body.List[0].(*ast.DeferStmt)
	if !ok {
		return nil, errNoGate
	}
	name := func(f *ast.FuncDecl) string { return f.Recv.List[0].Names[0].Name }
	offset := func(p token.Pos) int { return fset.Position(p).Offset }
	ins = append(ins,
		insertion{offset(first.End()), fmt.Sprintf("; if perfgate != nil { perfgate.launch(%s); return }", name(launch))},
		insertion{offset(loop.Body.Lbrace) + 1, fmt.Sprintf(" if perfgate != nil { return perfgate.loop(%s) };", name(loop))})
	// Before each run package testing collects garbage, also where there is hardly any.
	if gc := collection(runN); gc != nil {
		ins = append(ins, insertion{offset(gc.Pos()), "if perfgate == nil || !perfgate.clean { "}, insertion{offset(gc.End()), " }"})
	}
	slices.SortFunc(ins, func(a, b insertion) int { return b.at - a.at })
	out := slices.Clone(src)
	for _, in := range ins {
		out = slices.Insert(out, in.at, []byte(in.code)...)
	}
	return out, nil
}

// patchTesting returns testing.go of package testing with the gate told of the profiles' functions, which package
// testing does not import.
func patchTesting(src []byte) ([]byte, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "testing.go", src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Recv != nil || f.Name.Name != "MainStart" || f.Body == nil {
			continue
		}
		first := f.Type.Params.List[0]
		if kind, ok := first.Type.(*ast.Ident); !ok || kind.Name != "testDeps" || len(first.Names) != 1 {
			break
		}
		at := fset.Position(f.Body.Lbrace).Offset + 1
		return slices.Insert(slices.Clone(src), at, []byte(fmt.Sprintf(" if perfgate != nil { perfgate.deps = %s };", first.Names[0].Name))...), nil
	}
	return nil, errNoGate
}

// collection finds the statement runtime.GC() of a function, nil where it has none.
func collection(f *ast.FuncDecl) ast.Stmt {
	for _, s := range f.Body.List {
		if e, ok := s.(*ast.ExprStmt); ok {
			if call, ok := e.X.(*ast.CallExpr); ok {
				if sel, ok := call.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "GC" {
					return s
				}
			}
		}
	}
	return nil
}

// receiver returns the type of a method's named receiver, as it is written.
func receiver(f *ast.FuncDecl) string {
	r := f.Recv.List[0]
	if len(r.Names) != 1 {
		return ""
	}
	star, ok := r.Type.(*ast.StarExpr)
	if !ok {
		return ""
	}
	id, ok := star.X.(*ast.Ident)
	if !ok {
		return ""
	}
	return "*" + id.Name
}

// gateFor makes the overlay for the toolchain at goroot, once, and tries it out where that was not
// done before.
func (b *builder) gateFor(ctx context.Context, g goTool, goroot, version string) (*gate, error) {
	if known := b.gates[goroot]; known != nil {
		return known, nil
	}
	made := &gate{}
	if b.noGate {
		made.why = errors.New("the configuration says so")
		b.gates[goroot] = made
		return made, nil
	}
	if made.replace, made.why = b.makeGate(goroot); made.why == nil {
		made.why = b.tryGateOnce(ctx, g, made, version)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	b.gates[goroot] = made
	return made, nil
}

// tryGateOnce tries the gate out, unless a cache knows that it works with this toolchain.
func (b *builder) tryGateOnce(ctx context.Context, g goTool, made *gate, version string) error {
	if b.cache == nil {
		return b.tryGate(ctx, g, made)
	}
	parts := []string{version, string(probeSource)}
	for _, from := range slices.Sorted(maps.Keys(made.replace)) {
		data, err := os.ReadFile(made.replace[from])
		if err != nil {
			return err
		}
		parts = append(parts, from, string(data))
	}
	key := cache.NewKey(KindGate, 1, parts...)
	if _, ok := b.cache.Get(ctx, key); ok {
		return nil
	}
	err := b.tryGate(ctx, g, made)
	if err == nil {
		b.cache.Set(ctx, key, []byte("it works with "+version+"\n"))
	}
	return err
}

func (b *builder) makeGate(goroot string) (map[string]string, error) {
	if runtime.GOOS == "windows" || runtime.GOOS == "plan9" {
		return nil, errors.New("this operating system hands no pipes to a child")
	}
	if goroot == "" {
		return nil, errNoGate
	}
	folder := filepath.Join(goroot, "src", "testing")
	files := map[string][]byte{"perfgate.go": gateSource, "perfgateleaks.go": leaksSource}
	for name, patch := range map[string]func([]byte) ([]byte, error){"benchmark.go": patchBenchmark, "testing.go": patchTesting} {
		src, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return nil, err
		}
		if files[name], err = patch(src); err != nil {
			return nil, err
		}
	}
	dir := filepath.Join(b.scratch, fmt.Sprintf("gate-%d", len(b.gates)))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	replace := map[string]string{}
	for name, data := range files {
		replace[filepath.Join(folder, name)] = filepath.Join(dir, name)
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return nil, err
		}
	}
	return replace, nil
}

// writeOverlay writes a go build overlay of all the given replacements and returns its name.
func (b *builder) writeOverlay(replacements ...map[string]string) (string, error) {
	all := map[string]string{}
	for _, r := range replacements {
		for from, to := range r {
			all[from] = to
		}
	}
	if len(all) == 0 {
		return "", nil
	}
	data, err := json.Marshal(map[string]any{"Replace": all})
	if err != nil {
		return "", err
	}
	b.overlays++
	name := filepath.Join(b.scratch, fmt.Sprintf("overlay-%04d.json", b.overlays))
	return name, os.WriteFile(name, data, 0o600)
}

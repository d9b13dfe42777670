package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/org/perfgate"

// arrows lists every package and what of ours it may import. Data flows measure → result → compare →
// report → deliver, and imports point one way. A package that is not here fails the test.
var arrows = map[string][]string{
	"cmd/perfgate": {"internal/result", "internal/parse", "internal/harness", "internal/compare", "internal/report", "internal/config", "internal/github", "internal/suggest", "internal/harness/upstream",
		"internal/cache", "internal/harness/load", "internal/harness/mockllm", "internal/harness/pace", "internal/harness/proc", "internal/profiler", "internal/spans", "internal/stats", "internal/workflow", "probe"},
	"internal/config":  {"internal/compare", "internal/harness", "internal/suggest"},
	"internal/report":  {"internal/compare", "internal/profiler", "internal/result"},
	"internal/compare": {"internal/result", "internal/stats"},
	"probe":            {"internal/spans"},
	"loadtest":         {"internal/harness/load", "internal/harness/mockllm", "internal/harness/pace", "internal/harness/upstream"},

	"internal/harness": {"internal/cache", "internal/harness/load", "internal/harness/mockllm", "internal/harness/pace", "internal/harness/proc", "internal/harness/upstream", "internal/parse", "internal/profiler", "internal/spans", "internal/result", "internal/stats"},
	"internal/parse":   {"internal/result"},

	"internal/harness/load":     {"internal/cache", "internal/harness/pace", "internal/harness/proc", "internal/suggest"},
	"internal/harness/mockllm":  {"internal/harness/pace", "internal/suggest"},
	"internal/harness/upstream": {"internal/harness/load", "internal/harness/mockllm"},
	"internal/harness/pace":     {}, // for what offers load and for what answers it
	"internal/harness/proc":     {},

	"internal/result":                  {},
	"internal/stats":                   {},
	"internal/github":                  {},
	"internal/github/githubtest":       {}, // tests alone import it
	"internal/github/githubtest/serve": {"internal/github/githubtest"},
	"internal/loopback":                {}, // tests alone import it
	"internal/stdlib":                  {}, // tests alone import it
	"internal/cache":                   {"internal/suggest"},
	"internal/profiler":                {"internal/spans"},
	"internal/spans":                   {}, // for programs that tell of spans and for who hears it
	"internal/workflow":                {},
	"internal/suggest":                 {}, // for all that read what people write
}

// bannedImports keep the judge and the renderers functions of their input, and parsers readers.
var bannedImports = map[string][]string{
	"internal/compare": {"os", "os/exec", "time", "net/http"},
	"internal/report":  {"os", "os/exec", "time", "net/http"},
	"internal/parse":   {"os", "os/exec", "net/http"},
	"internal/stats":   {"os", "os/exec", "time", "net/http"},
}

// bannedCalls belong to cmd/perfgate alone: one door in, one door out. Package probe is in other people's programs,
// and their environment is how it hears of perfgate.
var bannedCalls = map[string]bool{
	"os.Exit": true, "os.Getenv": true, "os.LookupEnv": true, "os.Environ": true,
	"log.Fatal": true, "log.Fatalf": true, "log.Fatalln": true,
}

func TestArrows(t *testing.T) {
	seen := map[string]bool{}
	for _, file := range goFiles(t, "../..") {
		pkg := path.Dir(file)
		seen[pkg] = true
		allowed, listed := arrows[pkg]
		if !listed {
			t.Errorf("%s: package %s is not in the table of arrows", file, pkg)
			continue
		}
		for _, problem := range violations(t, "../../"+file, pkg, allowed) {
			t.Errorf("%s: %s", file, problem)
		}
	}
	for pkg := range arrows {
		if !seen[pkg] {
			t.Errorf("the table of arrows lists %s, which does not exist", pkg)
		}
	}
}

// goFiles lists the non-test Go files below root, relative to it.
func goFiles(t *testing.T, root string) []string {
	var files []string
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		name := d.Name()
		switch {
		case err != nil:
			return err
		case d.IsDir() && p != root && (name[0] == '.' || name == "testdata"):
			return fs.SkipDir
		case strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go"):
			rel, err := filepath.Rel(root, p)
			files = append(files, filepath.ToSlash(rel))
			return err
		}
		return nil
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("no source below %s: %v", root, err)
	}
	return files
}

// violations lists what a file imports and calls although its package may not.
func violations(t *testing.T, file, pkg string, allowed []string) []string {
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var problems []string
	for _, imp := range f.Imports {
		name, err := strconv.Unquote(imp.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if own, ok := strings.CutPrefix(name, module+"/"); ok && !slices.Contains(allowed, own) {
			problems = append(problems, fmt.Sprintf("%s may not import %s", pkg, own))
		}
		if slices.Contains(bannedImports[pkg], name) {
			problems = append(problems, fmt.Sprintf("%s may not import %s", pkg, name))
		}
	}
	if pkg == "cmd/perfgate" || pkg == "probe" {
		return problems
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && bannedCalls[x.Name+"."+sel.Sel.Name] {
				problems = append(problems, fmt.Sprintf("%s may not call %s.%s", pkg, x.Name, sel.Sel.Name))
			}
		}
		return true
	})
	return problems
}

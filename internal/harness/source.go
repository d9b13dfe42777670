package harness

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// sources maps each benchmark function of a package's test files (without "Benchmark") to a hash of
// its text and of everything in the test files that it can reach. Equal hashes mean the
// same benchmark, whatever else changed around it.
type sources map[string][sha256.Size]byte

// readSources reads the test files of a package. ok is false where one cannot be parsed.
func readSources(dir string, files []string) (s sources, ok bool) {
	decls := map[string][]decl{}
	var always []string // runs in every process: init functions, TestMain, variables without a name
	fset := token.NewFileSet()
	for _, name := range files {
		f, err := parser.ParseFile(fset, filepath.Join(dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, false
		}
		for _, d := range declarations(fset, f) {
			decls[d.name] = append(decls[d.name], d)
			if d.name == "init" || d.name == "TestMain" || d.name == "_" {
				always = append(always, d.name)
			}
		}
	}
	s = sources{}
	for name, ds := range decls {
		if bench, ok := strings.CutPrefix(name, "Benchmark"); ok && ds[0].function {
			s[bench] = hashReachable(decls, append([]string{name}, always...))
		}
	}
	return s, true
}

// decl is a package-level declaration: its text and the names that it mentions.
type decl struct {
	name     string
	function bool
	text     []byte
	mentions []string
}

// declarations lists a file's declarations. A method counts under its receiver's type, so that
// whoever mentions the type reaches its methods.
func declarations(fset *token.FileSet, f *ast.File) []decl {
	var ds []decl
	add := func(name string, function bool, node ast.Node) {
		d := decl{name: name, function: function}
		var text bytes.Buffer
		printer.Fprint(&text, fset, node)
		d.text = text.Bytes()
		ast.Inspect(node, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				d.mentions = append(d.mentions, id.Name)
			}
			return true
		})
		ds = append(ds, d)
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			d.Doc = nil
			if d.Recv != nil && len(d.Recv.List) == 1 {
				add(receiverName(d.Recv.List[0].Type), false, d)
				continue
			}
			add(d.Name.Name, true, d)
		case *ast.GenDecl:
			d.Doc = nil
			for _, name := range declared(d) {
				add(name, false, d)
			}
		}
	}
	return ds
}

func declared(d *ast.GenDecl) []string {
	var names []string
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			names = append(names, s.Name.Name)
		case *ast.ValueSpec:
			for _, id := range s.Names {
				names = append(names, id.Name)
			}
		}
	}
	return names
}

func receiverName(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return receiverName(t.X)
	case *ast.IndexExpr:
		return receiverName(t.X)
	case *ast.IndexListExpr:
		return receiverName(t.X)
	case *ast.Ident:
		return t.Name
	}
	return ""
}

// hashReachable hashes the declarations that the names reach, in an order of their own: moving
// a function changes nothing.
func hashReachable(decls map[string][]decl, names []string) [sha256.Size]byte {
	seen := map[string]bool{}
	var reached []decl
	for len(names) > 0 {
		name := names[len(names)-1]
		names = names[:len(names)-1]
		if seen[name] {
			continue
		}
		seen[name] = true
		for _, d := range decls[name] {
			reached = append(reached, d)
			names = append(names, d.mentions...)
		}
	}
	slices.SortFunc(reached, func(a, b decl) int {
		return cmp.Or(strings.Compare(a.name, b.name), bytes.Compare(a.text, b.text))
	})
	h := sha256.New()
	for _, d := range reached {
		h.Write(d.text)
		h.Write([]byte{0})
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// sameFolder reports whether two folders hold the same files with the same content, and the same links.
func sameFolder(a, b string) bool {
	fa, ea := folderFiles(a)
	fb, eb := folderFiles(b)
	if ea != nil || eb != nil || !slices.Equal(fa, fb) {
		return false
	}
	return !slices.ContainsFunc(fa, func(name string) bool {
		da, ea := contentOf(filepath.Join(a, name))
		db, eb := contentOf(filepath.Join(b, name))
		return ea != nil || eb != nil || !bytes.Equal(da, db)
	})
}

// contentOf is that of a file, also by a link; of a link to anything else it is where that leads.
func contentOf(name string) ([]byte, error) {
	if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
		return os.ReadFile(name)
	}
	target, err := os.Readlink(name)
	return []byte(target), err
}

// folderFiles lists the regular files and the links below dir, none where there is no such folder.
func folderFiles(dir string) ([]string, error) {
	var names []string
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil {
			if os.IsNotExist(err) {
				return nil
			}
			return err
		}
		if d.Type().IsRegular() || d.Type()&os.ModeSymlink != 0 {
			rel, err := filepath.Rel(dir, p)
			if err != nil {
				return err
			}
			names = append(names, rel)
		}
		return nil
	})
	return names, err
}

package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize/english"
)

// Statements are counted by `go tool cover` in its oldest form, a source file at a time: each basic block
// gets a counter, and a table says where it lies and how many statements it has. The instrumented files come
// into the build by an overlay; the counters are read at the gate, around each slice.

// covered is an instrumented source file.
type covered struct {
	id int
	// name is the file's path after its package's import path, source where it lies, out what it
	// was made into.
	name, source, out string
	variable          string
	blocks            []block
	texts             []string // of the blocks, without indentation
}

// block is a run of statements that are executed together.
type block struct {
	from, to   int // lines
	statements int
}

// coveredPackage is what `go list` says of a package, and its files once they are instrumented.
type coveredPackage struct {
	ImportPath, Dir, Name, ForTest string
	GoFiles, CgoFiles              []string
	Module                         *goModule

	files []covered
}

// instrumented are the packages whose statements count in a test binary.
type instrumented struct {
	replace map[string]string // for the overlay
	files   map[int]*covered
	// without are the packages that have files with cgo, which go tool cover cannot instrument, and how many.
	without []string
}

// instrument makes the overlay with which a package's test binary counts the statements of all packages
// of the main modules that are in it, and of those that the user named.
func (b *builder) instrument(ctx context.Context, how recipe) (*instrumented, error) {
	g, dir := b.toolOf(how), b.trees[how.side].dir(how.pkg.Module)
	args := append(g.tagged([]string{"list", "-deps", "-test", "-json=ImportPath,Dir,Name,ForTest,GoFiles,CgoFiles,Module"}), how.pkg.ImportPath)
	out, err := g.run(ctx, dir, args...)
	if err != nil {
		return nil, err
	}
	named := b.covered[builtFrom{how.side, how.pkg.Module}]
	var packages []*coveredPackage
	made := &instrumented{replace: map[string]string{}, files: map[int]*covered{}}
	err = decodeAll(out, func(p *coveredPackage) error {
		main := p.Module != nil && p.Module.Main
		if !main && !named[p.ImportPath] || p.ForTest != "" || strings.HasSuffix(p.ImportPath, ".test") {
			return nil
		}
		if n := len(p.CgoFiles); n > 0 {
			made.without = append(made.without, fmt.Sprintf("%s of %s", english.Plural(n, "file", ""), p.ImportPath))
		}
		if len(p.GoFiles) > 0 {
			packages = append(packages, p)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	copies, err := b.ownCopies(ctx, g, dir, packages)
	if err != nil {
		return nil, err
	}
	maps.Copy(made.replace, copies)
	for _, p := range packages {
		if p, err = b.instrumentPackage(ctx, g, p); err != nil {
			return nil, err
		}
		if err := p.addTo(made, b.scratch); err != nil {
			return nil, err
		}
	}
	return made, nil
}

// instrumentPackage instruments a package's files, once.
func (b *builder) instrumentPackage(ctx context.Context, g goTool, p *coveredPackage) (*coveredPackage, error) {
	if known := b.counted[p.Dir]; known != nil {
		return known, nil
	}
	for _, name := range p.GoFiles {
		b.countedFiles++
		f := covered{id: b.countedFiles, name: p.ImportPath + "/" + name, source: filepath.Join(p.Dir, name), variable: fmt.Sprintf("perfgateBlocks%d", b.countedFiles)}
		f.out = filepath.Join(b.scratch, fmt.Sprintf("counted-%04d.go", f.id))
		if _, err := g.run(ctx, p.Dir, "tool", "cover", "-mode=atomic", "-var="+f.variable, "-o", f.out, name); err != nil {
			return nil, err
		}
		text, err := os.ReadFile(f.out)
		if err != nil {
			return nil, err
		}
		if f.blocks, err = readBlocks(text, f.variable); err != nil {
			return nil, fmt.Errorf("%s: %w", f.source, err)
		}
		source, err := os.ReadFile(f.source)
		if err != nil {
			return nil, err
		}
		lines := strings.Split(string(source), "\n")
		for _, b := range f.blocks {
			f.texts = append(f.texts, textOf(lines, b))
		}
		p.files = append(p.files, f)
	}
	b.counted[p.Dir] = p
	return p, nil
}

// registerFile is the file that an instrumented package has in addition.
const registerFile = "zz_perfgate_blocks.go"

// addTo adds the package's files to an overlay, and one that hands the counters to the gate.
func (p *coveredPackage) addTo(made *instrumented, scratch string) error {
	var text strings.Builder
	fmt.Fprintf(&text, "package %s\n\nimport perfgateTesting \"testing\"\n\nfunc init() {\n", p.Name)
	for i := range p.files {
		f := &p.files[i]
		made.replace[f.source], made.files[f.id] = f.out, f
		fmt.Fprintf(&text, "\tperfgateTesting.PerfgateCount(%d, %s.Count[:])\n", f.id, f.variable)
	}
	text.WriteString("}\n")
	name := filepath.Join(scratch, fmt.Sprintf("counted-%04d-register.go", p.files[0].id))
	made.replace[filepath.Join(p.Dir, registerFile)] = name
	return os.WriteFile(name, []byte(text.String()), 0o600)
}

// The tables of `go tool cover`: three numbers a block (first line, last line, both columns), and below
// them the numbers of statements.
var (
	positionRow  = regexp.MustCompile(`(?m)^\t\t(\d+), (\d+), 0x[0-9a-f]+, // \[\d+\]$`)
	statementRow = regexp.MustCompile(`(?m)^\t\t(\d+), // \d+$`)
)

// readBlocks reads the tables behind an instrumented file.
func readBlocks(text []byte, variable string) ([]block, error) {
	i := bytes.LastIndex(text, []byte("var "+variable+" = struct {"))
	if i < 0 {
		return nil, errors.New("go tool cover wrote no table: it is not known in this form")
	}
	text = text[i:]
	positions, statements := positionRow.FindAllSubmatch(text, -1), statementRow.FindAllSubmatch(text, -1)
	if len(positions) != len(statements) {
		return nil, fmt.Errorf("go tool cover wrote %d positions and %d counts: it is not known in this form", len(positions), len(statements))
	}
	blocks := make([]block, len(positions))
	for i := range blocks {
		for j, to := range []*int{&blocks[i].from, &blocks[i].to} {
			*to, _ = strconv.Atoi(string(positions[i][1+j])) // digits
		}
		blocks[i].statements, _ = strconv.Atoi(string(statements[i][1]))
	}
	return blocks, nil
}

// countBoth builds binaries again so that they count statements. Where one does not compile so, there is
// none on either side.
func (b *builder) countBoth(ctx context.Context, bins [2]*binary) (counting [2]*binary, err error) {
	var hows [2]*recipe
	for side, bin := range bins {
		if bin == nil {
			continue
		}
		how := bin.recipe
		if how.counts, err = b.instrument(ctx, how); err != nil {
			return counting, err
		}
		hows[side] = &how
	}
	counting, err = b.compileBoth(ctx, hows)
	if err != nil {
		return counting, err
	}
	if i := slices.IndexFunc(counting[:], func(bin *binary) bool { return bin != nil && bin.err != nil }); i >= 0 {
		return counting, fmt.Errorf("with counters for its statements it does not compile: %w", counting[i].err)
	}
	return counting, nil
}

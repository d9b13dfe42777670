package harness

import (
	"fmt"
	"go/parser"
	"go/token"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/org/perfgate/internal/result"
)

// Trial makes both sides from head's tree, with a known difference between them: what a run says of
// them is right or wrong.
type Trial struct {
	// Padding is the number of functions that head has in addition, which no benchmark calls.
	Padding int
	// Slow lists benchmarks that run so much more on head than is reported: 0.05 is 5 %. No source
	// is touched, so the slowdown is exact.
	Slow map[result.Key]float64
	// Most is the number of benchmarks to keep, spread over all of them; 0 keeps all.
	Most int
}

// choose keeps Most of the targets that can be measured.
func (t *Trial) choose(targets []*goTarget) []*goTarget {
	var able []*goTarget
	for _, g := range targets {
		if g.sides() == 2 {
			able = append(able, g)
		}
	}
	if t == nil || t.Most == 0 || len(able) <= t.Most {
		return targets
	}
	var kept []*goTarget
	for i := range t.Most {
		kept = append(kept, able[i*len(able)/t.Most])
	}
	return kept
}

// iterations is what a side runs where n iterations are reported.
func (t *Trial) iterations(k result.Key, side Side, n int) int {
	if t == nil || side == Base {
		return n
	}
	return int(math.Round(float64(n) * (1 + t.Slow[k])))
}

// paddingFile is the file that a padded package has in addition.
const paddingFile = "zz_perfgate_padding_test.go"

// padding returns, for a build overlay, a file of further functions for a package. They are called
// once from init, so that the linker keeps them, and differ in size.
func (b *builder) padding(p goPackage, n int) (map[string]string, error) {
	if n == 0 {
		return nil, nil
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, p.TestFiles[0]), nil, parser.PackageClauseOnly)
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	fmt.Fprintf(&text, "package %s\n\nvar perfgatePadding int\n\nfunc init() {\n", file.Name.Name)
	for i := range n {
		fmt.Fprintf(&text, "\tperfgatePadding += perfgatePadding%d(perfgatePadding)\n", i)
	}
	text.WriteString("}\n")
	for i := range n {
		fmt.Fprintf(&text, "\n//go:noinline\nfunc perfgatePadding%d(x int) int {\n", i)
		for j := range 1 + (7*i+n)%13 {
			fmt.Fprintf(&text, "\tif x > %d {\n\t\tx -= x/%d + perfgatePadding\n\t}\n", i+j, j+3)
		}
		text.WriteString("\treturn x\n}\n")
	}
	b.overlays++
	name := filepath.Join(b.scratch, fmt.Sprintf("padding-%04d.go", b.overlays))
	return map[string]string{filepath.Join(p.Dir, paddingFile): name}, os.WriteFile(name, []byte(text.String()), 0o600)
}

package harness

import (
	"bytes"
	"debug/elf"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/org/perfgate/internal/result"
)

// Why there is nothing to measure.
const (
	sameBinary = "identical binary"
	sameCode   = "identical binary but for line numbers"
)

// findSame says on packages whose code and data are the same on both sides that there is nothing to
// measure.
func (r *goRunner) findSame() {
	for _, p := range r.pkgs {
		base, head := p.bins[Base], p.bins[Head]
		if base == nil || head == nil || base.err != nil || head.err != nil {
			continue
		}
		why := sameBinary
		if base.hash != head.hash {
			why = sameCode
			if !sameLoaded(base.path, head.path) {
				continue
			}
		}
		if sameData(base.dir, head.dir) {
			p.same = why
		}
	}
}

// settleSame makes the targets of a package that need no measuring, by the names in its source: not
// even one iteration is run.
func (r *goRunner) settleSame(p *pkgState) {
	for _, name := range r.unlisted(p, Head) {
		t := &goTarget{pkg: p}
		t.Key = result.Key{Suite: SuiteGoBench, Package: p.name(), Name: name}
		for side := range t.Bench {
			t.Bench[side] = &result.Benchmark{Suite: SuiteGoBench, Package: p.name(), Name: name, Status: result.OK, Same: p.same, Scenario: r.suite.Upstream.scenario()}
		}
		r.targets = append(r.targets, t)
	}
}

// unloaded are the sections of a binary that change with its line numbers and its inputs' names alone.
var unloaded = []string{".gopclntab", ".note.go.buildid", ".note.gnu.build-id"}

// sameLoaded reports whether the binaries' loaded sections are equal but for those. Only ELF files are
// looked into.
func sameLoaded(a, b string) bool {
	x, err := elf.Open(a)
	if err != nil {
		return false
	}
	defer x.Close()
	y, err := elf.Open(b)
	if err != nil {
		return false
	}
	defer y.Close()
	xs, ys := loaded(x), loaded(y)
	return len(xs) > 0 && slices.EqualFunc(xs, ys, func(s, t *elf.Section) bool {
		if s.Name != t.Name || s.Addr != t.Addr || s.Size != t.Size {
			return false
		}
		if s.Type == elf.SHT_NOBITS || slices.Contains(unloaded, s.Name) {
			return true
		}
		ds, err := s.Data()
		if err != nil {
			return false
		}
		dt, err := t.Data()
		return err == nil && bytes.Equal(ds, dt)
	})
}

func loaded(f *elf.File) []*elf.Section {
	return slices.DeleteFunc(slices.Clone(f.Sections), func(s *elf.Section) bool { return s.Flags&elf.SHF_ALLOC == 0 })
}

// sameData reports whether the folders hold the same files that a benchmark could read: those beside its
// source, but for Go files, which are in the binary, and prose, and all of testdata.
func sameData(base, head string) bool {
	files := func(dir string) (map[string][]byte, bool) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, false
		}
		out := map[string][]byte{}
		for _, e := range entries {
			if e.IsDir() || isProse(e.Name()) {
				continue
			}
			data, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				return nil, false
			}
			out[e.Name()] = data
		}
		return out, true
	}
	b, okBase := files(base)
	h, okHead := files(head)
	if !okBase || !okHead || len(b) != len(h) {
		return false
	}
	for name, data := range b {
		if other, ok := h[name]; !ok || !bytes.Equal(data, other) {
			return false
		}
	}
	return sameFolder(filepath.Join(base, "testdata"), filepath.Join(head, "testdata"))
}

// isProse reports whether a file beside the source is no benchmark's business.
func isProse(name string) bool {
	if name == "perfgate.yaml" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "LICENSE") || strings.HasPrefix(name, "go.") {
		return true
	}
	return slices.Contains([]string{".go", ".md", ".rst", ".adoc"}, filepath.Ext(name))
}

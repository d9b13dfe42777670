package harness

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/org/perfgate/internal/cache"
	"github.com/org/perfgate/internal/harness/proc"
)

// binary is a built test binary and the folder it runs in.
type binary struct {
	path string
	dir  string
	pkg  string
	hash [sha256.Size]byte
	err  error // why it could not be built

	recipe recipe
}

// recipe is how a binary is built.
type recipe struct {
	side  Side
	pkg   goPackage
	extra map[string]string // for the overlay: head's test files in the place of base's, or padding
	trim  bool
	flags moduleFlags
	// counts, where set, has it count its statements.
	counts *instrumented
	// layout seeds the linker's order of functions; 0 is its own.
	layout Build
}

// remove deletes the binary's file.
func (b *binary) remove() {
	if b.err == nil {
		os.Remove(b.path) // the folder goes in the end
	}
}

// builder builds the test binaries of both trees with one toolchain and the same flags.
type builder struct {
	trees   [2]*tree // base is nil without one
	scratch string
	trial   *Trial
	noGate  bool
	cache   *cache.Store // for what need not be found out in every run; nil for none

	built, overlays int
	flags           map[module]moduleFlags
	gates           map[string]*gate // by GOROOT

	counted      map[string]*coveredPackage // by folder
	countedFiles int
	covered      map[builtFrom]map[string]bool // import paths that the user named
	copies       map[string]string             // of modules, by folder
}

// moduleFlags are what the two sides of a module have in common.
type moduleFlags struct {
	ldflags   string
	toolchain string // for GOTOOLCHAIN, empty where both sides agree by themselves
	version   string
	gate      *gate
}

// flagsFor finds a module's toolchain and linker flags, once. Both sides use the newer of
// the two toolchains.
func (b *builder) flagsFor(ctx context.Context, m module) (moduleFlags, error) {
	if f, ok := b.flags[m]; ok {
		return f, nil
	}
	var f moduleFlags
	var tool goTool
	var where, goroot string
	for _, t := range b.trees {
		if t == nil {
			continue
		}
		dir := t.dir(m)
		if _, err := os.Stat(dir); err != nil {
			continue // the other side alone has this module
		}
		g := t.toolFor(m)
		e, err := g.environment(ctx, dir)
		if err != nil {
			return f, err
		}
		if f.version == "" {
			f.version = e.GOVERSION
		} else if name, differ := newer(f.version, e.GOVERSION); differ {
			f.version, f.toolchain = name, name
		}
		if f.ldflags, err = ldflags(e.GOFLAGS, g.linkerFlags(ctx, dir)); err != nil {
			return f, err
		}
		tool, where, goroot = g, dir, e.GOROOT
	}
	if f.toolchain != "" {
		tool.env = proc.WithVar(tool.env, "GOTOOLCHAIN", f.toolchain)
		e, err := tool.environment(ctx, where)
		if err != nil {
			return f, err
		}
		goroot = e.GOROOT
	}
	var err error
	if f.gate, err = b.gateFor(ctx, tool, goroot, f.version); err != nil {
		return f, err
	}
	b.flags[m] = f
	return f, nil
}

// build builds one package's test binary on one side. What the compiler says is in the
// binary's err; the error is for what is not the package's fault.
func (b *builder) build(ctx context.Context, side Side, p goPackage, extra map[string]string, trim bool) (*binary, error) {
	f, err := b.flagsFor(ctx, p.Module)
	if err != nil {
		return nil, err
	}
	var hows [2]*recipe
	hows[side] = &recipe{side: side, pkg: p, extra: extra, trim: trim, flags: f}
	bins, err := b.compileBoth(ctx, hows)
	return bins[side], err
}

// toolOf is the go command of the toolchain that both sides agree on.
func (b *builder) toolOf(how recipe) goTool {
	g := b.trees[how.side].toolFor(how.pkg.Module)
	if how.flags.toolchain != "" {
		g.env = proc.WithVar(g.env, "GOTOOLCHAIN", how.flags.toolchain)
	}
	return g
}

func (b *builder) compile(ctx context.Context, how recipe, overlay, out string) (*binary, error) {
	t, g := b.trees[how.side], b.toolOf(how)
	ldflags := how.flags.ldflags
	if how.layout != 0 {
		ldflags = strings.TrimSpace(fmt.Sprintf("%s -randlayout=%d", ldflags, how.layout))
	}
	bin := &binary{path: out, dir: how.pkg.Dir, pkg: how.pkg.ImportPath, recipe: how}
	hash, err := b.link(ctx, how, out, func() error {
		return g.build(ctx, t.dir(how.pkg.Module), how.pkg.ImportPath, out, ldflags, overlay, how.trim)
	})
	var ge *goError
	switch {
	case ctx.Err() == nil && errors.As(err, &ge):
		bin.err = errors.New(strings.TrimSpace(ge.Output))
	case errors.Is(err, os.ErrNotExist): // go says "no test files" and succeeds
		bin.err = errors.New("no test files")
	case err != nil:
		return nil, err
	}
	bin.hash = hash
	return bin, nil
}

// next names the file of the next binary: file names tell the side, which the binary itself
// must not know from the length of its path.
func (b *builder) next(side Side) string {
	b.built++
	return filepath.Join(b.scratch, fmt.Sprintf("%04d-%.4s.test", b.built, side))
}

// buildBoth builds a package on the sides that have it, side by side.
func (b *builder) buildBoth(ctx context.Context, on [2]*goPackage, trim bool) (bins [2]*binary, err error) {
	var hows [2]*recipe
	for side, p := range on {
		if p == nil {
			continue
		}
		f, err := b.flagsFor(ctx, p.Module)
		if err != nil {
			return bins, err
		}
		hows[side] = &recipe{side: Side(side), pkg: *p, trim: trim, flags: f}
		if b.trial != nil && Side(side) == Head {
			if hows[side].extra, err = b.padding(*p, b.trial.Padding); err != nil {
				return bins, err
			}
		}
	}
	return b.compileBoth(ctx, hows)
}

// relinkBoth builds binaries again with the functions in another order.
func (b *builder) relinkBoth(ctx context.Context, bins [2]*binary, layout Build) ([2]*binary, error) {
	var hows [2]*recipe
	for side, bin := range bins {
		if bin != nil {
			how := bin.recipe
			how.layout = layout
			hows[side] = &how
		}
	}
	return b.compileBoth(ctx, hows)
}

// compileBoth compiles side by side what there is a recipe for.
func (b *builder) compileBoth(ctx context.Context, hows [2]*recipe) (bins [2]*binary, err error) {
	var overlays, outs [2]string
	for side, how := range hows { // before anything runs that would have to be waited for
		if how == nil {
			continue
		}
		replace := []map[string]string{how.flags.gate.replace, how.extra}
		if how.counts != nil {
			replace = append(replace, how.counts.replace)
		}
		if overlays[side], err = b.writeOverlay(replace...); err != nil {
			return bins, err
		}
		outs[side] = b.next(how.side)
	}
	g, ctx := errgroup.WithContext(ctx)
	for side, how := range hows {
		if how == nil {
			continue
		}
		g.Go(func() (err error) {
			bins[side], err = b.compile(ctx, *how, overlays[side], outs[side])
			return err
		})
	}
	err = g.Wait()
	return bins, err
}

// testsOverBase maps base's test files to head's, for a build overlay.
func testsOverBase(head, base goPackage) (map[string]string, error) {
	replace := map[string]string{}
	for _, dir := range []string{base.Dir, head.Dir} {
		files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			to := ""
			if dir == head.Dir {
				to = f
			}
			replace[filepath.Join(base.Dir, filepath.Base(f))] = to
		}
	}
	return replace, nil
}

func hashFile(name string) (sum [sha256.Size]byte, err error) {
	f, err := os.Open(name)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return sum, err
	}
	return [sha256.Size]byte(h.Sum(nil)), nil
}

package harness

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"
)

// binary is a built test binary and the folder it runs in.
type binary struct {
	path string
	dir  string
	pkg  string
	hash [sha256.Size]byte
	err  error // why it could not be built
}

// builder builds the test binaries of both trees with one toolchain and the same flags.
type builder struct {
	trees   [2]*tree // base is nil without one
	scratch string

	built int
	flags map[module]moduleFlags
}

// moduleFlags are what the two sides of a module have in common.
type moduleFlags struct {
	ldflags   string
	toolchain string // for GOTOOLCHAIN, empty where both sides agree by themselves
	version   string
}

// flagsFor finds a module's toolchain and linker flags, once. Both sides use the newer of
// the two toolchains.
func (b *builder) flagsFor(ctx context.Context, m module) (moduleFlags, error) {
	if f, ok := b.flags[m]; ok {
		return f, nil
	}
	var f moduleFlags
	for _, t := range b.trees {
		if t == nil {
			continue
		}
		if _, err := os.Stat(t.dir(m)); err != nil {
			continue // the other side alone has this module
		}
		g := t.toolFor(m)
		e, err := g.environment(ctx, t.dir(m))
		if err != nil {
			return f, err
		}
		if f.version == "" {
			f.version = e.GOVERSION
		} else if name, differ := newer(f.version, e.GOVERSION); differ {
			f.version, f.toolchain = name, name
		}
		if f.ldflags, err = ldflags(e.GOFLAGS, g.funcalign(ctx, t.dir(m))); err != nil {
			return f, err
		}
	}
	b.flags[m] = f
	return f, nil
}

// build builds one package's test binary on one side. What the compiler says is in the
// binary's err; the error is for what is not the package's fault.
func (b *builder) build(ctx context.Context, side Side, p goPackage, overlay string, trim bool) (*binary, error) {
	f, err := b.flagsFor(ctx, p.Module)
	if err != nil {
		return nil, err
	}
	return b.compile(ctx, side, p, overlay, trim, f, b.next(side, p))
}

func (b *builder) compile(ctx context.Context, side Side, p goPackage, overlay string, trim bool, f moduleFlags, out string) (*binary, error) {
	t := b.trees[side]
	g := t.toolFor(p.Module)
	if f.toolchain != "" {
		g.env = withVar(g.env, "GOTOOLCHAIN", f.toolchain)
	}
	bin := &binary{path: out, dir: p.Dir, pkg: p.ImportPath}
	if err := g.build(ctx, t.dir(p.Module), p.ImportPath, out, f.ldflags, overlay, trim); err != nil {
		var ge *goError
		if ctx.Err() != nil || !errors.As(err, &ge) {
			return nil, err
		}
		bin.err = errors.New(strings.TrimSpace(ge.Output))
		return bin, nil
	}
	hash, err := hashFile(out)
	if errors.Is(err, os.ErrNotExist) { // go says "no test files" and succeeds
		bin.err, err = errors.New("no test files"), nil
	}
	bin.hash = hash
	return bin, err
}

// next names the file of the next binary: file names tell the side, which the binary itself
// must not know from the length of its path.
func (b *builder) next(side Side, p goPackage) string {
	b.built++
	return filepath.Join(b.scratch, fmt.Sprintf("%04d-%.4s.test", b.built, side))
}

// buildBoth builds a package on the sides that have it, side by side.
func (b *builder) buildBoth(ctx context.Context, on [2]*goPackage, trim bool) (bins [2]*binary, err error) {
	g, ctx := errgroup.WithContext(ctx)
	for side, p := range on {
		if p == nil {
			continue
		}
		f, err := b.flagsFor(ctx, p.Module)
		if err != nil {
			return bins, err
		}
		out := b.next(Side(side), *p)
		g.Go(func() error {
			bin, err := b.compile(ctx, Side(side), *p, "", trim, f, out)
			bins[side] = bin
			return err
		})
	}
	return bins, g.Wait()
}

// overlayFile writes a go build overlay that puts head's test files in the place of base's.
func (b *builder) overlayFile(head, base goPackage) (string, error) {
	replace := map[string]string{}
	for _, dir := range []string{base.Dir, head.Dir} {
		files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
		if err != nil {
			return "", err
		}
		for _, f := range files {
			to := ""
			if dir == head.Dir {
				to = f
			}
			replace[filepath.Join(base.Dir, filepath.Base(f))] = to
		}
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	b.built++
	name := filepath.Join(b.scratch, fmt.Sprintf("overlay-%04d.json", b.built))
	return name, os.WriteFile(name, data, 0o600)
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

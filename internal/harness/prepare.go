package harness

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/org/perfgate/internal/result"
)

// Limits of one benchmark that runs once.
const (
	firstLimit = 60 * time.Second // where nothing is known of it
	headLimit  = 5 * time.Second  // at least, where base ran it before
	headFactor = 20               // times what it took on base
)

// listAll finds out what the benchmarks of both sides do when each runs once. Changed packages
// come first: the budget may end here.
func (r *goRunner) listAll(ctx context.Context) error {
	defer r.budget.Start()()
	limited, cancel := r.budget.context(ctx)
	defer cancel()
	order := slices.DeleteFunc(slices.Clone(r.pkgs), func(p *pkgState) bool { return p.same != "" && r.suite.Wanted == nil })
	slices.SortStableFunc(order, func(a, b *pkgState) int { return boolRank(b.changed()) - boolRank(a.changed()) })
	for i, p := range order {
		r.observe(Event{Phase: "list", What: p.name(), Done: i, Total: len(order)})
		err := r.listPackage(limited, p)
		if limited.Err() != nil && ctx.Err() == nil {
			r.warn("the budget of %v ended while the benchmarks of %s were listed; raise --budget or narrow --packages", r.budget.Limit, p.name())
			return nil
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}

// listPackage lists a package on both sides, base first: what it took there limits head.
func (r *goRunner) listPackage(ctx context.Context, p *pkgState) error {
	for _, side := range []Side{Base, Head} {
		if b := p.bins[side]; b == nil || b.err != nil {
			continue
		}
		l, err := r.list(ctx, p.bins[side], p.own[Base], nil)
		if err != nil {
			return err
		}
		p.own[side] = l
	}
	if failing(p.own[Base]) || failing(p.own[Head]) {
		return r.tryUntrimmed(ctx, p)
	}
	return nil
}

// list lists one binary's benchmarks; before, where known, is what they did elsewhere.
func (r *goRunner) list(ctx context.Context, bin *binary, before *listing, skip func(string) bool) (*listing, error) {
	env, _ := r.environ()
	l := &lister{bin: bin, env: env, filter: r.filter, skip: skip, limit: func(name string) time.Duration {
		if r.suite.Timeout > 0 {
			return r.suite.Timeout
		}
		if before == nil {
			return min(firstLimit, max(headLimit, r.budget.Left()/2))
		}
		if took, ok := before.took[name]; ok || name == "" {
			return max(headLimit, headFactor*max(took, before.setup))
		}
		return min(firstLimit, max(headLimit, r.budget.Left()/2))
	}}
	return l.list(ctx)
}

// failed reports whether a benchmark function failed as a whole: what hung once hangs again.
func (l *listing) failed(top string) bool {
	return l.bench[top] != nil && l.bench[top].Status == result.Failed
}

// failing reports whether a benchmark failed in a way that other file paths might mend.
func failing(l *listing) bool {
	if l == nil {
		return false
	}
	for _, b := range l.bench {
		if b.Status == result.Failed && !strings.HasPrefix(b.Message, "hung") {
			return true
		}
	}
	return false
}

// tryUntrimmed finds out whether benchmarks fail because -trimpath hides their source folder. If
// so, both sides are built without it.
func (r *goRunner) tryUntrimmed(ctx context.Context, p *pkgState) error {
	bins, err := r.build.buildBoth(ctx, p.on, false)
	if err != nil {
		return err
	}
	var lists [2]*listing
	better := false
	for side, bin := range bins {
		if bin == nil || bin.err != nil || p.own[side] == nil {
			continue
		}
		if lists[side], err = r.list(ctx, bin, lists[Base], nil); err != nil {
			return err
		}
		better = better || mends(p.own[side], lists[side])
	}
	if !better {
		return nil
	}
	for side := range bins {
		if lists[side] != nil {
			p.bins[side], p.own[side] = bins[side], lists[side]
		}
	}
	p.notes = append(p.notes, "built without -trimpath, which breaks a benchmark of this package")
	return nil
}

// mends reports whether a benchmark that failed in a runs in b.
func mends(a, b *listing) bool {
	for name, bench := range a.bench {
		if o := b.bench[name]; bench.Status == result.Failed && o != nil && o.Status == result.OK {
			return true
		}
	}
	return false
}

// layTests puts head's benchmarks on base where the change touches them, so that both sides run
// the same ones and a new one gets a "before".
func (r *goRunner) layTests(ctx context.Context) error {
	if r.build.trees[Base] == nil {
		return nil
	}
	for _, p := range r.pkgs {
		if p.same != "" || p.on[Head] == nil || p.own[Head] == nil || p.bins[Base] != nil && p.bins[Base].err != nil {
			continue
		}
		base := r.onBase(p)
		if base == nil {
			continue
		}
		if err := layFolder(filepath.Join(p.on[Head].Dir, "testdata"), filepath.Join(base.Dir, "testdata")); err != nil {
			return err
		}
		if !p.findTouched(base) {
			continue
		}
		if err := r.layPackage(ctx, p, *base); err != nil {
			return err
		}
	}
	return nil
}

// onBase returns the package as base has it, also where it has no benchmarks there.
func (r *goRunner) onBase(p *pkgState) *goPackage {
	if p.on[Base] != nil {
		return p.on[Base]
	}
	rel, err := filepath.Rel(r.suite.HeadDir, p.on[Head].Dir)
	if err != nil {
		return nil
	}
	dir := filepath.Join(r.suite.BaseDir, rel)
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		return nil
	}
	return &goPackage{ImportPath: p.on[Head].ImportPath, Dir: dir, Module: p.on[Head].Module}
}

// findTouched compares the benchmarks' sources and reports whether any is touched by the change.
func (p *pkgState) findTouched(base *goPackage) bool {
	b, okBase := readSources(base.Dir, base.TestFiles)
	h, okHead := readSources(p.on[Head].Dir, p.on[Head].TestFiles)
	if !okBase || !okHead {
		p.touched = func(string) bool { return true }
		return true
	}
	p.touched = func(name string) bool {
		top := topOf(name)
		hb, inBase := b[top]
		hh, inHead := h[top]
		return inBase != inHead || hb != hh
	}
	return slices.ContainsFunc(slices.Collect(maps.Keys(h)), p.touched)
}

// layPackage builds and lists base with head's test files.
func (r *goRunner) layPackage(ctx context.Context, p *pkgState, base goPackage) error {
	r.observe(Event{Phase: "build", What: p.name() + " with head's test files on base"})
	tests, err := testsOverBase(*p.on[Head], base)
	if err != nil {
		return err
	}
	trim := !slices.ContainsFunc(p.notes, func(n string) bool { return strings.Contains(n, "-trimpath") })
	if p.laid, err = r.build.build(ctx, Base, base, tests, trim); err != nil || p.laid.err != nil {
		return err
	}
	defer r.budget.Start()()
	limited, cancel := r.budget.context(ctx)
	defer cancel()
	p.laidListing, err = r.list(limited, p.laid, p.own[Head], p.own[Head].failed)
	if limited.Err() != nil && ctx.Err() == nil {
		p.laidListing = &listing{}
		return nil
	}
	return err
}

// layFolder makes the folder on base equal to head's. The checkout is ours to change.
func layFolder(head, base string) error {
	if sameFolder(head, base) {
		return nil
	}
	if err := os.RemoveAll(base); err != nil {
		return err
	}
	if _, err := os.Stat(head); os.IsNotExist(err) {
		return nil
	}
	return os.CopyFS(base, os.DirFS(head))
}

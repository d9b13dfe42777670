package harness

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/org/perfgate/internal/result"
)

// settle makes the targets of a package: what each benchmark is on both sides, and on
// which it can be measured.
func (r *goRunner) settle(p *pkgState) {
	names, unlisted := map[string]bool{}, map[string]bool{}
	for side, l := range p.own {
		for name := range listedNames(l) {
			names[name] = true
		}
		if l == nil && p.bins[side] != nil && p.bins[side].err == nil { // the budget ended before it
			for _, name := range r.unlisted(p, Side(side)) {
				unlisted[name] = true
			}
		}
	}
	for name := range names { // the other side says which sub-benchmarks a function has
		delete(unlisted, topOf(name))
	}
	maps.Copy(names, unlisted)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		t := &goTarget{pkg: p}
		t.Key = result.Key{Suite: SuiteGoBench, Package: p.name(), Name: name}
		t.Changed = p.changed()
		r.settleHead(p, t)
		if r.build.trees[Base] != nil {
			r.settleBase(p, t)
		}
		if p.same != "" && !r.suite.Wanted(t.Key) {
			t.leave(p.same)
		}
		r.targets = append(r.targets, t)
	}
}

// leave says that there is nothing to measure where the benchmark runs on both sides.
func (t *goTarget) leave(why string) {
	if !t.Live[Base] || !t.Live[Head] {
		return
	}
	t.Live = [2]bool{}
	for _, b := range t.Bench {
		b.Same = why
	}
}

func listedNames(l *listing) map[string]*result.Benchmark {
	if l == nil {
		return nil
	}
	return l.bench
}

// unlisted names the selected benchmark functions of a package that was never listed.
func (r *goRunner) unlisted(p *pkgState, side Side) []string {
	s, _ := readSources(p.on[side].Dir, p.on[side].TestFiles)
	return r.filter.top(slices.Sorted(maps.Keys(s)))
}

// topOf is the benchmark function of a benchmark.
func topOf(name string) string {
	top, _, _ := strings.Cut(name, "/")
	return top
}

// status returns what a side's own files say of a benchmark.
func (r *goRunner) status(p *pkgState, side Side, name string) *result.Benchmark {
	b := &result.Benchmark{Suite: SuiteGoBench, Package: p.name(), Name: name, Status: result.Absent, Notes: p.notes, Scenario: r.suite.Upstream.scenario()}
	switch l, bin := p.own[side], p.bins[side]; {
	case bin != nil && bin.err != nil:
		b.Status, b.Message = result.Unbuilt, "its package does not build"
	case l == nil && bin != nil && slices.Contains(r.unlisted(p, side), topOf(name)):
		b.Status, b.Unmeasured = result.OK, "the budget ended before it was listed"
	case l != nil && l.bench[name] != nil:
		b.Status, b.Message = l.bench[name].Status, l.bench[name].Message
	case l != nil:
		r.failedParent(l, name, b)
	}
	return b
}

// failedParent says that a sub-benchmark is not there because the benchmark around it failed.
func (r *goRunner) failedParent(l *listing, name string, b *result.Benchmark) {
	for {
		i := strings.LastIndexByte(name, '/')
		if i < 0 {
			return
		}
		name = name[:i]
		if parent := l.bench[name]; parent != nil && parent.Status != result.OK {
			b.Status, b.Message = parent.Status, parent.Message
			return
		}
	}
}

func (r *goRunner) settleHead(p *pkgState, t *goTarget) {
	t.Bench[Head] = r.status(p, Head, t.Key.Name)
	if t.Bench[Head].Status == result.OK && p.own[Head] != nil {
		t.measureWith(Head, p.bins[Head], p.own[Head])
	}
}

// settleBase chooses the binary that measures base: its own, or the one with head's test files
// where the change touches the benchmark.
func (r *goRunner) settleBase(p *pkgState, t *goTarget) {
	b := r.status(p, Base, t.Key.Name)
	t.Bench[Base] = b
	own := b.Status == result.OK && p.own[Base] != nil
	switch {
	case t.Bench[Head].Status != result.OK || b.Status == result.Unbuilt || b.Unmeasured != "":
	case p.laid == nil:
		if own {
			t.measureWith(Base, p.bins[Base], p.own[Base])
		}
	case p.laid.err == nil:
		if l := p.laidListing.bench[t.Key.Name]; l != nil && l.Status == result.OK {
			t.measureWith(Base, p.laid, p.laidListing)
		} else if own {
			b.Incomparable = "benchmark changed: head's version does not run on base" + because(l)
		}
	case own && !p.touched(t.Key.Name):
		t.measureWith(Base, p.bins[Base], p.own[Base])
	case own:
		b.Incomparable = "benchmark changed: head's test files do not compile on base"
	}
}

func because(b *result.Benchmark) string {
	if b == nil || b.Message == "" {
		return ""
	}
	return ": " + b.Message
}

func (t *goTarget) measureWith(side Side, bin *binary, l *listing) {
	t.Live[side] = true
	t.bins[side], t.procs[side] = bin, l.procs
	t.setup = max(t.setup, l.setup)
	if b := l.bench[t.Key.Name]; b != nil && t.first == 0 {
		if m := b.Metric("sec/op"); m != nil && len(m.Samples) > 0 {
			t.first = time.Duration(m.Samples[0].Value * 1e9)
		}
	}
}

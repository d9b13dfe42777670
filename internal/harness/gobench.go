package harness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/org/perfgate/internal/cache"
	"github.com/org/perfgate/internal/harness/proc"
	"github.com/org/perfgate/internal/result"
)

// SuiteGoBench is the name of the kind of suite that holds Go benchmarks.
const SuiteGoBench = "gobench"

// CounterInstructions is what Counters of GoBench may name.
const CounterInstructions = "instructions"

// GoBench is the suite of a Go project's benchmarks.
type GoBench struct {
	// HeadDir is the project's root in the user's work tree, BaseDir the same in the base's
	// checkout, empty to measure head alone.
	HeadDir, BaseDir string
	// HeadTop is the root of the repository that HeadDir is in, empty outside git. BaseDir lies as deep in a checkout.
	HeadTop string
	// Scratch is a folder for binaries.
	Scratch string
	// Cache keeps what later runs need not find out again, nil for nothing. It never holds a
	// measurement.
	Cache *cache.Store
	// Packages are patterns relative to the root, Bench an expression as for -bench.
	Packages []string
	Bench    string
	Tags     string
	// Timeout bounds one process; zero derives it from what the benchmark took on base.
	Timeout time.Duration
	// Environ is perfgate's own environment, PassEnv names variables that children see
	// beyond the usual ones.
	Environ, PassEnv []string
	// Upstream, where set, answers the benchmarks' calls to a model.
	Upstream *Upstream
	// Trial, where set, makes both sides from head's tree. BaseDir is HeadDir then.
	Trial *Trial
	// Counters name what else is counted, as far as that can be.
	Counters []string
	// CoverPackages are patterns of packages whose statements count beside those of the main modules.
	CoverPackages []string
	// NoGate takes a process for every sample.
	NoGate bool
	// Iters returns the iteration count of a stored baseline, 0 where there is none. The
	// same count makes allocations comparable with it. Counted is that of statements.
	Iters, Counted func(result.Key) int
	// Wanted names the benchmarks that are measured also where both sides run the same code; nil is
	// none.
	Wanted func(result.Key) bool
}

// goRunner measures Go benchmarks.
type goRunner struct {
	suite   *GoBench
	filter  *Filter
	build   *builder
	env     []string
	observe func(Event)
	budget  *Budget

	instructions instructionCounter // nil where they are not counted

	links map[Build]map[*binary]*binary
	// countings are the binaries that count statements, by the ones that do not.
	countings map[[2]*binary][2]*binary
	twins     map[*binary]*binary
	pkgs      []*pkgState
	targets   []*goTarget
	envs      [2]result.Env
	warnings  []string
}

// pkgState is what is known of a package on both sides.
type pkgState struct {
	on   [2]*goPackage
	bins [2]*binary // built from each side's own files
	own  [2]*listing
	// laid is base with head's test files, set only where the change touches benchmarks.
	laid        *binary
	laidListing *listing
	// touched names the benchmark functions that the change touches; all where nil.
	touched func(name string) bool
	notes   []string
	// same says why there is nothing to measure.
	same string
}

func (p *pkgState) name() string {
	if p.on[Head] != nil {
		return p.on[Head].ImportPath
	}
	return p.on[Base].ImportPath
}

// changed reports whether the sides' own binaries differ.
func (p *pkgState) changed() bool {
	return p.bins[Base] == nil || p.bins[Head] == nil || p.bins[Base].hash != p.bins[Head].hash
}

// goTarget is a Target with the binaries that measure it.
type goTarget struct {
	Target
	pkg   *pkgState
	bins  [2]*binary
	procs [2]int
	setup time.Duration // expected time of a process beyond its measured iterations
	first time.Duration // time per operation when it ran once
	// alone says that it needs processes of its own: it took one down, or the sides have another
	// order. gateless says that it fails at the gate and not without it.
	alone, gateless bool
	readings        Reading // of the pass of counting at hand
	looked          bool    // at its memory
	countIters      int     // that are counted, 0 before that is known
	// instructionIters are those whose instructions are counted, 0 before that is known.
	instructionIters int
	noInstructions   bool
}

// Prepare builds and lists the benchmarks of both sides.
func (s *GoBench) Prepare(ctx context.Context, budget *Budget, observe func(Event)) (Runner, error) {
	r, err := s.runner(ctx, budget, observe)
	if err != nil {
		return nil, err
	}
	r.openInstructions(ctx)
	if err := r.buildAll(ctx); err != nil {
		return nil, err
	}
	if s.Trial == nil {
		r.findSame()
	}
	if err := r.listAll(ctx); err != nil {
		return r, err
	}
	if err := r.layTests(ctx); err != nil {
		return r, err
	}
	for _, p := range r.pkgs {
		if p.same != "" && p.own[Head] == nil {
			r.settleSame(p)
		} else {
			r.settle(p)
		}
	}
	r.targets = s.Trial.choose(r.targets)
	if len(r.targets) == 0 && !r.anyBuildFailed() {
		return nil, r.noBenchmarks()
	}
	return r, nil
}

// runner finds the packages of both sides.
func (s *GoBench) runner(ctx context.Context, budget *Budget, observe func(Event)) (*goRunner, error) {
	filter, err := NewFilter(s.Bench)
	if err != nil {
		return nil, err
	}
	r := &goRunner{suite: s, filter: filter, observe: observe, budget: budget, env: proc.Env(s.Environ, s.PassEnv),
		links: map[Build]map[*binary]*binary{}, twins: map[*binary]*binary{}, countings: map[[2]*binary][2]*binary{}}
	return r, r.open(ctx)
}

func (r *goRunner) noBenchmarks() error {
	where := strings.Join(r.suite.Packages, " ")
	if r.suite.Bench != "." {
		return &ErrUsage{Unmatched: true, Msg: fmt.Sprintf("no benchmark matches --bench %q in %s; list them with: go test -list '^Benchmark' %s", r.suite.Bench, where, where)}
	}
	return nothingf("no benchmarks in %s; write one (func BenchmarkX(b *testing.B) in a _test.go file) or widen --packages", where)
}

// open finds both sides' packages.
func (r *goRunner) open(ctx context.Context) error {
	var trees [2]*tree
	var lists [2][]goPackage
	gtool := goTool{env: proc.BuildEnv(r.suite.Environ, r.suite.PassEnv), tags: r.suite.Tags}
	for side, dir := range []string{r.suite.BaseDir, r.suite.HeadDir} {
		if dir == "" {
			continue
		}
		t := &tree{root: dir, tool: gtool}
		if Side(side) == Base {
			if err := r.baseWorkspace(ctx, t); err != nil {
				return err
			}
		}
		var err error
		if t.env, err = t.tool.environment(ctx, dir); err != nil {
			return err
		}
		if lists[side], err = t.packages(ctx, r.suite.Packages); err != nil && (Side(side) == Head || !errors.As(err, new(*ErrUsage))) {
			return err
		}
		trees[side] = t
	}
	r.build = &builder{trees: trees, scratch: r.suite.Scratch, cache: r.suite.Cache, trial: r.suite.Trial, noGate: r.suite.NoGate, flags: map[module]moduleFlags{}, gates: map[string]*gate{}, counted: map[string]*coveredPackage{}, copies: map[string]string{}}
	r.join(lists)
	if len(r.pkgs) == 0 {
		return r.noBenchmarks()
	}
	if err := r.findCovered(ctx); err != nil {
		return err
	}
	return r.fingerprint(ctx)
}

// baseWorkspace keeps base from finding head's go.work above itself: base uses the one of its own
// tree; a workspace file that git does not know is copied from head.
func (r *goRunner) baseWorkspace(ctx context.Context, base *tree) error {
	e, err := base.tool.environment(ctx, r.suite.HeadDir)
	if err != nil {
		return err
	}
	work := e.GOWORK
	headTop, top := cmp.Or(r.suite.HeadTop, r.suite.HeadDir), base.root
	if up, err := filepath.Rel(r.suite.HeadDir, headTop); err == nil {
		top = filepath.Join(base.root, up)
	}
	if work == "" || work == "off" {
		if found, err := base.tool.environment(ctx, base.root); err == nil && found.GOWORK != "" && !strings.HasPrefix(found.GOWORK, top) {
			base.tool.env = proc.WithVar(base.tool.env, "GOWORK", "off")
		}
		return nil
	}
	rel, err := filepath.Rel(headTop, work)
	if err != nil || !filepath.IsLocal(rel) {
		if strings.Contains(work, headTop) { // by way of a symbolic link
			return nil
		}
		base.tool.env = proc.WithVar(base.tool.env, "GOWORK", "off")
		r.warn("base is built without the workspace file %s, which lies outside the repository", work)
		return nil
	}
	own := filepath.Join(top, rel)
	if _, err := os.Stat(own); err == nil {
		return nil
	}
	for _, ext := range []string{"", ".sum"} {
		data, err := os.ReadFile(work + ext)
		if err != nil {
			continue
		}
		if err := os.WriteFile(own+ext, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (r *goRunner) warn(format string, args ...any) {
	if w := fmt.Sprintf(format, args...); !slices.Contains(r.warnings, w) {
		r.warnings = append(r.warnings, w)
	}
}

// join pairs the packages of both sides by import path.
func (r *goRunner) join(lists [2][]goPackage) {
	byPath := map[string]*pkgState{}
	for side, list := range lists {
		for _, p := range list {
			s := byPath[p.ImportPath]
			if s == nil {
				s = &pkgState{}
				byPath[p.ImportPath] = s
				r.pkgs = append(r.pkgs, s)
			}
			s.on[side] = &p
		}
	}
}

// environ is the environment of a benchmark's process, and the name by which its upstream knows it.
func (r *goRunner) environ() (env []string, run string) {
	u := r.suite.Upstream
	if u == nil {
		return r.env, ""
	}
	run = u.next()
	return append(slices.Clip(r.env), u.Environ(run)...), run
}

// fingerprint describes the machine and what each side is built with.
func (r *goRunner) fingerprint(ctx context.Context) error {
	for side, t := range r.build.trees {
		if t == nil {
			continue
		}
		m := module{Rel: "."}
		for _, p := range r.pkgs {
			if p.on[side] != nil {
				m = p.on[side].Module
				break
			}
		}
		f, err := r.build.flagsFor(ctx, m)
		if err != nil {
			return err
		}
		e := Fingerprint()
		e.Go, e.GOOS, e.GOARCH = f.version, t.env.GOOS, t.env.GOARCH
		e.Flags, e.Covered = r.flags(t, f), strings.Join(r.suite.CoverPackages, " ")
		r.envs[side] = e
	}
	return nil
}

// flags lists what changes the code or its runtime, in the form of assignments.
func (r *goRunner) flags(t *tree, f moduleFlags) string {
	var fs []string
	for _, kv := range [][2]string{
		{"ldflags", f.ldflags}, {"tags", r.suite.Tags}, {"GOFLAGS", t.env.GOFLAGS}, {"GOEXPERIMENT", t.env.GOEXPERIMENT},
		{"CGO_ENABLED", t.env.CGO_ENABLED}, {"GOAMD64", t.env.GOAMD64}, {"GOARM64", t.env.GOARM64},
		{"GOGC", proc.Lookup(r.env, "GOGC")}, {"GOMEMLIMIT", proc.Lookup(r.env, "GOMEMLIMIT")}, {"GODEBUG", proc.Lookup(r.env, "GODEBUG")},
	} {
		if kv[1] != "" {
			fs = append(fs, kv[0]+"="+kv[1])
		}
	}
	return strings.Join(fs, " ")
}

func (r *goRunner) buildAll(ctx context.Context) error {
	for i, p := range r.pkgs {
		r.observe(Event{Phase: "build", What: p.name(), Done: i, Total: len(r.pkgs)})
		var err error
		if p.bins, err = r.build.buildBoth(ctx, p.on, true); err != nil {
			return err
		}
	}
	r.observe(Event{Phase: "build", Done: len(r.pkgs), Total: len(r.pkgs)})
	for _, root := range slices.Sorted(maps.Keys(r.build.gates)) {
		if g := r.build.gates[root]; g.why != nil && !r.suite.NoGate {
			r.warn("the sides cannot take turns within their processes, so every sample is a process of its own: %v", g.why)
		}
	}
	return nil
}

func (r *goRunner) anyBuildFailed() bool {
	return slices.ContainsFunc(r.pkgs, func(p *pkgState) bool {
		return slices.ContainsFunc(p.bins[:], func(b *binary) bool { return b != nil && b.err != nil })
	})
}

// Targets returns the benchmarks of both sides.
func (r *goRunner) Targets() []*Target {
	ts := make([]*Target, len(r.targets))
	for i, t := range r.targets {
		ts[i] = &t.Target
	}
	return ts
}

// Sets returns what was measured so far.
func (r *goRunner) Sets() (base, head *result.Set) {
	var sets [2]*result.Set
	for side, t := range r.build.trees {
		if t == nil {
			continue
		}
		set := &result.Set{Env: r.envs[side]}
		for _, t := range r.targets {
			if t.Bench[side] != nil {
				set.Benchmarks = append(set.Benchmarks, t.Bench[side])
			}
		}
		for _, p := range r.pkgs {
			if b := p.bins[side]; b != nil && b.err != nil {
				set.BuildFailures = append(set.BuildFailures, result.BuildFailure{Package: p.name(), Message: b.err.Error()})
			}
		}
		set.Sort()
		sets[side] = set
	}
	return sets[Base], sets[Head]
}

// Warnings are remarks on the whole run.
func (r *goRunner) Warnings() []string {
	if r.suite.Cache != nil {
		if err := r.suite.Cache.Failure(); err != nil {
			r.warn("%v", err)
		}
	}
	return r.warnings
}

// Close removes nothing: the binaries lie in the caller's scratch folder.
func (r *goRunner) Close() error { return nil }

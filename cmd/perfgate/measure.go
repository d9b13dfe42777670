package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/config"
	"github.com/org/perfgate/internal/harness"
	"github.com/org/perfgate/internal/result"
)

// measure measures head, and base in turn with it where there is one. When ctx ends it returns
// what was measured so far, marked partial, and ctx's error.
func (p *project) measure(ctx context.Context, base *harness.BaseCommit, baseline *result.File) (*result.File, error) {
	suites, bench, cleanup, err := p.suites(ctx, base)
	if err != nil {
		return nil, err
	}
	defer cleanup()
	if budgets := p.config.Budgets; len(budgets) > 0 { // they limit values, not changes
		bench.Wanted = func(k result.Key) bool {
			return slices.ContainsFunc(budgets, func(b compare.Budget) bool { return b.Names(k) })
		}
	}
	bench.Iters, bench.Counted = storedIters(baseline, ""), storedIters(baseline, result.Statements)
	f, err := p.newFile(ctx, base, baseline)
	if err != nil {
		return nil, err
	}
	progress := newProgress(p.app.stderr)
	defer progress.close()
	beside, closeControl, err := p.control(f, progress.observe)
	if err != nil {
		return nil, err
	}
	defer closeControl()
	m, err := harness.Measure(ctx, suites, harness.Plan{
		Seed: p.config.Seed, Budget: p.config.Budget, Judge: p.config.Policy(),
		Leaks: leaksWanted(p.config.Budgets),
		Exact: p.config.Metrics != config.Times, NoTimes: p.config.Metrics == config.Exact,
		Explain: p.explaining(f), Beside: beside,
		AfterPass: func(base, head *result.Set) {
			part := *f
			part.Partial = true
			p.fill(&part, base, head)
			p.writeFile(latestFile, &part) // the final write reports what is wrong with the disk
		},
	}, p.profiling.watch(progress.observe))
	if m == nil {
		return nil, err
	}
	f.Partial, f.Control = m.Partial, m.Control
	f.Warnings = append(f.Warnings, m.Warnings...)
	f.Run = &result.Run{Measured: m.Measured, Total: m.Total, Screened: seeds(m.Screened), Confirmed: seeds(m.Confirmed),
		BuildSec: m.BuildTime.Seconds(), RunSec: m.RunTime.Seconds(), BudgetSec: p.config.Budget.Seconds()}
	p.fill(f, m.Base, m.Head)
	for _, sample := range p.memories {
		if err == nil {
			err = sample(ctx)
		}
	}
	p.putTold(f)
	if perr := p.profiling.put(f); err == nil {
		err = perr
	}
	return f, err
}

// leaksWanted says of which benchmarks a budget limits what they leave behind; nil where none does.
func leaksWanted(budgets []compare.Budget) func(result.Key) bool {
	leaks := slices.DeleteFunc(slices.Clone(budgets), func(b compare.Budget) bool { return !b.Unit().Leak() })
	if len(leaks) == 0 {
		return nil
	}
	return func(k result.Key) bool {
		return slices.ContainsFunc(leaks, func(b compare.Budget) bool { return b.Names(k) })
	}
}

func seeds(builds []harness.Build) []uint64 {
	out := make([]uint64, len(builds))
	for i, b := range builds {
		out[i] = uint64(b)
	}
	return out
}

// latestFile holds the last run with its raw pairs.
const latestFile = "latest.json"

// fill puts measured Sets into f, keeping what f knows of their sources.
func (p *project) fill(f *result.File, base, head *result.Set) {
	put := func(to **result.Set, s *result.Set) {
		if s == nil {
			*to = nil
			return
		}
		known := **to
		known.Env, known.Benchmarks, known.BuildFailures = s.Env, s.Benchmarks, s.BuildFailures
		*to = &known
	}
	put(&f.Head, head)
	if f.Base != nil {
		put(&f.Base, base)
	}
}

// goBench is the suite of head's Go benchmarks as the configuration has it, without a scratch folder.
func (p *project) goBench(ctx context.Context) (*harness.GoBench, error) {
	c := p.config
	kept, err := p.app.openCache(ctx)
	return &harness.GoBench{
		HeadDir: p.root, Packages: c.Packages, Bench: c.Bench, Tags: c.Tags, Timeout: c.Timeout,
		Counters: c.Counters, CoverPackages: c.CoverPackages, NoGate: !c.Gate, Environ: p.app.childEnv(), PassEnv: c.PassEnv, Cache: kept,
	}, err
}

// suites sets up what is measured of both trees, of which the Go benchmarks are one part. The cleanup removes
// base's checkout.
func (p *project) suites(ctx context.Context, base *harness.BaseCommit) (*harness.Suites, *harness.GoBench, func(), error) {
	bench, err := p.goBench(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	drop, err := p.checkout(ctx, base, bench)
	if err != nil {
		return nil, nil, nil, err
	}
	scenarios, closeAll, err := p.scenarios(ctx)
	if err != nil {
		drop()
		return nil, nil, nil, err
	}
	timed, err := p.programSuites(bench.HeadDir, bench.BaseDir)
	if err != nil {
		closeAll()
		drop()
		return nil, nil, nil, err
	}
	closeMock, err := p.mocked(ctx, bench)
	if err != nil {
		closeAll()
		drop()
		return nil, nil, nil, err
	}
	programs := &harness.Load{HeadDir: bench.HeadDir, BaseDir: bench.BaseDir, Scenarios: scenarios, NoTimes: p.config.Metrics == config.Exact,
		Environ: bench.Environ, PassEnv: bench.PassEnv}
	return p.together(bench, append([]harness.Suite{programs}, timed...)...), bench, func() { closeMock(); closeAll(); drop() }, nil
}

// together makes suites that are measured as one.
func (p *project) together(bench *harness.GoBench, more ...harness.Suite) *harness.Suites {
	return &harness.Suites{HeadDir: bench.HeadDir, BaseDir: bench.BaseDir, Script: p.config.Prepare, Environ: bench.Environ, PassEnv: bench.PassEnv,
		Parts: append([]harness.Suite{bench}, more...)}
}

// checkout gives s a scratch folder and, where there is a base, its tree. The cleanup removes both.
func (p *project) checkout(ctx context.Context, base *harness.BaseCommit, s *harness.GoBench) (func(), error) {
	if base == nil {
		dir, err := os.MkdirTemp("", "perfgate-")
		s.Scratch = dir
		return func() { os.RemoveAll(dir) }, err
	}
	rel, err := filepath.Rel(p.repo.Top, p.root)
	if err != nil || !filepath.IsLocal(rel) {
		return nil, fmt.Errorf("%s is not inside the repository %s", p.root, p.repo.Top)
	}
	w, err := p.repo.Worktree(ctx, base.Commit)
	if err != nil {
		return nil, err
	}
	s.Scratch, s.BaseDir, s.HeadTop = w.Scratch, filepath.Join(w.Dir, rel), p.repo.Top
	if !exists(s.BaseDir) {
		w.Close()
		return nil, fmt.Errorf("the base %.12s (%s) has no folder %s: there is nothing to compare with", base.Commit, base.Ref, rel)
	}
	return func() {
		if err := w.Close(); err != nil {
			p.app.warn("remove the base's checkout: %v", err)
		}
	}, nil
}

// newFile starts the file of a run: where it came from and what was asked for.
func (p *project) newFile(ctx context.Context, base *harness.BaseCommit, baseline *result.File) (*result.File, error) {
	policy, err := json.Marshal(p.config.Policy())
	if err != nil {
		return nil, err
	}
	c := p.config
	f := &result.File{
		Tool: tool(), GeneratedAt: p.app.now().UTC(), Seed: c.Seed, Policy: policy, Head: &result.Set{},
		Scenario: map[string]string{"packages": strings.Join(c.Packages, " "), "bench": c.Bench, "tags": c.Tags, "budget": c.Budget.String()},
	}
	if c.Mock != "" {
		f.Scenario["mock"] = c.Mock
	}
	if p.repo != nil {
		if f.Head.Commit, err = p.repo.Head(ctx); err != nil {
			return nil, err
		}
		dirt, err := p.dirt(ctx)
		if err != nil {
			return nil, err
		}
		f.Head.Dirty = len(dirt) > 0
	}
	f.Head.Ref = "work tree"
	if base != nil {
		f.Base = &result.Set{Commit: base.Commit, Ref: base.Ref}
		f.Pairing = result.Passes
	}
	f.Warnings = p.notes
	switch {
	case baseline != nil:
		f.Baseline = baseline.Head
		f.BaselineInfo = describeBaseline(baseline)
	case base != nil && c.Against == config.Both:
		f.BaselineInfo = "none is committed; make one with: perfgate baseline update"
	}
	return f, nil
}

// storedIters looks up the iteration counts of a baseline, of a unit or where it is empty of a benchmark's
// first one: allocations a set-up causes are divided by them, so the same count gives the same number.
func storedIters(baseline *result.File, unit string) func(result.Key) int {
	if baseline == nil {
		return nil
	}
	index := baseline.Head.Index()
	return func(k result.Key) int {
		b := index[k]
		if b == nil || len(b.Metrics) == 0 {
			return 0
		}
		m := b.Metrics[0]
		if unit != "" {
			m = b.Metric(unit)
		}
		if m == nil || len(m.Samples) == 0 {
			return 0
		}
		return m.Samples[0].Iters
	}
}

func describeBaseline(f *result.File) string {
	switch {
	case f.ThresholdsOnly && f.SchemaVersion == 1:
		return "schema 1: thresholds only, without statistics"
	case f.ThresholdsOnly: // its time is what schema 1 said, which was no time of measuring as often as not
		return "thresholds only, without statistics"
	}
	commit := fmt.Sprintf("%.12s", f.Head.Commit)
	if commit == "" {
		commit = "a tree outside git"
	}
	text := commit + " of " + f.GeneratedAt.Format("2006-01-02")
	if f.Reason != "" {
		text += ", forced: " + f.Reason
	}
	return text
}

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/config"
	"github.com/org/perfgate/internal/harness"
	"github.com/org/perfgate/internal/report"
	"github.com/org/perfgate/internal/result"
)

// check is the gate: measure, compare, report, exit.
func (a *app) check(ctx context.Context, args []string) error {
	f := newFlags("check", "")
	f.options("base", "against", "packages", "bench", "tags", "budget", "effect", "gate", "control", "metrics", "counters", "coverpkg", "why", "strict", "mock", "prepare", "pass-env", "timeout", "seed", "reports-dir", "working-directory")
	asJSON := f.set.Bool("json", false, "print the report as JSON")
	plan := f.set.Bool("plan", false, "print what the run would cost, and measure no more than that takes")
	profile := f.profiling()
	printConfig := f.set.Bool("print-config", false, "print each setting and where it comes from, and measure nothing")
	if err := f.parse(a, args, 0); err != nil {
		return ignoreHelp(err)
	}
	p, err := a.configure(f)
	if err != nil {
		return err
	}
	if *printConfig {
		return a.printConfig(p.config)
	}
	if *plan {
		return p.plan(ctx, *asJSON)
	}
	if err := profile.begin(p, "check"); err != nil {
		return err
	}
	err = p.gate(ctx, *asJSON)
	p.profiling.finish(err)
	return err
}

// gate measures the project against its references and delivers the verdict.
func (p *project) gate(ctx context.Context, asJSON bool) error {
	base, baseline, err := p.begin(ctx)
	if err != nil {
		return err
	}
	f, err := p.measure(ctx, base, baseline)
	if f == nil {
		return err
	}
	d := &report.Document{File: f, Policy: p.config.Policy()}
	if baseline != nil && f.Baseline != nil {
		f.Baseline = p.selected(f.Baseline, f.Head)
	}
	d.Outcome = compare.Judge(f, d.Policy)
	p.app.accept(ctx, d)
	if deliverErr := p.deliver(d, asJSON); err == nil && d.Gate() != compare.Fail {
		err = deliverErr
	} else if deliverErr != nil {
		p.app.warn("%v", deliverErr)
	}
	p.app.comment(ctx, d, filepath.ToSlash(filepath.Join(p.reportsFromWorkspace(), latestFile)))
	if err != nil {
		return err
	}
	return gateError(d.Gate())
}

// begin opens the project, finds what to compare it with and says so.
func (p *project) begin(ctx context.Context) (*harness.BaseCommit, *result.File, error) {
	if err := p.open(ctx); err != nil {
		return nil, nil, err
	}
	if err := p.trustBase(ctx); err != nil {
		return nil, nil, err
	}
	base, baseline, err := p.references(ctx)
	if base != nil {
		p.origins.base = base.Source
	}
	p.origins.baseline = workTree
	if p.trusted != nil {
		p.origins.baseline = p.trusted.Source
	}
	if err == nil {
		p.announce(base, baseline)
	}
	return base, baseline, err
}

// references finds what to compare with: the base commit and the committed baseline, as far as
// the configuration asks for them and they exist.
func (p *project) references(ctx context.Context) (*harness.BaseCommit, *result.File, error) {
	var base *harness.BaseCommit
	var baseline *result.File
	var err error
	if p.config.Against != config.Base {
		if baseline, err = p.baselineInForce(ctx); err != nil {
			return nil, nil, err
		}
	}
	judges := baseline != nil && !baseline.ThresholdsOnly
	if p.config.Against != config.Baseline {
		base, err = p.resolveBase(ctx)
		var unresolved *harness.BaseError
		switch {
		case err == nil:
		case p.config.Against == config.Both && p.config.Base == "" && p.repo == nil && judges:
			p.app.warn("%v; comparing with the baseline alone", err)
		case errors.As(err, &unresolved):
			return nil, nil, fmt.Errorf("the base cannot be resolved: %w", err)
		default:
			return nil, nil, err
		}
	}
	switch {
	case baseline == nil && p.config.Against == config.Baseline:
		return nil, nil, p.noBaseline()
	case !judges && p.config.Against == config.Baseline:
		return nil, nil, fmt.Errorf("%s: %s: nothing can be judged against it; measure it again with: perfgate baseline update", p.reports(baselineFile), describeBaseline(baseline))
	case baseline != nil && !judges:
		p.note("nothing is judged against the baseline: %s", describeBaseline(baseline))
	case baseline == nil && p.config.Against == config.Both:
		p.app.say("no committed baseline; make one with: perfgate baseline update")
	}
	return base, baseline, nil
}

func (p *project) resolveBase(ctx context.Context) (*harness.BaseCommit, error) {
	if p.trusted != nil {
		return p.trusted, nil
	}
	return p.resolveBaseOf(ctx, p.config.Base)
}

// resolveBaseOf finds the base that ref names, or the one by default.
func (p *project) resolveBaseOf(ctx context.Context, ref string) (*harness.BaseCommit, error) {
	if p.repo == nil {
		return nil, &harness.BaseError{Problem: p.root + " is not in a git repository, so there is no base commit",
			Remedy: "run git init and commit, or compare with a stored baseline: perfgate baseline update --force --reason 'no git', then check --against baseline"}
	}
	dirt, err := p.dirt(ctx)
	if err != nil {
		return nil, err
	}
	base, err := p.repo.ResolveBase(ctx, harness.BaseOptions{
		Ref:      ref,
		Proposal: p.app.proposal(),
		Fetch:    p.app.runner.Active(),
		FetchEnv: p.app.fetchEnv(),
		Dirty:    len(dirt) > 0,
	})
	if err != nil {
		return nil, err
	}
	return &base, nil
}

func (p *project) announce(base *harness.BaseCommit, baseline *result.File) {
	against := ""
	if base != nil {
		against = fmt.Sprintf("%.12s (%s)", base.Commit, base.Ref)
	}
	if baseline != nil {
		if against != "" {
			against += " and "
		}
		against += "the baseline of " + describeBaseline(baseline)
	}
	p.app.say("comparing %s with %s; budget %v, seed %d", p.root, against, p.config.Budget, p.config.Seed)
}

// selected returns the baseline's benchmarks that this run asked for: with --bench or --packages
// the others are not missing.
func (p *project) selected(baseline, head *result.Set) *result.Set {
	filter, err := harness.NewFilter(p.config.Bench)
	if err != nil { // it was used before
		return baseline
	}
	measured := map[string]bool{}
	for _, b := range head.Benchmarks {
		measured[b.Package] = true
	}
	all := len(p.config.Packages) == 1 && p.config.Packages[0] == "./..."
	kept := *baseline
	kept.Benchmarks = nil
	for _, b := range baseline.Benchmarks {
		own := b.Suite == harness.SuiteGoBench && (all || measured[b.Package]) || b.Scenario != "" && (b.Suite == harness.SuiteLoad || p.config.Metrics != config.Exact)
		if own && filter.Match(b.Name) {
			kept.Benchmarks = append(kept.Benchmarks, b)
		}
	}
	return &kept
}

// say is a line of the conversation.
func (a *app) say(format string, args ...any) {
	fmt.Fprintf(a.stderr, "perfgate: "+format+"\n", args...)
}

func (a *app) warn(format string, args ...any) { a.say("warning: "+format, args...) }

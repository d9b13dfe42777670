package main

import (
	"context"
	"errors"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/report"
	"github.com/org/perfgate/internal/result"
)

// measureOnly measures the work tree alone and writes latest.json.
func (a *app) measureOnly(ctx context.Context, args []string) error {
	f := newFlags("run", "")
	f.options("packages", "bench", "tags", "budget", "gate", "control", "metrics", "counters", "coverpkg", "mock", "prepare", "pass-env", "timeout", "seed", "reports-dir", "working-directory")
	profile := f.profiling()
	if err := f.parse(a, args, 0); err != nil {
		return ignoreHelp(err)
	}
	p, err := a.configure(f)
	if err != nil {
		return err
	}
	if err := profile.begin(p, "run"); err != nil {
		return err
	}
	err = p.alone(ctx)
	p.profiling.finish(err)
	return err
}

// alone measures the work tree and writes what came of it.
func (p *project) alone(ctx context.Context) error {
	a := p.app
	if err := p.open(ctx); err != nil {
		return err
	}
	file, err := p.measure(ctx, nil, nil)
	if file == nil {
		return err
	}
	a.warnAll(file)
	if werr := p.writeFile(latestFile, file); err == nil {
		err = werr
	}
	if gerr := report.GoBench(a.stdout, file.Head); err == nil {
		err = gerr
	}
	if err == nil {
		err = failures(file.Head)
	}
	if err == nil {
		err = a.unmeasured(file)
	}
	return err
}

// warnAll prints what measuring warned of, where no report does.
func (a *app) warnAll(f *result.File) {
	for _, w := range f.Warnings {
		a.warn("%s", w)
	}
}

// unmeasured names the benchmarks that the budget did not reach. Where that is all of them, there
// is nothing to show for the run.
func (a *app) unmeasured(f *result.File) error {
	for _, b := range f.Head.Benchmarks {
		if b.Unmeasured != "" {
			a.warn("%s was not measured: %s", b.Key(), b.Unmeasured)
		}
		if b.Untimed != "" {
			a.warn("%s was counted and not timed: %s", b.Key(), b.Untimed)
		}
	}
	if f.Run.Measured == 0 && f.Run.Total > 0 {
		return errors.New(compare.NothingMeasured(f.Run))
	}
	return nil
}

package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/dustin/go-humanize"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/harness"
	"github.com/org/perfgate/internal/report"
	"github.com/org/perfgate/internal/result"
)

// leakFlags are those of perfgate mem --leaks.
type leakFlags struct {
	wanted                  bool
	url, bytes              string
	requests                int
	goroutines, descriptors float64
	most                    float64 // bytes
}

func (l *leakFlags) add(f *flags) {
	f.set.BoolVar(&l.wanted, "leaks", false, "find out what each iteration of the benchmarks leaves behind, or each request to the program")
	f.set.StringVar(&l.url, "url", "", "`URL` of the program that --leaks asks again and again")
	f.set.IntVar(&l.requests, "requests", 200, "`N` requests between two readings of --leaks")
	f.set.StringVar(&l.bytes, "max-bytes-per-run", "64", "`SIZE` that an iteration or a request may leave behind: surely more fails")
	f.set.Float64Var(&l.goroutines, "max-goroutines-per-run", 0, "`N` goroutines, likewise")
	f.set.Float64Var(&l.descriptors, "max-descriptors-per-run", 0, "`N` descriptors, likewise")
}

func (l *leakFlags) read(f *memFlags) error {
	n, err := humanize.ParseBytes(l.bytes)
	if err != nil {
		return usagef("--max-bytes-per-run: %q: want a size such as 64 or 1 KiB", l.bytes)
	}
	l.most = float64(n)
	switch {
	case l.goroutines < 0 || l.descriptors < 0:
		return usagef("--max-goroutines-per-run, --max-descriptors-per-run: want numbers that are not negative")
	case l.requests < 1:
		return usagef("--requests: %d: want at least 1", l.requests)
	case !l.wanted && l.url != "":
		return usagef("--url belongs to --leaks")
	case l.wanted && (len(f.args) > 0) != (l.url != ""):
		return usagef("--leaks of a program needs its --url, and a --url its program behind --")
	}
	for _, name := range []string{"max", "warn", "max-net"} {
		if l.wanted && f.set.Changed(name) {
			return usagef("--%s belongs to a program that is watched, without --leaks", name)
		}
	}
	return nil
}

// budgets are the limits of metrics that there are.
func (l *leakFlags) budgets(head *result.Set) (all []compare.Budget) {
	limits := []struct {
		unit  string
		limit float64
	}{{result.LeakBytes, l.most}, {result.LeakGoroutines, l.goroutines}, {result.LeakDescriptors, l.descriptors}}
	if l.url != "" { // a program that is seen from outside
		limits[0].unit, limits[1].unit = result.LeakRSS, ""
	}
	measured := func(unit string) bool {
		return slices.ContainsFunc(head.Benchmarks, func(b *result.Benchmark) bool { return b.Metric(unit) != nil })
	}
	for _, of := range limits {
		if measured(of.unit) {
			all = append(all, compare.Budget{Subject: compare.Subject{Benchmark: ".", Metric: of.unit}, Max: &of.limit})
		}
	}
	return all
}

// findLeaks measures what is left behind and judges it.
func (f *memFlags) findLeaks(ctx context.Context, p *project) error {
	if err := p.open(ctx); err != nil {
		return err
	}
	file, err := p.newFile(ctx, nil, nil)
	if err != nil {
		return err
	}
	progress := newProgress(p.app.stderr)
	m, err := f.measureLeaks(ctx, p, progress)
	progress.close()
	if m == nil {
		return err
	}
	p.fill(file, nil, m.Head)
	file.Partial, file.Policy = err != nil, nil
	file.Warnings = append(file.Warnings, m.Warnings...)
	p.app.warnAll(file)
	if werr := p.writeFile(latestFile, file); err == nil {
		err = werr
	}
	policy := p.config.Policy()
	policy.Budgets = f.leaks.budgets(m.Head)
	checks := policy.CheckBudgets(m.Head)
	if serr := f.showLeaks(p, file, checks); err == nil {
		err = serr
	}
	failed := failures(m.Head)
	switch leak := slices.ContainsFunc(checks, func(c *compare.BudgetCheck) bool { return c.Verdict == compare.BudgetBroken }); {
	case err != nil:
		return err
	case leak && failed != nil: // a leak that was found stays one
		p.app.warn("%v", failed)
		return errFail
	case leak:
		return errFail
	case failed != nil:
		return failed
	case len(checks) == 0:
		return fmt.Errorf("nothing is known of what is left behind: no benchmark could be led slice by slice")
	}
	return nil
}

// measureLeaks asks the program, or runs the benchmarks.
func (f *memFlags) measureLeaks(ctx context.Context, p *project, progress *progress) (*harness.Measurement, error) {
	if f.leaks.url != "" {
		program := harness.Program{Args: f.args, Until: harness.UntilReady, Ready: f.leaks.url, Limit: harness.NoLimit, Environ: p.app.childEnv(), PassEnv: p.config.PassEnv}
		if setting, problem := program.Check(); problem != "" {
			return nil, usagef("--%s: %q: %s", strings.Replace(setting, "ready", "url", 1), f.leaks.url, problem)
		}
		b := &result.Benchmark{Suite: harness.SuiteLoad, Name: filepath.Base(f.args[0]), Status: result.OK, Scenario: strings.Join(f.args, " ")}
		err := program.Leaks(ctx, p.root, f.leaks.requests, b)
		if len(b.Metrics) == 0 {
			return nil, err
		}
		return &harness.Measurement{Head: &result.Set{Env: harness.Fingerprint(), Benchmarks: []*result.Benchmark{b}}}, err
	}
	suites, bench, cleanup, err := p.suites(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer cleanup()
	suites.Parts = []harness.Suite{bench}
	return harness.Measure(ctx, suites, harness.Plan{Seed: p.config.Seed, Budget: p.config.Budget, NoTimes: true, Leaks: func(result.Key) bool { return true }}, progress.observe)
}

// showLeaks prints a row for each benchmark and metric, and where most comes from.
func (f *memFlags) showLeaks(p *project, file *result.File, checks []*compare.BudgetCheck) error {
	out := p.app.stdout
	if f.asJSON {
		return file.Write(out)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "left behind\tmetric\tan iteration\tfrom\tto\tlimit\t")
	for _, c := range checks {
		v := func(x float64) string { return report.Value(x, c.Unit) }
		verdict := string(c.Verdict)
		if c.Verdict == compare.BudgetBroken {
			verdict = "LEAK"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", report.Name(c.Key), c.Unit.Name, v(c.Value.Center), v(c.Value.Lo), v(c.Value.Hi), v(*c.Budget.Max), verdict)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, c := range checks {
		if c.Verdict != compare.BudgetBroken {
			continue
		}
		for _, l := range file.Head.Index()[c.Key].Left {
			if l.Unit == c.Unit.Name {
				fmt.Fprintf(out, "%s: %s an iteration from %s\n", report.Name(c.Key), report.Value(l.PerOp, c.Unit), report.Inert(l.Where))
			}
		}
	}
	_, err := fmt.Fprintf(out, "written to %s\n", filepath.Join(p.config.ReportsDir, latestFile))
	return err
}

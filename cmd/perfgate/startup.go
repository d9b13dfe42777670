package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/harness"
	"github.com/org/perfgate/internal/harness/load"
	"github.com/org/perfgate/internal/parse"
	"github.com/org/perfgate/internal/report"
	"github.com/org/perfgate/internal/result"
)

// importTraces are the runs with imports traced, of which the middle one is shown: enough for an interval
const importTraces = 7

// importRows are the most rows of the table of imports where nobody says how slow they must be.
const importRows = 20

// startupFlags are those of the command alone.
type startupFlags struct {
	*programFlags
	max, maxPackage, slow string
	asJSON                bool
}

// startup times the start of a program and says what it imports.
func (a *app) startup(ctx context.Context, args []string) error {
	f := &startupFlags{programFlags: newProgramFlags()}
	f.set.StringVar(&f.max, "max", "", "`DURATION` that the median may take: more fails")
	f.set.StringVar(&f.maxPackage, "max-package", "", "`DURATION` that any package or module itself may take to initialise: more fails")
	f.set.StringVar(&f.slow, "slow", "0", "show all packages and modules from this `DURATION` on, in place of the slowest")
	f.options("pass-env", "reports-dir", "working-directory")
	f.set.BoolVar(&f.asJSON, "json", false, "print what is written to latest.json")
	args, f.args = behindDashes(args)
	if err := f.parse(a, args, 0); err != nil {
		return ignoreHelp(err)
	}
	p, err := a.configure(f.flags)
	if err != nil {
		return err
	}
	s, err := f.starter(p)
	if err != nil {
		return err
	}
	if err := p.open(ctx); err != nil {
		return err
	}
	if s.timed.Prepare == "" { // which may build it
		if err := p.startable(f.args[0]); err != nil {
			return err
		}
	}
	return s.run(ctx)
}

// starter is a startup command that was understood.
type starter struct {
	*startupFlags
	p       *project
	timed   harness.Timed
	budgets []compare.Budget
	shown   time.Duration
	// ran is the traced run of the middle wall time.
	ran harness.Ran
}

func (f *startupFlags) starter(p *project) (*starter, error) {
	if len(f.args) == 0 {
		return nil, usagef("no program to run; name it behind --")
	}
	s := &starter{startupFlags: f, p: p}
	var err error
	name := filepath.Base(f.args[0])
	if s.timed, err = f.timed(p, name); err != nil {
		return nil, err
	}
	s.timed.Described, s.timed.Trace = f.describe(), false
	for _, l := range []struct{ flag, text, unit string }{{"max", f.max, "sec/op"}, {"max-package", f.maxPackage, result.MaxPackage}} {
		if l.text == "" {
			continue
		}
		d, err := load.ParseDuration(l.text)
		if err != nil {
			return nil, usagef("--%s: %q: want a duration such as 2s or 10ms", l.flag, l.text)
		}
		limit := d.Seconds()
		s.budgets = append(s.budgets, compare.Budget{Subject: compare.Subject{Benchmark: "^" + regexp.QuoteMeta(name) + "$", Metric: l.unit}, Max: &limit})
	}
	if f.maxPackage != "" && !f.imports {
		return nil, usagef("--max-package: nothing is known of packages with --imports=false")
	}
	if s.shown, err = load.ParseDuration(f.slow); err != nil {
		return nil, usagef("--slow: %q: want a duration such as 1ms", f.slow)
	}
	return s, nil
}

// run measures, writes and shows, also what an interrupted run has.
func (s *starter) run(ctx context.Context) error {
	file, err := s.p.newFile(ctx, nil, nil)
	if err != nil {
		return err
	}
	policy := s.p.config.Policy()
	policy.Budgets = s.budgets
	progress := newProgress(s.p.app.stderr)
	m, err := harness.Measure(ctx, &harness.Programs{Kind: harness.SuiteStartup, HeadDir: s.p.root, Timed: []harness.Timed{s.timed}},
		harness.Plan{Seed: s.p.config.Seed, Budget: s.p.config.Budget}, progress.observe)
	progress.close()
	if m == nil {
		return err
	}
	b := m.Head.Benchmarks[0]
	if err == nil && s.imports && b.Status == result.OK {
		err = s.trace(ctx, b)
	}
	s.p.fill(file, nil, m.Head)
	file.Partial, file.Policy = err != nil, nil
	file.Scenario = map[string]string{"program": s.timed.Described}
	if werr := s.p.writeFile(latestFile, file); err == nil {
		err = werr
	}
	checks := policy.CheckBudgets(m.Head)
	if serr := s.show(file, b, checks); err == nil {
		err = serr
	}
	switch {
	case err != nil:
		return err
	case b.Status != result.OK:
		return fmt.Errorf("%s: %s", s.timed.Described, report.Inert(b.Message))
	case slices.ContainsFunc(checks, func(c *compare.BudgetCheck) bool { return c.Verdict == compare.BudgetBroken }):
		return errFail
	}
	return nil
}

// trace runs the program with its imports traced.
func (s *starter) trace(ctx context.Context, b *result.Benchmark) error {
	var runs []harness.Ran
	for i := range importTraces {
		ran, err := s.timed.Run(ctx, s.p.root, harness.Watching{Imports: true})
		if err != nil {
			return err
		}
		if len(ran.Imports.Packages) == 0 {
			return nil
		}
		runs = append(runs, ran)
		largest := slices.MaxFunc(ran.Imports.Packages, func(a, b parse.Package) int { return cmp.Compare(a.Self, b.Self) })
		b.Add(result.UnitOf(result.MaxPackage), result.Sample{Value: largest.Self, Iters: 1, Pair: i, Pass: i})
	}
	slices.SortFunc(runs, func(a, b harness.Ran) int { return cmp.Compare(a.Wall, b.Wall) })
	s.ran = runs[len(runs)/2]
	for _, p := range s.bySelf() {
		b.Imports = append(b.Imports, result.Import{Name: p.Name, Head: p.Self, Total: p.Total})
	}
	return nil
}

// bySelf are the traced packages, the slowest first.
func (s *starter) bySelf() []parse.Package {
	return slices.SortedStableFunc(slices.Values(s.ran.Imports.Packages), func(a, b parse.Package) int { return cmp.Compare(b.Self, a.Self) })
}

// show prints what was measured.
func (s *starter) show(f *result.File, b *result.Benchmark, checks []*compare.BudgetCheck) error {
	out := s.p.app.stdout
	if s.asJSON {
		return f.Write(out)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if m := b.Metric("sec/op"); m != nil {
		fmt.Fprintf(out, "%s: %s, each a fresh process with a warm page cache, until %s\n", report.Inert(s.timed.Described), english.Plural(len(m.Samples), "run", ""), s.timed.Until)
		for _, row := range []struct{ label, unit string }{{"wall time", "sec/op"}, {"CPU time", result.CommandCPU}, {"peak memory", result.PeakRSS}} {
			if m := b.Metric(row.unit); m != nil {
				sum := compare.Describe(m)
				value := func(v float64) string { return report.Value(v, m.Unit) }
				interval := "too few passes for an interval"
				if !math.IsInf(sum.Hi-sum.Lo, 0) {
					interval = fmt.Sprintf("95%% interval %s to %s", value(sum.Lo), value(sum.Hi))
				}
				fmt.Fprintf(w, "  %s p50\t%s\t%s\n", row.label, value(sum.Center), interval)
			}
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := s.showImports(b); err != nil {
		return err
	}
	for _, c := range checks {
		fmt.Fprintf(out, "%s: %s\n", c.Verdict, report.BudgetSentence(c))
	}
	_, err := fmt.Fprintf(out, "written to %s\n", filepath.Join(s.p.config.ReportsDir, latestFile))
	return err
}

// showImports prints the table of one traced run, whose own times are parts of its whole.
func (s *starter) showImports(b *result.Benchmark) error {
	all := s.bySelf()
	if len(all) == 0 {
		if s.imports && b.Status == result.OK {
			fmt.Fprintln(s.p.app.stdout, "its runtime says nothing of what it initialises: Go and Python programs do")
		}
		return nil
	}
	own := 0.0
	for _, p := range all {
		own += p.Self
	}
	sec := result.UnitOf("sec/op")
	fmt.Fprintf(s.p.app.stdout, "\ninitialised by a traced run of %s (%s): %s, in %s of their own\n", report.Value(s.ran.Wall.Seconds(), sec), s.ran.Imports.Runtime, english.Plural(len(all), "package", ""), report.Value(own, sec))
	w := tabwriter.NewWriter(s.p.app.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "package\tself\twith its imports\tbytes\tallocs")
	left := 0
	for i, p := range all {
		if i >= importRows && !s.set.Changed("slow") || p.Self < s.shown.Seconds() {
			left++
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\n", report.Inert(p.Name), report.Value(p.Self, sec), report.Value(p.Total, sec), p.Bytes, p.Allocs)
	}
	if left > 0 {
		fmt.Fprintf(w, "%d more\t\t\t\t\n", left)
	}
	fmt.Fprintln(w)
	return w.Flush()
}

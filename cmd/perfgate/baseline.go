package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"text/tabwriter"

	"github.com/dustin/go-humanize/english"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/report"
	"github.com/org/perfgate/internal/result"
)

// baseline looks at, renews, checks or lifts the committed baseline.
func (a *app) baseline(ctx context.Context, args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case "show":
			return a.baselineShow(args[1:])
		case "update":
			return a.baselineUpdate(ctx, args[1:])
		case "verify":
			return a.baselineVerify(args[1:])
		case "migrate":
			return a.baselineMigrate(args[1:])
		case "-h", "--help":
			return ignoreHelp(newFlags("baseline", "show|update|verify|migrate").parse(a, args, 0))
		}
	}
	return usagef("want: perfgate baseline show, update, verify or migrate")
}

// stored parses a subcommand's flags and reads the baseline, which must be there.
func (a *app) stored(f *flags, args []string) (*project, *result.File, error) {
	f.options("reports-dir", "working-directory")
	if err := f.parse(a, args, 0); err != nil {
		return nil, nil, err
	}
	p, err := a.configure(f)
	if err != nil {
		return nil, nil, err
	}
	b, err := readResult(p.reports(baselineFile))
	if errors.Is(err, fs.ErrNotExist) {
		err = p.noBaseline()
	}
	return p, b, err
}

func (p *project) noBaseline() error {
	return fmt.Errorf("no baseline at %s; make one with: perfgate baseline update", p.reports(baselineFile))
}

func (a *app) baselineShow(args []string) error {
	f := newFlags("baseline show", "")
	asJSON := f.set.Bool("json", false, "print the file itself")
	p, b, err := a.stored(f, args)
	if err != nil {
		return ignoreHelp(err)
	}
	if *asJSON {
		return b.Write(a.stdout)
	}
	fmt.Fprintf(a.stdout, "%s: %s\n", p.reports(baselineFile), describeBaseline(b))
	for _, e := range b.Head.Env.Fields() {
		if e.Value != "" {
			fmt.Fprintf(a.stdout, "%s: %s\n", e.Name, e.Value)
		}
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	for _, bench := range b.Head.Benchmarks {
		for _, m := range bench.Metrics {
			fmt.Fprintln(w, strings.Join(report.MetricLine(bench, m), "\t"))
		}
	}
	return w.Flush()
}

// baselineVerify checks schema, provenance and the hash over the samples, which readResult does.
func (a *app) baselineVerify(args []string) error {
	p, b, err := a.stored(newFlags("baseline verify", ""), args)
	if err != nil {
		return ignoreHelp(err)
	}
	if b.ThresholdsOnly {
		return fmt.Errorf("%s: thresholds only, with neither samples nor provenance; measure it again with: perfgate baseline update", p.reports(baselineFile))
	}
	fmt.Fprintf(a.stdout, "%s: good, %s, %s\n", p.reports(baselineFile), english.Plural(len(b.Head.Benchmarks), "benchmark", ""), describeBaseline(b))
	return nil
}

// baselineUpdate measures the work tree and makes it the committed reference.
func (a *app) baselineUpdate(ctx context.Context, args []string) error {
	f := newFlags("baseline update", "")
	f.options("packages", "bench", "tags", "budget", "gate", "control", "metrics", "counters", "coverpkg", "mock", "prepare", "pass-env", "timeout", "seed", "reports-dir", "working-directory")
	force := f.set.Bool("force", false, "write it in spite of a dirty tree, failed benchmarks or too few samples; needs --reason")
	reason := f.set.String("reason", "", "why it is forced; kept in the file")
	record := f.set.String("report", "", "Markdown `FILE` whose marked section tells of the release, relative to the project's root")
	if err := f.parse(a, args, 0); err != nil {
		return ignoreHelp(err)
	}
	if *force != (*reason != "") {
		return usagef("--force and --reason belong together")
	}
	p, err := a.configure(f)
	if err != nil {
		return err
	}
	if f.set.Changed("report") {
		if err := p.openRecord(*record); err != nil {
			return err
		}
	}
	if err := p.open(ctx); err != nil {
		return err
	}
	if err := p.refuseDirty(ctx, *force); err != nil {
		return err
	}
	old, err := p.readBaseline()
	if err != nil {
		a.warn("the old baseline is replaced unread: %v", err)
	}
	file, err := p.measure(ctx, nil, old)
	if err != nil {
		return err
	}
	a.warnAll(file)
	file.Baseline, file.BaselineInfo, file.Reason = nil, "", *reason
	if old != nil {
		p.config.Policy().Ratchet(old, file)
	}
	if err := unfit(file); err != nil && !*force {
		return fmt.Errorf("%w; the baseline stays as it was (--force --reason TEXT writes it all the same)", err)
	}
	if err := p.writeFile(baselineFile, file); err != nil {
		return err
	}
	if err := p.printMove(old, file); err != nil || p.record == nil {
		return err
	}
	if err := p.record.renew(ctx, old, file); err != nil {
		return fmt.Errorf("the baseline is written, its report is not: %w", err)
	}
	return nil
}

// refuseDirty keeps a baseline from naming a commit that it was not measured on.
func (p *project) refuseDirty(ctx context.Context, force bool) error {
	if force {
		return nil
	}
	if p.repo == nil {
		return fmt.Errorf("%s is not in a git repository: a baseline names the commit that it was measured on (--force --reason TEXT makes one without)", p.root)
	}
	dirt, err := p.dirt(ctx)
	if err != nil {
		return err
	}
	if len(dirt) > 0 {
		return fmt.Errorf("the tree has uncommitted changes (%s): commit or stash them, a baseline names the commit that it was measured on", strings.TrimSpace(dirt[0]))
	}
	return nil
}

// failures returns what went wrong with a Set's benchmarks.
func failures(s *result.Set) error {
	var errs []error
	for _, b := range s.BuildFailures {
		errs = append(errs, fmt.Errorf("%s does not build: %s", b.Package, b.Message))
	}
	for _, b := range s.Benchmarks {
		if b.Status == result.Failed {
			errs = append(errs, fmt.Errorf("%s fails: %s", b.Key(), b.Message))
		}
	}
	return errors.Join(errs...)
}

// unfit says why a measured file must not become the baseline.
func unfit(f *result.File) error {
	errs := []error{failures(f.Head)}
	for _, b := range f.Head.Benchmarks {
		n, need := b.Passes(), compare.MinConstant
		if timed := timedPasses(b); timed > 0 { // some passes can only count
			n, need = timed, compare.FirstLook
		}
		switch {
		case b.Status != result.OK || n >= need:
		case len(b.Void) > 0:
			errs = append(errs, fmt.Errorf("%s has %s, fewer than %d, beside %d void: %s", b.Key(), english.Plural(n, "pass", ""), need, len(b.Void), b.Void[0].Message))
		default:
			errs = append(errs, fmt.Errorf("%s has %s, fewer than %d: raise --budget", b.Key(), english.Plural(n, "pass", ""), need))
		}
	}
	return errors.Join(errs...)
}

// timedPasses is the number of passes that have times.
func timedPasses(b *result.Benchmark) int {
	n := 0
	for _, m := range b.Metrics {
		if m.Unit.Timing() {
			n = max(n, len(result.ByPass(m.Samples)))
		}
	}
	return n
}

// printMove prints the old and the new values of what is compared with a baseline.
func (p *project) printMove(old, file *result.File) error {
	d := move(old, file, p.config.Policy())
	if d == nil {
		fmt.Fprintf(p.app.stdout, "new baseline: %s, %s\n", describeBaseline(file), english.Plural(len(file.Head.Benchmarks), "benchmark", ""))
		return nil
	}
	fmt.Fprintf(p.app.stdout, "baseline: %s → %s\n", describeBaseline(old), describeBaseline(file))
	return report.Moves(p.app.stdout, d)
}

// move compares a baseline with the one before, nil where that has nothing to compare with.
func move(old, file *result.File, policy compare.Policy) *report.Document {
	if old == nil || old.ThresholdsOnly {
		return nil
	}
	f := &result.File{Tool: file.Tool, GeneratedAt: file.GeneratedAt, Head: file.Head, Baseline: old.Head, BaselineInfo: describeBaseline(old)}
	return &report.Document{File: f, Policy: policy, Outcome: compare.Judge(f, policy)}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/org/perfgate/internal/cache"
	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/harness"
	"github.com/org/perfgate/internal/harness/load"
	"github.com/org/perfgate/internal/harness/mockllm"
	"github.com/org/perfgate/internal/profiler"
	"github.com/org/perfgate/internal/result"
)

// load offers load to a target and writes latest.json. It judges nothing.
func (a *app) load(ctx context.Context, args []string) error {
	f := newLoadFlags()
	profile := f.profiling()
	if err := f.parseLoad(a, args); err != nil {
		return ignoreHelp(err)
	}
	p, err := a.configure(f.flags)
	if err != nil {
		return err
	}
	l, err := f.loader(p, p.config.Seed, a.readFile)
	if err != nil {
		return usage(err)
	}
	defer l.close()
	if l.pprof != "" && !profile.profile {
		return usagef("--pprof: it says where --profile takes profiles; give both")
	}
	if err := p.open(ctx); err != nil {
		return err
	}
	if l.renews {
		if err := p.refuseDirty(ctx, f.force); err != nil {
			return err
		}
	}
	if err := profile.begin(p, "load"); err != nil {
		return err
	}
	err = usage(l.run(ctx))
	p.profiling.finish(err)
	return err
}

// usage makes an error of a setting one of the command line.
func usage(err error) error {
	var fromLoad *load.FieldError
	var fromCache *cache.FieldError
	switch {
	case errors.As(err, &fromLoad):
		return usagef("--%s: %s", fromLoad.Field, fromLoad.Msg)
	case errors.As(err, &fromCache):
		return usagef("--%s: %s", fromCache.Field, fromCache.Msg)
	}
	return err
}

// loader is a load command that was understood.
type loader struct {
	p *project
	*loadFlags
	read func(name string) ([]byte, error) // files that the flags name
	seed uint64
	dir  string // where programs are started
	heap string // where profiles of their heap go, empty for none
	// record asks for a profile of the program, nil for none.
	record *harness.Recording
	plan   load.Plan
	// levels are the numbers of workers to try, one where nothing is swept.
	levels []int
	repeat int
	renews bool // the baseline
	mock   mockllm.Config
	prices load.Prices
	good   *load.Goodput
	plans  cache.Config
	clock  load.Clock // the machine's, nil in virtual time

	bodyText string
	waitTime time.Duration

	observe  func(harness.Event)
	told     map[*load.Trace]*profiler.Collector // what the processes of a sample told of themselves
	bench    []*result.Benchmark
	traces   map[*result.Benchmark][]*load.Trace
	warnings []string
}

func (l *loader) close() {
	if real, ok := l.clock.(*load.RealClock); ok {
		real.Pacer.Close()
	}
}

// run measures every level and writes what came of it, whether or not it went well.
func (l *loader) run(ctx context.Context) error {
	file, err := l.p.newFile(ctx, nil, nil)
	if err != nil {
		return err
	}
	progress := newProgress(l.p.app.stderr)
	l.observe = l.p.profiling.watch(progress.observe)
	l.p.profiling.enter("load") // what is observed comes late
	l.traces = map[*result.Benchmark][]*load.Trace{}
	err = l.measure(ctx, func() {
		part := *file
		head := *file.Head
		part.Head, part.Partial = &head, true
		l.fill(&part)
		l.p.writeFile(latestFile, &part) // the final write reports what is wrong with the disk
	})
	progress.close()
	if len(l.bench) == 0 {
		return err
	}
	if err == nil {
		err = l.sampleMemory(ctx, l.planOf(l.levels[0]), l.name(l.levels[0]))
	}
	if err == nil {
		err = l.sampleProfiles(ctx, l.planOf(l.levels[0]), l.name(l.levels[0]), l.traces[l.bench[0]][0].Wall)
	}
	l.addEfficiency()
	l.fill(file)
	l.p.putTold(file)
	if perr := l.p.profiling.put(file); err == nil {
		err = perr
	}
	file.Partial = ctx.Err() != nil
	for _, w := range l.warnings {
		l.p.app.warn("%s", w)
	}
	if werr := l.p.writeFile(latestFile, file); err == nil {
		err = werr
	}
	if werr := l.show(file); err == nil {
		err = werr
	}
	if err == nil && l.renews {
		err = l.renewBaseline(file)
	}
	return err
}

// measure takes the samples: all levels in turn, so that what drifts meanwhile touches all of them. It calls
// save after each sample but the last.
func (l *loader) measure(ctx context.Context, save func()) error {
	for i := range l.repeat {
		for n, workers := range l.levels {
			trace, counts, err := l.sample(ctx, l.planOf(workers), l.name(workers), l.label(workers, i))
			if trace == nil {
				return err
			}
			if i == 0 {
				l.bench = append(l.bench, &result.Benchmark{Suite: harness.SuiteLoad, Name: l.name(workers), Status: result.OK})
			}
			if kerr := l.keep(l.bench[n], trace, counts, i); err == nil {
				err = kerr
			}
			if err != nil {
				if load.IsInvalid(err) {
					l.bench[n].Status, l.bench[n].Message = result.Failed, err.Error()
				}
				return err
			}
			if i < l.repeat-1 || n < len(l.levels)-1 {
				save()
			}
		}
	}
	return nil
}

// planOf is the plan with so many workers, which an open one has not.
func (l *loader) planOf(workers int) load.Plan {
	plan := l.plan
	if !plan.Open() {
		plan.Concurrency = workers
	}
	return plan
}

// name is that of the benchmark that so many workers are.
func (l *loader) name(workers int) string {
	name := l.targetName()
	if len(l.levels) > 1 {
		name += fmt.Sprintf("/concurrency=%d", workers)
	}
	return name
}

func (l *loader) label(workers, sample int) string {
	text := l.name(workers)
	if l.repeat > 1 {
		text += fmt.Sprintf(", sample %d of %d", sample+1, l.repeat)
	}
	return text
}

// keep adds a trace as one sample of every metric.
func (l *loader) keep(b *result.Benchmark, t *load.Trace, counts *load.Counts, sample int) error {
	l.traces[b] = append(l.traces[b], t)
	for _, m := range l.metrics(t, counts) {
		b.Add(result.UnitOf(m.Unit), result.Sample{Value: m.Value, Iters: len(t.Records), Pair: sample, Pass: sample})
	}
	for _, f := range t.Failures() {
		l.warnings = append(l.warnings, b.Name+": "+f)
	}
	for _, r := range append(t.Usage.Remarks, remarks(l.told[t])...) {
		l.warnings = append(l.warnings, b.Name+": "+r)
	}
	if t.Late != "" {
		b.Notes = append(b.Notes, fmt.Sprintf("the times of sample %d say little: %s", sample+1, t.Late))
	}
	histogram, err := t.Histogram()
	if histogram != "" {
		b.Latency = append(b.Latency, histogram)
	}
	return err
}

// metrics are the values of a trace, with the prices and limits that were given.
func (l *loader) metrics(t *load.Trace, counts *load.Counts) []load.Metric {
	return append(t.Metrics(load.Scale{Upstream: counts, Prices: l.prices, Goodput: l.good}), counted(l.told[t])...)
}

// sweepUnit is the share of the throughput that so many workers could have, of so many times that of the
// first level.
const sweepUnit = "efficiency"

// fill puts what was measured into the file.
func (l *loader) fill(f *result.File) {
	f.Head.Benchmarks, f.Warnings = l.bench, slices.Concat(f.Warnings, l.warnings)
	f.Head.Env = l.environment()
	f.Scenario = l.scenario()
	f.Policy = nil // nothing was judged
}

func (l *loader) addEfficiency() {
	if len(l.levels) < 2 || len(l.bench) < 2 {
		return
	}
	first := l.bench[0].Metric("runs/s")
	if first == nil {
		return
	}
	for n, b := range l.bench[1:] {
		m := b.Metric("runs/s")
		if m == nil {
			continue
		}
		for i, s := range m.Samples {
			if i < len(first.Samples) && first.Samples[i].Value > 0 {
				s.Value /= first.Samples[i].Value * float64(l.levels[n+1]) / float64(l.levels[0])
				b.Add(result.UnitOf(sweepUnit), s)
			}
		}
	}
}

// renewBaseline is baseline update for what a load run measured.
func (l *loader) renewBaseline(f *result.File) error {
	old, err := l.p.readBaseline()
	if err != nil {
		l.p.app.warn("the old baseline is replaced unread: %v", err)
	}
	next := *f
	next.Baseline, next.Reason = nil, l.reason
	head := *f.Head
	next.Head = &head
	if err := l.keepOthers(old, &next); err != nil {
		return err
	}
	if old != nil {
		l.p.config.Policy().Ratchet(old, &next)
	}
	if err := l.unfit(); err != nil && !l.force {
		return fmt.Errorf("%w; the baseline stays as it was (--force --reason TEXT writes it all the same)", err)
	}
	if err := l.p.writeFile(baselineFile, &next); err != nil {
		return err
	}
	return l.p.printMove(old, &next)
}

// keepOthers takes over what the old baseline holds beside load runs, if it was measured on the same commit:
// a baseline names one.
func (l *loader) keepOthers(old, next *result.File) error {
	if old == nil || old.ThresholdsOnly {
		return nil
	}
	var others []*result.Benchmark
	for _, b := range old.Head.Benchmarks {
		if b.Suite != harness.SuiteLoad {
			others = append(others, b)
		}
	}
	switch {
	case len(others) == 0:
		return nil
	case !sameTree(old.Head, next.Head) && !l.force:
		return fmt.Errorf("the baseline holds %d benchmarks of another commit as well, which would be lost: renew them first with perfgate baseline update (--force --reason TEXT drops them)", len(others))
	case !sameTree(old.Head, next.Head):
		return nil
	}
	env := old.Head.Env
	next.Head.Benchmarks = append(others, next.Head.Benchmarks...)
	next.Head.Env, next.Head.Control = env, old.Head.Control
	next.Head.Sort()
	return nil
}

// unfit says why what was measured must not become the baseline.
func (l *loader) unfit() error {
	var errs []error
	for _, b := range l.bench {
		if n := b.Passes(); n < compare.FirstLook {
			errs = append(errs, fmt.Errorf("%s has %d samples, fewer than %d: raise --repeat", b.Name, n, compare.FirstLook))
		}
		for _, t := range l.traces[b] {
			if t.Late != "" {
				errs = append(errs, fmt.Errorf("%s: %s", b.Name, t.Late))
				break
			}
			if f := t.Failures(); len(f) > 0 {
				errs = append(errs, fmt.Errorf("%s: %s", b.Name, f[0]))
				break
			}
		}
	}
	return errors.Join(errs...)
}

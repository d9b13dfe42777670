package main

import (
	"context"
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize/english"
	"github.com/spf13/pflag"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/report"
	"github.com/org/perfgate/internal/result"
)

// standard is one of perfgate's own parts as a benchmark.
type standard struct {
	// name is in the form of Go's benchmarks, with what is varied as key=value.
	name string
	// open makes what is measured, once, outside the clock.
	open func(context.Context) (*subject, error)
}

// subject is what a standard benchmark measures.
type subject struct {
	// run does the work n times. It is an error when the work did not come to what it must: of a benchmark that
	// does nothing nobody would see that it is fast.
	run func(n int) error
	// close gives back what open took, nil for nothing.
	close func()
}

// How long a standard benchmark takes: its samples are means of as many iterations as fill a slice, of a slow one of a
// single iteration. It has the most samples that fit into its time, and at least so many that the interval is narrower
// than their range.
const (
	standardWarmUp = 30 * time.Millisecond
	standardSlice  = 5 * time.Millisecond
	standardTime   = 400 * time.Millisecond
	mostStandard   = 30
	leastStandard  = 10
)

// standardRow is what came of a standard benchmark. Times are seconds per iteration.
type standardRow struct {
	Name       string  `json:"name"`
	Samples    int     `json:"samples"`
	Iterations int     `json:"iterations"`
	Mean       float64 `json:"mean_sec"`
	Min        float64 `json:"min_sec"`
	Max        float64 `json:"max_sec"`
	Rate       float64 `json:"ops_per_sec"`
	Median     float64 `json:"median_sec"`
	// Interval holds the median with at least the confidence of the report, whatever the distribution is: two of
	// the samples in their order, as benchstat has it.
	Interval [2]float64 `json:"median_interval_sec"`
}

// standardReport is what selftest --standard --json prints.
type standardReport struct {
	Tool       result.Tool   `json:"tool"`
	Confidence float64       `json:"confidence"`
	RunSec     float64       `json:"run_sec"`
	Benchmarks []standardRow `json:"benchmarks"`
}

// standardFlags are those that go together with --standard. The others are about a project's benchmarks.
var standardFlags = []string{"standard", "only", "json"}

// chooseStandards returns the standard benchmarks whose names match only, nil where perfgate itself is not to be measured.
func chooseStandards(f *flags, wanted bool, only string) ([]standard, error) {
	if !wanted {
		if f.set.Changed("only") {
			return nil, usagef("--only chooses among the benchmarks of --standard, which is not given; --bench chooses among yours")
		}
		return nil, nil
	}
	var foreign []string
	f.set.Visit(func(flag *pflag.Flag) {
		if !slices.Contains(standardFlags, flag.Name) {
			foreign = append(foreign, "--"+flag.Name)
		}
	})
	if len(foreign) > 0 {
		return nil, usagef("--standard measures perfgate itself, where %s means nothing; leave it out", strings.Join(foreign, ", "))
	}
	pattern, err := regexp.Compile(only)
	if err != nil {
		return nil, usagef("--only: %v", err)
	}
	var chosen []standard
	var names []string
	for _, s := range standards {
		names = append(names, s.name)
		if pattern.MatchString(s.name) {
			chosen = append(chosen, s)
		}
	}
	if len(chosen) == 0 {
		return nil, usagef("--only %q matches none of %s", only, strings.Join(names, ", "))
	}
	return chosen, nil
}

// measureStandards measures perfgate's own parts and prints what came of them, also of those before an interrupt or
// an error.
func (a *app) measureStandards(ctx context.Context, list []standard, asJSON bool) error {
	out := &standardReport{Tool: tool(), Confidence: compare.DefaultPolicy.Confidence, Benchmarks: []standardRow{}}
	began := time.Now()
	var err error
	for _, s := range list {
		var row standardRow
		if row, err = s.measure(ctx); err != nil {
			err = fmt.Errorf("%s: %w", s.name, err)
			break
		}
		out.Benchmarks = append(out.Benchmarks, row)
	}
	out.RunSec = time.Since(began).Seconds()
	show := a.printStandards
	if asJSON {
		show = func(r *standardReport) error { return printJSON(a.stdout, r) }
	}
	if serr := show(out); err == nil {
		err = serr
	}
	return err
}

// measure times a benchmark. It is a loop of its own because package testing would bring its flags along, and gives one
// value where many are wanted.
func (s *standard) measure(ctx context.Context) (standardRow, error) {
	sub, err := s.open(ctx)
	if err != nil {
		return standardRow{}, err
	}
	if sub.close != nil {
		defer sub.close()
	}
	n, err := sub.warm(ctx)
	if err != nil {
		return standardRow{}, err
	}
	runtime.GC() // what came before must not be collected at the cost of what is measured
	m := &result.Metric{Unit: result.UnitOf("sec/op")}
	began := time.Now()
	for i := range mostStandard {
		if i >= leastStandard && time.Since(began) >= standardTime {
			break
		}
		took, err := sub.time(ctx, n)
		if err != nil {
			return standardRow{}, err
		}
		m.Samples = append(m.Samples, result.Sample{Value: took.Seconds() / float64(n), Iters: n, Pair: i, Pass: i})
	}
	return standardRowOf(s.name, m), nil
}

// warm runs until caches, branches and the heap are as they will be, and returns how many iterations fill a slice.
func (s *subject) warm(ctx context.Context) (n int, err error) {
	n = 1
	for began := time.Now(); ; {
		took, err := s.time(ctx, n)
		if err != nil {
			return 0, err
		}
		if took < standardSlice/2 {
			n *= 2
			continue
		}
		if time.Since(began) >= standardWarmUp {
			return max(1, int(float64(n)*float64(standardSlice)/float64(took))), nil
		}
	}
}

// time is how long n iterations take.
func (s *subject) time(ctx context.Context, n int) (time.Duration, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	began := time.Now()
	err := s.run(n)
	return time.Since(began), err
}

// standardRowOf sums up samples of a number of iterations each.
func standardRowOf(name string, m *result.Metric) standardRow {
	values := m.Values()
	row := standardRow{Name: name, Samples: len(values), Min: slices.Min(values), Max: slices.Max(values)}
	for i, v := range values {
		row.Mean += v / float64(len(values))
		row.Iterations += m.Samples[i].Iters
	}
	row.Rate = 1 / row.Mean
	median := compare.Describe(m)
	row.Median, row.Interval = median.Center, [2]float64{median.Lo, median.Hi}
	return row
}

func (a *app) printStandards(r *standardReport) error {
	sec := result.UnitOf("sec/op")
	tw := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tw, "benchmark\titerations\tmean\tmin\tmax\tops/s\tmedian\t%g%% interval\n", 100*r.Confidence)
	for _, b := range r.Benchmarks {
		fmt.Fprintf(tw, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s to %s\n", b.Name, b.Iterations, report.Value(b.Mean, sec), report.Value(b.Min, sec), report.Value(b.Max, sec),
			report.Value(b.Rate, result.UnitOf("ops/s")), report.Value(b.Median, sec), report.Value(b.Interval[0], sec), report.Value(b.Interval[1], sec))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(a.stdout, "%s of perfgate's own in %.1fs; the interval is the median's, of any distribution\n", english.Plural(len(r.Benchmarks), "benchmark", ""), r.RunSec)
	return err
}

package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/org/perfgate/internal/harness"
	"github.com/org/perfgate/internal/report"
)

// planned is what `check --plan --json` prints. Times are in seconds.
type planned struct {
	Benchmarks []plannedRow `json:"benchmarks"`
	// First is the time to the first look at all benchmarks, Most that of the whole first stage.
	First  float64 `json:"first_look_sec"`
	Most   float64 `json:"first_stage_at_most_sec"`
	Budget float64 `json:"budget_sec"`
	Build  float64 `json:"build_sec"`
}

type plannedRow struct {
	Benchmark string  `json:"benchmark"`
	Iters     int     `json:"iterations,omitempty"`
	First     float64 `json:"first_look_sec,omitempty"`
	Most      float64 `json:"first_stage_at_most_sec,omitempty"`
	Confirm   float64 `json:"confirm_sec,omitempty"`
	Note      string  `json:"note,omitempty"`
}

// plan builds, lists and calibrates, and says what the rest of a check would cost.
func (p *project) plan(ctx context.Context, asJSON bool) error {
	base, baseline, err := p.begin(ctx)
	if err != nil {
		return err
	}
	suites, bench, cleanup, err := p.suites(ctx, base)
	if err != nil {
		return err
	}
	defer cleanup()
	bench.Iters = storedIters(baseline, "")
	progress := newProgress(p.app.stderr)
	m, err := harness.Measure(ctx, suites, harness.Plan{Seed: p.config.Seed, Budget: p.config.Budget, Judge: p.config.Policy(), OnlyPlan: true}, progress.observe)
	progress.close()
	if err != nil {
		return err
	}
	out := planned{Budget: p.config.Budget.Seconds(), Build: m.BuildTime.Seconds(), Benchmarks: []plannedRow{}}
	for _, c := range m.Costs {
		out.First += c.First.Seconds()
		out.Most += c.Most.Seconds()
		out.Benchmarks = append(out.Benchmarks, plannedRow{Benchmark: report.Name(c.Key), Iters: c.Iters,
			First: c.First.Seconds(), Most: c.Most.Seconds(), Confirm: c.Confirm.Seconds(), Note: c.Same + c.Problem})
	}
	if asJSON {
		return printJSON(p.app.stdout, out)
	}
	return p.printPlan(out)
}

func (p *project) printPlan(out planned) error {
	tw := tabwriter.NewWriter(p.app.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "benchmark\titerations\tfirst look\tat most\tif suspect\t")
	for _, r := range out.Benchmarks {
		if r.Note != "" {
			fmt.Fprintf(tw, "%s\t\t\t\t\t%s\n", r.Benchmark, report.Inert(r.Note))
			continue
		}
		fmt.Fprintf(tw, "%s\t%d\t%s\t%s\t%s\t\n", r.Benchmark, r.Iters, seconds(r.First), seconds(r.Most), seconds(r.Confirm))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	fits := "fits into"
	if out.First > out.Budget {
		fits = "does not fit into"
	}
	_, err := fmt.Fprintf(p.app.stdout, "\nbuilding took %s; the first look at all takes about %s, which %s the budget of %s; the first stage takes at most %s.\nA noisy machine needs up to 2.7 times as many pairs. A suspect takes %d re-links of its package beyond its time above.\n",
		seconds(out.Build), seconds(out.First), fits, seconds(out.Budget), seconds(out.Most), p.config.Policy().Builds(1))
	return err
}

// seconds writes a time for people.
func seconds(s float64) string {
	d := time.Duration(s * float64(time.Second))
	if d < 10*time.Second {
		return d.Round(10 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

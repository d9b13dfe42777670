package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/harness"
	"github.com/org/perfgate/internal/report"
	"github.com/org/perfgate/internal/result"
)

// quickBudget is the budget of a trial of the quick form: the whole of it stays under 2 minutes.
const quickBudget = 18 * time.Second

// quickMost is the number of benchmarks that the quick form keeps.
const quickMost = 6

// injectable is the number of iterations that a slowdown adds to a slice, at least, to be exact enough.
const injectable = 4

// trialPlan is one run whose right outcome is known.
type trialPlan struct {
	name    string
	padding int
	slow    float64
}

// The trials of a self-test, as --trials takes them.
const (
	quickTrials = "aa,padded=4,slow=10%,slow=5%"
	allTrials   = "aa,aa,padded=1,padded=4,padded=16,slow=2%,slow=3%,slow=5%,slow=10%"
)

// parseTrials reads a list of trials. The first is the one that the benchmark to slow is chosen by.
func parseTrials(list string) ([]trialPlan, error) {
	var plans []trialPlan
	for text := range strings.SplitSeq(list, ",") {
		kind, value, _ := strings.Cut(strings.TrimSpace(text), "=")
		plan, err := trialPlan{}, error(nil)
		switch kind {
		case "aa":
			plan.name = "A/A"
		case "padded":
			plan.name = "A/A′, " + value + " functions"
			if plan.padding, err = strconv.Atoi(value); err != nil || plan.padding < 1 {
				return nil, &harness.ErrUsage{Msg: fmt.Sprintf("--trials %q: want a number of functions, as in padded=4", text)}
			}
		case "slow":
			percent, found := strings.CutSuffix(value, "%")
			plan.slow, err = strconv.ParseFloat(percent, 64)
			if plan.slow /= 100; err != nil || !found || plan.slow <= 0 {
				return nil, &harness.ErrUsage{Msg: fmt.Sprintf("--trials %q: want a percentage, as in slow=5%%", text)}
			}
			plan.name = "+" + value
		default:
			return nil, &harness.ErrUsage{Msg: fmt.Sprintf("--trials %q: want aa, padded=N or slow=N%%", text)}
		}
		plans = append(plans, plan)
	}
	if plans[0].slow > 0 {
		return nil, &harness.ErrUsage{Msg: "--trials: the first must not be slowed; begin with aa"}
	}
	return plans, nil
}

// trialResult is what came of a trial.
type trialResult struct {
	Trial string `json:"trial"`
	// Slowed is the benchmark with the injected slowdown, Found whether it was called a regression.
	Slowed   string  `json:"slowed,omitempty"`
	Found    bool    `json:"found,omitempty"`
	Estimate float64 `json:"estimate,omitempty"`
	// False are the benchmarks that were called a regression and are none.
	False        []string `json:"false_regressions"`
	Benchmarks   int      `json:"benchmarks"`
	Inconclusive int      `json:"inconclusive"`
	PairNoise    float64  `json:"pair_noise_median"`
	// StandardError is that of the median benchmark's estimate.
	StandardError float64        `json:"standard_error_median"`
	MDE           float64        `json:"mde_median"`
	Seconds       float64        `json:"run_sec"`
	Others        map[string]int `json:"false_by_other_rules"`
	Rows          []trialRow     `json:"times"`

	mdes []float64
}

// trialRow is what a trial found of one benchmark's time: changes are shares, 0.05 is 5 % slower.
type trialRow struct {
	Benchmark     string          `json:"benchmark"`
	Verdict       compare.Verdict `json:"verdict"`
	Change        float64         `json:"change"`
	Interval      [2]float64      `json:"interval"` // 95 %
	StandardError float64         `json:"standard_error"`
	PairNoise     float64         `json:"pair_noise"`
	Passes        int             `json:"passes"`
	Builds        int             `json:"builds"`
}

// selftestReport is what selftest --json prints.
type selftestReport struct {
	Trials []trialResult `json:"trials"`
	Effect float64       `json:"effect"`
	Advice []string      `json:"advice"`
}

// selftest runs the gate where the right answer is known: the user's own benchmarks on this machine,
// against themselves, against themselves with unrelated functions, and with exact slowdowns.
func (a *app) selftest(ctx context.Context, args []string) error {
	f := newFlags("selftest", "")
	if err := a.mayMeasure(); err != nil {
		return err
	}
	f.options("packages", "bench", "tags", "budget", "effect", "gate", "mock", "prepare", "pass-env", "timeout", "seed", "working-directory")
	quick := f.set.Bool("quick", false, "fewer and shorter trials, under 2 minutes with their builds for a package")
	record := f.set.String("record", "", "keep the pairs of every trial in this folder, with a second stage of every benchmark")
	list := f.set.String("trials", "", "what to try, of aa, padded=N and slow=N%, separated by commas (default "+strconv.Quote(allTrials)+")")
	ofPerfgate := f.set.Bool("standard", false, "measure perfgate's own parts instead, for a few seconds")
	only := f.set.String("only", "", "of those, the ones whose name matches `REGEXP`")
	asJSON := f.set.Bool("json", false, "print the report as JSON")
	if err := f.parse(a, args, 0); err != nil {
		return ignoreHelp(err)
	}
	own, err := chooseStandards(f, *ofPerfgate, *only)
	if err != nil {
		return err
	}
	if own != nil {
		return a.measureStandards(ctx, own, *asJSON)
	}
	p, err := a.configure(f)
	if err != nil {
		return err
	}
	budget, most := p.config.Budget, 0
	if *quick {
		budget, most = min(budget, quickBudget), quickMost
	}
	out := &selftestReport{Effect: p.config.Effect}
	var slowed result.Key
	if *list == "" {
		*list = allTrials
		if *quick {
			*list = quickTrials
		}
	}
	plans, err := parseTrials(*list)
	if err != nil {
		return err
	}
	for i, plan := range plans {
		a.say("trial %d of %d: %s, budget %v", i+1, len(plans), plan.name, budget)
		trial := &harness.Trial{Padding: plan.padding, Most: most}
		if plan.slow > 0 {
			trial.Slow = map[result.Key]float64{slowed: plan.slow}
		}
		file, err := p.try(ctx, trial, budget, p.config.Seed+uint64(i), *record != "")
		if err != nil {
			return err
		}
		if *record != "" {
			if err := keepTrial(*record, i, file); err != nil {
				return err
			}
		}
		if i == 0 {
			if slowed, err = pickSlowed(file, plans); err != nil {
				return err
			}
		}
		out.Trials = append(out.Trials, p.examine(plan, file, slowed))
	}
	out.Advice = advise(out, budget)
	if *asJSON {
		return printJSON(a.stdout, out)
	}
	return a.printSelftest(out)
}

// try measures one trial.
func (p *project) try(ctx context.Context, trial *harness.Trial, budget time.Duration, seed uint64, confirmAll bool) (*result.File, error) {
	dir, err := os.MkdirTemp("", "perfgate-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	c := p.config
	suite, err := p.goBench(ctx)
	if err != nil {
		return nil, err
	}
	suite.BaseDir, suite.Scratch, suite.Trial = p.root, dir, trial
	closeMock, err := p.mocked(ctx, suite)
	if err != nil {
		return nil, err
	}
	defer closeMock()
	progress := newProgress(p.app.stderr)
	defer progress.close()
	m, err := harness.Measure(ctx, p.together(suite), harness.Plan{Seed: seed, Budget: budget, Judge: c.Policy(), ConfirmAll: confirmAll}, progress.observe)
	if err != nil {
		return nil, err
	}
	policy, err := json.Marshal(c.Policy())
	if err != nil {
		return nil, err
	}
	return &result.File{Tool: tool(), GeneratedAt: p.app.now().UTC(), Policy: policy, Pairing: result.Passes, Base: m.Base, Head: m.Head, Control: m.Control, Seed: seed,
		Run: &result.Run{Measured: m.Measured, Total: m.Total, Screened: seeds(m.Screened), Confirmed: seeds(m.Confirmed), RunSec: m.RunTime.Seconds(), BudgetSec: budget.Seconds()}}, nil
}

// keepTrial writes a trial's file, which `perfgate report` judges.
func keepTrial(dir string, i int, f *result.File) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, fmt.Sprintf("trial-%02d.json", i+1)), out.Bytes(), 0o644)
}

// pickSlowed chooses the benchmark that is to be slowed: the one with the median noise among those with
// enough iterations in a slice for every slowdown of the plans to be exact.
func pickSlowed(f *result.File, plans []trialPlan) (result.Key, error) {
	least := 0.0
	for _, p := range plans {
		if p.slow > 0 {
			least = max(least, injectable/p.slow)
		}
	}
	type able struct {
		key   result.Key
		noise float64
	}
	var all []able
	index := f.Base.Index()
	for _, b := range f.Head.Benchmarks {
		if m := b.Metric("sec/op"); m != nil && len(m.Samples) > 0 && float64(m.Samples[0].Iters) >= least && index[b.Key()] != nil {
			all = append(all, able{b.Key(), compare.PairNoise(index[b.Key()], b)})
		}
	}
	if len(all) > 0 {
		slices.SortFunc(all, func(a, b able) int { return cmp.Compare(a.noise, b.noise) })
		return all[len(all)/2].key, nil
	}
	if f.Run.Measured == 0 {
		return result.Key{}, errors.New(compare.NothingMeasured(f.Run))
	}
	return result.Key{}, fmt.Errorf("no benchmark has the %.0f iterations in a few milliseconds that a slowdown of %.3g%% needs: choose others with --bench, or a larger one with --trials", least, 100*injectable/least)
}

// examine compares what the gate said with what it should have said.
func (p *project) examine(plan trialPlan, f *result.File, slowed result.Key) trialResult {
	r := trialResult{Trial: plan.name, False: []string{}, Others: map[string]int{}, Seconds: f.Run.RunSec, Benchmarks: f.Run.Measured}
	if plan.slow > 0 {
		r.Slowed = report.Name(slowed)
	}
	outcome := compare.Judge(f, p.config.Policy())
	base, head := f.Base.Index(), f.Head.Index()
	for _, c := range outcome.Comparisons {
		hit := plan.slow > 0 && c.Key == slowed
		switch {
		case c.Verdict == compare.Regression && c.Gated && hit:
			r.Found = true
		case c.Verdict == compare.Regression && c.Gated:
			r.False = append(r.False, report.Name(c.Key)+" "+c.Unit.Name)
		case c.Verdict == compare.Inconclusive && c.Gated:
			r.Inconclusive++
		}
		if hit && c.Unit.Name == "sec/op" {
			r.Estimate = c.Change
		}
		if c.Unit.Name == "sec/op" && !math.IsNaN(c.MDE) {
			r.mdes = append(r.mdes, c.MDE)
		}
		if b, h := base[c.Key], head[c.Key]; c.Unit.Name == "sec/op" && !math.IsInf(c.Lo, 0) && !math.IsInf(c.Hi, 0) && !math.IsNaN(c.Change+c.Lo+c.Hi) {
			r.Rows = append(r.Rows, trialRow{Benchmark: report.Name(c.Key), Verdict: c.Verdict, Change: c.Change, Interval: [2]float64{c.Lo, c.Hi},
				StandardError: compare.StandardError(b, h), PairNoise: compare.PairNoise(b, h), Passes: c.Passes, Builds: c.Builds})
		}
	}
	if s := outcome.Suite; s != nil && s.Verdict == compare.Regression {
		r.False = append(r.False, "the whole suite")
	}
	var noise, errs []float64
	for _, h := range f.Head.Benchmarks {
		b := base[h.Key()]
		if b == nil || h.Metric("sec/op") == nil {
			continue
		}
		noise = append(noise, compare.PairNoise(b, h))
		errs = append(errs, compare.StandardError(b, h))
		if plan.slow > 0 && h.Key() == slowed {
			continue
		}
		for _, rule := range compare.Rules {
			if rule.Flags(b, h) {
				r.Others[rule.Name]++
			}
		}
	}
	r.PairNoise, r.StandardError, r.MDE = middle(noise), middle(errs), middle(r.mdes)
	return r
}

func middle(x []float64) float64 {
	if len(x) == 0 {
		return 0
	}
	s := slices.Clone(x)
	slices.Sort(s)
	return s[len(s)/2]
}

// advise says what effect this machine can be asked to catch, and what that takes.
func advise(r *selftestReport, budget time.Duration) []string {
	first := r.Trials[0]
	var advice []string
	reach := math.Inf(1)
	for _, effect := range []float64{0.02, 0.03, 0.05, 0.10, 0.20, 0.50} {
		n := 0
		for _, mde := range first.mdes {
			if mde <= effect {
				n++
			}
		}
		if n > 0 && 10*n >= 9*len(first.mdes) {
			reach = effect
			break
		}
	}
	switch {
	case math.IsInf(reach, 1):
		advice = append(advice, "this machine is too noisy for these benchmarks at this budget: raise --budget")
	default:
		advice = append(advice, fmt.Sprintf("effect: %g%%, which 9 of 10 benchmarks can catch within %.0f s", 100*reach, first.Seconds))
	}
	if reach > r.Effect {
		wanted := budget.Seconds() * math.Pow(first.MDE/r.Effect, 2)
		advice = append(advice, fmt.Sprintf("budget: about %.0f s to catch %g%%", math.Ceil(wanted/10)*10, 100*r.Effect))
	}
	return advice
}

func (a *app) printSelftest(r *selftestReport) error {
	tw := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "trial\tbenchmarks\tfalse alarms\tfound\tinconclusive\tpair noise\tst. error\tMDE\ttime")
	for _, t := range r.Trials {
		found := "–"
		if t.Slowed != "" {
			found = map[bool]string{true: "yes", false: "no"}[t.Found] + fmt.Sprintf(" (%+.1f%%)", 100*t.Estimate)
		}
		fmt.Fprintf(tw, "%s\t%d\t%d\t%s\t%d\t%.1f%%\t%.2f%%\t%.1f%%\t%.0fs\n", t.Trial, t.Benchmarks, len(t.False), found, t.Inconclusive, 100*t.PairNoise, 100*t.StandardError, 100*t.MDE, t.Seconds)
	}
	fmt.Fprintln(tw)
	fmt.Fprintln(tw, "false alarms by other rules, on the same values\t\t\t\t\t\t\t\t")
	for _, rule := range compare.Rules {
		sum, runs := 0, 0
		for _, t := range r.Trials {
			sum += t.Others[rule.Name]
			if t.Others[rule.Name] > 0 {
				runs++
			}
		}
		fmt.Fprintf(tw, "  %s\t%d\tin %d of %d trials\t\t\t\t\t\t\n", rule.Name, sum, runs, len(r.Trials))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	for _, t := range r.Trials {
		for _, name := range t.False {
			fmt.Fprintf(a.stdout, "false alarm in %s: %s\n", t.Trial, name)
		}
	}
	if s := r.Trials[len(r.Trials)-1].Slowed; s != "" {
		fmt.Fprintf(a.stdout, "\nslowed: %s\n", s)
	}
	for _, line := range r.Advice {
		fmt.Fprintln(a.stdout, line)
	}
	return nil
}

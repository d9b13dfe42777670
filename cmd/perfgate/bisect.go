package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/dustin/go-humanize/english"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/config"
	"github.com/org/perfgate/internal/harness"
	"github.com/org/perfgate/internal/report"
	"github.com/org/perfgate/internal/result"
)

// bisectFile holds what is known so far, so that a search goes on where it ended.
const bisectFile = "bisect.json"

// bisection is a search for the commit that made a benchmark worse, as the file and --json have it.
type bisection struct {
	Good      string `json:"good"`
	Bad       string `json:"bad"`
	Benchmark string `json:"benchmark"`
	// Metric is what is judged, and Total how much worse it is on bad: a share of good, or where that is 0 a
	// difference.
	Metric string  `json:"metric,omitempty"`
	Total  float64 `json:"total,omitempty"`
	Steps  []step  `json:"steps"`
	// Found are the commits of which one is the first bad one. There is one where none had to be skipped.
	Found []string `json:"found,omitempty"`
	// Row is the first bad one against the one before it, or a time against good, with its remarks, and Why what
	// grew there.
	Row string      `json:"row,omitempty"`
	Why *result.Why `json:"why,omitempty"`
}

// step is a commit that was measured against good.
type step struct {
	Commit string  `json:"commit"`
	State  state   `json:"state"`
	Change float64 `json:"change,omitempty"`
	Row    string  `json:"row,omitempty"`    // its comparison with good
	Reason string  `json:"reason,omitempty"` // to skip it
}

// bisector carries a bisection out.
type bisector struct {
	p *project
	bisection
	from    harness.Commit
	commits []harness.Commit
	asked   string // the metric that the user names, empty for the first that is worse
	base    *harness.Worktree
}

// bisect finds the commit that made a benchmark slower or heavier.
func (a *app) bisect(ctx context.Context, args []string) error {
	f := newFlags("bisect", "GOOD BAD")
	f.options("packages", "tags", "budget", "effect", "gate", "metrics", "counters", "coverpkg", "mock", "prepare", "pass-env", "timeout", "seed", "reports-dir", "working-directory")
	name := f.set.String("benchmark", "", "`NAME` of the benchmark, without Benchmark before it, such as Parse or Parse/small")
	metric := f.set.String("metric", "", "`UNIT` to judge, such as statements/op or sec/op (default: the first exact one that is worse, else sec/op)")
	restart := f.set.Bool("restart", false, "forget what an earlier search for the same has found")
	asJSON := f.set.Bool("json", false, "print what was found as JSON")
	if err := f.parse(a, args, 2); err != nil {
		return ignoreHelp(err)
	}
	if *name == "" {
		return usagef("want --benchmark NAME: go test -list . shows the names")
	}
	p, err := a.configure(f)
	if err != nil {
		return err
	}
	if err := p.open(ctx); err != nil {
		return err
	}
	if p.repo == nil {
		return usagef("%s is not in a git repository", p.root)
	}
	b := &bisector{p: p, asked: *metric}
	b.Benchmark = strings.TrimPrefix(*name, "Benchmark")
	if b.from, b.commits, err = p.repo.History(ctx, f.set.Arg(0), f.set.Arg(1)); err != nil {
		return err
	}
	b.Good, b.Bad = b.from.Hash, b.commits[len(b.commits)-1].Hash
	if !*restart {
		b.resume()
	}
	if err := b.run(ctx); err != nil {
		return err
	}
	if *asJSON {
		return printJSON(a.stdout, b.bisection)
	}
	return b.print()
}

// resume takes over what an earlier search for the same has found.
func (b *bisector) resume() {
	data, err := os.ReadFile(b.p.reports(bisectFile))
	var known bisection
	if err != nil || json.Unmarshal(data, &known) != nil {
		return
	}
	if known.Good != b.Good || known.Bad != b.Bad || known.Benchmark != b.Benchmark || b.asked != "" && b.asked != known.Metric {
		return
	}
	b.bisection = known
	b.p.app.say("going on with %s after %s; --restart forgets them", b.p.reports(bisectFile), english.Plural(len(known.Steps), "measurement", ""))
}

func (b *bisector) save() error {
	data, err := json.MarshalIndent(b.bisection, "", "  ")
	if err != nil {
		return err
	}
	return b.p.write(bisectFile, append(data, '\n'))
}

// run measures commits until the first bad one is known.
func (b *bisector) run(ctx context.Context) error {
	var err error
	if b.base, err = b.p.repo.Worktree(ctx, b.Good); err != nil {
		return err
	}
	defer b.base.Close()
	if b.Metric == "" {
		if err := b.first(ctx); err != nil {
			return err
		}
	}
	at := make(search, len(b.commits))
	for {
		for _, s := range b.Steps {
			i := slices.IndexFunc(b.commits, func(c harness.Commit) bool { return c.Hash == s.Commit })
			if i < 0 {
				return fmt.Errorf("%s: %s is not between %.12s and %.12s; --restart begins anew", b.p.reports(bisectFile), s.Commit, b.Good, b.Bad)
			}
			at[i] = s.State
		}
		i, ok := at.next()
		if !ok {
			break
		}
		c := b.commits[i]
		b.p.app.say("%.12s %s: %s left, about %s", c.Hash, report.Inert(c.Subject), english.Plural(b.width(at), "commit", ""), english.Plural(at.left(), "measurement", ""))
		if err := b.look(ctx, c); err != nil {
			return err
		}
	}
	return b.finish(ctx, at)
}

func (b *bisector) width(at search) int {
	lo, hi := at.bounds()
	return hi - lo
}

// first compares bad with good, and chooses by what to judge.
func (b *bisector) first(ctx context.Context) error {
	last := b.commits[len(b.commits)-1]
	b.p.app.say("%.12s against %.12s, %s", last.Hash, b.Good, english.Plural(len(b.commits), "commit", ""))
	metrics := b.p.config.Metrics
	if b.asked != "" && exact(b.asked) {
		metrics = config.Exact // and no times
	}
	rows, why, err := b.measure(ctx, last, b.p.config.Policy(), metrics)
	if err != nil {
		return err
	}
	if why != "" {
		return fmt.Errorf("%.12s cannot be judged: %s", last.Hash, why)
	}
	if has := units(rows); b.asked != "" && !slices.Contains(has, b.asked) {
		return usagef("--metric %s: %s has %s", b.asked, b.Benchmark, strings.Join(has, ", "))
	}
	chosen := choose(rows, b.asked)
	if chosen == nil {
		return fmt.Errorf("%s is not worse on %.12s than on %.12s%s: there is nothing to look for", b.Benchmark, b.Bad, b.Good, told(rows))
	}
	b.Metric, b.Total = chosen.Unit.Name, chosen.Change
	b.Steps = append(b.Steps, step{Commit: last.Hash, State: bad, Change: chosen.Change, Row: report.Sentence(chosen)})
	b.p.app.say("%.12s: %s", last.Hash, report.Sentence(chosen))
	return b.save()
}

// units are the metrics that rows are of, and the time, which may not have been measured.
func units(rows []*compare.Comparison) []string {
	all := []string{"sec/op"}
	for _, c := range rows {
		all = append(all, c.Unit.Name)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// choose finds the metric to judge by: what was asked for, or what is exact before what takes longer.
func choose(rows []*compare.Comparison, asked string) *compare.Comparison {
	var worse []*compare.Comparison
	for _, c := range rows {
		if c.Verdict == compare.Regression && (asked == "" || c.Unit.Name == asked) {
			worse = append(worse, c)
		}
	}
	if len(worse) == 0 {
		return nil
	}
	return slices.MinFunc(worse, func(x, y *compare.Comparison) int { return cmp.Compare(rank(x), rank(y)) })
}

func rank(c *compare.Comparison) int {
	switch {
	case c.Unit.Name == "allocs/op":
		return 0
	case c.Exact || c.Unit.Counted():
		return 1
	case c.Unit.Name == "sec/op":
		return 2
	}
	return 3
}

// told lists what rows came to.
func told(rows []*compare.Comparison) string {
	var texts []string
	for _, c := range rows {
		texts = append(texts, report.Sentence(c)+": "+string(c.Verdict))
	}
	if len(texts) == 0 {
		return ""
	}
	return " (" + strings.Join(texts, "; ") + ")"
}

// look measures a commit against good, and keeps what it is.
func (b *bisector) look(ctx context.Context, c harness.Commit) error {
	policy, metrics := b.p.config.Policy(), config.Exact
	if !exact(b.Metric) {
		// Whether it is as bad as bad is a coarser question than whether it is bad at all.
		policy.Effect, metrics = max(policy.Effect, stepEffect*b.Total), config.Times
	}
	rows, why, err := b.measure(ctx, c, policy, metrics)
	if err != nil {
		return err
	}
	s := step{Commit: c.Hash, State: skipped, Reason: why}
	i := slices.IndexFunc(rows, func(c *compare.Comparison) bool { return c.Unit.Name == b.Metric })
	switch {
	case why != "":
	case rows[0].Same: // it runs the code of good
		s.State = good
	case i < 0:
		s.Reason = "it has no " + b.Metric
	default:
		s = b.judge(c, rows[i])
	}
	b.Steps = append(b.Steps, s)
	if s.State == skipped {
		b.p.app.say("%.12s skipped: %s", c.Hash, report.Inert(s.Reason))
	} else {
		b.p.app.say("%.12s is %s%s", c.Hash, s.State, told(rows[max(i, 0):][:1]))
	}
	return b.save()
}

// stepEffect is the share of the whole change that a step must be able to see.
const stepEffect = 0.75

// exact reports whether a metric is compared as a fact, so that times need not be measured.
func exact(metric string) bool {
	u := result.UnitOf(metric)
	return u.Counted() || !u.Timing() && u.Name != "B/s"
}

// judge decides which half of the whole change a commit has: a commit on the way may have made it a little worse or
// better by itself.
func (b *bisector) judge(c harness.Commit, row *compare.Comparison) step {
	s := step{Commit: c.Hash, State: good, Change: row.Change, Row: report.Sentence(row)}
	switch {
	case row.Verdict == compare.Incomparable || row.Verdict == compare.Broken || row.Verdict == compare.Missing:
		s.State, s.Reason = skipped, strings.Join(append([]string{string(row.Verdict)}, row.Notes...), ": ")
	case exact(b.Metric):
		if row.Change/b.Total >= 0.5 {
			s.State = bad
		}
	case row.Verdict == compare.Regression:
		s.State = bad
	case row.Verdict == compare.Inconclusive:
		s.State, s.Reason = skipped, "its time could not be judged in the budget of "+b.p.config.Budget.String()
	}
	return s
}

// finish says which commits are left, and explains the first bad one where there is one.
func (b *bisector) finish(ctx context.Context, at search) error {
	lo, hi := at.bounds()
	b.Found = nil
	for _, c := range b.commits[lo+1 : hi+1] {
		b.Found = append(b.Found, c.Hash)
	}
	if len(b.Found) == 1 && b.Why == nil {
		parent, found := b.from, b.commits[hi]
		if lo >= 0 {
			parent = b.commits[lo]
		}
		if err := b.explain(ctx, parent, found); err != nil {
			return err
		}
	}
	return b.save()
}

// explain takes profiles of the commit and of the one before it.
func (b *bisector) explain(ctx context.Context, parent, found harness.Commit) error {
	base, err := b.p.repo.Worktree(ctx, parent.Hash)
	if err != nil {
		return err
	}
	defer base.Close()
	b.p.app.say("%.12s: why", found.Hash)
	f, err := b.compareWith(ctx, base, parent.Hash, found, harness.Plan{Judge: b.p.config.Policy(), Exact: exact(b.Metric), NoTimes: true,
		Explain: &harness.Explaining{Limit: max(b.p.config.Budget/2, leastExplaining), Keep: b.p.keepProfiles(),
			Wishes: func(_, head *result.Set) []harness.Wish {
				var ws []harness.Wish
				for _, bench := range head.Benchmarks {
					if w := (harness.Wish{Key: bench.Key()}); bench.Name == b.Benchmark {
						if b.Metric != "allocs/op" && b.Metric != "B/op" { // which say it all
							w.Change = math.Abs(b.Total)
						}
						ws = append(ws, w)
					}
				}
				return ws
			}}})
	if err != nil {
		return err
	}
	for _, bench := range f.Head.Benchmarks {
		if bench.Name == b.Benchmark {
			b.Why = bench.Why
		}
	}
	for _, row := range compare.Judge(f, b.p.config.Policy()).Comparisons {
		if row.Key.Name == b.Benchmark && row.Unit.Name == b.Metric {
			b.Row = report.Sentence(row)
		}
	}
	if b.Row == "" { // a time, which is not taken once more
		b.Row = b.stepRow(found)
	}
	return nil
}

// stepRow is what was found when a commit was measured against good.
func (b *bisection) stepRow(c harness.Commit) string {
	for _, s := range b.Steps {
		if s.Commit == c.Hash && s.Row != "" {
			return fmt.Sprintf("%s (against %.12s)", s.Row, b.Good)
		}
	}
	return ""
}

// print writes the outcome for people.
func (b *bisector) print() error {
	w := b.p.app.stdout
	skips := 0
	for _, s := range b.Steps {
		if s.State == skipped {
			skips++
		}
	}
	known := fmt.Sprintf("%s, %d of them skipped", english.Plural(len(b.Steps), "measurement", ""), skips)
	if len(b.Found) > 1 {
		fmt.Fprintf(w, "one of these commits made %s %s worse, those between could not be judged (%s):\n", report.Inert(b.Benchmark), report.Inert(b.Metric), known)
	} else {
		fmt.Fprintf(w, "this commit made %s %s worse (%s):\n", report.Inert(b.Benchmark), report.Inert(b.Metric), known)
	}
	for _, c := range b.commits {
		if slices.Contains(b.Found, c.Hash) {
			fmt.Fprintf(w, "%s %s %s\n", c.Hash, c.Date, report.Inert(c.Subject))
		}
	}
	if b.Why == nil {
		return nil
	}
	fmt.Fprintf(w, "\n%s\n", b.Row)
	return report.Why(w, b.Benchmark, b.Why)
}

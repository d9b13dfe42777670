// Package compare decides. It judges two sets of samples and a committed baseline by a policy, and
// gives the same verdict for the same input on any machine at any time.
//
// It knows no files, no clock and no network, and never measures again: what cannot be said
// from the samples at hand is said to be inconclusive.
package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/dustin/go-humanize/english"

	"github.com/org/perfgate/internal/result"
	"github.com/org/perfgate/internal/stats"
)

// Verdict is what a comparison came to.
type Verdict string

// The verdicts.
const (
	Regression   Verdict = "regression"
	Broken       Verdict = "broken"       // it fails on head
	Missing      Verdict = "missing"      // base has it, head has not
	Inconclusive Verdict = "inconclusive" // neither a change nor its absence is shown
	Incomparable Verdict = "incomparable" // the sides are not the same thing, or not the same machine
	Added        Verdict = "added"
	Improvement  Verdict = "improvement"
	Unchanged    Verdict = "unchanged"
)

// Verdicts lists all verdicts, the worst first.
var Verdicts = []Verdict{Regression, Broken, Missing, Inconclusive, Incomparable, Added, Improvement, Unchanged}

// Gate is the verdict over everything.
type Gate string

// The gate's verdicts, which are exit codes 0, 1 and 3.
const (
	Pass  Gate = "pass"
	Fail  Gate = "fail"
	Error Gate = "error"
)

// power is the probability of detection that an MDE is stated for.
const power = 0.9

// Comparison is one metric of one benchmark, base against head. Where the benchmark itself is
// missing, broken, added or not comparable, there is one Comparison with an empty Unit.
type Comparison struct {
	Key     result.Key
	Unit    result.Unit
	Against Reference
	Verdict Verdict
	// Gated says that a bad verdict fails the gate.
	Gated bool
	// Waived says that a waiver keeps a regression from failing the gate.
	Waived bool
	// Exact says that the metric is constant within each side and was compared as a fact.
	Exact bool
	// Unmeasured says that the benchmark runs on both sides and that the budget ended before it, or before its time.
	Unmeasured bool
	// Same says that both sides run the same binary, so there was nothing to measure.
	Same bool
	// Absolute says that Change, Lo, Hi and MDE are differences in the unit, not fractions of
	// base: base has zeros, or is negative.
	Absolute bool
	// Base and Head summarize the samples of each side.
	Base, Head Summary
	// Change is the estimate of (head-base)/base, with its interval [Lo, Hi].
	Change, Lo, Hi float64
	// Pairs is the number of base/head pairs where samples are paired one by one, Passes that of the
	// first stage and Builds that of the second where they were taken in passes.
	Pairs, Passes, Builds int
	// P is the p-value of "not worse than the tolerance", adjusted by Holm over all judged
	// metrics. NaN where no test was made.
	P float64
	// RankP is the two-sided Mann-Whitney p-value that benchstat prints, on the same samples.
	RankP float64
	// Effect is the slowdown that must be caught of this benchmark.
	Effect float64
	// MDE is the smallest worsening that this comparison would have detected with 90 % power.
	MDE   float64
	Notes []string

	test test
	// fixed says that the second stage ran the same builds as the first.
	fixed bool
}

// Reference says what head was compared with.
type Reference string

// The references.
const (
	AgainstBase     Reference = "base"
	AgainstBaseline Reference = "baseline"
)

// Summary describes one side's samples: the median with its interval, as benchstat prints them.
type Summary struct {
	N              int
	Center, Lo, Hi float64
}

// Failing reports whether c fails the gate.
func (c *Comparison) Failing() bool {
	return c.Gated && !c.Waived && (c.Verdict == Regression || c.Verdict == Broken || c.Verdict == Missing)
}

func (c *Comparison) note(format string, args ...any) {
	c.Notes = append(c.Notes, fmt.Sprintf(format, args...))
}

// Outcome is the verdict over everything, and how it came about.
type Outcome struct {
	Gate        Gate
	Comparisons []*Comparison
	// Tests is the number of metrics that share the error probability, Confirmed the number of
	// those that were measured again on re-linked builds.
	Tests, Confirmed int
	// Suite is what the benchmarks have in common, nil without enough of them.
	Suite *Shift
	// Control is what a copy of base differed by, nil where none was measured.
	Control *ControlShift
	// Pipeline is what perfgate's own pipeline did meanwhile, nil where it was not measured.
	Pipeline *PipelineShift
	// Budgets and Waivers are those of the policy, and what they came to.
	Budgets []*BudgetCheck
	Waivers []*WaiverCheck
	// Unmet are the policy's requirements that are not met.
	Unmet []string
	// GeoMeans are the geometric means of the ratios, which never gate.
	GeoMeans []GeoMean
	// Problems are the reasons for which there is no verdict.
	Problems []string
}

// GeoMean is the geometric mean of head/base over the benchmarks of one unit.
type GeoMean struct {
	Unit   result.Unit
	Change float64
	N      int
}

// Count returns the number of comparisons against base or baseline with a verdict. Rows that
// only inform are not counted.
func (o *Outcome) Count(v Verdict) int {
	n := 0
	for _, c := range o.Comparisons {
		if c.Verdict == v && (c.Gated || c.Unit.Name == "") {
			n++
		}
	}
	return n
}

// Judge compares what a file holds: head with base where it has one, and with the baseline.
func Judge(f *result.File, p Policy) *Outcome {
	o := &Outcome{}
	if f.Base != nil {
		j := judge{policy: p, against: AgainstBase, staged: f.Pairing == result.Passes, paired: p.Interleaved, interrupted: f.Partial}
		o.Comparisons = append(o.Comparisons, j.sets(f.Base, f.Head)...)
		if j.staged {
			o.Suite = p.judgeSuite(f.Base, f.Head)
		}
	}
	if f.Baseline != nil {
		j := judge{policy: p, against: AgainstBaseline, alone: f.Base == nil, stored: true}
		rows := j.sets(f.Baseline, f.Head)
		if !j.alone {
			rows = lost(rows, o.Comparisons, f.Head)
		}
		o.Comparisons = append(o.Comparisons, rows...)
	}
	o.Pipeline = o.judgePipeline(f, p)
	o.decide(p)
	if f.Control != nil {
		if o.Control = p.judgeControl(f.Control); o.Control != nil && o.Control.Unfit {
			o.distrust()
		}
	}
	o.explainCounts(f.Head) // by what is left of the improvements
	o.geoMeans()
	o.waive(p, f.GeneratedAt.UTC().Format(DateFormat))
	o.Budgets = p.CheckBudgets(f.Head)
	o.require(p, f.Head)
	o.settle(f, p)
	return o
}

// lost leaves out of the rows against a baseline those of benchmarks as a whole, which are base's to say, but
// for what base has not either: the baseline is what is expected, and an earlier commit may have lost it.
func lost(rows, againstBase []*Comparison, head *result.Set) []*Comparison {
	said := map[result.Key]bool{}
	for _, c := range againstBase {
		said[c.Key] = true
	}
	index := head.Index()
	return slices.DeleteFunc(rows, func(c *Comparison) bool {
		if c.Unit.Name != "" {
			return false
		}
		// Where there was nothing to measure, or a function failed, its sub-benchmarks have no rows.
		top := c.Key
		top.Name, _, _ = strings.Cut(top.Name, "/")
		return c.Verdict != Missing || said[c.Key] || index[top] != nil
	})
}

// settle draws the verdict over everything. A regression that was found stays a failure, whatever
// else went wrong.
func (o *Outcome) settle(f *result.File, p Policy) {
	for _, side := range []struct {
		name string
		set  *result.Set
	}{{"base", f.Base}, {"head", f.Head}} {
		if side.set == nil {
			continue
		}
		for _, b := range side.set.BuildFailures {
			o.Problems = append(o.Problems, fmt.Sprintf("%s does not build on %s: %s", b.Package, side.name, b.Message))
		}
	}
	if r := f.Run; r != nil && r.Measured == 0 && r.Total > 0 && !f.Partial {
		o.Problems = append(o.Problems, NothingMeasured(r))
	}
	if f.Partial {
		o.Problems = append(o.Problems, "the run was interrupted before everything was measured")
	}
	if why := o.unjudged(f, p); why != "" {
		o.Problems = append(o.Problems, why)
	}
	if len(o.Comparisons) == 0 {
		why := "no side has a benchmark"
		if f.Base == nil && f.Baseline == nil {
			why = "head has neither a base nor a baseline"
		}
		o.Problems = append(o.Problems, "nothing was compared: "+why)
	}
	o.Gate = Pass
	if len(o.Problems) > 0 {
		o.Gate = Error
	}
	if o.Suite != nil && o.Suite.Verdict == Regression {
		o.Gate = Fail
	}
	if o.brokenContract(p) || slices.ContainsFunc(o.Comparisons, func(c *Comparison) bool {
		return c.Failing() || p.Strict && c.Gated && c.Verdict == Inconclusive
	}) {
		o.Gate = Fail
	}
}

// unjudged says that nothing at all has a verdict, which is no pass: a gate that judges nothing is blind. So it is with
// two files of unknown order that hold times alone, and where every benchmark fails or is skipped on both sides. Of
// what perfgate measured an inconclusive row says what it could have detected, and passes.
func (o *Outcome) unjudged(f *result.File, p Policy) string {
	files := f.Base != nil && f.Run == nil && f.Pairing == result.Unpaired && !p.Interleaved
	none := f.Run != nil && f.Run.Total == 0
	if !files && !none || len(o.Comparisons) == 0 || len(o.Budgets) > 0 || slices.ContainsFunc(o.Comparisons, (*Comparison).judged) {
		return ""
	}
	if none {
		return "nothing could be judged: no benchmark runs on both sides, the notes say why"
	}
	return "nothing could be judged: two files of unknown order have a verdict on what is exact alone (go test -benchmem -count 3 or more); of times use perfgate check, or say --interleaved if the sides were measured in turn"
}

// judged reports whether c came to a verdict that counts.
func (c *Comparison) judged() bool {
	return c.Gated && c.Verdict != Inconclusive && c.Verdict != Incomparable && c.Verdict != Added
}

// geoMeans computes the geometric mean of the changes for each unit that is shown as a ratio.
func (o *Outcome) geoMeans() {
	ratios := map[string][]float64{}
	units := map[string]result.Unit{}
	for _, c := range o.Comparisons {
		if c.Against == AgainstBase && c.Unit.Name != "" && !c.Absolute && !c.Unit.Info() && (c.Gated || !c.Unit.Optional()) && !c.test.restates && !math.IsNaN(c.Change) && c.Change > -1 {
			ratios[c.Unit.Name] = append(ratios[c.Unit.Name], 1+c.Change)
			units[c.Unit.Name] = c.Unit
		}
	}
	for name, rs := range ratios {
		o.GeoMeans = append(o.GeoMeans, GeoMean{Unit: units[name], Change: stats.GeoMean(rs) - 1, N: len(rs)})
	}
	slices.SortFunc(o.GeoMeans, func(a, b GeoMean) int { return a.Unit.Compare(b.Unit) })
}

// NothingMeasured says of a run that brought no benchmark to its first look how one gets there.
func NothingMeasured(r *result.Run) string {
	return fmt.Sprintf("nothing could be measured in the budget of %gs, of %s: raise --budget or narrow --bench", r.BudgetSec, english.Plural(r.Total, "benchmark", ""))
}

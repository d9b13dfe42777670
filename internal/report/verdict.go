package report

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/dustin/go-humanize/english"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/result"
)

// headline is the verdict in one line.
func headline(d *Document) string {
	var parts []string
	for _, v := range compare.Verdicts {
		if n := d.Outcome.Count(v); n > 0 {
			parts = append(parts, counted(n, v))
		}
	}
	if wholeSuite(d) {
		parts = append([]string{"the whole suite is slower"}, parts...)
	}
	parts = append(contract(d), parts...)
	line := cmp.Or(strings.Join(parts, ", "), unjudged(d))
	if r := d.File.Run; r != nil {
		line += fmt.Sprintf("; %d of %s measured", r.Measured, english.Plural(r.Total, "benchmark", ""))
	}
	if d.File.Partial {
		line += "; interrupted, so this is a part"
	}
	return line
}

// counted is how often a verdict is there. Two of them are nouns.
func counted(n int, v compare.Verdict) string {
	if v == compare.Regression || v == compare.Improvement {
		return english.Plural(n, string(v), "")
	}
	return fmt.Sprintf("%d %s", n, v)
}

var commit = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)

// next says what can be done about a gate that failed on what was measured here, as text and the command in it.
// Empty where it did not.
func next(d *Document) (text, command string) {
	if d.Gate() != compare.Fail || d.File.Run == nil {
		return "", ""
	}
	command = "perfgate check --against baseline"
	if b := d.File.Base; b != nil {
		command = "perfgate check"
		if commit.MatchString(b.Commit) { // what a stranger stored is nothing to paste into a shell
			command += fmt.Sprintf(" --base %.12s", b.Commit)
		}
	}
	const waiver = "a waiver in the base branch's perfgate.yaml, with a limit and a date."
	text = "What is bold fails the gate. "
	if d.AcceptLabel != "" {
		text += fmt.Sprintf("If that is meant, a maintainer sets the label %s after the last push and runs the job again; beyond this pull request it takes ", d.AcceptLabel) + waiver
	} else {
		text += "If that is meant, it takes " + waiver
	}
	return text + " To repeat it on your machine:", command
}

// unjudged says that no row counts.
func unjudged(d *Document) string {
	if n := len(d.Outcome.Comparisons); n > 0 {
		return "none of " + english.Plural(n, "metric", "") + " was judged"
	}
	return "nothing was judged"
}

// word is the gate's verdict as a person reads it.
func word(d *Document) string {
	if d.accepted() {
		return "ACCEPTED"
	}
	switch d.Outcome.Gate {
	case compare.Pass:
		return "PASS"
	case compare.Fail:
		return "FAIL"
	}
	return "NO VERDICT"
}

// verdict names a row's verdict. What only describes the process is not judged.
func verdict(c *compare.Comparison) string {
	if c.Unit.Info() {
		return "not judged"
	}
	if c.Waived {
		return string(c.Verdict) + " (waived)"
	}
	return string(c.Verdict)
}

// detectable says what the run could have detected: without it, "no regression" says nothing. The sentence ends with
// the name of the worst benchmark, and its metric where that is no time, which each format writes in its way.
func detectable(d *Document) (sentence, worstName string) {
	if c := d.Outcome.Control; c != nil && c.Unfit {
		return "", "" // no time is judged
	}
	var mdes []float64
	caught, worst := 0, (*compare.Comparison)(nil)
	least, most := math.Inf(1), 0.0
	for _, c := range d.Outcome.Comparisons {
		if !c.Gated || math.IsNaN(c.MDE) || c.Absolute {
			continue
		}
		mdes = append(mdes, c.MDE)
		least, most = min(least, c.Effect), max(most, c.Effect)
		if c.MDE <= c.Effect {
			caught++
		}
		if worst == nil || c.MDE > worst.MDE {
			worst = c
		}
	}
	if len(mdes) == 0 {
		return "", ""
	}
	slices.Sort(mdes)
	if math.IsInf(mdes[0], 1) {
		return fmt.Sprintf("No slowdown would have been detected in %s: there are too few samples.", english.Plural(len(mdes), "noisy metric", "")), ""
	}
	slowdown := bare(least)
	if least < most {
		slowdown += " to " + bare(most) + ", as the policy has it,"
	}
	text := fmt.Sprintf("A slowdown of %s would have been detected in %d of %s (90%% power)", slowdown, caught, english.Plural(len(mdes), "noisy metric", ""))
	name := namesOf(d).of(worst.Key)
	if worst.Unit.Name != "sec/op" { // what nobody would think of
		name += " " + metricName(worst)
	}
	median := mdes[len(mdes)/2]
	switch {
	case math.IsInf(median, 1): // of too few samples
		return text + "; none of any size in the worst", name
	case math.IsInf(worst.MDE, 1):
		return fmt.Sprintf("%s; the smallest detectable one is %s in the median, and there is none in the worst", text, bare(median)), name
	}
	return fmt.Sprintf("%s; the smallest detectable one is %s in the median and %s in the worst", text, bare(median), bare(worst.MDE)), name
}

// method says in a few lines how the verdict came about, with the source of the method.
func method(d *Document) string {
	p := d.Policy
	estimate := fmt.Sprintf("estimate: Hodges-Lehmann with its %s interval. Effect to catch: %s.", bare(p.Confidence), bare(p.Effect))
	judged := "Judged " + english.Plural(d.Outcome.Tests, "noisy metric", "")
	switch {
	case d.Outcome.Tests == 0:
		return "No noisy metric was judged: what is exact is compared as it is, without a test."
	case d.File.Base == nil: // stored times belong to no pair
		return fmt.Sprintf("%s: exact one-sided Wilcoxon rank-sum test of “not worse than %s” on two independent samples, Holm over all of them at %s; %s",
			judged, bare(p.Tolerance()), bare(p.Alpha), estimate)
	case d.File.Pairing != result.Passes:
		return fmt.Sprintf("%s: exact one-sided Wilcoxon signed-rank test of “not worse than %s” on pairs, Holm over all of them at %s; %s",
			judged, bare(p.Tolerance()), bare(p.Alpha), estimate)
	}
	return fmt.Sprintf("%s in two stages. A pass is a fresh pair of processes that take turns in coin-flip order, and one value. %s on builds that were linked in another order each time: exact one-sided Wilcoxon signed-rank test of “not worse than %s” over the builds, Holm over what was measured again at %s; %s",
		judged, again(d), bare(p.Noise()), bare(p.ConfirmAlpha()), estimate)
}

// again says what came to the second stage.
func again(d *Document) string {
	switch n := d.Outcome.Confirmed; n {
	case 0:
		return "None had to be measured again"
	case 1:
		return "One seemed changed and was measured again"
	default:
		return fmt.Sprintf("%d seemed changed and were measured again", n)
	}
}

// wholeSuite reports whether all benchmarks together are slower, though none by itself need be.
func wholeSuite(d *Document) bool {
	return d.Outcome.Suite != nil && d.Outcome.Suite.Verdict == compare.Regression
}

// shift says what the benchmarks have in common.
func shift(d *Document) string {
	s := d.Outcome.Suite
	if s == nil {
		return ""
	}
	text := fmt.Sprintf("All %d benchmarks together: sec/op %s (%s to %s)", s.Benchmarks, percent(s.Change), percent(s.Lo), percent(s.Hi))
	switch {
	case s.Verdict == compare.Regression:
		return text + fmt.Sprintf(", a regression of the whole suite, confirmed on %d re-linked builds.", s.Builds)
	case s.Verdict == compare.Improvement:
		return text + fmt.Sprintf(", an improvement, confirmed on %d re-linked builds.", s.Builds)
	case s.Verdict == compare.Incomparable:
		return text + ", not judged."
	case s.Verdict == compare.Inconclusive && d.File.Partial:
		return text + ", seems slower; the run was interrupted before that could be confirmed on re-linked builds."
	case s.Verdict == compare.Inconclusive:
		return text + ", seems slower; the budget did not allow to confirm that on re-linked builds."
	}
	return text + "."
}

// control says what the control came to.
func control(d *Document) string {
	c := d.Outcome.Control
	switch {
	case c == nil:
		return ""
	case c.Unfit:
		return fmt.Sprintf("Control: a copy of base differs from base by %s (%s to %s) in %s (p = %.2g): this machine is unfit for timing, and no time is judged.",
			percent(c.Change), percent(c.Lo), percent(c.Hi), english.Plural(c.Passes, "pass", ""), c.P)
	}
	if c.Passes < compare.ControlLeast {
		return fmt.Sprintf("Control: a copy of base differs from base by %s in %s, too few to tell (%d can).", percent(c.Change), english.Plural(c.Passes, "pass", ""), compare.ControlLeast)
	}
	return fmt.Sprintf("Control: a copy of base differs from base by %s (%s to %s) in %s, which may be chance.", percent(c.Change), percent(c.Lo), percent(c.Hi), english.Plural(c.Passes, "pass", ""))
}

// pipeline says what perfgate's own pipeline did meanwhile.
func pipeline(d *Document) string {
	s := d.Outcome.Pipeline
	if s == nil {
		return ""
	}
	const what = "Control, perfgate's own pipeline beside the rest: "
	unit := result.UnitOf("p50-sec")
	var said []string
	switch spread := fmt.Sprintf("from %s to %s in %s", Value(s.Lo, unit), Value(s.Hi, unit), english.Plural(s.Samples, "sample", "")); {
	case s.Samples == 0:
	case s.Base == 0:
		said = append(said, fmt.Sprintf("p50 %s, %s", Value(s.Head, unit), spread))
	default:
		said = append(said, fmt.Sprintf("p50 %s with base and %s with head (%s), %s a side: the same code, so this is the machine", Value(s.Base, unit), Value(s.Head, unit), percent(s.Head/s.Base-1), spread))
	}
	switch {
	case s.Other != "":
		said = append(said, "its counts were not compared, "+s.Other)
	case s.Counts > 0:
		said = append(said, fmt.Sprintf("%s as in the baseline", english.Plural(s.Counts, "exact count", "")))
	}
	if said == nil {
		return ""
	}
	return what + strings.Join(said, "; ") + "."
}

// geoMeans lists the geometric means of the changes.
func geoMeans(d *Document) string {
	var parts []string
	for _, g := range d.Outcome.GeoMeans {
		parts = append(parts, fmt.Sprintf("%s %s (%d)", oneLine(g.Unit.Name), percent(g.Change), g.N))
	}
	if len(parts) == 0 {
		return ""
	}
	return "Geometric mean of the changes, which never gates: " + strings.Join(parts, ", ") + "."
}

// source names what a side was measured on.
func source(s *result.Set) string {
	switch {
	case s == nil:
		return "–"
	case s.Commit == "":
		return oneLine(s.Ref)
	}
	text := fmt.Sprintf("%.12s", oneLine(s.Commit))
	if s.Ref != "" && s.Ref != s.Commit {
		text += " (" + oneLine(s.Ref) + ")"
	}
	if s.Dirty {
		text += " with uncommitted changes"
	}
	return text
}

// replay is the command that repeats the run's order of measuring.
func replay(d *Document) string {
	if d.File.Run == nil || d.File.Seed == 0 {
		return ""
	}
	return fmt.Sprintf("perfgate check --seed %d", d.File.Seed)
}

// notes numbers the rows' remarks, equal ones once. What was remarked on a benchmark as a whole stands at its first row.
type notes struct {
	texts []string
	heads map[result.Key]*result.Benchmark
	said  map[result.Key][]string
}

func newNotes(d *Document) notes {
	return notes{heads: d.File.Head.Index(), said: map[result.Key][]string{}}
}

func (n *notes) refs(c *compare.Comparison) []int {
	var refs []int
	for _, text := range c.Notes {
		if b := n.heads[c.Key]; b != nil && slices.Contains(b.Notes, text) {
			if slices.Contains(n.said[c.Key], text) {
				continue
			}
			n.said[c.Key] = append(n.said[c.Key], text)
		}
		i := slices.Index(n.texts, text)
		if i < 0 {
			i = len(n.texts)
			n.texts = append(n.texts, text)
		}
		refs = append(refs, i+1)
	}
	return refs
}

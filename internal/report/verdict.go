package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/result"
)

// headline is the verdict in one line.
func headline(d *Document) string {
	var parts []string
	for _, v := range compare.Verdicts {
		if n := d.Outcome.Count(v); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, v))
		}
	}
	line := cmp.Or(strings.Join(parts, ", "), "nothing was judged")
	if r := d.File.Run; r != nil {
		line += fmt.Sprintf("; %d of %d benchmarks measured", r.Measured, r.Total)
	}
	if d.File.Partial {
		line += "; interrupted, so this is a part"
	}
	return line
}

// word is the gate's verdict as a person reads it.
func word(g compare.Gate) string {
	switch g {
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
	return string(c.Verdict)
}

// detectable says what the run could have detected: without it, "no regression" says nothing.
func detectable(d *Document) string {
	var mdes []float64
	caught, worst := 0, (*compare.Comparison)(nil)
	for _, c := range d.Outcome.Comparisons {
		if !c.Gated || math.IsNaN(c.MDE) || c.Absolute {
			continue
		}
		mdes = append(mdes, c.MDE)
		if c.MDE <= d.Policy.Effect {
			caught++
		}
		if worst == nil || c.MDE > worst.MDE {
			worst = c
		}
	}
	if len(mdes) == 0 {
		return ""
	}
	slices.Sort(mdes)
	return fmt.Sprintf("A slowdown of %s would have been detected in %d of %s (90%% power); the smallest detectable one is %s in the median and %s in the worst, %s.",
		bare(d.Policy.Effect), caught, plural(len(mdes), "noisy metric"), bare(mdes[len(mdes)/2]), bare(worst.MDE), namesOf(d).of(worst.Key))
}

// method says in a line how the verdict came about, with the source of the method.
func method(d *Document) string {
	p := d.Policy
	test, on := "signed-rank", "pairs"
	if d.File.Base == nil { // stored times belong to no pair
		test, on = "rank-sum", "two independent samples"
	}
	return fmt.Sprintf("Judged %s: exact one-sided Wilcoxon %s test of “not worse than %s” on %s, Holm over all of them at %s; estimate: Hodges-Lehmann with its %s interval. Effect to catch: %s.",
		plural(d.Outcome.Tests, "noisy metric"), test, bare(p.Tolerance()), on, bare(p.Alpha), bare(p.Confidence), bare(p.Effect))
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

// notes numbers the rows' remarks, equal ones once.
type notes struct{ texts []string }

func (n *notes) refs(c *compare.Comparison) []int {
	var refs []int
	for _, text := range c.Notes {
		i := slices.Index(n.texts, text)
		if i < 0 {
			i = len(n.texts)
			n.texts = append(n.texts, text)
		}
		refs = append(refs, i+1)
	}
	return refs
}

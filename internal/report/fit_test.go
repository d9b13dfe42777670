package report

import (
	"bytes"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/result"
)

// large has so many rows of every kind that each step of shortening leaves something out.
func large() *Document {
	f := run()
	policy := compare.DefaultPolicy
	for i := range 60 {
		slower, same := fmt.Sprintf("Slower%02d", i), fmt.Sprintf("Same%02d", i)
		f.Base.Benchmarks = append(f.Base.Benchmarks, bench(core, slower, constant("allocs/op", 100)), bench(core, same, constant("allocs/op", 5)))
		f.Head.Benchmarks = append(f.Head.Benchmarks, bench(core, slower, constant("allocs/op", float64(102+i))), bench(core, same, constant("allocs/op", 5)))
		f.Warnings = append(f.Warnings, fmt.Sprintf("warning number %d", i))
		most := 1000.0
		if i == 59 {
			most = 1
		}
		policy.Budgets = append(policy.Budgets, compare.Budget{Subject: compare.Subject{Benchmark: slower, Metric: "allocs/op"}, Max: &most})
	}
	return judged(f, policy)
}

// TestMarkdownWithin: a report that must be short gives way in one order, says so, and stays whole Markdown.
func TestMarkdownWithin(t *testing.T) {
	const file = "perf_reports/latest.json"
	d := large()
	var whole bytes.Buffer
	if err := Markdown(&whole, d); err != nil {
		t.Fatal(err)
	}
	limit := whole.Len()
	for _, step := range []struct {
		level       detail
		has, hasNot []string
	}{
		{everything, []string{"```mermaid", "<details><summary>Further changes: 40 metrics</summary>", "Same59", "Slower00", "Slower59", "warning number 59"}, []string{"Shortened", file}},
		{noChart, []string{"Shortened", file, "Same59", "Slower00", "Slower59"}, []string{"mermaid"}},
		{noUnchanged, []string{"Shortened", file, "Slower00", "Slower59", "warning number 59"}, []string{"mermaid", "Same"}},
		{topRows, []string{"Shortened", file, "\n40 more.\n", "Slower59` | `allocs/op` | 100 |", "`Slower59` | `allocs/op` | ≤ 1 |"},
			[]string{"mermaid", "Same", "`Slower00` | `allocs/op` | 100", "warning number 59"}},
		{countsOnly, []string{"Shortened", file, "60 regressions", "FAIL"}, []string{"mermaid", "Same", "Slower", "warning number"}},
	} {
		out, err := MarkdownWithin(d, limit, file)
		if err != nil {
			t.Fatalf("step %d, %d bytes: %v", step.level, limit, err)
		}
		if len(out) > limit {
			t.Errorf("step %d: %d bytes, the limit is %d", step.level, len(out), limit)
		}
		checkMarkdown(t, string(out))
		for _, s := range step.has {
			if !bytes.Contains(out, []byte(s)) {
				t.Errorf("step %d: no %q in\n%.3000s", step.level, s, out)
			}
		}
		for _, s := range step.hasNot {
			if bytes.Contains(out, []byte(s)) {
				t.Errorf("step %d: %q in\n%.3000s", step.level, s, out)
			}
		}
		limit = len(out) - 1
	}
	if out, err := MarkdownWithin(d, limit, file); err == nil {
		t.Errorf("%d bytes: no error, but\n%s", limit, out)
	}
}

// TestMarkdownWithinHostile: what a pull request calls its benchmarks ends no line and no block of a shortened
// report either.
func TestMarkdownWithinHostile(t *testing.T) {
	for _, s := range strangers {
		d := hostile(s)
		for limit := 12000; limit > 500; limit /= 2 {
			out, err := MarkdownWithin(d, limit, "perf_reports/latest.json")
			if err != nil {
				break
			}
			checkMarkdown(t, string(out))
			if t.Failed() {
				t.Fatalf("with %q in %d bytes", s, limit)
			}
		}
	}
}

// TestNoPictures: no format has an image, a data: URI or a style, which GitHub strips or fetches.
func TestNoPictures(t *testing.T) {
	fetched := regexp.MustCompile(`(?i)<img|!\[|data:|style=|<svg|<iframe`)
	for _, fixture := range fixtures {
		if text := outsideCode(string(drawn(t, format(t, "markdown"), fixture.make()))); fetched.MatchString(text) {
			t.Errorf("%s: %q", fixture.name, fetched.FindString(text))
		}
	}
}

// TestChart: what cannot be drawn is no bar, and the largest changes come first.
func TestChart(t *testing.T) {
	row := func(name string, v compare.Verdict, change float64) *compare.Comparison {
		return &compare.Comparison{Key: result.Key{Name: name}, Unit: result.UnitOf("sec/op"), Verdict: v, Change: change}
	}
	var rows []*compare.Comparison
	for i := range 30 {
		rows = append(rows, row(fmt.Sprintf("R%02d", i), compare.Regression, 0.01*float64(i+1)))
	}
	rows = append(rows, row("nan", compare.Regression, math.NaN()), row("inf", compare.Regression, math.Inf(1)), row("same", compare.Unchanged, 9))
	twice := row("twice", compare.Regression, 2)
	twice.Against = compare.AgainstBaseline
	rows = append(rows, twice)
	zero := row("zero", compare.Regression, 3)
	zero.Absolute = true
	got := bars(&Document{File: run(), Outcome: &compare.Outcome{Comparisons: append(rows, zero)}})
	lost := row("lost", compare.Improvement, -0.9)
	if got := bars(&Document{File: run(), Outcome: &compare.Outcome{Comparisons: append(rows[:3:3], lost)}}); len(got) != 4 || got[3] != lost {
		t.Errorf("the improvement is not behind what became worse: %v", got)
	}
	if len(got) != maxBars || got[0].Key.Name != "R29" || got[maxBars-1].Key.Name != "R10" {
		t.Errorf("%d bars from %s to %s, want the %d from R29 to R10", len(got), got[0].Key.Name, got[len(got)-1].Key.Name, maxBars)
	}
	for in, want := range map[string]string{`a"];b`: "7 a___b m +12.35", "é|`": "7 ___ m +12.35", "": "7  m +12.35", "ok _./-9": "7 ok _./-9 m +12.35", "a\nb%%{init}": "7 a_b___init_ m +12.35",
		"start" + strings.Repeat("x", 60) + "end": "7 .." + strings.Repeat("x", maxLabel-16) + "end m +12.35"} {
		if got := label(7, in, "m", 0.12346); got != want {
			t.Errorf("label of %q = %q, want %q", in, got, want)
		}
	}
	if got := label(20, strings.Repeat("x", 99), strings.Repeat("y", 99), -math.MaxFloat64/100); len(got) > maxLabel {
		t.Errorf("the label %q is longer than %d", got, maxLabel)
	}
}

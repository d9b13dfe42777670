package main

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/config"
	"github.com/org/perfgate/internal/harness"
	"github.com/org/perfgate/internal/result"
)

// TestWishes: what fails against base is explained, the largest slowdown first and what allocates more last; its
// time only where it got slower.
func TestWishes(t *testing.T) {
	row := func(name, unit string, v compare.Verdict, against compare.Reference, gated bool, change float64) *compare.Comparison {
		return &compare.Comparison{Key: result.Key{Name: name}, Unit: result.UnitOf(unit), Verdict: v, Against: against, Gated: gated, Change: change}
	}
	o := &compare.Outcome{Comparisons: []*compare.Comparison{
		row("Allocates", "allocs/op", compare.Regression, compare.AgainstBase, true, 1),
		row("Slow", "sec/op", compare.Regression, compare.AgainstBase, true, 0.2),
		row("Slow", "B/op", compare.Regression, compare.AgainstBase, true, 3),
		row("Slower", "sec/op", compare.Regression, compare.AgainstBase, true, 0.4),
		row("Barely", "sec/op", compare.Regression, compare.AgainstBase, true, 0.01),
		row("Shown", "B/op", compare.Regression, compare.AgainstBase, false, 1),
		row("Same", "sec/op", compare.Unchanged, compare.AgainstBase, true, -0.001),
		row("Drifted", "statements/op", compare.Regression, compare.AgainstBaseline, true, 0.1),
		row("Unknown", "sec/op", compare.Inconclusive, compare.AgainstBase, true, math.NaN()),
		row("Broken", "", compare.Broken, compare.AgainstBase, true, math.NaN()),
	}}
	wish := func(name string, change float64) harness.Wish {
		return harness.Wish{Key: result.Key{Name: name}, Change: change}
	}
	want := []harness.Wish{wish("Slower", 0.4), wish("Slow", 0.2), wish("Barely", 0.05), wish("Allocates", 0)}
	if d := cmp.Diff(want, wishes(o, &config.Config{Why: config.Regressions, Effect: 0.05})); d != "" {
		t.Errorf("regressions (-want +got):\n%s", d)
	}
	want = []harness.Wish{wish("Slower", 0.4), wish("Slow", 0.2), wish("Barely", 0.05), wish("Same", 0.05), wish("Allocates", 0), wish("Shown", 0), wish("Unknown", 0)}
	if d := cmp.Diff(want, wishes(o, &config.Config{Why: config.AllBenchmarks, Effect: 0.05})); d != "" {
		t.Errorf("all (-want +got):\n%s", d)
	}
}

// TestWishesUnderLoad: of a program under load any time counts that fails, and its largest change is resolved.
func TestWishesUnderLoad(t *testing.T) {
	row := func(name, unit string, v compare.Verdict, change float64) *compare.Comparison {
		return &compare.Comparison{Key: result.Key{Suite: harness.SuiteLoad, Name: name}, Unit: result.UnitOf(unit), Verdict: v, Against: compare.AgainstBase, Gated: true, Change: change}
	}
	o := &compare.Outcome{Comparisons: []*compare.Comparison{
		row("asks", "upstream-calls", compare.Regression, 1),
		row("slow", "p50-sec", compare.Regression, 0.2),
		row("slow", "max-sec", compare.Unchanged, 0.9),
	}}
	want := []harness.Wish{{Key: o.Comparisons[1].Key, Change: 0.2}, {Key: o.Comparisons[0].Key}}
	if d := cmp.Diff(want, wishes(o, &config.Config{Why: config.Regressions, Effect: 0.05})); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// A profile's name is a file's name on every system, and tells benchmarks apart.
func TestProfileName(t *testing.T) {
	seen := map[string]result.Key{}
	for _, k := range []result.Key{
		{Name: "A"}, {Name: "A", Package: "m"}, {Name: "A", Suite: "load"}, {Name: "A/x=1"}, {Name: "A_x=1"}, {Name: "A/x_1"}, {Name: "../../etc/passwd"}, {Name: ".hidden"},
		{Name: "-rf"}, {Name: `C:\x`}, {Name: strings.Repeat("x", 1000)}, {Name: "é"}, {Name: "CON"}, {}, {Name: "a\nb"},
	} {
		name := profileName(k)
		if other, ok := seen[name]; ok {
			t.Errorf("%v and %v are both %s", k, other, name)
		}
		seen[name] = k
		if len(name) > 100 || odd.MatchString(name) || strings.HasPrefix(name, ".") {
			t.Errorf("%v is %q", k, name)
		}
	}
}

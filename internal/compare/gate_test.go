package compare

import (
	"strings"
	"testing"

	"github.com/org/perfgate/internal/result"
)

// timed is a benchmark whose one metric is its time.
func timed(name string, values []float64) *result.Benchmark {
	return bench(name, metric("sec/op", values...))
}

// TestGate draws verdicts over everything together.
func TestGate(t *testing.T) {
	wide := func(seed uint64) *result.Benchmark { return timed("Wide", noisy(newRand(seed), 20, 1e-6, 0.3)) }
	slow := plainFile(set(timed("X", steady(20, 1e-6))), set(timed("X", steady(20, 1.2e-6))))
	same := plainFile(set(measuredX()), set(measuredX()))
	unbuilt := func(s *result.Set) *result.Set {
		c := *s
		c.BuildFailures = []result.BuildFailure{{Package: "example.com/m/broken", Message: "undefined: x"}}
		return &c
	}
	tests := []struct {
		name    string
		file    *result.File
		strict  bool
		want    Gate
		problem string
	}{
		{"nothing wrong", same, false, Pass, ""},
		{"nothing wrong, strict", same, true, Pass, ""},
		{"regression", slow, false, Fail, ""},
		{"inconclusive", plainFile(set(wide(1)), set(wide(2))), false, Pass, ""},
		{"inconclusive, strict", plainFile(set(wide(1)), set(wide(2))), true, Fail, ""},
		{"unmeasured, strict", plainFile(set(measuredX()), set(with(bench("X"), func(b *result.Benchmark) { b.Unmeasured = "no budget" }))), true, Fail, ""},
		{"interrupted", func() *result.File { f := plainFile(same.Base, same.Head); f.Partial = true; return f }(), false, Error, "interrupted"},
		{"unbuilt on head", plainFile(same.Base, unbuilt(same.Head)), false, Error, "example.com/m/broken does not build on head: undefined: x"},
		{"unbuilt on base", plainFile(unbuilt(same.Base), same.Head), false, Error, "example.com/m/broken does not build on base: undefined: x"},
		{"unbuilt beside a regression", plainFile(slow.Base, unbuilt(slow.Head)), false, Fail, "does not build on head"},
		{"unbuilt, strict", plainFile(set(wide(1)), unbuilt(set(wide(2)))), true, Fail, "does not build on head"},
		{"neither base nor baseline", &result.File{Head: same.Head}, false, Error, "neither a base nor a baseline"},
		{"no benchmark on either side", plainFile(set(), set()), false, Error, "no side has a benchmark"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := interleaved()
			p.Strict = tt.strict
			o := Judge(tt.file, p)
			if o.Gate != tt.want {
				t.Errorf("gate %s, want %s; rows %q", o.Gate, tt.want, listed(o))
			}
			if got := strings.Join(o.Problems, "\n"); (tt.problem == "") != (got == "") || !strings.Contains(got, tt.problem) {
				t.Errorf("problems %q, want %q", got, tt.problem)
			}
		})
	}
}

// TestGateUnpaired: of two files whose order of measuring nobody knows times have no verdict, and where nothing else
// has one there is none at all. A fact among them is one, and so is a budget.
func TestGateUnpaired(t *testing.T) {
	times := timed("X", steady(20, 1e-6))
	facts := with(times, func(b *result.Benchmark) { b.Metrics = append(b.Metrics, metric("allocs/op", 2, 2, 2)) })
	few := bench("X", metric("sec/op", 1e-6), metric("allocs/op", 2))
	limit := 1.0
	budget, strict := DefaultPolicy, DefaultPolicy
	budget.Budgets = []Budget{{Subject: Subject{Benchmark: "^X$", Metric: "sec/op"}, Max: &limit}}
	strict.Strict = true
	for _, tt := range []struct {
		name   string
		x      *result.Benchmark
		policy Policy
		want   Gate
		blind  bool
	}{
		{"times", times, DefaultPolicy, Error, true},
		{"times, strict", times, strict, Error, true},
		{"times in turn", times, interleaved(), Pass, false},
		{"times with a budget", times, budget, Pass, false},
		{"allocations, too", facts, DefaultPolicy, Pass, false},
		{"too few of all", few, DefaultPolicy, Error, true},
		{"too few of all, strict", few, strict, Fail, true},
		{"no direction", bench("X", metric("gadgets", 1, 1, 1)), DefaultPolicy, Error, true},
	} {
		o := Judge(plainFile(set(tt.x), set(tt.x, timed("Added", steady(20, 1e-6)))), tt.policy)
		if blind := strings.Contains(strings.Join(o.Problems, "\n"), "nothing could be judged"); o.Gate != tt.want || blind != tt.blind {
			t.Errorf("%s: gate %s with problems %q, want %s", tt.name, o.Gate, o.Problems, tt.want)
		}
	}
}

// TestGateNothingRuns: benchmarks that fail or are skipped on both sides were measured nowhere, which is no pass where
// there are no others.
func TestGateNothingRuns(t *testing.T) {
	fails := with(bench("X"), func(b *result.Benchmark) { b.Status, b.Message = result.Failed, "no PAYLOAD" })
	skips := with(bench("Y"), func(b *result.Benchmark) { b.Status = result.Skipped })
	for _, tt := range []struct {
		both  *result.Set
		total int
		want  Gate
	}{
		{set(fails), 0, Error},
		{set(skips), 0, Error},
		{set(fails, skips), 0, Error},
		{set(fails, skips, measuredX()), 1, Pass},
	} {
		f := stagedFile(tt.both, tt.both)
		f.Run = &result.Run{Measured: tt.total, Total: tt.total}
		if o := Judge(f, DefaultPolicy); o.Gate != tt.want || (len(o.Problems) > 0) != (tt.want == Error) {
			t.Errorf("%d benchmarks, of which %d run: gate %s with problems %q, want %s", len(tt.both.Benchmarks), tt.total, o.Gate, o.Problems, tt.want)
		}
	}
}

// TestGateNothingMeasured: a budget that ends before anything was measured is no pass.
func TestGateNothingMeasured(t *testing.T) {
	for _, tt := range []struct {
		run  *result.Run
		want Gate
	}{
		{&result.Run{Measured: 0, Total: 3, BudgetSec: 1}, Error},
		{&result.Run{Measured: 1, Total: 3}, Pass},
		{&result.Run{Measured: 0, Total: 0}, Pass},
		{nil, Pass},
	} {
		f := stagedFile(set(measuredX()), set(measuredX()))
		f.Run = tt.run
		if o := Judge(f, DefaultPolicy); o.Gate != tt.want || (len(o.Problems) > 0) != (tt.want == Error) {
			t.Errorf("run %+v: gate %s with problems %q, want %s", tt.run, o.Gate, o.Problems, tt.want)
		}
	}
}

// TestCount: rows that only inform are not counted as verdicts.
func TestCount(t *testing.T) {
	quick := metric("self-sec", steady(20, 0.1)...)
	slow := metric("self-sec", steady(20, 0.2)...)
	o := Judge(stagedFile(
		set(bench("X", metric("sec/op", steady(20, 1e-6)...), quick), timed("Gone", steady(20, 1))),
		set(bench("X", metric("sec/op", steady(20, 1e-6)...), slow), timed("New", steady(20, 1))),
	), DefaultPolicy)
	want := map[Verdict]int{Unchanged: 1, Missing: 1, Added: 1}
	for _, v := range Verdicts {
		if got := o.Count(v); got != want[v] {
			t.Errorf("Count(%s) = %d, want %d of %q", v, got, want[v], listed(o))
		}
	}
}

// TestInfoNeverGates: processor time and memory of the whole process include set-up, so twice as
// much of them is shown and fails nothing.
func TestInfoNeverGates(t *testing.T) {
	for _, unit := range []string{"self-sec", "total-sec"} {
		base := bench("X", metric(unit, steady(20, 1e6)...))
		head := bench("X", metric(unit, steady(20, 2e6)...))
		o := Judge(plainFile(set(base), set(head)), interleaved())
		if c := only(t, o); c.Gated || c.Verdict == Regression || o.Gate != Pass || o.Tests != 0 {
			t.Errorf("%s: %s, gated %v, gate %s, %d tests; want it shown only", unit, c.Verdict, c.Gated, o.Gate, o.Tests)
		}
	}
}

func TestGeoMean(t *testing.T) {
	file := stagedFile(
		set(timed("A", constants(20, 1)), timed("B", constants(20, 1)), bench("C", metric("allocs/op", constants(20, 0)...))),
		set(timed("A", constants(20, 2)), timed("B", constants(20, 0.5)), bench("C", metric("allocs/op", constants(20, 3)...))),
	)
	o := Judge(file, DefaultPolicy)
	if len(o.GeoMeans) != 1 { // allocations from zero have no ratio
		t.Fatalf("geometric means %+v, want that of sec/op alone", o.GeoMeans)
	}
	g := o.GeoMeans[0]
	if g.Unit.Name != "sec/op" || g.N != 2 || !near(g.Change, 0) {
		t.Errorf("got %+v, want a change of 0 over 2", g)
	}
}

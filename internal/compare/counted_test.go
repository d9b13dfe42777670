package compare

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/org/perfgate/internal/result"
)

// countedFile is a staged file of one benchmark with such statements an operation on each side.
func countedFile(base, head []float64, blocks ...result.Block) *result.File {
	b, h := bench("X", metric(result.Statements, base...)), bench("X", metric(result.Statements, head...))
	for _, side := range []*result.Benchmark{b, h} {
		for i := range side.Metrics[0].Samples {
			s := &side.Metrics[0].Samples[i]
			s.Pair, s.Pass, s.Iters = i, i, 100
		}
	}
	h.Blocks = blocks
	return stagedFile(set(b), set(h))
}

// shaken are n values about a level that differ by up to 0.2 % of it.
func shaken(n int, level, seed float64) []float64 {
	vs := make([]float64, n)
	for i := range vs {
		vs[i] = math.Round(level * (1 + 0.002*math.Sin(seed+float64(7*i))))
	}
	return vs
}

// TestStatements: a constant count is a fact with a tolerance of 1 %, one that varies is tested by its own
// spread, and one that varies too much is only shown.
func TestStatements(t *testing.T) {
	tests := []struct {
		name       string
		base, head []float64
		want       Verdict
		gated      bool
		note       string
	}{
		{"the same", constants(3, 453), constants(3, 453), Unchanged, true, ""},
		{"one more of a hundred", constants(3, 100), constants(3, 101), Unchanged, true, ""},
		{"two more of a hundred", constants(3, 100), constants(3, 102), Regression, true, ""},
		{"fewer", constants(3, 100), constants(3, 90), Improvement, true, ""},
		{"from none", constants(3, 0), constants(3, 1), Regression, true, ""},
		{"none but now and then", constants(6, 0), []float64{0, 0, 1, 0, 0, 0}, Inconclusive, false, "it varies by all of it within a side"},
		{"near-exact, the same", shaken(14, 1e5, 0), shaken(14, 1e5, 1), Unchanged, true, "near-exact: it varies by 0.2% within a side"},
		{"near-exact, 1 % more", shaken(14, 1e5, 0), shaken(14, 1.01e5, 1), Regression, true, "near-exact"},
		{"near-exact, 1 % less", shaken(14, 1e5, 0), shaken(14, 0.99e5, 1), Improvement, true, "near-exact"},
		{"near-exact, too few passes", shaken(6, 1e5, 0), shaken(6, 1.1e5, 1), Inconclusive, true, "the test needs"},
		{"by scheduling", []float64{100, 130, 90, 120}, []float64{100, 130, 200, 120}, Inconclusive, false, "depends on time or on scheduling"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := Judge(countedFile(tt.base, tt.head), DefaultPolicy)
			c := only(t, o)
			if c.Verdict != tt.want || c.Gated != tt.gated || (o.Gate == Fail) != (tt.want == Regression) {
				t.Errorf("%s, gated %v, gate %s %q; want %s, gated %v", c.Verdict, c.Gated, o.Gate, c.Notes, tt.want, tt.gated)
			}
			if !strings.Contains(strings.Join(c.Notes, "\n"), tt.note) {
				t.Errorf("notes %q, want %q", c.Notes, tt.note)
			}
		})
	}
}

// TestStatementsNamed: a regression names the three blocks of the source that grew most, and nothing else
// does.
func TestStatementsNamed(t *testing.T) {
	blocks := []result.Block{
		{File: "example.com/m/a.go", From: 4, To: 6, Base: 36, Head: 72},
		{File: "example.com/m/b.go", From: 7, To: 7, Head: 1},
		{File: "example.com/m/c.go", From: 8, To: 9, Base: 5, Head: 4},
	}
	c := only(t, Judge(countedFile(constants(3, 100), constants(3, 136), blocks...), DefaultPolicy))
	want := "example.com/m/a.go:4-6: 36 → 72 statements an operation\nexample.com/m/b.go:7: 0 → 1 statements an operation"
	if got := strings.Join(c.Notes, "\n"); got != want {
		t.Errorf("notes\n%s\nwant\n%s", got, want)
	}
	c = only(t, Judge(countedFile(constants(3, 100), constants(3, 100), blocks...), DefaultPolicy))
	if len(c.Notes) > 0 {
		t.Errorf("unchanged, with notes %q", c.Notes)
	}
}

// TestStatementsForTime: more statements in less time are shown, and do not fail the gate.
func TestStatementsForTime(t *testing.T) {
	f := countedFile(constants(3, 100), constants(3, 150))
	bt, ht := differing(result.UnitOf("sec/op"), tight(8, -0.5), tight(16, -0.2))
	f.Base.Benchmarks[0].Metrics = append(f.Base.Benchmarks[0].Metrics, bt)
	f.Head.Benchmarks[0].Metrics = append(f.Head.Benchmarks[0].Metrics, ht)
	o := Judge(f, DefaultPolicy)
	c := rowOf(t, o, "X", result.Statements)
	if c.Verdict != Regression || c.Gated || o.Gate != Pass {
		t.Errorf("%s, gated %v, gate %s, want a regression that does not gate", c.Verdict, c.Gated, o.Gate)
	}
}

// TestStatementsStored: a stored count is a fact on every machine with the same minor version of Go.
func TestStatementsStored(t *testing.T) {
	f := countedFile(constants(3, 100), constants(3, 200))
	f.Baseline, f.Base = f.Base, nil
	f.Baseline.Env = result.Env{Go: "go1.26.1", GOOS: "linux", GOARCH: "amd64", CPU: "another", Cores: 96, Kernel: "7"}
	f.Head.Env = result.Env{Go: "go1.26.8", GOOS: "linux", GOARCH: "amd64", CPU: "this", Cores: 2, Kernel: "6"}
	if c := only(t, Judge(f, DefaultPolicy)); c.Verdict != Regression || !c.Gated {
		t.Errorf("%s %q, want a regression", c.Verdict, c.Notes)
	}
	for _, other := range []result.Env{{Go: "go1.25.8", GOOS: "linux", GOARCH: "amd64"}, {Go: "go1.26.8", GOOS: "linux", GOARCH: "arm64"}, {Go: "go1.26.8", GOOS: "linux", GOARCH: "amd64", Flags: "tags=slow"}} {
		f.Baseline.Env = other
		if c := only(t, Judge(f, DefaultPolicy)); c.Verdict != Incomparable {
			t.Errorf("stored by %+v: %s, want incomparable", other, c.Verdict)
		}
	}
}

// instructionsFile is a staged file of one benchmark with such instructions an operation on each side.
func instructionsFile(base, head []float64) *result.File {
	f := countedFile(base, head)
	for _, s := range []*result.Set{f.Base, f.Head} {
		s.Benchmarks[0].Metrics[0].Unit = result.UnitOf(result.Instructions)
	}
	return f
}

// swaying are n values about a level that differ by up to 0.05 % of it.
func swaying(n int, level, seed float64) []float64 {
	vs := make([]float64, n)
	for i := range vs {
		vs[i] = level * (1 + 0.0005*math.Sin(seed+float64(7*i)))
	}
	return vs
}

// TestInstructions: a constant number may rise by 0.5 %, one that varies by 0.2 %, of which further passes
// need not convince where six do.
func TestInstructions(t *testing.T) {
	tests := []struct {
		name       string
		base, head []float64
		want       Verdict
		gated      bool
		more       bool // a further pass is asked for
	}{
		{"the same", constants(3, 475), constants(3, 475), Unchanged, true, false},
		{"a constant, 0.4 % more", constants(3, 1000), constants(3, 1004), Unchanged, true, false},
		{"a constant, 0.6 % more", constants(3, 1000), constants(3, 1006), Regression, true, false},
		{"a constant, 0.6 % less", constants(3, 1000), constants(3, 994), Improvement, true, false},
		{"from none", constants(3, 0), constants(3, 1), Regression, true, false},
		{"three passes", swaying(3, 1000, 0), swaying(3, 1000, 1), Inconclusive, true, true},
		{"six passes", swaying(6, 1000, 0), swaying(6, 1000, 1), Unchanged, true, false},
		{"six passes, 1 % more", swaying(6, 1000, 0), swaying(6, 1010, 1), Inconclusive, true, true},
		{"0.1 % more", swaying(14, 1000, 0), swaying(14, 1001, 1), Unchanged, true, false},
		{"0.3 % more", swaying(14, 1000, 0), swaying(14, 1003, 1), Regression, true, true},
		{"1 % more", swaying(14, 1000, 0), swaying(14, 1010, 1), Regression, true, true},
		{"1 % less", swaying(14, 1000, 0), swaying(14, 990, 1), Improvement, true, true},
		{"by scheduling", []float64{100, 130, 90, 120, 100, 110}, []float64{100, 130, 200, 120, 90, 110}, Inconclusive, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := instructionsFile(tt.base, tt.head)
			o := Judge(f, DefaultPolicy)
			c := only(t, o)
			if c.Verdict != tt.want || c.Gated != tt.gated || (o.Gate == Fail) != (tt.want == Regression) {
				t.Errorf("%s, gated %v, gate %s %q; want %s, gated %v", c.Verdict, c.Gated, o.Gate, c.Notes, tt.want, tt.gated)
			}
			if more := DefaultPolicy.Counting(f.Base.Benchmarks[0], f.Head.Benchmarks[0], true, 1); more != tt.more {
				t.Errorf("further passes %v, want %v", more, tt.more)
			}
			if tt.name == "six passes" && !(c.MDE > instructionsMargin && c.MDE < 2*instructionsMargin) {
				t.Errorf("MDE %v, want a bit more than %v", c.MDE, instructionsMargin)
			}
		})
	}
}

// TestInstructionsMany: what six passes clear needs no more of them, however many metrics share the error
// probability.
func TestInstructionsMany(t *testing.T) {
	base, head := set(), set()
	for i := range 40 {
		name := fmt.Sprint("X", i)
		base.Benchmarks = append(base.Benchmarks, bench(name, metric(result.Instructions, swaying(6, 1000, float64(i))...)))
		head.Benchmarks = append(head.Benchmarks, bench(name, metric(result.Instructions, swaying(6, 1000, float64(i+50))...)))
	}
	if o := Judge(stagedFile(base, head), DefaultPolicy); o.Count(Unchanged) != 40 {
		t.Errorf("%d of 40 unchanged", o.Count(Unchanged))
	}
}

// TestInstructionsStored: a stored count is compared only where all agrees that decides it, and a difference
// is believed where the sides lie apart.
func TestInstructionsStored(t *testing.T) {
	env := result.Env{Go: "go1.26.8", GOOS: "linux", GOARCH: "amd64", CPU: "this", Flags: "GOAMD64=v1", Counter: "callgrind 3.19.0"}
	tests := []struct {
		name       string
		base, head []float64
		change     func(*result.Env)
		want       Verdict
	}{
		{"the same", swaying(6, 1000, 0), swaying(6, 1000, 1), func(*result.Env) {}, Unchanged},
		{"0.8 % more", swaying(6, 1000, 0), swaying(6, 1008, 1), func(*result.Env) {}, Unchanged},
		{"2 % more", swaying(6, 1000, 0), swaying(6, 1020, 1), func(*result.Env) {}, Regression},
		{"2 % less", swaying(6, 1000, 0), swaying(6, 980, 1), func(*result.Env) {}, Improvement},
		{"one count among the others", swaying(6, 1000, 0), []float64{1020, 1020, 1020, 1020, 1020, 1001}, func(*result.Env) {}, Inconclusive},
		{"two counts", swaying(2, 1000, 0), swaying(2, 1020, 1), func(*result.Env) {}, Inconclusive},
		{"it varies", []float64{100, 130, 90}, []float64{200, 260, 300}, func(*result.Env) {}, Inconclusive},
		{"constants", constants(3, 1000), constants(3, 1020), func(*result.Env) {}, Regression},
		{"another kernel", constants(3, 1000), constants(3, 1020), func(e *result.Env) { e.Kernel, e.Cores = "7", 99 }, Regression},
		{"another patch of Go", constants(3, 1000), constants(3, 1020), func(e *result.Env) { e.Go = "go1.26.7" }, Incomparable},
		{"another processor", constants(3, 1000), constants(3, 1020), func(e *result.Env) { e.CPU = "that" }, Incomparable},
		{"another counter", constants(3, 1000), constants(3, 1020), func(e *result.Env) { e.Counter = "perf_event" }, Incomparable},
		{"other flags", constants(3, 1000), constants(3, 1020), func(e *result.Env) { e.Flags = "GOAMD64=v3" }, Incomparable},
	}
	for _, tt := range tests {
		f := instructionsFile(tt.base, tt.head)
		f.Baseline, f.Base = f.Base, nil
		f.Baseline.Env, f.Head.Env = env, env
		tt.change(&f.Baseline.Env)
		if c := only(t, Judge(f, DefaultPolicy)); c.Verdict != tt.want {
			t.Errorf("%s: %s %q, want %s", tt.name, c.Verdict, c.Notes, tt.want)
		}
	}
}

// TestCounting: what varies is counted until the sides are clearly the same, or until twice the margin would
// be found; what is constant, and what varies too much, is not.
func TestCounting(t *testing.T) {
	wobbling := func(n int, level, by, seed float64) []float64 {
		vs := make([]float64, n)
		for i := range vs {
			vs[i] = level * (1 + by*math.Sin(seed+float64(7*i)))
		}
		return vs
	}
	for _, tt := range []struct {
		name       string
		base, head []float64
		want       bool
	}{
		{"constant", constants(3, 1000), constants(3, 1020), false},
		{"three passes", wobbling(3, 1000, 0.002, 0), wobbling(3, 1000, 0.002, 1), true},
		{"six that agree", wobbling(6, 1000, 0.002, 0), wobbling(6, 1000, 0.002, 1), false},
		{"six that differ", wobbling(6, 1000, 0.002, 0), wobbling(6, 1010, 0.002, 1), true},
		{"enough", wobbling(16, 1000, 0.002, 0), wobbling(16, 1010, 0.002, 1), false},
		{"not enough", wobbling(16, 1000, 0.012, 0), wobbling(16, 1010, 0.012, 1), true},
		{"as many as there may be", wobbling(80, 1000, 0.012, 0), wobbling(80, 1010, 0.012, 1), false},
		{"perhaps too much", wobbling(5, 1000, 0.2, 0), wobbling(5, 1000, 0.2, 1), true},
		{"too much", wobbling(6, 1000, 0.2, 0), wobbling(6, 1000, 0.2, 1), false},
		{"on base alone", wobbling(6, 1000, 0.002, 0), nil, false},
	} {
		f := countedFile(tt.base, tt.head)
		if tt.head == nil {
			f.Head.Benchmarks[0].Metrics = f.Head.Benchmarks[0].Metrics[:0]
		}
		b, h := f.Base.Benchmarks[0], f.Head.Benchmarks[0]
		if got := DefaultPolicy.Counting(b, h, false, 1); got != tt.want {
			t.Errorf("%s: further passes %v, want %v", tt.name, got, tt.want)
		}
		if DefaultPolicy.Counting(b, h, true, 1) {
			t.Errorf("%s: further passes for instructions that nobody counts", tt.name)
		}
	}
}

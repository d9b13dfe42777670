package compare

import (
	"math"
	"strings"
	"testing"

	"github.com/org/perfgate/internal/result"
)

// TestExact judges constants: a difference is a fact, and takes no part of the error probability.
func TestExact(t *testing.T) {
	tests := []struct {
		name       string
		unit       string
		base, head float64
		want       Verdict
	}{
		{"allocations rise", "allocs/op", 3, 4, Regression},
		{"allocations fall", "allocs/op", 4, 3, Improvement},
		{"allocations stay", "allocs/op", 3, 3, Unchanged},
		{"many allocations rise by one", "allocs/op", 1e6, 1e6 + 1, Regression},
		{"allocations from zero", "allocs/op", 0, 1, Regression},
		{"allocations to zero", "allocs/op", 1, 0, Improvement},
		{"no allocations", "allocs/op", 0, 0, Unchanged},
		{"half an allocation more", "allocs/op", 3, 3.5, Unchanged},
		{"more than half an allocation", "allocs/op", 3, 3.6, Regression},
		{"one in ten iterations from zero", "allocs/op", 0, 0.1, Regression},
		{"one in ten iterations to zero", "allocs/op", 0.1, 0, Improvement},

		{"bytes within 16", "B/op", 100, 116, Unchanged},
		{"bytes beyond 16", "B/op", 100, 117, Regression},
		{"fewer bytes within 16", "B/op", 116, 100, Unchanged},
		{"fewer bytes beyond 16", "B/op", 117, 100, Improvement},
		{"bytes within 1 %", "B/op", 10000, 10100, Unchanged},
		{"bytes beyond 1 %", "B/op", 10000, 10101, Regression},
		{"bytes from zero", "B/op", 0, 8, Regression},
		{"bytes to zero", "B/op", 8, 0, Improvement},
		{"no bytes", "B/op", 0, 0, Unchanged},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			base, head := bench("X", metric(tt.unit, constants(3, tt.base)...)), bench("X", metric(tt.unit, constants(3, tt.head)...))
			o := Judge(stagedFile(set(base), set(head)), DefaultPolicy)
			c := only(t, o)
			if c.Verdict != tt.want || !c.Exact || !c.Gated || o.Tests != 0 || !math.IsNaN(c.P) {
				t.Errorf("%s, exact %v, gated %v, %d tests, p %v; want %s, exact, gated, no test", c.Verdict, c.Exact, c.Gated, o.Tests, c.P, tt.want)
			}
			if (o.Gate == Fail) != (tt.want == Regression) {
				t.Errorf("gate %s", o.Gate)
			}
			if c.Absolute != (tt.base == 0) || c.Absolute && c.Change != tt.head || !c.Absolute && !near(c.Change, tt.head/tt.base-1) {
				t.Errorf("change %v, absolute %v", c.Change, c.Absolute)
			}
		})
	}
}

// TestExactOnFiles: a fact needs no pairing, and holds on another processor.
func TestExactOnFiles(t *testing.T) {
	base, head := set(bench("X", metric("allocs/op", constants(3, 3)...))), set(bench("X", metric("allocs/op", constants(3, 4)...)))
	head.Env.CPU, head.Env.Cores, head.Env.Kernel = "Other CPU", 64, "7.0"
	if c := only(t, Judge(&result.File{Base: base, Head: head}, DefaultPolicy)); c.Verdict != Regression || !c.Gated {
		t.Errorf("%s, gated %v; want regression, gated", c.Verdict, c.Gated)
	}
}

// TestExactOfOtherCode: another toolchain or platform compiles other code.
func TestExactOfOtherCode(t *testing.T) {
	for what, change := range map[string]func(*result.Env){
		"Go version":   func(e *result.Env) { e.Go = "go1.27.0" },
		"OS":           func(e *result.Env) { e.GOOS = "plan9" },
		"architecture": func(e *result.Env) { e.GOARCH = "riscv64" },
	} {
		baseline, head := set(bench("X", metric("allocs/op", constants(3, 3)...))), set(bench("X", metric("allocs/op", constants(3, 4)...)))
		change(&baseline.Env)
		c := only(t, Judge(storedFile(baseline, head), DefaultPolicy))
		if c.Verdict != Incomparable || c.Gated || !strings.Contains(strings.Join(c.Notes, ""), "different "+what) {
			t.Errorf("other %s: %s, gated %v %q; want incomparable, not gated, saying so", what, c.Verdict, c.Gated, c.Notes)
		}
	}
}

// TestExactAtOtherIterations: allocations of a set-up are divided by the number of iterations. A
// stored number that was divided by another one may differ by that alone; base's never does,
// because both sides run the same number.
func TestExactAtOtherIterations(t *testing.T) {
	tests := []struct {
		base, head float64
		iters      int
		want       Verdict
	}{
		{3, 4, 1000, Regression},
		{3, 4, 500, Incomparable},
		{4, 3, 500, Incomparable},
		{3, 5, 500, Regression},
		{5, 3, 500, Improvement},
		{100, 105, 500, Incomparable},
		{100, 106, 500, Regression},
		{3, 3, 500, Unchanged},
	}
	for _, tt := range tests {
		stored, head := metric("allocs/op", constants(3, tt.base)...), metric("allocs/op", constants(3, tt.head)...)
		for i := range stored.Samples {
			stored.Samples[i].Iters = tt.iters
		}
		c := only(t, Judge(storedFile(set(bench("X", stored)), set(bench("X", head))), DefaultPolicy))
		if c.Verdict != tt.want || c.Gated != (tt.want != Incomparable) {
			t.Errorf("%v → %v at %d and 1000 iterations: %s, gated %v; want %s", tt.base, tt.head, tt.iters, c.Verdict, c.Gated, tt.want)
		}
		c = only(t, Judge(stagedFile(set(bench("X", stored)), set(bench("X", head))), DefaultPolicy))
		if c.Verdict == Incomparable {
			t.Errorf("%v → %v against base: incomparable", tt.base, tt.head)
		}
	}
}

// TestConstantNeedsThree: two equal samples are no constant yet.
func TestConstantNeedsThree(t *testing.T) {
	for _, n := range [][2]int{{2, 2}, {2, 20}, {20, 2}, {1, 1}} {
		base, head := bench("X", metric("allocs/op", constants(n[0], 3)...)), bench("X", metric("allocs/op", constants(n[1], 4)...))
		c := only(t, Judge(stagedFile(set(base), set(head)), DefaultPolicy))
		if c.Verdict != Inconclusive || !c.Gated || len(c.Notes) != 1 {
			t.Errorf("%d and %d samples: %s, gated %v %q; want inconclusive, gated, saying why", n[0], n[1], c.Verdict, c.Gated, c.Notes)
		}
	}
}

// jitter is a count that varies by one, as a pool or a map makes it.
func jitter(n int, level float64) []float64 {
	vs := constants(n, level)
	for i := range vs {
		vs[i] += float64(i % 2)
	}
	return vs
}

// TestNoisyCounts: a count that varies within a side is judged by pairs like a time, with a
// tolerance of its own.
func TestNoisyCounts(t *testing.T) {
	tests := []struct {
		name, unit string
		base, head []float64
		want       Verdict
		absolute   bool
	}{
		{"more", "allocs/op", jitter(20, 100), jitter(20, 103), Regression, false},
		{"one more", "allocs/op", jitter(20, 10), jitter(20, 11), Regression, false},
		{"fewer", "allocs/op", jitter(20, 103), jitter(20, 100), Improvement, false},
		{"less than 1 % more", "allocs/op", jitter(20, 1000), jitter(20, 1005), Unchanged, false},
		{"the same", "allocs/op", jitter(20, 100), jitter(20, 100), Unchanged, false},
		{"noisy on head alone", "allocs/op", constants(20, 100), jitter(20, 110), Regression, false},
		{"zero now and then", "allocs/op", jitter(20, 0), jitter(20, 0), Unchanged, true},
		{"one more than zero now and then", "allocs/op", jitter(20, 0), jitter(20, 1), Regression, true},
		{"too few", "allocs/op", jitter(5, 10), jitter(5, 20), Inconclusive, false},
		{"bytes within 16", "B/op", jitter(20, 100), jitter(20, 110), Unchanged, false},
		{"bytes beyond 16", "B/op", jitter(20, 100), jitter(20, 120), Regression, false},
		{"bytes within 1 %", "B/op", jitter(20, 10000), jitter(20, 10090), Unchanged, false},
		{"bytes beyond 1 %", "B/op", jitter(20, 10000), jitter(20, 10110), Regression, false},
		{"bytes about zero", "B/op", jitter(20, 0), jitter(20, 15), Unchanged, true},
		{"bytes from zero", "B/op", jitter(20, 0), jitter(20, 17), Regression, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := Judge(plainFile(set(bench("X", metric(tt.unit, tt.base...))), set(bench("X", metric(tt.unit, tt.head...)))), interleaved())
			c := only(t, o)
			if c.Verdict != tt.want || c.Exact || !c.Gated || o.Tests != 1 || c.Absolute != tt.absolute {
				t.Errorf("%s, exact %v, gated %v, %d tests, absolute %v; want %s, a gated test, absolute %v", c.Verdict, c.Exact, c.Gated, o.Tests, c.Absolute, tt.want, tt.absolute)
			}
		})
	}
}

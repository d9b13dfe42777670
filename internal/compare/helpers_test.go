package compare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/org/perfgate/internal/result"
)

// machine is the fingerprint of every Set that a test does not say more about.
var machine = result.Env{Go: "go1.26.0", GOOS: "linux", GOARCH: "amd64", CPU: "Test CPU", Cores: 2, GOMAXPROCS: 2}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

// metric is a metric of a unit with what is known of it, the values being pairs 0, 1, 2, … that are a
// pass each.
func metric(unit string, values ...float64) *result.Metric {
	return metricOf(result.UnitOf(unit), values...)
}

func metricOf(u result.Unit, values ...float64) *result.Metric {
	m := &result.Metric{Unit: u}
	for i, v := range values {
		m.Samples = append(m.Samples, result.Sample{Value: v, Iters: 1000, Pair: i, Pass: i})
	}
	return m
}

func bench(name string, ms ...*result.Metric) *result.Benchmark {
	return &result.Benchmark{Suite: "gobench", Package: "example.com/m", Name: name, Status: result.OK, Metrics: ms}
}

// with changes a copy of b.
func with(b *result.Benchmark, change func(*result.Benchmark)) *result.Benchmark {
	c := *b
	change(&c)
	return &c
}

// statusOf is a benchmark that has no samples because of what became of it.
func statusOf(s result.Status, message string) *result.Benchmark {
	return with(bench("X"), func(b *result.Benchmark) { b.Status, b.Message = s, message })
}

// set holds the benchmarks that are not nil.
func set(bs ...*result.Benchmark) *result.Set {
	s := &result.Set{Env: machine}
	for _, b := range bs {
		if b != nil {
			s.Benchmarks = append(s.Benchmarks, b)
		}
	}
	return s
}

// plainFile is what the files of two other runs make.
func plainFile(base, head *result.Set) *result.File {
	return &result.File{Base: base, Head: head}
}

// interleaved is the policy of who says that plain files were measured in turn.
func interleaved() Policy {
	p := DefaultPolicy
	p.Interleaved = true
	return p
}

// stagedFile is what check measures: base and head in turn, in passes.
func stagedFile(base, head *result.Set) *result.File {
	return &result.File{Pairing: result.Passes, Base: base, Head: head}
}

// confirmed is m with a second stage, a pair a build.
func confirmed(m *result.Metric, values ...float64) *result.Metric {
	c := *m
	for i, v := range values {
		c.Confirm = append(c.Confirm, result.Sample{Value: v, Iters: 1000, Pair: len(m.Samples) + i, Pass: i})
	}
	return &c
}

// storedFile is what a committed baseline alone is judged from.
func storedFile(baseline, head *result.Set) *result.File {
	return &result.File{Baseline: baseline, Head: head}
}

// steady are n values about a level whose noise of half a per cent is the same in every call.
func steady(n int, level float64) []float64 {
	vs := make([]float64, n)
	for i := range vs {
		vs[i] = level * (1 + 0.001*float64(i*7%11-5))
	}
	return vs
}

// noisy are n log-normal values about a level.
func noisy(r *rand.Rand, n int, level, sd float64) []float64 {
	vs := make([]float64, n)
	for i := range vs {
		vs[i] = level * math.Exp(sd*r.NormFloat64())
	}
	return vs
}

// constants are n equal values.
func constants(n int, v float64) []float64 {
	vs := make([]float64, n)
	for i := range vs {
		vs[i] = v
	}
	return vs
}

func scaled(vs []float64, by float64) []float64 {
	out := make([]float64, len(vs))
	for i, v := range vs {
		out[i] = v * by
	}
	return out
}

// rowOf returns the outcome's only row of that benchmark and unit.
func rowOf(t *testing.T, o *Outcome, name, unit string) *Comparison {
	t.Helper()
	var found *Comparison
	for _, c := range o.Comparisons {
		if c.Key.Name == name && c.Unit.Name == unit {
			if found != nil {
				t.Fatalf("two rows of %s %s", name, unit)
			}
			found = c
		}
	}
	if found == nil {
		t.Fatalf("no row of %s %q among %s", name, unit, listed(o))
	}
	return found
}

// only returns the outcome's only row.
func only(t *testing.T, o *Outcome) *Comparison {
	t.Helper()
	if len(o.Comparisons) != 1 {
		t.Fatalf("%d rows, want 1: %s", len(o.Comparisons), listed(o))
	}
	return o.Comparisons[0]
}

func listed(o *Outcome) (lines []string) {
	for _, c := range o.Comparisons {
		lines = append(lines, fmt.Sprintf("%s %s against %s: %s %q", c.Key, c.Unit.Name, c.Against, c.Verdict, c.Notes))
	}
	return lines
}

// differing are base's and head's metric with such differences, log(head/base), a pair a pass.
func differing(u result.Unit, first, fresh []float64) (base, head *result.Metric) {
	return differingPasses(u, singles(first), singles(fresh))
}

// singles are passes of one pair.
func singles(d []float64) [][]float64 {
	out := make([][]float64, len(d))
	for i := range d {
		out[i] = d[i : i+1]
	}
	return out
}

// differingPasses are base's and head's metric with such differences, pass by pass.
func differingPasses(u result.Unit, first, fresh [][]float64) (base, head *result.Metric) {
	pair := 0
	stage := func(passes [][]float64) (b, h []result.Sample) {
		for i, d := range passes {
			for _, d := range d {
				level := 1e-6 * (1 + 0.1*float64(pair)) // a drift that pairing takes out
				s := result.Sample{Value: level, Iters: 1000, Pair: pair, Pass: i}
				b = append(b, s)
				s.Value *= math.Exp(d)
				h = append(h, s)
				pair++
			}
		}
		return b, h
	}
	base, head = &result.Metric{Unit: u}, &result.Metric{Unit: u}
	base.Samples, head.Samples = stage(first)
	base.Confirm, head.Confirm = stage(fresh)
	return base, head
}

// sides are base and head of a benchmark with such differences in one unit.
func sides(unit string, d ...float64) (base, head *result.Benchmark) {
	b, h := differing(result.UnitOf(unit), d, nil)
	return bench("X", b), bench("X", h)
}

// alternating are n differences about zero whose robust standard deviation is sd.
func alternating(n int, sd float64) []float64 {
	d := make([]float64, n)
	for i := range d {
		d[i] = sd / 1.4826 * float64(1-i%2*2)
	}
	return d
}

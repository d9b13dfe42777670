package compare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/org/perfgate/internal/result"
)

// rounds is how many random files a metamorphic test judges.
const rounds = 40

// randomFile has benchmarks of all kinds of changes and noise: the relations below must hold
// whatever they come to. Noisy B/op is left out, whose tolerance of 16 B is a share of base.
func randomFile(r *rand.Rand) *result.File {
	base, head := set(), set()
	for i := range 3 + r.IntN(10) {
		n := 3 + r.IntN(40)
		sd := 0.001 * math.Pow(300, r.Float64())
		change := []float64{1, 1, 1.01, 1.04, 1.2, 0.97, 0.8}[r.IntN(7)]
		level := math.Pow(10, -9+9*r.Float64())
		name := fmt.Sprintf("X%d", i)
		b := bench(name, metric("sec/op", noisy(r, n, level, sd)...))
		h := bench(name, metric("sec/op", noisy(r, n, level*change, sd)...))
		if r.IntN(3) == 0 { // allocations: constant, or with zeros among them
			count, more, wobble := r.IntN(4), r.IntN(3)-1, r.IntN(2)
			b.Metrics = append(b.Metrics, counts(r, n, count, wobble))
			h.Metrics = append(h.Metrics, counts(r, n, max(0, count+more), wobble))
		}
		base.Benchmarks, head.Benchmarks = append(base.Benchmarks, b), append(head.Benchmarks, h)
	}
	return pairedFile(base, head)
}

func counts(r *rand.Rand, n, level, wobble int) *result.Metric {
	m := metric("allocs/op")
	for i := range n {
		m.Samples = append(m.Samples, result.Sample{Value: float64(level + r.IntN(wobble+1)), Iters: 1000, Pair: i})
	}
	return m
}

// mapped is f with every value of a unit changed, and the unit itself.
func mapped(f *result.File, unit string, to result.Unit, value func(float64) float64) *result.File {
	side := func(s *result.Set) *result.Set {
		out := *s
		out.Benchmarks = nil
		for _, b := range s.Benchmarks {
			c := *b
			c.Metrics = nil
			for _, m := range b.Metrics {
				if m.Unit.Name == unit {
					n := &result.Metric{Unit: to}
					for _, s := range m.Samples {
						s.Value = value(s.Value)
						n.Samples = append(n.Samples, s)
					}
					m = n
				}
				c.Metrics = append(c.Metrics, m)
			}
			out.Benchmarks = append(out.Benchmarks, &c)
		}
		return &out
	}
	return pairedFile(side(f.Base), side(f.Head))
}

// mirror is the verdict with base and head exchanged.
func mirror(v Verdict) Verdict {
	switch v {
	case Regression:
		return Improvement
	case Improvement:
		return Regression
	}
	return v
}

// eachPair judges random files and what is made of them, and hands both outcomes' rows over.
func eachPair(t *testing.T, change func(*rand.Rand, *result.File) *result.File, check func(t *testing.T, before, after *Comparison)) {
	t.Helper()
	met := map[Verdict]int{}
	for seed := range uint64(rounds) {
		r := newRand(seed)
		f := randomFile(r)
		before, after := Judge(f, DefaultPolicy), Judge(change(r, f), DefaultPolicy)
		if len(before.Comparisons) != len(after.Comparisons) {
			t.Fatalf("seed %d: %d rows, then %d", seed, len(before.Comparisons), len(after.Comparisons))
		}
		for i, c := range before.Comparisons {
			met[c.Verdict]++
			check(t, c, after.Comparisons[i])
			checkInterval(t, c)
			checkInterval(t, after.Comparisons[i])
			if t.Failed() {
				t.Fatalf("seed %d: %s %s: %+v became %+v", seed, c.Key, c.Unit.Name, *c, *after.Comparisons[i])
			}
		}
	}
	for _, v := range []Verdict{Regression, Improvement, Unchanged, Inconclusive} {
		if met[v] < 10 { // else the relation was hardly tried
			t.Errorf("only %d rows were %s", met[v], v)
		}
	}
}

func checkInterval(t *testing.T, c *Comparison) {
	t.Helper()
	if !(c.Lo <= c.Change && c.Change <= c.Hi) {
		t.Errorf("change %v outside its interval [%v, %v]", c.Change, c.Lo, c.Hi)
	}
}

// TestSwap: with base and head exchanged every verdict is mirrored and every change inverted.
func TestSwap(t *testing.T) {
	eachPair(t,
		func(_ *rand.Rand, f *result.File) *result.File { return pairedFile(f.Head, f.Base) },
		func(t *testing.T, c, d *Comparison) {
			if d.Verdict != mirror(c.Verdict) {
				t.Errorf("%s became %s", c.Verdict, d.Verdict)
			}
			switch {
			case c.Absolute && d.Absolute:
				if !near(d.Change, -c.Change) {
					t.Errorf("change %v became %v", c.Change, d.Change)
				}
			case !c.Absolute && !d.Absolute:
				if !near(math.Log1p(d.Change), -math.Log1p(c.Change)) || !c.Exact && c.Pairs > 5 && !near(math.Log1p(d.Lo), -math.Log1p(c.Hi)) {
					t.Errorf("change %v [%v, %v] became %v [%v, %v]", c.Change, c.Lo, c.Hi, d.Change, d.Lo, d.Hi)
				}
			}
		})
}

// TestScale: seconds may be nanoseconds or gigaseconds.
func TestScale(t *testing.T) {
	for _, by := range []float64{1e9, 1e-9} {
		eachPair(t,
			func(_ *rand.Rand, f *result.File) *result.File {
				return mapped(f, "sec/op", result.UnitOf("sec/op"), func(v float64) float64 { return v * by })
			},
			func(t *testing.T, c, d *Comparison) {
				if d.Verdict != c.Verdict || !near(d.Change, c.Change) {
					t.Errorf("times %v: %s %v became %s %v", by, c.Verdict, c.Change, d.Verdict, d.Change)
				}
			})
	}
}

// TestInvert: a rate, of which more is better, comes to the verdict of its time. Called a cost, it
// comes to the opposite.
func TestInvert(t *testing.T) {
	for better, want := range map[result.Better]func(Verdict) Verdict{
		result.Higher: func(v Verdict) Verdict { return v },
		result.Lower:  mirror,
	} {
		eachPair(t,
			func(_ *rand.Rand, f *result.File) *result.File {
				// The name keeps the order of the rows, before allocs/op there is only B/s.
				return mapped(f, "sec/op", result.Unit{Name: "B/s", Better: better}, func(v float64) float64 { return 1 / v })
			},
			func(t *testing.T, c, d *Comparison) {
				if c.Unit.Name != "sec/op" {
					return
				}
				if d.Verdict != want(c.Verdict) || !near(math.Log1p(d.Change), -math.Log1p(c.Change)) {
					t.Errorf("better %s: %s %v became %s %v", better, c.Verdict, c.Change, d.Verdict, d.Change)
				}
			})
	}
}

// TestShuffle: in which order pairs and benchmarks are stored says nothing.
func TestShuffle(t *testing.T) {
	eachPair(t,
		func(r *rand.Rand, f *result.File) *result.File {
			g := mapped(f, "sec/op", result.UnitOf("sec/op"), func(v float64) float64 { return v })
			for _, s := range []*result.Set{g.Base, g.Head} {
				r.Shuffle(len(s.Benchmarks), func(i, j int) { s.Benchmarks[i], s.Benchmarks[j] = s.Benchmarks[j], s.Benchmarks[i] })
				for _, b := range s.Benchmarks {
					vs := b.Metric("sec/op").Samples
					r.Shuffle(len(vs), func(i, j int) { vs[i], vs[j] = vs[j], vs[i] })
				}
			}
			return g
		},
		func(t *testing.T, c, d *Comparison) {
			if d.Key != c.Key || d.Verdict != c.Verdict || d.Change != c.Change {
				t.Errorf("%s %s %v became %s %s %v", c.Key, c.Verdict, c.Change, d.Key, d.Verdict, d.Change)
			}
		})
}

// TestMoreUnchanged: benchmarks that did not change can hide a regression, never make one.
func TestMoreUnchanged(t *testing.T) {
	hidden := 0
	for seed := range uint64(rounds) {
		r := newRand(seed)
		f := randomFile(r)
		before := Judge(f, DefaultPolicy)
		for i := range 1 + r.IntN(200) {
			same := timed(fmt.Sprintf("Z%d", i), noisy(r, 20, 1e-6, 0.1))
			f.Base.Benchmarks, f.Head.Benchmarks = append(f.Base.Benchmarks, same), append(f.Head.Benchmarks, same)
		}
		after := Judge(f, DefaultPolicy)
		for _, c := range after.Comparisons {
			was := Unchanged
			if i := indexOf(before, c); i >= 0 {
				was = before.Comparisons[i].Verdict
			}
			switch {
			case c.Verdict == Regression && was != Regression, c.Verdict == Improvement && was != Improvement:
				t.Fatalf("seed %d: %s was %s and became %s", seed, c.Key, was, c.Verdict)
			case c.Verdict != was && was == Regression:
				hidden++
			}
		}
	}
	if hidden == 0 { // then the error probability was not shared
		t.Error("no regression became doubtful among many more benchmarks")
	}
}

func indexOf(o *Outcome, like *Comparison) int {
	for i, c := range o.Comparisons {
		if c.Key == like.Key && c.Unit == like.Unit {
			return i
		}
	}
	return -1
}

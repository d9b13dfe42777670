package compare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/org/perfgate/internal/result"
	"github.com/org/perfgate/internal/stats"
)

// rounds is how many random files a metamorphic test judges.
const rounds = 40

// kinds are the ways of judging that the relations below must hold for.
var kinds = []struct {
	name   string
	policy Policy
	random func(*rand.Rand) *result.File
}{
	{"interleaved", interleaved(), randomFile},
	{"staged", DefaultPolicy, randomStaged},
}

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
	return plainFile(base, head)
}

// randomStaged is randomFile in passes of up to three pairs, and with a second stage for most of what
// changed. Its noise is such that all verdicts come up.
func randomStaged(r *rand.Rand) *result.File {
	base, head := set(), set()
	for i := range 3 + r.IntN(10) {
		first, fresh := 3+r.IntN(15), 0
		sd := 0.001 * math.Pow(100, r.Float64())
		change := []float64{1, 1, 1.01, 1.04, 1.2, 0.97, 0.8}[r.IntN(7)]
		if r.IntN(4) > 0 && change != 1 {
			fresh = []int{12, 12, 16, 6}[r.IntN(4)]
		}
		level, pairs := math.Pow(10, -9+9*r.Float64()), 1+r.IntN(3)
		name := fmt.Sprintf("X%d", i)
		timed := func(level float64) *result.Metric {
			m := metric("sec/op", noisy(r, first*pairs, level, sd)...)
			m = confirmed(m, noisy(r, fresh*pairs, level, sd)...)
			for _, stage := range [][]result.Sample{m.Samples, m.Confirm} {
				for i := range stage {
					stage[i].Pass = i / pairs
				}
			}
			return m
		}
		b, h := bench(name, timed(level)), bench(name, timed(level*change))
		if r.IntN(3) == 0 { // one value a pass
			count, more, wobble := r.IntN(4), r.IntN(3)-1, r.IntN(2)
			for _, m := range []struct {
				of    *result.Benchmark
				level int
			}{{b, count}, {h, max(0, count+more)}} {
				c := counts(r, first, m.level, wobble)
				c.Confirm = counts(r, fresh, m.level, wobble).Samples
				m.of.Metrics = append(m.of.Metrics, c)
			}
		}
		if r.IntN(8) == 0 {
			b.FixedLayout, h.FixedLayout = "no -randlayout", "no -randlayout"
		}
		base.Benchmarks, head.Benchmarks = append(base.Benchmarks, b), append(head.Benchmarks, h)
	}
	return stagedFile(base, head)
}

func counts(r *rand.Rand, n, level, wobble int) *result.Metric {
	m := metric("allocs/op")
	for i := range n {
		m.Samples = append(m.Samples, result.Sample{Value: float64(level + r.IntN(wobble+1)), Iters: 1000, Pair: i, Pass: i})
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
					stage := func(samples []result.Sample) (out []result.Sample) {
						for _, s := range samples {
							s.Value = value(s.Value)
							out = append(out, s)
						}
						return out
					}
					m = &result.Metric{Unit: to, Samples: stage(m.Samples), Confirm: stage(m.Confirm)}
				}
				c.Metrics = append(c.Metrics, m)
			}
			out.Benchmarks = append(out.Benchmarks, &c)
		}
		return &out
	}
	return &result.File{Pairing: f.Pairing, Base: side(f.Base), Head: side(f.Head)}
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

// checkMirrored checks the verdict of d, in which base and head are exchanged.
func checkMirrored(t *testing.T, c, d *Comparison) {
	t.Helper()
	if d.Verdict != mirror(c.Verdict) && !closeCall(c, d) && !closeCall(d, c) {
		t.Errorf("%s became %s", c.Verdict, d.Verdict)
	}
}

// closeCall reports whether a staged row that is slower and one that is as much faster are treated
// differently on purpose: improvements have all of Alpha, regressions leave the suite's share; and at
// the last look half the tolerance is enough to be suspect.
func closeCall(slower, faster *Comparison) bool {
	p := DefaultPolicy
	switch {
	case !slower.staged():
		return false
	case slower.Builds > 0:
		return faster.Verdict == Improvement && slower.Verdict == Inconclusive && p.ConfirmAlpha() < slower.P && slower.P <= p.Alpha
	}
	worse, _, _ := stats.SignedRank(slower.test.diffs, slower.test.margin)
	return faster.Verdict == Unchanged && slower.Verdict == Inconclusive && worse > suspectP && stats.HodgesLehmann(slower.test.diffs) > slower.test.tolerance/2
}

// eachPair judges random files of every kind and what is made of them, and hands both outcomes' rows
// over.
func eachPair(t *testing.T, change func(*rand.Rand, *result.File) *result.File, check func(t *testing.T, before, after *Comparison)) {
	t.Helper()
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			met := map[Verdict]int{}
			for seed := range uint64(rounds) {
				r := newRand(seed)
				f := kind.random(r)
				before, after := Judge(f, kind.policy), Judge(change(r, f), kind.policy)
				if len(before.Comparisons) != len(after.Comparisons) {
					t.Fatalf("seed %d: %d rows, then %d", seed, len(before.Comparisons), len(after.Comparisons))
				}
				for i, c := range before.Comparisons {
					met[c.Verdict]++
					check(t, c, after.Comparisons[i])
					checkInterval(t, c)
					checkInterval(t, after.Comparisons[i])
					checkMDE(t, c)
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
		})
	}
}

// checkMDE: what the second stage could have found is said from the first look on, and never below the margin.
func checkMDE(t *testing.T, c *Comparison) {
	t.Helper()
	if c.staged() && c.Passes < FirstLook && c.Builds == 0 {
		if !math.IsInf(c.MDE, 1) {
			t.Errorf("MDE %v after %d passes", c.MDE, c.Passes)
		}
		return
	}
	if least := math.Expm1(c.test.margin); c.staged() && !c.Absolute && !(c.MDE >= least-1e-12 && c.MDE < math.Inf(1)) {
		t.Errorf("MDE %v of a margin of %v", c.MDE, least)
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
		func(_ *rand.Rand, f *result.File) *result.File {
			return &result.File{Pairing: f.Pairing, Base: f.Head, Head: f.Base}
		},
		func(t *testing.T, c, d *Comparison) {
			checkMirrored(t, c, d)
			switch {
			case c.Absolute && d.Absolute:
				if !near(d.Change, -c.Change) {
					t.Errorf("change %v became %v", c.Change, d.Change)
				}
			case !c.Absolute && !d.Absolute:
				if !near(math.Log1p(d.Change), -math.Log1p(c.Change)) || !c.Exact && c.Pairs+c.Passes > 5 && !near(math.Log1p(d.Lo), -math.Log1p(c.Hi)) {
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
	for _, better := range []result.Better{result.Higher, result.Lower} {
		eachPair(t,
			func(_ *rand.Rand, f *result.File) *result.File {
				// The name keeps the order of the rows, before allocs/op there is only B/s.
				return mapped(f, "sec/op", result.Unit{Name: "B/s", Better: better}, func(v float64) float64 { return 1 / v })
			},
			func(t *testing.T, c, d *Comparison) {
				if c.Unit.Name != "sec/op" {
					return
				}
				if better == result.Lower {
					checkMirrored(t, c, d)
				}
				if better == result.Higher && d.Verdict != c.Verdict || !near(math.Log1p(d.Change), -math.Log1p(c.Change)) {
					t.Errorf("better %s: %s %v became %s %v", better, c.Verdict, c.Change, d.Verdict, d.Change)
				}
			})
	}
}

// TestShuffle: in which order benchmarks, and passes or pairs, are stored says nothing.
func TestShuffle(t *testing.T) {
	eachPair(t,
		func(r *rand.Rand, f *result.File) *result.File {
			g := mapped(f, "sec/op", result.UnitOf("sec/op"), func(v float64) float64 { return v })
			seed := r.Uint64()
			for _, s := range []*result.Set{g.Base, g.Head} {
				if f.Pairing == result.Unpaired { // by position: both sides in the same order
					r = newRand(seed)
				}
				for _, b := range s.Benchmarks {
					m := b.Metric("sec/op")
					m.Samples, m.Confirm = shuffled(r, m.Samples), shuffled(r, m.Confirm)
				}
			}
			r.Shuffle(len(g.Base.Benchmarks), func(i, j int) {
				g.Base.Benchmarks[i], g.Base.Benchmarks[j] = g.Base.Benchmarks[j], g.Base.Benchmarks[i]
			})
			return g
		},
		func(t *testing.T, c, d *Comparison) {
			if d.Key != c.Key || d.Verdict != c.Verdict || d.Change != c.Change {
				t.Errorf("%s %s %v became %s %s %v", c.Key, c.Verdict, c.Change, d.Key, d.Verdict, d.Change)
			}
		})
}

// shuffled has the passes in another order, and the samples in each.
func shuffled(r *rand.Rand, samples []result.Sample) []result.Sample {
	byPass := map[int][]result.Sample{}
	for _, s := range samples {
		byPass[s.Pass] = append(byPass[s.Pass], s)
	}
	var out []result.Sample
	for _, pass := range r.Perm(len(byPass)) {
		for _, i := range r.Perm(len(byPass[pass])) {
			out = append(out, byPass[pass][i])
		}
	}
	return out
}

// TestMoreUnchanged: benchmarks that did not change can hide a regression, never make one.
func TestMoreUnchanged(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			hidden := 0
			for seed := range uint64(rounds) {
				r := newRand(seed)
				f := kind.random(r)
				before := Judge(f, kind.policy)
				for i := range 1 + r.IntN(200) {
					same := bench(fmt.Sprintf("Z%d", i), confirmed(metric("sec/op", noisy(r, 20, 1e-6, 0.1)...), noisy(r, 12, 1e-6, 0.1)...))
					f.Base.Benchmarks, f.Head.Benchmarks = append(f.Base.Benchmarks, same), append(f.Head.Benchmarks, same)
				}
				hidden += checkMoreUnchanged(t, seed, before, Judge(f, kind.policy))
			}
			if hidden == 0 { // then the error probability was not shared
				t.Error("no regression became doubtful among many more benchmarks")
			}
		})
	}
}

// checkMoreUnchanged counts the regressions that became doubtful.
func checkMoreUnchanged(t *testing.T, seed uint64, before, after *Outcome) (hidden int) {
	t.Helper()
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
	return hidden
}

func indexOf(o *Outcome, like *Comparison) int {
	for i, c := range o.Comparisons {
		if c.Key == like.Key && c.Unit == like.Unit {
			return i
		}
	}
	return -1
}

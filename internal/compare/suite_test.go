package compare

import (
	"fmt"
	"math"
	"testing"

	"github.com/org/perfgate/internal/result"
)

// suiteOf is a staged file of n benchmarks whose head takes factor times as long, with a noise that
// differs by benchmark, pass and build, and with the second stage where builds is not 0.
func suiteOf(n, builds int, factor float64) *result.File {
	var sides [2][]*result.Benchmark
	for i := range n {
		for side := range sides {
			b := &result.Benchmark{Suite: "gobench", Name: fmt.Sprint("B", i), Status: result.OK}
			take := func(pass int, confirm bool) {
				v := 1e-6 * math.Exp(0.004*math.Sin(float64(31*i+17*pass+7*side)))
				if side == 1 {
					v *= factor
				}
				b.Take(result.UnitOf("sec/op"), result.Sample{Value: v, Iters: 1, Pair: len(b.Metrics) * pass, Pass: pass}, confirm)
			}
			for pass := range FirstLook {
				take(pass, false)
			}
			for pass := range builds {
				take(pass, true)
			}
			for _, samples := range [][]result.Sample{b.Metrics[0].Samples, b.Metrics[0].Confirm} {
				for k := range samples {
					samples[k].Pair = k
				}
			}
			sides[side] = append(sides[side], b)
		}
	}
	return stagedFile(set(sides[0]...), set(sides[1]...))
}

// TestSuite: what all benchmarks share is judged on re-linked builds alone, and from five on.
func TestSuite(t *testing.T) {
	tests := []struct {
		name       string
		benchmarks int
		builds     int
		factor     float64
		want       Verdict
		gate       Gate
		route      result.Route
	}{
		{"slower by 1.5%, confirmed", 8, 12, 1.015, Regression, Fail, result.Suspect},
		{"slower by 1.5%, not confirmed", 8, 0, 1.015, Inconclusive, Pass, result.Suspect},
		{"slower by 1.5%, too few builds", 8, 8, 1.015, Inconclusive, Pass, result.Suspect},
		{"unchanged", 8, 12, 1, Unchanged, Pass, result.Settled},
		{"slower by less than half the margin", 8, 12, 1.003, Unchanged, Pass, result.Settled},
		{"faster", 8, 12, 0.98, Improvement, Pass, result.Settled},
		{"too few benchmarks", 4, 12, 1.015, "", Fail, result.Settled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := suiteOf(tt.benchmarks, tt.builds, tt.factor)
			if got := DefaultPolicy.ScreenSuite(f.Base, f.Head); got != tt.route {
				t.Errorf("route %v, want %v", got, tt.route)
			}
			o := Judge(f, DefaultPolicy)
			var got Verdict
			if o.Suite != nil {
				got = o.Suite.Verdict
				if d := o.Suite.Change - (tt.factor - 1); math.Abs(d) > 0.004 || o.Suite.Lo > o.Suite.Change || o.Suite.Hi < o.Suite.Change {
					t.Errorf("change %v [%v, %v], want about %v", o.Suite.Change, o.Suite.Lo, o.Suite.Hi, tt.factor-1)
				}
			}
			if got != tt.want || o.Gate != tt.gate {
				t.Errorf("%q and the gate %s, want %q and %s", got, o.Gate, tt.want, tt.gate)
			}
		})
	}
}

// TestSuiteIgnores: what the policy ignores has no voice in the suite, whose verdict gates.
func TestSuiteIgnores(t *testing.T) {
	p := DefaultPolicy
	p.Overrides = []Override{{Subject: Subject{Benchmark: "B[0-3]$", Metric: "sec/op"}, Ignore: ptr(true)}}
	f := suiteOf(8, 12, 1.02)
	if route := p.ScreenSuite(f.Base, f.Head); route != result.Settled {
		t.Errorf("route %v of four benchmarks, want settled", route)
	}
	if o := Judge(f, p); o.Suite != nil {
		t.Errorf("suite %+v, want none of four benchmarks", o.Suite)
	}
	if o := Judge(suiteOf(12, 12, 1.02), p); o.Suite == nil || o.Suite.Benchmarks != 8 || o.Suite.Verdict != Regression {
		t.Errorf("suite %+v, want a regression of the other eight", o.Suite)
	}
}

// TestSuiteOfSuspects: when only the suspects were measured again, the suite was not.
func TestSuiteOfSuspects(t *testing.T) {
	f := suiteOf(8, 12, 1.02)
	for _, s := range []*result.Set{f.Base, f.Head} {
		s.Benchmarks[0].Metrics[0].Confirm = nil
	}
	if o := Judge(f, DefaultPolicy); o.Suite.Builds != 0 || o.Suite.Verdict != Inconclusive {
		t.Errorf("%+v, want no builds and no verdict", *o.Suite)
	}
}

// controlOf is a control of n passes whose twin takes factor times as long.
func controlOf(n int, factor float64) *result.Control {
	f := suiteOf(2, 0, factor)
	c := &result.Control{Base: *f.Base, Twin: *f.Head}
	for i, s := range []*result.Set{&c.Base, &c.Twin} {
		for j, b := range s.Benchmarks {
			b.Metrics[0].Samples = nil
			for pass := range n {
				v := 1e-6 * math.Exp(0.002*math.Sin(float64(13*pass+5*i+3*j)))
				if i == 1 {
					v *= factor
				}
				b.Add(result.UnitOf("sec/op"), result.Sample{Value: v, Iters: 1, Pair: pass, Pass: pass})
			}
		}
	}
	return c
}

// TestControl: a copy of base that differs from base takes all verdicts of times back, and none of
// counts.
func TestControl(t *testing.T) {
	tests := []struct {
		name   string
		passes int
		factor float64
		unfit  bool
	}{
		{"equal", 20, 1, false},
		{"slower", 20, 1.03, true},
		{"faster", 20, 0.97, true},
		{"the least that can tell", ControlLeast, 1.03, true},
		{"too few to tell", ControlLeast - 1, 1.03, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := suiteOf(8, 12, 1.2)
			f.Base.Benchmarks[0].Metrics = append(f.Base.Benchmarks[0].Metrics, metric("allocs/op", constants(FirstLook, 3)...))
			f.Head.Benchmarks[0].Metrics = append(f.Head.Benchmarks[0].Metrics, metric("allocs/op", constants(FirstLook, 4)...))
			f.Control = controlOf(tt.passes, tt.factor)
			o := Judge(f, DefaultPolicy)
			if o.Control == nil || o.Control.Unfit != tt.unfit || o.Control.Passes != tt.passes {
				t.Fatalf("control %+v, want %d passes, unfit %v", o.Control, tt.passes, tt.unfit)
			}
			for _, c := range o.Comparisons {
				want := Regression
				if tt.unfit && c.Unit.Timing() {
					want = Inconclusive
				}
				if c.Verdict != want {
					t.Errorf("%s %s is %s, want %s", c.Key, c.Unit.Name, c.Verdict, want)
				}
			}
			if (o.Suite.Verdict == Regression) == tt.unfit {
				t.Errorf("the suite is %s", o.Suite.Verdict)
			}
		})
	}
}

// TestUnfitExcusesNothing: a benchmark that seems faster on an unfit machine is no excuse for more statements.
func TestUnfitExcusesNothing(t *testing.T) {
	for _, unfit := range []bool{false, true} {
		f := suiteOf(8, 16, 0.8)
		f.Base.Benchmarks[0].Metrics = append(f.Base.Benchmarks[0].Metrics, metric(result.Statements, constants(FirstLook, 100)...))
		f.Head.Benchmarks[0].Metrics = append(f.Head.Benchmarks[0].Metrics, metric(result.Statements, constants(FirstLook, 200)...))
		want := Pass
		if unfit {
			f.Control, want = controlOf(20, 1.03), Fail
		}
		o := Judge(f, DefaultPolicy)
		if c := rowOf(t, o, f.Head.Benchmarks[0].Name, result.Statements); o.Gate != want || c.Verdict != Regression || c.Gated != unfit {
			t.Errorf("unfit %v: gate %s, statements %s, gated %v %q; want %s", unfit, o.Gate, c.Verdict, c.Gated, c.Notes, want)
		}
	}
}

// TestRules: the rules of others say what their authors say they do.
func TestRules(t *testing.T) {
	bench := func(values ...float64) *result.Benchmark {
		b := &result.Benchmark{Name: "X", Status: result.OK}
		for i, v := range values {
			b.Add(result.UnitOf("sec/op"), result.Sample{Value: v, Iters: 1, Pair: i, Pass: i})
		}
		return b
	}
	base := bench(100, 101, 102, 103, 104, 105)
	tests := []struct {
		name string
		head *result.Benchmark
		want string
	}{
		{"equal", bench(100, 101, 102, 103, 104, 105), ""},
		{"one outlier", bench(100, 101, 102, 103, 104, 900), "mean ratio > 1.05, mean ratio > 1.10, mean ratio > 2.0"},
		{"3% slower", bench(106, 106, 106, 106, 106, 106), "benchstat p < 0.05"},
		{"7% slower", bench(107, 108, 109, 110, 111, 112), "mean ratio > 1.05, benchstat p < 0.05, p < 0.05 and > 5%"},
		{"20% slower", bench(120, 121, 122, 123, 124, 125), "mean ratio > 1.05, mean ratio > 1.10, benchstat p < 0.05, p < 0.05 and > 5%, p < 0.05 and > 10%"},
		{"faster", bench(80, 81, 82, 83, 84, 85), ""},
		{"without times", &result.Benchmark{}, ""},
	}
	for _, tt := range tests {
		got := ""
		for _, r := range Rules {
			if r.Flags(base, tt.head) {
				if got != "" {
					got += ", "
				}
				got += r.Name
			}
		}
		if got != tt.want {
			t.Errorf("%s: flagged by %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestPolicyFor: the last pattern that fits a benchmark's name decides its effect.
func TestPolicyFor(t *testing.T) {
	p := DefaultPolicy
	p.Overrides = []Override{{Subject: Subject{Benchmark: "^Parse"}, Effect: 0.1}, {Subject: Subject{Benchmark: "/big$"}, Effect: 0.2}, {Subject: Subject{Benchmark: "("}, Effect: 0.9}}
	for name, want := range map[string]float64{"Encode": 0.05, "Parse": 0.1, "Parse/big": 0.2, "Encode/big": 0.2, "Reparse": 0.05} {
		if got := p.termsOf(result.Key{Name: name}, "sec/op").policy.Effect; got != want {
			t.Errorf("%s: effect %v, want %v", name, got, want)
		}
	}
}

// TestEffects: what is a regression for one benchmark is no change for another.
func TestEffects(t *testing.T) {
	f := suiteOf(2, 12, 1.06)
	p := DefaultPolicy
	p.Overrides = []Override{{Subject: Subject{Benchmark: "B1"}, Effect: 0.5}}
	for _, c := range Judge(f, p).Comparisons {
		want, effect := Regression, 0.05
		if c.Key.Name == "B1" {
			want, effect = Unchanged, 0.5
		}
		if c.Verdict != want || c.Effect != effect {
			t.Errorf("%s is %s with the effect %v, want %s with %v", c.Key, c.Verdict, c.Effect, want, effect)
		}
	}
}

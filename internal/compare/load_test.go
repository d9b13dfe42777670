package compare

import (
	"testing"

	"github.com/org/perfgate/internal/result"
)

// Of the times of a run of load the median and the overhead gate, at twice the effect; the others do where a policy
// names them.
func TestLoadUnits(t *testing.T) {
	r := newRand(1)
	units := []string{"p50-sec", "p95-sec", "overhead-mean-sec", "runs/s", "ttft-p50-sec"}
	base, head := bench("agent"), bench("agent")
	for _, unit := range units {
		b, h := differing(result.UnitOf(unit), noisy(r, 12, 0.3, 0.01), noisy(r, 16, 0.3, 0.01))
		base.Metrics, head.Metrics = append(base.Metrics, b), append(head.Metrics, h)
	}
	f := stagedFile(set(base), set(head))
	f.Base.Benchmarks[0].Suite, f.Head.Benchmarks[0].Suite = "load", "load"
	check := func(p Policy, gated map[string]float64) {
		t.Helper()
		o := Judge(f, p)
		for _, unit := range units {
			c := rowOf(t, o, "agent", unit)
			if effect, ok := gated[unit]; c.Gated != ok || ok && c.Effect != effect {
				t.Errorf("%s: gated %v with an effect of %v, want %v and %v", unit, c.Gated, c.Effect, ok, effect)
			}
		}
		if o.Gate != Fail {
			t.Errorf("the gate says %v of a rise of the median", o.Gate)
		}
		for _, g := range o.GeoMeans {
			if _, ok := gated[g.Unit.Name]; !ok {
				t.Errorf("a geometric mean of %s, which does not gate", g.Unit.Name)
			}
		}
	}
	p := DefaultPolicy
	check(p, map[string]float64{"p50-sec": 0.1, "overhead-mean-sec": 0.1})
	on := true
	p.Overrides = []Override{
		{Subject: Subject{Benchmark: "agent", Metric: "p95-sec"}, Effect: 0.2},
		{Subject: Subject{Benchmark: ".", Metric: "runs/s"}, Require: &on},
		{Subject: Subject{Benchmark: "."}, Effect: 0.3},
	}
	check(p, map[string]float64{"p50-sec": 0.3, "overhead-mean-sec": 0.3, "p95-sec": 0.3, "runs/s": 0.3})
}

// What was offered otherwise is not comparable, and gates nothing.
func TestScenario(t *testing.T) {
	f := stagedFile(set(bench("agent", metric("upstream-calls", 3, 3, 3))), set(bench("agent", metric("upstream-calls", 6, 6, 6))))
	f.Base.Benchmarks[0].Scenario, f.Head.Benchmarks[0].Scenario = "runs=3", "runs=6"
	o := Judge(f, DefaultPolicy)
	if c := only(t, o); c.Verdict != Incomparable || c.Gated || c.Notes[0] != "another scenario than base's: runs=3" {
		t.Errorf("%+v, want it incomparable, with the scenario", c)
	}
	f.Base.Benchmarks[0].Scenario = "runs=6"
	if c := only(t, Judge(f, DefaultPolicy)); c.Verdict != Regression {
		t.Errorf("%+v, want a regression in the same scenario", c)
	}
}

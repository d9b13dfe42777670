package compare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/org/perfgate/internal/result"
)

// simulated is one benchmark on a shared machine.
type simulated struct {
	sd     float64 // of a single time, on the log scale
	change float64 // head's time over base's
}

// simulate measures benchmarks in pairs: log-normal noise, a machine that gets slower and faster
// while they run, and a process in twenty that is disturbed and takes up to three times as long.
// Base and head of a pair run back to back, so they share the drift and nothing else.
func simulate(r *rand.Rand, benchmarks []simulated, pairs int) *result.File {
	base, head := set(), set()
	for i, s := range benchmarks {
		drift := 0.0
		b, h := metric("sec/op"), metric("sec/op")
		for pair := range pairs {
			drift += 0.03 * r.NormFloat64()
			once := func(change float64) result.Sample {
				v := change * math.Exp(drift+s.sd*r.NormFloat64())
				if r.IntN(20) == 0 {
					v *= 1 + 2*r.Float64()
				}
				return result.Sample{Value: 1e-6 * v, Iters: 1000, Pair: pair}
			}
			b.Samples, h.Samples = append(b.Samples, once(1)), append(h.Samples, once(s.change))
		}
		name := fmt.Sprintf("X%d", i)
		base.Benchmarks = append(base.Benchmarks, bench(name, b))
		head.Benchmarks = append(head.Benchmarks, bench(name, h))
	}
	return pairedFile(base, head)
}

// TestFalseAlarms is promise 1: at most one unchanged suite in a hundred shows any regression.
func TestFalseAlarms(t *testing.T) {
	const suites, benchmarks, pairs = 1000, 50, 20
	r := newRand(20260901)
	alarms, improvements := 0, 0
	for range suites {
		suite := make([]simulated, benchmarks)
		for i := range suite {
			// The sd of a pair's difference goes from 2 to 20 %.
			suite[i] = simulated{sd: 0.02 * math.Pow(10, r.Float64()) / math.Sqrt2, change: 1}
		}
		o := Judge(simulate(r, suite, pairs), DefaultPolicy)
		if o.Tests != benchmarks {
			t.Fatalf("%d tests, want %d", o.Tests, benchmarks)
		}
		if o.Gate != Pass {
			alarms++
		}
		if o.Count(Improvement) > 0 {
			improvements++
		}
	}
	t.Logf("of %d unchanged suites %d fail and %d show an improvement", suites, alarms, improvements)
	if alarms > suites/100 || improvements > suites/100 {
		t.Errorf("%d false regressions and %d false improvements, want at most %d of each", alarms, improvements, suites/100)
	}
}

// TestAlarmsAtTheTolerance: all the error probability that there is may be used up by changes that
// are exactly as large as accepted. It is the worst case, and must hold as well.
func TestAlarmsAtTheTolerance(t *testing.T) {
	const suites, benchmarks, pairs = 600, 20, 20
	r := newRand(20260902)
	alarms := 0
	for range suites {
		suite := make([]simulated, benchmarks)
		for i := range suite {
			suite[i] = simulated{sd: 0.02, change: 1 + DefaultPolicy.Tolerance()}
		}
		if Judge(simulate(r, suite, pairs), DefaultPolicy).Gate == Fail {
			alarms++
		}
	}
	t.Logf("of %d suites at the tolerance %d fail", suites, alarms)
	if alarms > 14 { // exceeded with probability 0.001 when one in a hundred fails
		t.Errorf("%d of %d suites fail, want about one in a hundred", alarms, suites)
	}
	if alarms == 0 { // then the test gives power away
		t.Errorf("none of %d suites fails, want about one in a hundred", suites)
	}
}

// TestPower: a slowdown of a fifth is found in spite of a per-pair noise of a tenth.
func TestPower(t *testing.T) {
	const runs, pairs = 200, 40
	r := newRand(20260903)
	found := 0
	for range runs {
		o := Judge(simulate(r, []simulated{{sd: 0.1 / math.Sqrt2, change: 1.2}}, pairs), DefaultPolicy)
		found += o.Count(Regression)
	}
	t.Logf("found %d of %d", found, runs)
	if 100*found <= 95*runs {
		t.Errorf("a slowdown of 20 %% was found in %d of %d runs, want more than 95 %%", found, runs)
	}
}

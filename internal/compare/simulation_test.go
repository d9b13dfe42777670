package compare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/org/perfgate/internal/result"
)

// simulated is one benchmark on a shared machine.
type simulated struct {
	sd     float64 // of a pair's difference, on the log scale
	change float64 // of head against base, on the log scale
}

// unchanged are benchmarks that did not change. The sd of a pair's difference goes from 2 to 10 %.
func unchanged(r *rand.Rand, n int) []simulated {
	suite := make([]simulated, n)
	for i := range suite {
		suite[i].sd = 0.02 * math.Pow(5, r.Float64())
	}
	return suite
}

// engine measures as internal/harness/stages.go does, with a budget that lasts.
type engine struct {
	policy Policy
	r      *rand.Rand
	layout float64 // sd of what the order of functions does to one binary
}

// Of a simulated machine.
// simulatedPairs are those of a pass; at the gate there are more of them, since slices are short.
const simulatedPairs = 12

const (
	processSD  = 0.01 // of what a pair of processes does to all its pairs
	spikeShare = 0.05 // of single times that are disturbed
	spikeMean  = 0.2  // of what a disturbance adds
)

// pass is the differences of a pass's pairs.
func (e *engine) pass(b simulated, offset float64, pairs int) []float64 {
	d := make([]float64, pairs)
	process := processSD * e.r.NormFloat64()
	for i := range d {
		d[i] = b.change + offset + process + b.sd*e.r.NormFloat64()
		for _, sign := range []float64{1, -1} { // head, base
			if e.r.Float64() < spikeShare {
				d[i] += sign * math.Log1p(spikeMean*e.r.ExpFloat64())
			}
		}
	}
	return d
}

// build is what a pair of builds does to all passes that are taken from it.
func (e *engine) build() float64 { return math.Sqrt2 * e.layout * e.r.NormFloat64() }

// screen is the first stage of one benchmark: its passes, and what they came to.
func (e *engine) screen(b simulated) ([][]float64, result.Route) {
	builds := []float64{e.build(), e.build()}
	var first [][]float64
	looks := []int{6, 8, 12, 16, 24, 48}
	for {
		pairs := simulatedPairs
		if len(first) >= longScreen {
			pairs *= 2
		}
		first = append(first, e.pass(b, builds[len(first)%len(builds)], pairs))
		if !slices.Contains(looks, len(first)) {
			continue
		}
		last := len(first) == looks[len(looks)-1]
		if route := row(e.policy, first, nil).route(e.policy, last); route != result.Undecided {
			return first, route
		}
	}
}

// confirm is the second stage: a build a value, of as many passes as the first ones ask for.
func (e *engine) confirm(b simulated, first [][]float64, suspects int) [][]float64 {
	c := row(e.policy, first, nil)
	passes := max(fewestPerBuild, c.perBuild(e.policy, c.test.diffs, c.sought(), suspects))
	fresh := make([][]float64, e.policy.Builds(suspects))
	for i := range fresh {
		offset := e.build()
		for range passes {
			fresh[i] = append(fresh[i], e.pass(b, offset, simulatedPairs)...)
		}
	}
	return fresh
}

// row is the comparison of a time with such differences, without the numbers that are only shown.
func row(p Policy, first, fresh [][]float64) *Comparison {
	c := &Comparison{Unit: result.UnitOf("sec/op"), Against: AgainstBase, Gated: true}
	c.stages(judge{policy: p, against: AgainstBase, staged: true}, first, fresh, 1)
	return c
}

// suite measures and judges benchmarks.
func (e *engine) suite(benchmarks []simulated) *Outcome {
	first := make([][][]float64, len(benchmarks))
	var picked []int
	for i, b := range benchmarks {
		var route result.Route
		if first[i], route = e.screen(b); route != result.Settled {
			picked = append(picked, i)
		}
	}
	fresh := make([][][]float64, len(benchmarks))
	for _, i := range picked {
		fresh[i] = e.confirm(benchmarks[i], first[i], len(picked))
	}
	o := &Outcome{}
	for i := range benchmarks {
		o.Comparisons = append(o.Comparisons, row(e.policy, first[i], fresh[i]))
	}
	o.decide(e.policy)
	return o
}

// tally counts simulated suites with any regression, with any improvement, and verdicts.
type tally struct {
	suites, alarms, improvements int
	verdicts                     map[Verdict]int
	confirmed, passes            int
}

// manySuites skips a test that finds rates, which takes many suites, where only races are looked for.
func manySuites(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("rates take many suites; run without -short")
	}
}

// long reports whether the environment asks for all suites of a simulation, as .ci/run does. The second command of the
// README makes do with so many as a bound of 1 % needs at the least.
func long() bool { return os.Getenv("PERFGATE_TEST_LONG") != "" }

// simulate runs suites on all cores. The i-th one has the same seed whatever their number.
func simulate(suites int, seed uint64, one func(r *rand.Rand) *Outcome) tally {
	sum := tally{suites: suites, verdicts: map[Verdict]int{}}
	var next atomic.Int64
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(suites); i = next.Add(1) {
				o := one(rand.New(rand.NewPCG(seed, uint64(i))))
				mu.Lock()
				sum.add(o)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return sum
}

func (s *tally) add(o *Outcome) {
	if o.Count(Regression) > 0 || o.Suite != nil && o.Suite.Verdict == Regression {
		s.alarms++
	}
	if o.Count(Improvement) > 0 {
		s.improvements++
	}
	s.confirmed += o.Confirmed
	for _, c := range o.Comparisons {
		s.verdicts[c.Verdict]++
		s.passes += c.Passes
	}
}

func (s tally) String() string {
	return fmt.Sprintf("of %d suites %d show a regression and %d an improvement; rows %v, %.1f confirmed a suite, %d passes",
		s.suites, s.alarms, s.improvements, s.verdicts, float64(s.confirmed)/float64(s.suites), s.passes)
}

// TestFalseAlarms is promise 1: at most one unchanged suite in a hundred shows any regression, however
// large the suite is and whatever the order of functions does to its binaries.
func TestFalseAlarms(t *testing.T) {
	manySuites(t)
	type test struct {
		suites, benchmarks int
		layout             float64
		most               int // alarms: so few have a probability below 5 % where 1 % of suites alarm
	}
	tests := []test{
		{1000, 50, 0.005, 4},
		{473, 20, 0, 1},
		{473, 20, 0.005, 1},
		{473, 20, 0.01, 1},
		{473, 100, 0, 1},
		{473, 100, 0.01, 1},
	}
	if !long() {
		tests = []test{{299, 50, 0.005, 0}, {299, 20, 0.01, 0}} // none in 299 is the least that says so
	}
	for i, tt := range tests {
		t.Run(fmt.Sprintf("%d benchmarks, layout %v", tt.benchmarks, tt.layout), func(t *testing.T) {
			got := simulate(tt.suites, 20260901+uint64(i), func(r *rand.Rand) *Outcome {
				e := &engine{DefaultPolicy, r, tt.layout}
				return e.suite(unchanged(r, tt.benchmarks))
			})
			t.Log(got)
			if got.alarms > tt.most || got.improvements > tt.most {
				t.Errorf("%v; want at most %d", got, tt.most)
			}
			if tt.layout <= 0.005 && 100*got.verdicts[Unchanged] < 90*tt.suites*tt.benchmarks {
				t.Errorf("%v; want nine benchmarks in ten unchanged", got)
			}
		})
	}
}

// TestAlarmsAtTheMargin: all the error probability that there is may be used up by changes that are
// exactly as large as the noise margin, on every benchmark, all of them confirmed. It is the worst
// case, and must hold as well.
func TestAlarmsAtTheMargin(t *testing.T) {
	manySuites(t)
	const suites, benchmarks = 1000, 12
	p := DefaultPolicy
	got := simulate(suites, 20260902, func(r *rand.Rand) *Outcome {
		e := &engine{p, r, 0.01}
		o := &Outcome{}
		for _, b := range unchanged(r, benchmarks) {
			b.change = math.Log1p(p.Noise())
			o.Comparisons = append(o.Comparisons, row(p, singles(constants(FirstLook, 0.1)), e.confirm(b, singles(constants(FirstLook, 0.1)), benchmarks)))
		}
		o.decide(p)
		return o
	})
	t.Log(got)
	// The test has few steps here: 12 times a multiple of 2^-14 is allowed up to 0.8 %.
	if got.alarms > 18 { // exceeded with probability 0.001 when 0.8 % fail
		t.Errorf("%v; want about 0.8 %%", got)
	}
	if got.alarms == 0 { // then the test gives power away
		t.Errorf("%v; want about 0.8 %%", got)
	}
}

// TestPower: a slowdown of the effect is found nine times in ten.
func TestPower(t *testing.T) {
	manySuites(t)
	const suites = 300
	for i, layout := range []float64{0, 0.005} {
		got := simulate(suites, 20260903+uint64(i), func(r *rand.Rand) *Outcome {
			suite := unchanged(r, 20)
			suite[r.IntN(len(suite))].change = math.Log1p(DefaultPolicy.Effect)
			return (&engine{DefaultPolicy, r, layout}).suite(suite)
		})
		t.Logf("layout %v: %v", layout, got)
		if found := got.verdicts[Regression]; 100*found < 90*suites || found != got.alarms {
			t.Errorf("layout %v: found %d of %d, in %d suites; want nine in ten", layout, found, suites, got.alarms)
		}
	}
}

// TestSimulationIsJudge: what the simulation leaves out changes no route and no verdict.
func TestSimulationIsJudge(t *testing.T) {
	for seed := range uint64(10) {
		r := newRand(seed)
		e := &engine{DefaultPolicy, r, 0.005}
		base, head := set(), set()
		short := &Outcome{}
		for i, b := range unchanged(r, 10) {
			b.change = []float64{0, 0, 0.05, -0.2}[r.IntN(4)]
			first, route := e.screen(b)
			var fresh [][]float64
			if route != result.Settled {
				fresh = e.confirm(b, first, 5)
			}
			bm, hm := differingPasses(result.UnitOf("sec/op"), first, fresh)
			name := fmt.Sprintf("X%02d", i)
			base.Benchmarks, head.Benchmarks = append(base.Benchmarks, bench(name, bm)), append(head.Benchmarks, bench(name, hm))
			if got := e.policy.Screen(base.Benchmarks[i], head.Benchmarks[i], len(first) == 48); got != route {
				t.Errorf("seed %d, %s: Screen gives route %d after %d passes, want %d", seed, name, got, len(first), route)
			}
			short.Comparisons = append(short.Comparisons, row(e.policy, first, fresh))
		}
		short.decide(e.policy)
		full := Judge(stagedFile(base, head), e.policy)
		for i, c := range full.Comparisons {
			if s := short.Comparisons[i]; c.Verdict != s.Verdict || c.P != s.P && !(math.IsNaN(c.P) && c.Builds == 0) || math.Abs(c.MDE-s.MDE) > 1e-9 {
				t.Errorf("seed %d: row %+v, Judge has %+v", seed, s, c)
			}
		}
	}
}

// TestReplay: were head no different, each pass could have come out the other way round with the same
// probability. Whatever was measured, at most one in a hundred of these runs shows a regression.
func TestReplay(t *testing.T) {
	manySuites(t)
	const benchmarks = suiteLeast
	runs := 1000
	if long() {
		runs = 3000
	}
	r := newRand(20260905)
	e := &engine{DefaultPolicy, r, 0.01}
	var first, fresh [benchmarks][][]float64
	for i := range benchmarks {
		b := simulated{sd: 0.3, change: 0.1} // far beyond the margin, which would hide the level
		for range FirstLook {
			first[i] = append(first[i], e.pass(b, e.build(), simulatedPairs))
		}
		fresh[i] = singles(medians(e.confirm(b, first[i], benchmarks)))
	}
	got := simulate(runs, 20260906, func(r *rand.Rand) *Outcome {
		base, head := set(), set()
		for i := range benchmarks {
			bm, hm := differingPasses(result.UnitOf("sec/op"), flipped(r, first[i]), flipped(r, fresh[i]))
			name := fmt.Sprintf("X%d", i)
			base.Benchmarks, head.Benchmarks = append(base.Benchmarks, bench(name, bm)), append(head.Benchmarks, bench(name, hm))
		}
		return Judge(stagedFile(base, head), DefaultPolicy)
	})
	t.Log(got)
	if got.alarms > runs/100 || got.alarms == 0 || got.improvements > runs/100 {
		t.Errorf("%v; want some regressions, and at most %d of either", got, runs/100)
	}
}

// flipped is passes with coin-flip signs, one for all pairs of a pass.
func flipped(r *rand.Rand, passes [][]float64) [][]float64 {
	out := slices.Clone(passes)
	for i := range out {
		if r.IntN(2) == 0 {
			out[i] = scaled(out[i], -1)
		}
	}
	return out
}

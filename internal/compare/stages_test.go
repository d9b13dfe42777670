package compare

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/org/perfgate/internal/result"
)

// TestBuilds is K = max(16, ceil(log2(k/alpha)) + 3), by statistics.md, 4.5, at alpha = 0.8 %.
func TestBuilds(t *testing.T) {
	for k, want := range map[int]int{0: 16, 1: 16, 32: 16, 33: 16, 65: 16, 66: 17, 100: 17, 1000: 20} {
		if got := DefaultPolicy.Builds(k); got != want {
			t.Errorf("Builds(%d) = %d, want %d", k, got, want)
		}
	}
	strict := DefaultPolicy
	strict.Alpha = 1e-6
	if got := strict.Builds(1); got != 24 {
		t.Errorf("at alpha 1e-6: Builds(1) = %d, want 24", got)
	}
}

// noisyPasses are base and head of a time whose pairs differ within each pass with a robust standard
// deviation of sd, and from pass to pass by far more.
func noisyPasses(passes, pairs int, sd float64) (base, head *result.Benchmark) {
	var d []float64
	for i := range passes {
		for _, v := range alternating(pairs, sd) {
			d = append(d, v+0.5*float64(i))
		}
	}
	base, head = sides("sec/op", d...)
	for _, b := range []*result.Benchmark{base, head} {
		for i := range b.Metrics[0].Samples {
			b.Metrics[0].Samples[i].Pass = i / pairs
		}
	}
	return base, head
}

// TestPairs: a pass has so many pairs as balance the cost of its beginning and the noise within and
// between passes, sqrt(begin·(pi/2)·sd²/between²), within bounds.
func TestPairs(t *testing.T) {
	tests := []struct {
		name          string
		passes, pairs int
		sd, begin     float64
		want          int
	}{
		{"begun at once", 2, 12, 0.1, 0, 12},
		{"cheap to begin", 2, 12, 0.1, 0.5, 12},
		{"dear to begin", 2, 12, 0.1, 5, 29},   // sqrt(5·1.571·100) = 28.02
		{"dearer, quiet", 2, 12, 0.02, 80, 23}, // sqrt(80·1.571·4) = 22.42
		{"dearest", 2, 12, 0.1, 1000, mostPairs},
		{"noisy processes", 6, 12, 0.1, 5, 12},
		{"too few passes to know the processes", 5, 12, 0.1, 5, 29},
		{"too little to know", 5, 2, 0.3, 5, 12},
		{"long undecided", 24, 12, 0.1, 0.5, 24},
		{"long undecided, begun at once", 24, 12, 0.1, 0, 12},
	}
	for _, tt := range tests {
		b, h := noisyPasses(tt.passes, tt.pairs, tt.sd)
		if got := DefaultPolicy.Pairs(b, h, 12, tt.begin); got != tt.want {
			t.Errorf("%s: Pairs = %d, want %d", tt.name, got, tt.want)
		}
	}
}

// TestPerBuild: noisy passes are taken several times on a build, so many that the effect would be found.
func TestPerBuild(t *testing.T) {
	tests := []struct {
		name     string
		sd       float64 // of the passes
		change   float64 // that they show
		suspects int
		want     int
	}{
		{"quiet", 0.01, 0, 1, fewestPerBuild},
		{"noisy", 0.06, 0, 1, 3},
		{"noisier", 0.08, 0, 1, 4},
		{"noisier, one of ten", 0.08, 0, 10, 6},
		{"noisiest", 0.3, 0, 1, mostPerBuild},
		{"noisiest, six times as slow", 0.3, 1.8, 1, fewestPerBuild},
	}
	for _, tt := range tests {
		diffs := alternating(8, tt.sd)
		for i := range diffs {
			diffs[i] += tt.change
		}
		b, h := sides("sec/op", diffs...)
		got := DefaultPolicy.Passes(b, h, tt.suspects)
		if got != tt.want {
			t.Errorf("%s: %d passes, want %d", tt.name, got, tt.want)
		}
	}
	if got := DefaultPolicy.Passes(bench("X"), bench("X"), 1); got != fewestPerBuild {
		t.Errorf("of nothing: %d passes", got)
	}
}

// TestPairsOfNothing: without a noise that can be computed a pass has the fewest pairs.
func TestPairsOfNothing(t *testing.T) {
	b, h := noisyPasses(2, 12, 0.3)
	if got := DefaultPolicy.Pairs(bench("X"), h, 12, 1); got != 12 {
		t.Errorf("no time on base: %d pairs", got)
	}
	if got := DefaultPolicy.Pairs(b, bench("X"), 12, 1); got != 12 {
		t.Errorf("no time on head: %d pairs", got)
	}
	zero := timed("X", constants(24, 0))
	if got := DefaultPolicy.Pairs(zero, zero, 12, 1); got != 24 {
		t.Errorf("times of zero: %d pairs", got)
	}
}

// TestPasses groups what both sides have.
func TestPasses(t *testing.T) {
	in := func(pairs ...[2]int) (samples []result.Sample) { // pair, pass
		for _, p := range pairs {
			samples = append(samples, result.Sample{Value: float64(1 + p[0]), Pair: p[0], Pass: p[1]})
		}
		return samples
	}
	sum := func(b, h float64) float64 { return b + h }
	tests := []struct {
		name       string
		base, head []result.Sample
		want       string
	}{
		{"none", nil, nil, "[]"},
		{"two passes", in([2]int{0, 0}, [2]int{1, 0}, [2]int{2, 1}), in([2]int{0, 0}, [2]int{1, 0}, [2]int{2, 1}), "[[2 4] [6]]"},
		{"passes that do not begin at 0", in([2]int{7, 3}, [2]int{8, 4}), in([2]int{7, 3}, [2]int{8, 4}), "[[16] [18]]"},
		{"a pair that base lacks", in([2]int{0, 0}, [2]int{2, 0}), in([2]int{0, 0}, [2]int{1, 0}, [2]int{2, 0}), "[[2 6]]"},
		{"a pair that head lacks", in([2]int{0, 0}, [2]int{1, 0}), in([2]int{1, 0}), "[[4]]"},
		{"a pass that base lacks", in([2]int{1, 1}), in([2]int{0, 0}, [2]int{1, 1}), "[[4]]"},
		{"nothing in common", in([2]int{0, 0}), in([2]int{1, 0}), "[]"},
	}
	for _, tt := range tests {
		if got := fmt.Sprint(passes(tt.base, tt.head, sum)); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// tight are n differences about a level that differ by no more than 0.7 %. None is zero, since ties
// between the sides make the p-value of benchstat costly.
func tight(n int, level float64) []float64 {
	d := make([]float64, n)
	for i := range d {
		d[i] = level + 0.001*(float64(i*5%7)-3.1)
	}
	return d
}

// wide are n differences about a level of which nothing can be said.
func wide(n int, level float64) []float64 {
	d := alternating(n, 0.3)
	for i := range d {
		d[i] += level
	}
	return d
}

// TestScreen routes by one metric. The tolerance is 3.3 %, the noise margin 0.83 %.
func TestScreen(t *testing.T) {
	above := []float64{0.009, 0.02, 0.1, 0.04, 0.05, 0.3} // all of them above the margin
	tests := []struct {
		name       string
		unit       string
		d          []float64
		look, last result.Route
	}{
		{"nothing", "sec/op", nil, result.Settled, result.Settled},
		{"6 tight passes", "sec/op", tight(6, 0), result.Settled, result.Settled},
		{"5 tight passes", "sec/op", tight(5, 0), result.Undecided, result.Settled},
		{"6 within the tolerance, quiet enough", "sec/op", alternating(6, 0.03), result.Settled, result.Settled},
		{"6 above the margin", "sec/op", above, result.Suspect, result.Suspect},
		{"5 above the margin", "sec/op", above[1:], result.Undecided, result.Suspect},
		{"6 above the margin, one of them not", "sec/op", append([]float64{0.008}, above[1:]...), result.Undecided, result.Suspect},
		{"6 below the margin", "sec/op", negated(above), result.Candidate, result.Candidate},
		{"5 below the margin", "sec/op", negated(above[1:]), result.Undecided, result.Settled},
		{"wide", "sec/op", wide(48, 0), result.Undecided, result.Settled},
		{"wide about less than half the tolerance", "sec/op", wide(8, 0.016), result.Undecided, result.Settled},
		{"wide about more than half the tolerance", "sec/op", wide(8, 0.017), result.Undecided, result.Suspect},
		{"wide about much less", "sec/op", wide(8, -0.05), result.Undecided, result.Settled},
		{"slower by less than the margin", "sec/op", tight(6, 0.005), result.Settled, result.Settled},

		{"a rate that falls", "B/s", negated(above), result.Suspect, result.Suspect},
		{"a rate that rises", "B/s", above, result.Candidate, result.Candidate},
		{"an unknown direction", "gadgets", wide(8, 0.5), result.Settled, result.Settled},
		{"processor time", "self-sec", above, result.Settled, result.Settled},
		{"a constant that rises", "allocs/op", constants(6, 0), result.Settled, result.Settled},
		{"too few to know whether a constant", "allocs/op", tight(2, 0.5), result.Settled, result.Settled},
		{"allocations that vary and rise by 2 %", "allocs/op", tight(6, 0.02), result.Suspect, result.Suspect},
		{"allocations that vary", "allocs/op", tight(6, 0), result.Settled, result.Settled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, h := sides(tt.unit, tt.d...)
			if tt.name == "a constant that rises" {
				b, h = bench("X", metric("allocs/op", constants(6, 1)...)), bench("X", metric("allocs/op", constants(6, 9)...))
			}
			if got := DefaultPolicy.Screen(b, h, false); got != tt.look {
				t.Errorf("at a look: route %d, want %d", got, tt.look)
			}
			if got := DefaultPolicy.Screen(b, h, true); got != tt.last {
				t.Errorf("at the last look: route %d, want %d", got, tt.last)
			}
		})
	}
}

// TestScreenPasses: passes of many pairs are weighed by how many of them agree. The tolerance is 3.3 %.
func TestScreenPasses(t *testing.T) {
	passes := func(n int, level float64, d ...float64) (out [][]float64) {
		for range n {
			pass := make([]float64, len(d))
			for i := range d {
				pass[i] = level + d[i]
			}
			out = append(out, pass)
		}
		return out
	}
	calm := []float64{-0.004, -0.003, -0.002, -0.001, 0.001, 0.002, 0.003, 0.004, 0.005}
	torn := []float64{-0.6, -0.5, -0.4, -0.3, 0.2, 0.3, 0.4, 0.5, 0.6} // median 20 %
	tests := []struct {
		name   string
		passes [][]float64
		want   result.Route
	}{
		{"calm", passes(6, 0, calm...), result.Settled},
		{"a torn pass among them", append(passes(8, 0, calm...), passes(1, 0, torn...)...), result.Settled},
		{"torn passes of too few pairs to tell", append(passes(8, 0, calm[:7]...), passes(1, 0, torn[:7]...)...), result.Undecided},
		{"most of them torn", append(passes(7, 0, calm...), append(passes(4, 0, torn...), passes(5, 0, scaled(torn, -1)...)...)...), result.Undecided},
		{"slower", passes(6, 0.05, calm...), result.Suspect},
		{"slower, with a torn one", append(passes(8, 0.05, calm...), passes(1, 0, scaled(torn, -1)...)...), result.Suspect},
		{"faster", passes(6, -0.05, calm...), result.Candidate},
	}
	for _, tt := range tests {
		bm, hm := differingPasses(result.UnitOf("sec/op"), tt.passes, nil)
		if got := DefaultPolicy.Screen(bench("X", bm), bench("X", hm), false); got != tt.want {
			t.Errorf("%s: route %d, want %d", tt.name, got, tt.want)
		}
	}
}

func negated(d []float64) []float64 { return scaled(d, -1) }

// TestScreenBytes: bytes that vary have a tolerance of their own, of 1 % and 16 B, whatever that of
// times is.
func TestScreenBytes(t *testing.T) {
	tests := []struct {
		base, more float64 // bytes
		want       result.Route
	}{
		{100, 3, result.Settled},    // 4 B are the margin, a quarter of 16 B
		{100, 5, result.Suspect},    // 5 %
		{1e6, 2000, result.Settled}, // 0.2 %
		{1e6, 4000, result.Suspect}, // 0.4 %, a tenth of what a time may
		{1e6, -4000, result.Candidate},
	}
	for _, tt := range tests {
		values := []float64{tt.base, tt.base + 1, tt.base, tt.base + 1, tt.base, tt.base}
		head := slices.Clone(values)
		for i := range head {
			head[i] += tt.more
		}
		got := DefaultPolicy.Screen(bench("X", metric("B/op", values...)), bench("X", metric("B/op", head...)), false)
		if got != tt.want {
			t.Errorf("%v B and %v more: route %d, want %d", tt.base, tt.more, got, tt.want)
		}
	}
}

// TestScreenTogether: the metrics of a benchmark take the same passes. A suspect one is not waited
// for, an undecided one is.
func TestScreenTogether(t *testing.T) {
	metrics := map[result.Route][]float64{
		result.Settled: tight(6, 0), result.Candidate: tight(6, -0.1), result.Undecided: wide(6, 0), result.Suspect: tight(6, 0.1),
	}
	order := []result.Route{result.Settled, result.Candidate, result.Undecided, result.Suspect} // the later wins
	for i, one := range order {
		for j, other := range order {
			b, h := sides("sec/op", metrics[one]...)
			cost := result.Unit{Name: "misses", Better: result.Lower}
			bc, hc := differing(cost, metrics[other], nil)
			b.Metrics, h.Metrics = append(b.Metrics, bc), append(h.Metrics, hc)
			if got, want := DefaultPolicy.Screen(b, h, false), order[max(i, j)]; got != want {
				t.Errorf("routes %d and %d: %d, want %d", one, other, got, want)
			}
		}
	}
}

// TestScreenIgnores: a rate that restates the time, and a benchmark that is not compared.
func TestScreenIgnores(t *testing.T) {
	b, h := sides("sec/op", tight(6, 0.005)...)
	for _, side := range []*result.Benchmark{b, h} {
		side.Metrics = append(side.Metrics, metric("B/s", rates(side.Metrics[0].Values(), 4096)...))
	}
	if got := DefaultPolicy.Screen(b, h, false); got != result.Settled {
		t.Errorf("with a restating rate: route %d", got)
	}
	b, h = sides("sec/op", tight(6, 0.005)...)
	b.Metrics = append(b.Metrics, metric(result.Statements, shaken(6, 1e5, 0)...))
	h.Metrics = append(h.Metrics, metric(result.Statements, shaken(6, 2e5, 1)...))
	if got := DefaultPolicy.Screen(b, h, false); got != result.Settled {
		t.Errorf("with counts, which have passes of their own: route %d", got)
	}
	slow, _ := sides("sec/op", tight(6, 0)...)
	_, h = sides("sec/op", tight(6, 0.2)...)
	ignoring := DefaultPolicy
	ignoring.Overrides = []Override{{Subject: Subject{Benchmark: "."}, Ignore: ptr(true)}}
	if got := ignoring.Screen(slow, h, false); got != result.Settled {
		t.Errorf("ignored: route %d", got)
	}
	for _, why := range []func(*result.Benchmark){
		func(b *result.Benchmark) { b.Status = result.Failed },
		func(b *result.Benchmark) { b.Unmeasured = "no budget" },
		func(b *result.Benchmark) { b.Same = "the same binary" },
	} {
		if got := DefaultPolicy.Screen(slow, with(h, why), true); got != result.Settled {
			t.Errorf("%+v: route %d", with(h, why), got)
		}
	}
}

// TestFixedLayout: where builds cannot be linked again, what layout does cannot be told from a change,
// so 2 % are within the noise, of times alone.
func TestFixedLayout(t *testing.T) {
	fixed := func(b *result.Benchmark) { b.FixedLayout = "no -randlayout" }
	tests := []struct {
		unit        string
		level       float64
		free, fixed result.Route
	}{
		{"sec/op", 0.015, result.Suspect, result.Settled},
		{"sec/op", 0.025, result.Suspect, result.Suspect},
		{"sec/op", -0.015, result.Candidate, result.Settled},
		{"allocs/op", 0.015, result.Suspect, result.Suspect},
	}
	for _, tt := range tests {
		b, h := sides(tt.unit, tight(6, tt.level)...)
		if got := DefaultPolicy.Screen(b, h, false); got != tt.free {
			t.Errorf("%s %v: route %d, want %d", tt.unit, tt.level, got, tt.free)
		}
		if got := DefaultPolicy.Screen(b, with(h, fixed), false); got != tt.fixed {
			t.Errorf("%s %v, layout fixed: route %d, want %d", tt.unit, tt.level, got, tt.fixed)
		}
	}
	large := DefaultPolicy
	large.Effect = 0.3 // whose margin of 5 % is more
	b, h := sides("sec/op", tight(6, 0.04)...)
	if got := large.Screen(b, with(h, fixed), false); got != result.Settled {
		t.Errorf("an effect of 30 %%: route %d, want settled", got)
	}
}

// TestDetectable is the MDE of statistics.md, 4.9, by numbers: 16 values at 0.8 % of 10, power 90 %.
func TestDetectable(t *testing.T) {
	c := row(DefaultPolicy, singles(tight(FirstLook, 0)), nil)
	want := math.Log1p(0.05/6) + (3.1559+1.2816)*0.03/math.Sqrt(0.955*16)
	if got := c.detectable(DefaultPolicy, alternating(14, 0.06), 4, 10); math.Abs(got-want) > 1e-5 {
		t.Errorf("detectable %v, want %v", got, want)
	}
}

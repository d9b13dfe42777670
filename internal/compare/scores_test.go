package compare

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/org/perfgate/internal/stats"
)

// clusters are passes of pairs about a level, with noise of processes and of pairs.
func clusters(r *rand.Rand, passes, pairs int, level float64) [][]float64 {
	out := make([][]float64, passes)
	for i := range out {
		process := 0.01 * r.NormFloat64()
		for range pairs {
			out[i] = append(out[i], level+process+0.05*r.NormFloat64())
		}
	}
	return out
}

// TestLocated: the interval holds the shifts that the test does not refute, and the estimate.
func TestLocated(t *testing.T) {
	const each = 0.025
	for seed := range uint64(30) {
		r := newRand(seed)
		passes := clusters(r, 6+r.IntN(20), fewestScored+r.IntN(20), 0.1*r.NormFloat64())
		estimate, iv := located(passes, 1-2*each)
		if !(iv.Lo < estimate && estimate < iv.Hi) {
			t.Errorf("seed %d: estimate %v outside of %v", seed, estimate, iv)
		}
		const next = 1e-9
		for _, inside := range []float64{iv.Lo + next, estimate, iv.Hi - next} {
			if greater, less := tails(passes, inside); greater <= each || less <= each {
				t.Errorf("seed %d: %v is in %v and refuted, %v %v", seed, inside, iv, greater, less)
			}
		}
		if greater, _ := tails(passes, iv.Lo-next); greater > each {
			t.Errorf("seed %d: a shift below %v is not refuted, %v", seed, iv, greater)
		}
		if _, less := tails(passes, iv.Hi+next); less > each {
			t.Errorf("seed %d: a shift above %v is not refuted, %v", seed, iv, less)
		}
		mirrored := slices.Clone(passes)
		for i := range mirrored {
			mirrored[i] = scaled(mirrored[i], -1)
		}
		if e, m := located(mirrored, 1-2*each); e != -estimate || m.Lo != -iv.Hi || m.Hi != -iv.Lo {
			t.Errorf("seed %d: mirrored %v %v, want %v %v", seed, e, m, -estimate, iv)
		}
	}
}

// TestLocatedFew: passes of few pairs have the estimate and the interval of their medians, and five passes
// refute nothing at 95 %.
func TestLocatedFew(t *testing.T) {
	d := tight(9, 0.03)
	estimate, iv := located(singles(d), 0.95)
	if want := stats.SignedRankInterval(d, 0.95); estimate != stats.HodgesLehmann(d) || iv != want {
		t.Errorf("%v %v, want %v %v", estimate, iv, stats.HodgesLehmann(d), want)
	}
	if _, iv := located(clusters(newRand(1), 5, 12, 0), 0.95); !math.IsInf(iv.Lo, -1) || !math.IsInf(iv.Hi, 1) {
		t.Errorf("of five passes %v", iv)
	}
	if estimate, _ := located(nil, 0.95); !math.IsNaN(estimate) {
		t.Errorf("of nothing %v", estimate)
	}
}

// TestLocatedCovers: 95 % of the intervals hold the true shift.
func TestLocatedCovers(t *testing.T) {
	const runs, level = 2000, 0.03
	hit := 0
	r := newRand(20261122)
	for range runs {
		if _, iv := located(clusters(r, 12, 12, level), 0.95); iv.Lo <= level && level <= iv.Hi {
			hit++
		}
	}
	if hit < 1880 { // 94 %: fewer have a probability of 2 % where 95 % hold it
		t.Errorf("%d of %d intervals hold the shift", hit, runs)
	}
}

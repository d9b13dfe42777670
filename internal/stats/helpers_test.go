package stats

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var inf, nan = math.Inf(1), math.NaN()

// near compares floats to a relative error that summing in another order explains.
var near = cmpopts.EquateApprox(1e-11, 1e-300)

// same fails unless got is want, NaN being NaN.
func same(t *testing.T, what string, got, want any, opts ...cmp.Option) {
	t.Helper()
	if diff := cmp.Diff(want, got, append(opts, cmpopts.EquateNaNs())...); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

// draw returns n values: small whole numbers with many ties, or normal ones without.
func draw(r *rand.Rand, n int, ties bool) []float64 {
	x := make([]float64, n)
	for i := range x {
		if ties {
			x[i] = float64(r.IntN(7) - 3)
		} else {
			x[i] = r.NormFloat64()
		}
	}
	return x
}

// dyadic returns n multiples of 1/1024, whose sums and halves are exact.
func dyadic(r *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(r.IntN(1<<20)-1<<19) / 1024
	}
	return x
}

func mapped(x []float64, f func(float64) float64) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = f(v)
	}
	return y
}

func negated(x []float64) []float64 { return mapped(x, func(v float64) float64 { return -v }) }

func shuffled(r *rand.Rand, x []float64) []float64 {
	y := slices.Clone(x)
	r.Shuffle(len(y), func(i, j int) { y[i], y[j] = y[j], y[i] })
	return y
}

func repeated(v float64, n int) []float64 { return slices.Repeat([]float64{v}, n) }

// midRank is the rank of v among x by its definition.
func midRank(v float64, x []float64) float64 {
	below, equal := 0, 0
	for _, w := range x {
		if w < v {
			below++
		} else if w == v {
			equal++
		}
	}
	return float64(below) + float64(equal+1)/2
}

// enumerated returns the shares of the admitted masks over ranks whose sum of ranks is
// at least, and at most, that of the observed mask.
func enumerated(ranks []float64, observed uint, admit func(uint) bool) (atLeast, atMost float64) {
	sumOf := func(mask uint) (s float64) {
		for ; mask != 0; mask &= mask - 1 {
			s += ranks[bits.TrailingZeros(mask)]
		}
		return s
	}
	want, all := sumOf(observed), 0.0
	for mask := range uint(1) << len(ranks) {
		if !admit(mask) {
			continue
		}
		all++
		if s := sumOf(mask); s >= want {
			atLeast++
			if s == want {
				atMost++
			}
		} else {
			atMost++
		}
	}
	return atLeast / all, atMost / all
}

// betweenAll returns a point below, between each two of, and above the ascending x.
func betweenAll(x []float64) []float64 {
	points := []float64{x[0] - 1}
	for i := 1; i < len(x); i++ {
		points = append(points, midpoint(x[i-1], x[i]))
	}
	return append(points, x[len(x)-1]+1)
}

// inverts fails unless exactly the points that a test does not reject at the tail of
// the wanted confidence lie in the interval.
func inverts(t *testing.T, iv Interval, wanted float64, points []float64, test func(float64) (greater, less float64)) {
	t.Helper()
	if iv.Confidence < wanted {
		t.Errorf("confidence %v, wanted %v", iv.Confidence, wanted)
	}
	for _, p := range points {
		greater, less := test(p)
		accepted := 1-2*min(greater, less) < wanted
		if inside := iv.Lo < p && p < iv.Hi; inside != accepted {
			t.Fatalf("%v in %+v: %v, but p-values are %v and %v at wanted %v", p, iv, inside, greater, less, wanted)
		}
	}
}

package stats

import (
	"math"
	"testing"
)

func TestMDEFormula(t *testing.T) {
	d := []float64{-3, -1, 0, 1, 3, 2, -2, 0, 5, -5} // MAD 2
	want := 0.5 + (2.326347874+1.281551566)*1.4826*2/math.Sqrt(0.955*10)
	if got := MDE(d, 0.5, 0.01, 0.9); math.Abs(got-want) > 1e-8 {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestMDEConventions(t *testing.T) {
	seven := []float64{1, 2, 3, 4, 5, 6, 7}
	for name, got := range map[string]float64{
		"empty":           MDE(nil, 0, 0.01, 0.9),
		"below the floor": MDE(seven[:6], 0, 0.01, 0.9),
		"NaN":             MDE(append([]float64{nan}, seven...), 0, 0.01, 0.9),
		"infinite median": MDE(repeated(inf, 9), 0, 0.01, 0.9),
		"NaN margin":      MDE(seven, nan, 0.01, 0.9),
		"NaN alpha":       MDE(seven, 0, nan, 0.9),
		"NaN power":       MDE(seven, 0, 0.01, nan),
		"alpha 0":         MDE(seven, 0, 0, 0.9),
		"alpha 1":         MDE(seven, 0, 1, 0.9),
		"power 0":         MDE(seven, 0, 0.01, 0),
		"power 1":         MDE(seven, 0, 0.01, 1),
	} {
		same(t, name, got, inf)
	}
	if got := MDE(seven, 0, 0.01, 0.9); math.IsInf(got, 0) || got <= 0 {
		t.Errorf("at the floor: %v", got)
	}
	same(t, "constant", MDE(repeated(3, 7), 0.02, 0.01, 0.9), 0.02)
}

func TestMDEMetamorphic(t *testing.T) {
	r := newRand(51)
	d := dyadic(r, 40)
	mde := MDE(d, 0, 0.01, 0.9)
	same(t, "permuted", MDE(shuffled(r, d), 0, 0.01, 0.9), mde)
	same(t, "negated", MDE(negated(d), 0, 0.01, 0.9), mde)
	same(t, "moved", MDE(mapped(d, func(v float64) float64 { return v + 64 }), 0, 0.01, 0.9), mde)
	same(t, "scaled", MDE(mapped(d, func(v float64) float64 { return v * 2 }), 0, 0.01, 0.9), mde*2)
	same(t, "margin adds", MDE(d, 3, 0.01, 0.9), mde+3)
	if MDE(d, 0, 0.001, 0.9) <= mde || MDE(d, 0, 0.01, 0.99) <= mde {
		t.Error("a stricter test or more power must need a larger shift")
	}
}

// The claim itself: normal differences shifted by the MDE of their known spread are
// detected about as often as promised, at few pairs less often, as MDE says.
func TestMDEHasItsPower(t *testing.T) {
	const runs = 2000
	r := newRand(52)
	for _, c := range []struct {
		n     int
		least float64
	}{{14, 0.78}, {30, 0.84}, {90, 0.86}} {
		n := c.n
		shift := (NormalQuantile(0.99) + NormalQuantile(0.9)) / math.Sqrt(efficiency*float64(n))
		detected, promised := 0., 0.
		for range runs {
			d := draw(r, n, false)
			promised += MDE(d, 0, 0.01, 0.9) / runs
			moved := mapped(d, func(v float64) float64 { return v + shift })
			if greater, _, _ := SignedRank(moved, 0); greater <= 0.01 {
				detected += 1. / runs
			}
		}
		t.Logf("n %d: power %.3f", n, detected)
		if detected < c.least || detected > 0.94 {
			t.Errorf("n %d: power %.3f", n, detected)
		}
		if math.Abs(promised/shift-1) > 0.08 {
			t.Errorf("n %d: mean MDE %.4f, true one %.4f", n, promised, shift)
		}
	}
}

package stats

import (
	"fmt"
	"math"
	"testing"
)

// Hollander and Wolfe's cloud-seeding data (Smith 1967): slope -0.056, interval -0.130 to 0.010 at 91.7 %.
func TestSlopePublishedExample(t *testing.T) {
	x, y := []float64{1, 2, 3, 4, 5}, []float64{1.26, 1.27, 1.12, 1.16, 1.03}
	slope, iv := Slope(x, y, 0.9)
	got := fmt.Sprintf("%.3f %.3f %.3f %.3f", slope, iv.Lo, iv.Hi, iv.Confidence)
	same(t, "slope and interval", got, "-0.056 -0.130 0.010 0.917")
}

// inversions counts those of every order of n things.
func inversions(n int) map[int]int {
	counts := map[int]int{}
	var place func(order []int)
	place = func(order []int) {
		if len(order) == n {
			sum := 0
			for i := range order {
				for j := range i {
					if order[j] > order[i] {
						sum++
					}
				}
			}
			counts[sum]++
			return
		}
		for v := range n {
			used := false
			for _, o := range order {
				used = used || o == v
			}
			if !used {
				place(append(order[:len(order):len(order)], v))
			}
		}
	}
	place(nil)
	return counts
}

func TestInversions(t *testing.T) {
	orders := 1
	for n := 1; n <= 7; n++ {
		orders *= n
		counts := inversions(n)
		for s, p := range inversionsLower(n, n*(n-1)/2) {
			if want := float64(counts[s]) / float64(orders); math.Abs(p-want) > 1e-12 {
				t.Errorf("%d things, %d inversions: probability %v, want %v", n, s, p, want)
			}
		}
	}
}

// The interval holds the true slope as often as it says, whatever the noise.
func TestSlopeCoverage(t *testing.T) {
	r := newRand(71)
	for _, n := range []int{6, 12, 30, 70} {
		const runs, wanted = 600, 0.95
		x := make([]float64, n)
		for i := range x {
			x[i] = float64(i + 1)
		}
		missed, promised := 0, 0.0
		for range runs {
			y := draw(r, n, false)
			for i := range y {
				y[i] += 3 * x[i]
			}
			_, iv := Slope(x, y, wanted)
			if iv.Lo > 3 || iv.Hi < 3 {
				missed++
			}
			promised = iv.Confidence
		}
		expected := runs * (1 - promised)
		if dev := math.Abs(float64(missed) - expected); promised < wanted-0.001 || dev > 4*math.Sqrt(expected)+1 {
			t.Errorf("%d points: %d of %d intervals miss, want about %.0f (confidence %.4f)", n, missed, runs, expected, promised)
		}
	}
}

func TestSlopeConventions(t *testing.T) {
	line := Interval{-inf, inf, 1}
	for name, c := range map[string]struct {
		x, y  []float64
		slope float64
		want  Interval
	}{
		"nothing":       {nil, nil, nan, line},
		"a point":       {[]float64{1}, []float64{1}, nan, line},
		"lengths":       {[]float64{1, 2}, []float64{1}, nan, line},
		"not ascending": {[]float64{1, 2, 2}, []float64{1, 2, 3}, nan, line},
		"NaN":           {[]float64{1, 2, 3}, []float64{1, nan, 3}, nan, line},
		"infinite":      {[]float64{1, 2, 3}, []float64{1, inf, 3}, nan, line},
		"too few":       {[]float64{1, 2, 3}, []float64{2, 4, 6}, 2, line},
		"a line":        {[]float64{1, 2, 3, 4, 6}, []float64{2, 4, 6, 8, 12}, 2, Interval{2, 2, 1 - 2./120}},
		"flat":          {[]float64{1, 2, 3, 4, 5}, []float64{7, 7, 7, 7, 7}, 0, Interval{0, 0, 1 - 2./120}},
	} {
		slope, iv := Slope(c.x, c.y, 0.95)
		if slope != c.slope && !(math.IsNaN(slope) && math.IsNaN(c.slope)) || iv.Lo != c.want.Lo || iv.Hi != c.want.Hi || math.Abs(iv.Confidence-c.want.Confidence) > 1e-12 {
			t.Errorf("%s: %v %+v, want %v %+v", name, slope, iv, c.slope, c.want)
		}
	}
}

package stats

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestDescribe(t *testing.T) {
	for name, c := range map[string]struct {
		x                    []float64
		median, mad, geomean float64
	}{
		"empty":     {nil, nan, nan, nan},
		"one":       {[]float64{4}, 4, 0, 4},
		"odd":       {[]float64{9, 1, 3}, 3, 2, 3},
		"even":      {[]float64{8, 1, 2, 4}, 3, 1.5, math.Pow(64, 0.25)},
		"constant":  {repeated(2, 5), 2, 0, 2},
		"NaN":       {[]float64{1, nan, 3}, nan, nan, nan},
		"zero":      {[]float64{0, 1, 2}, 1, 1, nan},
		"negative":  {[]float64{-1, 1, 2}, 1, 1, nan},
		"infinite":  {[]float64{1, 2, inf}, 2, 1, inf},
		"infinity":  {[]float64{inf, inf, 1}, inf, nan, inf},
		"both ends": {[]float64{-inf, inf}, nan, nan, nan},
		"huge":      {repeated(math.MaxFloat64, 2), math.MaxFloat64, 0, nan},
	} {
		before := slices.Clone(c.x)
		same(t, name+": median", Median(c.x), c.median)
		same(t, name+": MAD", MAD(c.x), c.mad)
		if name != "huge" {
			same(t, name+": geomean", GeoMean(c.x), c.geomean, near)
		}
		same(t, name+": input", c.x, before)
	}
}

func TestNormalQuantile(t *testing.T) {
	for p, want := range map[float64]float64{
		0.5: 0, 0.9: 1.2815515655446004, 0.975: 1.959963984540054, 0.99: 2.3263478740408408,
		0.01: -2.3263478740408408, 0.001: -3.090232306167813, 0: -inf, 1: inf, -0.1: nan, 1.1: nan,
	} {
		same(t, "quantile", NormalQuantile(p), want, near)
	}
	same(t, "NaN", NormalQuantile(nan), nan)
	for _, z := range []float64{-5, -2, 0, 1, 5} {
		same(t, "inverse", NormalQuantile(normalAbove(z)), -z, cmpopts.EquateApprox(1e-9, 1e-12))
	}
}

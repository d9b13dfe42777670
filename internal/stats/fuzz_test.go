package stats

import (
	"encoding/binary"
	"math"
	"testing"
)

// FuzzSignedRank feeds any floats, NaN and infinities among them, to everything that
// takes differences.
func FuzzSignedRank(f *testing.F) {
	f.Add([]byte{}, 0.)
	f.Add(encoded(1, -2, 2, 0, 3), 0.)
	f.Add(encoded(inf, -inf, 1), 1.)
	f.Add(encoded(nan, 1), 0.5)
	f.Add(encoded(repeated(0.1, 70)...), 0.05)
	f.Add(encoded(math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64), -math.MaxFloat64)
	f.Add(encoded(-math.SmallestNonzeroFloat64, 0, math.Copysign(0, -1), math.SmallestNonzeroFloat64), 0.)
	f.Fuzz(func(t *testing.T, data []byte, shift float64) {
		d := decoded(data)
		greater, less, n := SignedRank(d, shift)
		checkTails(t, greater, less)
		if n < 0 || n > len(d) || n == 0 && (greater != 1 || less != 1) {
			t.Errorf("n %d of %d, p %v %v", n, len(d), greater, less)
		}
		half := len(d) / 2
		greater, less = RankSum(d[:half], d[half:], shift)
		checkTails(t, greater, less)
		iv := SignedRankInterval(d, 0.9)
		if !(iv.Lo <= iv.Hi && iv.Confidence >= 0.9 && iv.Confidence <= 1) {
			t.Errorf("interval %+v", iv)
		}
		if hl := HodgesLehmann(d); hl < iv.Lo || hl > iv.Hi {
			t.Errorf("estimate %v outside %+v", hl, iv)
		}
	})
}

func checkTails(t *testing.T, greater, less float64) {
	t.Helper()
	if !(greater >= 0 && greater <= 1 && less >= 0 && less <= 1 && greater+less >= 1-1e-12) {
		t.Errorf("p-values %v and %v", greater, less)
	}
}

func encoded(d ...float64) (data []byte) {
	for _, v := range d {
		data = binary.LittleEndian.AppendUint64(data, math.Float64bits(v))
	}
	return data
}

// decoded stops at a few hundred values: more only make fuzzing slow.
func decoded(data []byte) (d []float64) {
	for ; len(data) >= 8 && len(d) < 200; data = data[8:] {
		d = append(d, math.Float64frombits(binary.LittleEndian.Uint64(data)))
	}
	return d
}

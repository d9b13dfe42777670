package spans

import (
	"math"
	"math/bits"
)

// Histogram counts durations in buckets that are at most 1/32 as wide as what they hold, as HDR histograms do: a
// quantile is off by 1.6 % at most, however many durations there are. It has room for those that occur, 256
// bytes for a doubling, and is not safe for several goroutines. The HdrHistogram library is not used: programs
// under load carry this one, and are not to depend on anything.
type Histogram struct {
	octaves [octaves]*[perOctave]uint64
	n       uint64
}

const (
	perOctave = 32
	octaves   = 59 // up to the largest int64
	// Buckets is how many there can be.
	Buckets = octaves * perOctave
)

// bucket is the index of the bucket that holds ns. Durations below 0 count as 0.
func bucket(ns int64) int {
	if ns < perOctave {
		return int(max(ns, 0))
	}
	shift := bits.Len64(uint64(ns)) - 6
	return (shift+1)*perOctave + int(ns>>shift) - perOctave
}

// middle is the duration that stands for those in a bucket.
func middle(index int) int64 {
	if index < perOctave {
		return int64(index)
	}
	shift := index/perOctave - 1
	low := int64(perOctave+index%perOctave) << shift
	return low + (int64(1)<<shift-1)/2
}

// Add counts a duration in nanoseconds.
func (h *Histogram) Add(ns int64) { h.put(bucket(ns), 1) }

func (h *Histogram) put(index int, n uint64) {
	o := h.octaves[index/perOctave]
	if o == nil {
		o = new([perOctave]uint64)
		h.octaves[index/perOctave] = o
	}
	o[index%perOctave] += n
	h.n += n
}

// Merge adds what o counted.
func (h *Histogram) Merge(o *Histogram) {
	for _, b := range o.Sparse() {
		h.put(int(b[0]), uint64(b[1]))
	}
}

// Reset forgets what was counted and keeps the room.
func (h *Histogram) Reset() {
	for _, o := range h.octaves {
		if o != nil {
			*o = [perOctave]uint64{}
		}
	}
	h.n = 0
}

// Sparse lists the buckets that hold something: index and count, in ascending order.
func (h *Histogram) Sparse() [][2]int64 {
	var out [][2]int64
	for i, o := range h.octaves {
		if o == nil {
			continue
		}
		for j, n := range o {
			if n > 0 {
				out = append(out, [2]int64{int64(i*perOctave + j), int64(n)})
			}
		}
	}
	return out
}

// Quantile is the nearest rank of what was counted, in nanoseconds, 0 where nothing was.
func (h *Histogram) Quantile(q float64) int64 {
	rank := uint64(math.Ceil(q * float64(h.n)))
	rank = max(rank, 1)
	seen := uint64(0)
	for i, o := range h.octaves {
		if o == nil {
			continue
		}
		for j, n := range o {
			if seen += n; n > 0 && seen >= rank {
				return middle(i*perOctave + j)
			}
		}
	}
	return 0
}

package harness

import (
	"math/rand/v2"
	"testing"
	"time"
)

// workload is a benchmark of 1 µs an operation on a machine of our own.
type workload struct {
	begin   time.Duration // what each run takes before its loop
	gcEvery int           // operations from one collection to the next, counted from a run's begin; 0: none
	gcCost  time.Duration
	untimed time.Duration                   // before that, what the timer does not show
	speed   func(now time.Duration) float64 // by how much a run that begins now takes longer
	now     time.Duration
}

func (w *workload) run(n int) (slice, error) {
	took := w.begin + time.Duration(n)*time.Microsecond
	cycles := 0
	if w.gcEvery > 0 {
		cycles = n / w.gcEvery
		took += time.Duration(cycles) * w.gcCost
	}
	if w.speed != nil { // of each stretch of a millisecond
		var slow time.Duration
		for done := time.Duration(0); done < took; done += time.Millisecond {
			slow += time.Duration(w.speed(w.now+slow) * float64(min(time.Millisecond, took-done)))
		}
		took = slow
	}
	w.now += took + w.untimed
	return slice{n: n, took: took, wall: took + w.untimed, cycles: int64(cycles)}, nil
}

// TestLengthen: a slice is as long as what it must show, and no longer because the machine is uneven.
func TestLengthen(t *testing.T) {
	random := newRand(7)
	tests := []struct {
		name string
		w    workload
		want int // thousand operations, of 3.5 at first
	}{
		{"a quiet machine", workload{}, 3},
		{"a beginning of 2 %", workload{begin: 70 * time.Microsecond}, 3},
		{"a beginning of 20 %", workload{begin: 700 * time.Microsecond}, 14}, // 5 % of 14 ms, less what the long run has of it
		{"collections in every slice", workload{gcEvery: 500, gcCost: 100 * time.Microsecond}, 3},
		{"collections that a slice does not come to", workload{gcEvery: 5000, gcCost: time.Millisecond}, 7},
		{"cheap collections that a slice does not come to", workload{gcEvery: 5000, gcCost: 100 * time.Microsecond}, 3},
		{"two speeds, in turn", workload{gcEvery: 2000, gcCost: time.Microsecond, speed: func(now time.Duration) float64 { return 1 + float64(now/(9*time.Millisecond)%2) }}, 3},
		{"two speeds, at random", workload{gcEvery: 2000, gcCost: time.Microsecond, speed: func(time.Duration) float64 { return 1 + float64(random.IntN(2)) }}, 3},
		{"a dear beginning that is not timed", workload{untimed: 45 * time.Millisecond, begin: 700 * time.Microsecond}, 3},
		{"a benchmark that varies", workload{gcEvery: 2000, gcCost: time.Microsecond, speed: uneven(newRand(8))}, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			first, _ := tt.w.run(3500)
			n, s, err := lengthen(3500, first, tt.w.run)
			if err != nil || n/1000 != tt.want {
				t.Errorf("%d operations, error %v; want %d thousand", n, err, tt.want)
			}
			if tt.w.now > 3*time.Second {
				t.Errorf("it took %v", tt.w.now)
			}
			if s.n != n {
				t.Errorf("the slice has %d operations, not %d", s.n, n)
			}
		})
	}
}

// uneven makes each 20 ms take up to twice as long.
func uneven(r *rand.Rand) func(time.Duration) float64 {
	speeds := map[time.Duration]float64{}
	return func(now time.Duration) float64 {
		at := now / (20 * time.Millisecond)
		if speeds[at] == 0 {
			speeds[at] = 1 + r.Float64()
		}
		return speeds[at]
	}
}

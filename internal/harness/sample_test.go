package harness

import (
	"testing"
	"testing/synctest"
	"time"
)

// grow aims at a time, in two digits.
func TestGrow(t *testing.T) {
	for _, tt := range []struct {
		n         int
		took, aim time.Duration
		want      int
	}{
		{1, 0, sampleAim, 100},               // below the clock's resolution
		{1, time.Nanosecond, sampleAim, 100}, // at most a hundred times as many
		{100, 100 * time.Nanosecond, sampleAim, 10_000},
		{1, 25 * time.Millisecond, sampleAim, 1},
		{1, time.Second, sampleAim, 1},     // never below one
		{1000, time.Second, sampleAim, 25}, // down, too
		{1, 10 * time.Millisecond, sampleAim, 3},
		{7, 7 * time.Millisecond, sampleAim, 25},
		{1000, 13 * time.Millisecond, sampleAim, 1900}, // of 1923
		{1_000_000, 1_234_567, sampleAim, 20_000_000},  // of 20,250,019
		{7, 7 * time.Millisecond, sliceAim, 1},
		{1000, time.Millisecond, sliceAim, 1200},
	} {
		if got := grow(tt.n, tt.took, tt.aim); got != tt.want {
			t.Errorf("grow(%d, %v, %v) = %d, want %d", tt.n, tt.took, tt.aim, got, tt.want)
		}
	}
}

// TestPairsIn: short slices come in many pairs, and long ones in few.
func TestPairsIn(t *testing.T) {
	for _, tt := range []struct {
		pair        time.Duration
		least, most int
	}{
		{0, 85_000_000, 600_000_000},
		{2500 * time.Microsecond, 34, 240},
		{10 * time.Millisecond, fewestPairs, 60},
		{50 * time.Millisecond, fewestPairs, fewestPairs},
		{100 * time.Millisecond, 6, 6},
		{time.Second, 1, 1},
	} {
		if least, most := pairsIn(tt.pair); least != tt.least || most != tt.most {
			t.Errorf("pairs of %v: %d to %d, want %d to %d", tt.pair, least, most, tt.least, tt.most)
		}
	}
}

func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &Budget{Limit: 10 * time.Second}
		time.Sleep(time.Minute) // building is not taken from it
		stop := b.Start()
		time.Sleep(3 * time.Second)
		if b.Used() != 3*time.Second || b.Left() != 7*time.Second {
			t.Errorf("running: %v used, %v left, want 3s and 7s", b.Used(), b.Left())
		}
		stop()
		time.Sleep(time.Minute)
		if b.Used() != 3*time.Second {
			t.Errorf("stopped: %v used, want 3s", b.Used())
		}
		stop = b.Start()
		ctx, cancel := b.context(t.Context())
		defer cancel()
		<-ctx.Done()
		stop()
		if b.Used() != 10*time.Second || b.Left() != 0 {
			t.Errorf("ended: %v used, %v left, want all and none", b.Used(), b.Left())
		}
		b.Start()
		time.Sleep(time.Second)
		if b.Left() != 0 {
			t.Errorf("%v left of an ended budget", b.Left())
		}
	})
}

package pace

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// both runs a test with either kind of Pacer.
func both(t *testing.T, test func(t *testing.T, p *Pacer)) {
	t.Run("exact", func(t *testing.T) { test(t, exact(t)) })
	t.Run("portable", func(t *testing.T) { test(t, Portable()) })
}

func exact(t testing.TB) *Pacer {
	t.Helper()
	p, err := New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// Nobody wakes early, and everybody wakes, in whatever order they come.
func TestNeverEarly(t *testing.T) {
	both(t, func(t *testing.T, p *Pacer) {
		rng := rand.New(rand.NewPCG(1, 2))
		start := time.Now()
		var all sync.WaitGroup
		for range 300 {
			at := start.Add(time.Duration(rng.Int64N(int64(10 * time.Millisecond))))
			all.Go(func() {
				if err := p.Until(t.Context(), at); err != nil {
					t.Error(err)
				}
				if early := time.Until(at); early > 0 {
					t.Errorf("woken %v early", early)
				}
			})
		}
		all.Wait()
	})
}

// One who comes later and is due earlier is not held up, and is not forgotten when another gives up.
func TestEarlierComesLater(t *testing.T) {
	both(t, func(t *testing.T, p *Pacer) {
		ctx, cancel := context.WithCancel(t.Context())
		var others sync.WaitGroup
		for _, hours := range []time.Duration{3, 1, 2} {
			others.Go(func() {
				if err := p.Until(ctx, time.Now().Add(hours*time.Hour)); !errors.Is(err, context.Canceled) {
					t.Errorf("Until = %v, want that it was cancelled", err)
				}
			})
		}
		for range 3 {
			if err := p.Until(t.Context(), time.Now().Add(time.Millisecond)); err != nil {
				t.Error(err)
			}
		}
		cancel()
		others.Wait()
		if p.wheel != nil && held(p) != 0 {
			t.Errorf("%d waiters are held that gave up", held(p))
		}
		if err := p.Until(t.Context(), time.Now().Add(time.Millisecond)); err != nil {
			t.Error(err)
		}
	})
}

func TestPastAndEnded(t *testing.T) {
	both(t, func(t *testing.T, p *Pacer) {
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		hour := time.Now().Add(time.Hour)
		if err := p.Until(t.Context(), time.Now().Add(-time.Hour)); err != nil {
			t.Errorf("Until a time that passed = %v", err)
		}
		if err := p.Until(ended, hour); !errors.Is(err, context.Canceled) {
			t.Errorf("Until with a context that has ended = %v", err)
		}
	})
}

func TestClose(t *testing.T) {
	both(t, func(t *testing.T, p *Pacer) {
		hour := time.Now().Add(time.Hour)
		woken := make(chan error)
		for range 3 {
			go func() { woken <- p.Until(t.Context(), hour) }()
		}
		for range 2 {
			if err := p.Close(); err != nil {
				t.Errorf("Close = %v", err)
			}
		}
		for range 3 {
			if err := <-woken; !errors.Is(err, ErrClosed) {
				t.Errorf("Until while closing = %v, want %v", err, ErrClosed)
			}
		}
		if err := p.Until(t.Context(), time.Now()); !errors.Is(err, ErrClosed) {
			t.Errorf("Until after closing = %v, want %v", err, ErrClosed)
		}
	})
}

// In a bubble the portable form is exact to the nanosecond.
func TestVirtual(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, start := Portable(), time.Now()
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() {
				at := start.Add(time.Duration(i)*time.Hour + time.Duration(i))
				if err := p.Until(t.Context(), at); err != nil || !time.Now().Equal(at) {
					t.Errorf("woken at %v with %v, want %v", time.Since(start), err, at.Sub(start))
				}
			})
		}
		all.Wait()
	})
}

// BenchmarkUntil reports how late a waiter is, among so many that each wait for a time 2 ms after the
// last, out of phase.
func BenchmarkUntil(b *testing.B) {
	for _, n := range []int{1, 50} {
		b.Run(fmt.Sprintf("timer=exact/waiters=%d", n), func(b *testing.B) { benchmarkUntil(b, exact(b), n) })
		b.Run(fmt.Sprintf("timer=portable/waiters=%d", n), func(b *testing.B) { benchmarkUntil(b, Portable(), n) })
	}
}

func benchmarkUntil(b *testing.B, p *Pacer, waiters int) {
	const period = 2 * time.Millisecond
	late := make([]time.Duration, b.N)
	start := time.Now()
	var all sync.WaitGroup
	for w := range waiters {
		all.Go(func() {
			at := start.Add(period * time.Duration(w) / time.Duration(waiters))
			for i := w; i < b.N; i += waiters {
				at = at.Add(period)
				if err := p.Until(b.Context(), at); err != nil {
					b.Error(err)
				}
				late[i] = time.Since(at)
			}
		})
	}
	all.Wait()
	slices.Sort(late)
	b.ReportMetric(float64(late[(b.N-1)/2]), "late-p50-ns")
	b.ReportMetric(float64(late[(b.N-1)*99/100]), "late-p99-ns")
}

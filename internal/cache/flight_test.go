package cache

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// inMemory opens a memory backend in a test's bubble.
func inMemory(t *testing.T) *Store {
	t.Helper()
	return open(t, Config{Backend: "memory", MaxEntries: 10})
}

// slowly is a computation of a second that its context can end.
func slowly(computed *int) func(context.Context) ([]byte, error) {
	return func(ctx context.Context) ([]byte, error) {
		*computed++
		select {
		case <-time.After(time.Second):
			return []byte("plan"), nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func TestCoalesced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, computed := inMemory(t), 0
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() { s.GetOrCompute(t.Context(), numbered(1), slowly(&computed)) })
		}
		wg.Wait()
		wantStats(t, s, Stats{Backend: "memory", Hits: 19, Coalesced: 19, Misses: 1, Sets: 1})
		if computed != 1 {
			t.Errorf("computed %d times", computed)
		}
	})
}

// Without a cache everybody computes, also at the same time.
func TestNoneSharesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Config{Backend: None})
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() { s.GetOrCompute(t.Context(), numbered(1), slowly(new(int))) })
		}
		wg.Wait()
		wantStats(t, s, Stats{Backend: None, Misses: 20})
	})
}

// Keys do not wait for one another.
func TestKeysComputeSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, start := inMemory(t), time.Now()
		var wg sync.WaitGroup
		for i := range 5 {
			wg.Go(func() { s.GetOrCompute(t.Context(), numbered(i), slowly(new(int))) })
		}
		wg.Wait()
		if took := time.Since(start); took != time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// The first caller may leave; those who came later get the value, and nothing is computed twice.
func TestLeaderLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, computed := inMemory(t), 0
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			start := time.Now()
			_, _, err := s.GetOrCompute(ctx, numbered(1), slowly(&computed))
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 500*time.Millisecond {
				t.Errorf("the leader got %v after %v", err, time.Since(start))
			}
		})
		synctest.Wait()
		for range 3 {
			wg.Go(func() {
				if got, hit, err := s.GetOrCompute(t.Context(), numbered(1), slowly(&computed)); string(got) != "plan" || !hit || err != nil {
					t.Errorf("a follower got %q, %v, %v", got, hit, err)
				}
			})
		}
		wg.Wait()
		if computed != 1 {
			t.Errorf("computed %d times", computed)
		}
	})
}

// What nobody waits for any more is ended, and the next caller starts anew.
func TestAllLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, computed, start := inMemory(t), 0, time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { s.GetOrCompute(ctx, numbered(1), slowly(&computed)) })
		}
		wg.Wait()
		s.flights.running.Wait()
		if took := time.Since(start); took != 500*time.Millisecond {
			t.Errorf("the computation ended after %v", took)
		}
		got, hit, err := s.GetOrCompute(t.Context(), numbered(1), slowly(&computed))
		if string(got) != "plan" || hit || err != nil || computed != 2 {
			t.Errorf("got %q, %v, %v, computed %d times", got, hit, err, computed)
		}
	})
}

// Who comes after all have left does not wait for a computation that is deaf to its end.
func TestDeafComputation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, start := inMemory(t), time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		s.GetOrCompute(ctx, numbered(1), func(context.Context) ([]byte, error) {
			time.Sleep(time.Minute)
			return nil, errors.New("too late")
		})
		look(t, s, numbered(1), "fresh", "fresh", false)
		if took := time.Since(start); took != time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// A context's values reach the computation; its end does not.
func TestContextValues(t *testing.T) {
	type name struct{}
	s := inMemory(t)
	got, _, err := s.GetOrCompute(context.WithValue(t.Context(), name{}, "run 7"), numbered(1), func(ctx context.Context) ([]byte, error) {
		return []byte(ctx.Value(name{}).(string)), nil
	})
	if string(got) != "run 7" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

// A panic reaches all callers with the place where it happened, and leaves the key usable.
func TestPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inMemory(t)
		panicking := func(context.Context) ([]byte, error) {
			time.Sleep(time.Second)
			panic("out of plans")
		}
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				defer func() {
					e, ok := recover().(*PanicError)
					if !ok || e.Value != "out of plans" || !strings.Contains(e.Error(), "flight_test.go") {
						t.Errorf("got %v", e)
					}
				}()
				s.GetOrCompute(t.Context(), numbered(1), panicking)
				t.Error("no panic")
			})
		}
		wg.Wait()
		look(t, s, numbered(1), "x", "x", false)
		wantStats(t, s, Stats{Backend: "memory", Misses: 6, Sets: 1})
	})
}

// Followers share an error, too; the next caller does not.
func TestErrorIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, computed := inMemory(t), 0
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				_, hit, err := s.GetOrCompute(t.Context(), numbered(1), func(context.Context) ([]byte, error) {
					time.Sleep(time.Second)
					computed++
					return nil, fmt.Errorf("attempt %d", computed)
				})
				if hit || err == nil || err.Error() != "attempt 1" {
					t.Errorf("got hit %v, %v", hit, err)
				}
			})
		}
		wg.Wait()
		wantStats(t, s, Stats{Backend: "memory", Misses: 3, Coalesced: 2})
		look(t, s, numbered(1), "x", "x", false)
	})
}

// A computation that ends its goroutine, as t.FailNow does, is an error and no deadlock.
func TestGoexit(t *testing.T) {
	s := inMemory(t)
	_, _, err := s.GetOrCompute(t.Context(), numbered(1), func(context.Context) ([]byte, error) {
		runtime.Goexit()
		return nil, nil
	})
	if !errors.Is(err, errExited) {
		t.Errorf("got %v", err)
	}
	look(t, s, numbered(1), "x", "x", false)
}

// Close leaves no goroutine behind, also of a computation that its callers left.
func TestCloseWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := Open(t.Context(), Defaults())
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		s.GetOrCompute(ctx, numbered(1), func(context.Context) ([]byte, error) {
			time.Sleep(time.Minute) // deaf to its context
			return []byte("late"), nil
		})
		if err := s.Close(); err != nil || time.Since(start) != time.Minute {
			t.Errorf("closed after %v, %v", time.Since(start), err)
		}
	})
}

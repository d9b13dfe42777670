package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/harness/pace"
)

// do is a target that is a function.
type do func(ctx context.Context, n int, r *Record) error

func (d do) Do(ctx context.Context, n int, r *Record) error { return d(ctx, n, r) }
func (do) Close() (Usage, error)                            { return Usage{}, nil }

// onClocks runs a test in virtual time and in a bubble of synctest, where the code for real time runs: both
// must see the same times, to the nanosecond.
func onClocks(t *testing.T, test func(t *testing.T, c Clock)) {
	t.Helper()
	t.Run("virtual", func(t *testing.T) { test(t, NewVirtualClock()) })
	t.Run("bubble", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := pace.Portable()
			defer p.Close()
			test(t, &RealClock{p})
		})
	})
}

// realClock is the machine's time for a test.
func realClock(t testing.TB) Clock {
	p, err := pace.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return &RealClock{p}
}

// sleeper answers after a time.
func sleeper(c Clock, d time.Duration) do {
	return func(ctx context.Context, _ int, _ *Record) error { return sleep(ctx, c, d) }
}

func mustRun(t *testing.T, c Clock, p Plan, target Target) *Trace {
	t.Helper()
	trace, err := Run(t.Context(), p, target, Options{Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	return trace
}

// Exactly so many runs, by so many workers at once and no more.
func TestClosed(t *testing.T) {
	onClocks(t, func(t *testing.T, c Clock) {
		var at, most atomic.Int64
		trace := mustRun(t, c, Plan{Runs: 25, Concurrency: 10, Warmup: 3}, do(func(ctx context.Context, n int, _ *Record) error {
			now := at.Add(1)
			defer at.Add(-1)
			if n >= 0 && now > most.Load() {
				most.Store(now)
			}
			return sleep(ctx, c, 100*time.Millisecond)
		}))
		if n := trace.Count(OK); n != 25 || most.Load() != 10 {
			t.Errorf("%d runs, %d at once, want 25 and 10", n, most.Load())
		}
		if trace.Wall != 300*time.Millisecond {
			t.Errorf("wall time %v, want 300ms", trace.Wall)
		}
		for i := range trace.Records {
			if r := &trace.Records[i]; r.Latency() != 100*time.Millisecond || r.Lag() != 0 {
				t.Errorf("run %d took %v and began %v late", i, r.Latency(), r.Lag())
			}
		}
	})
}

// Chunks pause between each other and not after the last; workers think between two runs.
func TestPauses(t *testing.T) {
	onClocks(t, func(t *testing.T, c Clock) {
		trace := mustRun(t, c, Plan{Runs: 25, Concurrency: 25, Chunks: 3, Pause: 100 * time.Millisecond}, sleeper(c, 0))
		for n, want := range map[int]time.Duration{0: 0, 8: 0, 9: 100 * time.Millisecond, 16: 100 * time.Millisecond, 17: 200 * time.Millisecond, 24: 200 * time.Millisecond} {
			if got := time.Duration(trace.Records[n].Started); got != want {
				t.Errorf("run %d began at %v, want %v", n, got, want)
			}
		}
		before := c.Now()
		trace = mustRun(t, c, Plan{Runs: 4, Concurrency: 1, Think: time.Second}, sleeper(c, time.Millisecond))
		if took := c.Now().Sub(before); trace.Wall != 3004*time.Millisecond || took != trace.Wall {
			t.Errorf("4 runs of 1ms with 1s between took %v, and the whole %v; want 3.004s", trace.Wall, took)
		}
	})
}

// The original's limiter delivered twice its rate: 100 arrivals at 50/s must take 99 distances of 20 ms.
func TestRateIsNotTwice(t *testing.T) {
	onClocks(t, func(t *testing.T, c Clock) {
		trace := mustRun(t, c, openPlan(rate(50, 2*time.Second)), sleeper(c, 0))
		if n := trace.Count(OK); n != 100 || trace.Wall != 1980*time.Millisecond {
			t.Errorf("%d runs in %v, want 100 in 1.98s", n, trace.Wall)
		}
	})
}

// A limit of 0 hung the original; a target that always fails drained its pool and hung it too.
func TestNothingHangs(t *testing.T) {
	onClocks(t, func(t *testing.T, c Clock) {
		if _, err := Run(t.Context(), Plan{Runs: 1}, sleeper(c, 0), Options{Clock: c}); !errors.As(err, new(*FieldError)) {
			t.Errorf("no worker: %v", err)
		}
		boom := errors.New("boom")
		trace, err := Run(t.Context(), Plan{Runs: 7, Concurrency: 2}, do(func(context.Context, int, *Record) error { return boom }), Options{Clock: c})
		if !IsInvalid(err) || trace.Count(Other) != 7 {
			t.Errorf("a target that always fails: %v", err)
		}
	})
}

// stall is a server that takes 10 ms, but holds what would end in the third second until that is over.
func stall(c Clock) (do, func()) {
	var began time.Time
	return func(ctx context.Context, _ int, _ *Record) error {
		if err := sleep(ctx, c, 10*time.Millisecond); err != nil {
			return err
		}
		if at := c.Now().Sub(began); at >= 2*time.Second && at < 3*time.Second {
			return c.Until(ctx, began.Add(3*time.Second))
		}
		return nil
	}, func() { began = c.Now() }
}

// A stall of a second at 500/s hits 500 of 3000 arrivals. Who counts from when they were sent, or has a
// fixed number of workers, sees next to nothing of it.
func TestCoordinatedOmission(t *testing.T) {
	onClocks(t, func(t *testing.T, c Clock) {
		target, begun := stall(c)
		open, err := Run(t.Context(), openPlan(rate(500, 6*time.Second)), target, Options{Clock: c, Begun: begun})
		if err != nil {
			t.Fatal(err)
		}
		// The affected wait 1010, 1008, … 12 ms: of 3000 the ranks of p90 and p99 are the 301st and 31st from
		// above.
		for q, want := range map[float64]time.Duration{0.5: 10 * time.Millisecond, 0.9: 410 * time.Millisecond, 0.99: 950 * time.Millisecond} {
			if got, ok := open.Quantile(q); got != want || !ok {
				t.Errorf("open: p%g = %v, want %v", 100*q, got, want)
			}
		}
		if n := open.Count(OK); n != 3000 {
			t.Errorf("%d of 3000 arrivals", n)
		}
		target, begun = stall(c)
		closed, err := Run(t.Context(), Plan{Runs: 3000, Concurrency: 10}, target, Options{Clock: c, Begun: begun})
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := closed.Quantile(0.99); got != 10*time.Millisecond {
			t.Errorf("closed: p99 = %v: the stall hits ten runs and no more", got)
		}
	})
}

// late begins every run so much after it was due.
type late struct {
	Clock
	by time.Duration
}

func (l late) Until(ctx context.Context, t time.Time) error { return l.Clock.Until(ctx, t.Add(l.by)) }

// An arrival that could not begin in time makes the trace invalid, and its wait is part of the latency.
func TestGeneratorTooLate(t *testing.T) {
	onClocks(t, func(t *testing.T, c Clock) {
		for _, tt := range []struct {
			by, service time.Duration
			valid       bool
		}{
			{time.Millisecond, 10 * time.Millisecond, true},
			{1001 * time.Microsecond, 10 * time.Millisecond, false},
			{4 * time.Millisecond, 100 * time.Millisecond, true}, // 5 % of 104 ms
			{6 * time.Millisecond, 100 * time.Millisecond, false},
		} {
			trace, err := Run(t.Context(), openPlan(rate(100, time.Second)), sleeper(c, tt.service), Options{Clock: late{c, tt.by}})
			if (err == nil) != tt.valid || !tt.valid && !strings.Contains(err.Error(), "could not keep up") {
				t.Errorf("%v late at %v: %v", tt.by, tt.service, err)
			}
			if got, _ := trace.Quantile(0.5); got != tt.by+tt.service {
				t.Errorf("%v late at %v: p50 = %v", tt.by, tt.service, got)
			}
		}
	})
}

// Too many under way: the trace is invalid, and who did not begin is counted and not invented.
func TestMaxInFlight(t *testing.T) {
	onClocks(t, func(t *testing.T, c Clock) {
		p := openPlan(rate(100, time.Second))
		p.MaxInFlight = 10
		trace, err := Run(t.Context(), p, sleeper(c, time.Second), Options{Clock: c})
		if !IsInvalid(err) || !strings.Contains(err.Error(), "max-inflight") {
			t.Fatal(err)
		}
		if trace.Count(OK) != 10 || trace.Count(NotStarted) != 90 {
			t.Errorf("%d ended well, %d did not begin", trace.Count(OK), trace.Count(NotStarted))
		}
		if got := trace.Metrics(Scale{}); value(got, "error-share") != 0 || value(got, "runs/s") != 10/1.09 {
			t.Errorf("metrics %v", got)
		}
	})
}

func value(m []Metric, unit string) float64 {
	i := slices.IndexFunc(m, func(m Metric) bool { return m.Unit == unit })
	if i < 0 {
		return -1
	}
	return m[i].Value
}

// Failures are counted by kind, with the latency that they had.
func TestKinds(t *testing.T) {
	onClocks(t, func(t *testing.T, c Clock) {
		p := Plan{Runs: 10, Concurrency: 2, Timeout: time.Second}
		trace := mustRun(t, c, p, do(func(ctx context.Context, n int, _ *Record) error {
			switch n {
			case 1:
				return sleep(ctx, c, time.Hour)
			case 2, 3:
				return fmt.Errorf("wrapped: %w", &KindError{Status, errors.New("500 oh no")})
			}
			return sleep(ctx, c, time.Millisecond)
		}))
		want := []string{"timeout 1 (run 1: no end within its time)", "status 2 (run 2: wrapped: 500 oh no)"}
		if diff := cmp.Diff(want, trace.Failures()); diff != "" {
			t.Errorf("failures (-want +got):\n%s", diff)
		}
		if got := trace.Records[1].Latency(); got != time.Second {
			t.Errorf("the run that was too slow took %v, want 1s", got)
		}
		if got := trace.Metrics(Scale{}); value(got, "error-share") != 0.3 || value(got, "max-sec") != 1 || value(got, "runs/s") != 7 {
			t.Errorf("metrics %v", got)
		}
	})
}

// What is still under way when the grace ends is cut off, counted, and makes the trace invalid.
func TestGrace(t *testing.T) {
	onClocks(t, func(t *testing.T, c Clock) {
		p := openPlan(rate(10, time.Second))
		p.Grace = time.Second
		trace, err := Run(t.Context(), p, do(func(ctx context.Context, n int, _ *Record) error {
			if n == 9 {
				return sleep(ctx, c, time.Hour)
			}
			return sleep(ctx, c, time.Millisecond)
		}), Options{Clock: c})
		if !IsInvalid(err) || trace.Count(Incomplete) != 1 || trace.Wall != 2*time.Second {
			t.Errorf("%v: %v after %v", err, trace.Failures(), trace.Wall)
		}
	})
}

// An interrupt keeps what there is.
func TestInterrupt(t *testing.T) {
	onClocks(t, func(t *testing.T, c Clock) {
		for _, p := range []Plan{{Runs: 100, Concurrency: 2, Think: time.Second, Chunks: 5, Pause: time.Second}, openPlan(rate(10, 10*time.Second))} {
			ctx, cancel := context.WithCancel(t.Context())
			trace, err := Run(ctx, p, do(func(ctx context.Context, n int, _ *Record) error {
				if n == 10 {
					cancel()
				}
				return sleep(ctx, c, time.Millisecond)
			}), Options{Clock: c})
			if !errors.Is(err, context.Canceled) || !trace.Partial || len(trace.Invalid) > 0 {
				t.Errorf("open %v: %v, partial %v, invalid %v", p.Open(), err, trace.Partial, trace.Invalid)
			}
			if ok, cut := trace.Count(OK), trace.Count(Incomplete); ok < 9 || ok > 10 || cut < 1 || ok+cut+trace.Count(NotStarted) != 100 {
				t.Errorf("open %v: %d ended well, %v", p.Open(), ok, trace.Failures())
			}
		}
	})
}

// The same plan gives the same records, to the nanosecond, however the goroutines were scheduled.
func TestVirtualIsExact(t *testing.T) {
	p := openPlan([]Stage{{50, 400, time.Second}})
	p.Arrival, p.Timeout = Arrival{Name: "gamma", Shape: 0.3}, 80*time.Millisecond
	once := func() *Trace {
		c := NewVirtualClock()
		var shared atomic.Int64
		return mustRun(t, c, p, do(func(ctx context.Context, n int, r *Record) error {
			group := c.Group()
			for i := range 3 {
				group.Go(func() {
					c.Alone("lock", func() { sleep(ctx, c, time.Duration(1+(n+i)%3)*time.Millisecond) })
					r.Hits += int(shared.Add(1)) // who came first
				})
			}
			group.Wait()
			return sleep(ctx, c, 0)
		}))
	}
	first := once()
	if n := first.Count(OK); n < 50 || first.Count(Timeout) < 50 {
		t.Fatalf("%d ended well, %v: the test shows little", n, first.Failures())
	}
	for range 20 {
		if diff := cmp.Diff(first.Records, once().Records); diff != "" {
			t.Fatalf("another run differs:\n%.2000s", diff)
		}
	}
}

// Who waits until the same moment goes on in the order in which they began to wait.
func TestVirtualOrder(t *testing.T) {
	c := NewVirtualClock()
	var got []int
	c.Drive(func() {
		group := c.Group()
		for i := range 20 {
			group.Go(func() {
				c.Until(t.Context(), epoch.Add(time.Second))
				got = append(got, i)
			})
		}
		group.Wait()
	})
	if len(got) != 20 || !slices.IsSorted(got) {
		t.Errorf("they went on as %d", got)
	}
}

// Who waits in virtual time for what never comes is told so.
func TestVirtualDeadlock(t *testing.T) {
	c := NewVirtualClock()
	defer func() {
		if p := recover(); p == nil || !strings.Contains(fmt.Sprint(p), "wait for each other") {
			t.Errorf("recovered %v", p)
		}
	}()
	c.alive, c.ended = 1, make(chan struct{}) // this test is a goroutine of the clock
	c.Group().(*virtualGroup).running = 1
	c.pass()
}

// The records of a null target: what the harness itself costs a run.
func BenchmarkClosed(b *testing.B) {
	p, err := pace.New()
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	b.ReportAllocs()
	for remaining := b.N; remaining > 0; remaining -= maxRuns {
		if _, err := Run(b.Context(), Plan{Runs: min(remaining, maxRuns), Concurrency: 1}, do(func(context.Context, int, *Record) error { return nil }), Options{Clock: &RealClock{p}}); err != nil {
			b.Fatal(err)
		}
	}
}

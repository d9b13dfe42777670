package probe_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/pprof"
	"runtime/trace"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/spans"
	"github.com/org/perfgate/probe"
)

// told is what a profiler writes: about places by their names joined, about the rest by + and the name.
func told(t *testing.T, written []byte) map[string]*spans.Line {
	t.Helper()
	places := map[string]*spans.Line{}
	for line := range bytes.Lines(bytes.TrimPrefix(written, []byte("\n"))) {
		l, err := spans.Decode(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if l.Span != nil {
			places[strings.Join(l.Span, "/")] = l
		} else {
			places["+"+l.Counter+l.Cache+l.Mark] = l
		}
	}
	return places
}

// profiled runs do with a profiler and returns what that writes.
func profiled(t *testing.T, do func(ctx context.Context)) map[string]*spans.Line {
	t.Helper()
	var out bytes.Buffer
	p := probe.New(&out, 0)
	do(p.Attach(t.Context()))
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	return told(t, out.Bytes())
}

// ms is a number of nanoseconds in milliseconds, -1 where there is none.
func ms(ns *int64) int64 {
	if ns == nil {
		return -1
	}
	return *ns / 1e6
}

func TestNothingWithoutProfiler(t *testing.T) {
	ctx, source := t.Context(), t.Name()
	failure := errors.New("refused")
	if n := testing.AllocsPerRun(100, func() {
		ctx, span := probe.Span(ctx, "fetch", slog.String("source", source), slog.Int("try", len(source)))
		ctx, phase := probe.Phase(ctx, "load")
		_, auto := probe.Auto(ctx)
		span.Set(slog.String("source", source))
		span.Fail(failure)
		probe.Count(ctx, "rows", 3)
		probe.Hit(ctx, "plans")
		probe.Miss(ctx, "plans")
		probe.Mark(ctx, "loaded")
		auto.End()
		phase.End()
		span.EndWith(&failure)
	}); n != 0 {
		t.Errorf("%v allocations a run, want none", n)
	}
	inner, span := probe.Span(ctx, "fetch")
	if inner != ctx || span != nil || probe.FromContext(ctx) != nil {
		t.Error("there is a span without a profiler")
	}
	if err := probe.Flush(); err != nil {
		t.Error(err)
	}
}

// What a single goroutine does in spans is all somebody's own, once.
func TestSelfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		places := profiled(t, func(ctx context.Context) {
			ctx, run := probe.Span(ctx, "run")
			defer run.End()
			time.Sleep(10 * time.Millisecond)
			for range 3 {
				ctx, load := probe.Span(ctx, "load")
				time.Sleep(5 * time.Millisecond)
				_, parse := probe.Span(ctx, "parse")
				time.Sleep(20 * time.Millisecond)
				parse.End()
				load.End()
			}
		})
		wall, all := time.Since(began), int64(0)
		var got []string
		for _, name := range []string{"run", "run/load", "run/load/parse"} {
			l := places[name]
			got = append(got, fmt.Sprint(name, " ", l.Count, " ", ms(l.NS), " ", ms(l.SelfNS)))
			all += *l.SelfNS
		}
		if diff := cmp.Diff([]string{"run 1 85 10", "run/load 3 75 15", "run/load/parse 3 60 60"}, got); diff != "" {
			t.Errorf("place, count, total and self in ms (-want +got):\n%s", diff)
		}
		if all != int64(wall) {
			t.Errorf("own times add up to %v, want the wall time %v", time.Duration(all), wall)
		}
	})
}

// Children at the same time are siblings, and cover their parent once.
func TestSiblings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		places := profiled(t, func(ctx context.Context) {
			ctx, run := probe.Span(ctx, "run")
			var all sync.WaitGroup
			for i := range 4 {
				all.Go(func() {
					time.Sleep(time.Duration(i) * 5 * time.Millisecond)
					_, child := probe.Span(ctx, "child")
					time.Sleep(10 * time.Millisecond)
					child.End()
				})
			}
			all.Wait()
			time.Sleep(7 * time.Millisecond)
			run.End()
		})
		if l := places["run/child"]; len(places) != 2 || l == nil || l.Count != 4 || ms(l.NS) != 40 || ms(l.SelfNS) != 40 {
			t.Errorf("places %v, want run and four children below it", places)
		}
		if l := places["run"]; ms(l.NS) != 32 || ms(l.SelfNS) != 7 {
			t.Errorf("run took %d ms, %d of its own; want 32 and 7", ms(l.NS), ms(l.SelfNS))
		}
	})
}

// A child that outlives its parent covers it to its end.
func TestOutlives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		places := profiled(t, func(ctx context.Context) {
			ctx, run := probe.Span(ctx, "run")
			time.Sleep(3 * time.Millisecond)
			_, child := probe.Span(ctx, "child")
			time.Sleep(5 * time.Millisecond)
			run.End()
			time.Sleep(5 * time.Millisecond)
			child.End()
			child.End()
		})
		if r, c := places["run"], places["run/child"]; ms(r.SelfNS) != 3 || ms(c.NS) != 10 || c.Count != 1 {
			t.Errorf("run has %d ms of its own and the child took %d ms in %d; want 3, 10 and 1", ms(r.SelfNS), ms(c.NS), c.Count)
		}
	})
}

func TestEnds(t *testing.T) {
	failure := errors.New("refused")
	places := profiled(t, func(ctx context.Context) {
		if err := probe.Do(ctx, "error", func(context.Context) error { return failure }); err != failure {
			t.Errorf("got %v, want the function's own error", err)
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic did not get through")
				}
			}()
			probe.Do(ctx, "panic", func(context.Context) error { panic("no") })
		}()
		func() {
			defer func() { recover() }()
			_, span := probe.Span(ctx, "deferred")
			defer span.End()
			panic("no")
		}()
		func() (err error) {
			_, span := probe.Span(ctx, "named")
			defer span.EndWith(&err)
			return failure
		}()
		_, failed := probe.Span(ctx, "failed")
		failed.Fail(failure)
		failed.Fail(nil)
		failed.End()
		probe.Do(ctx, "well", func(context.Context) error { return nil })
		probe.Span(ctx, "left open")
	})
	var got []string
	for _, name := range []string{"error", "panic", "deferred", "named", "failed", "well", "left open"} {
		l := places[name]
		got = append(got, fmt.Sprintf("%s: %d begun, %d ended, %d failed", name, l.Begun, l.Count, l.Errors))
	}
	if diff := cmp.Diff([]string{
		"error: 1 begun, 1 ended, 1 failed", "panic: 1 begun, 1 ended, 1 failed", "deferred: 1 begun, 1 ended, 0 failed", "named: 1 begun, 1 ended, 1 failed",
		"failed: 1 begun, 1 ended, 1 failed", "well: 1 begun, 1 ended, 0 failed", "left open: 1 begun, 0 ended, 0 failed",
	}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWrap(t *testing.T) {
	failure := errors.New("odd")
	half := probe.Wrap("half", func(_ context.Context, n int) (int, error) {
		if n%2 == 1 {
			return n / 2, failure
		}
		return n / 2, nil
	})
	places := profiled(t, func(ctx context.Context) {
		if n, err := half(ctx, 8); n != 4 || err != nil {
			t.Errorf("half(8) = %d, %v", n, err)
		}
		if n, err := half(ctx, 7); n != 3 || err != failure {
			t.Errorf("half(7) = %d, %v", n, err)
		}
	})
	if l := places["half"]; l.Count != 2 || l.Errors != 1 {
		t.Errorf("%d calls, %d failed; want 2 and 1", l.Count, l.Errors)
	}
}

type store struct{}

func (store) get(ctx context.Context) {
	_, span := probe.Auto(ctx)
	span.End()
}

func TestAuto(t *testing.T) {
	places := profiled(t, func(ctx context.Context) {
		for range 3 {
			store{}.get(ctx)
		}
	})
	if l := places["probe_test.store.get"]; l == nil || l.Count != 3 {
		t.Errorf("places %v, want the caller's", places)
	}
}

func TestTwoProfilers(t *testing.T) {
	var a, b bytes.Buffer
	pa, pb := probe.New(&a, 0), probe.New(&b, 0)
	ca, cb := pa.Attach(t.Context()), pb.Attach(t.Context())
	if probe.FromContext(ca) != pa || probe.FromContext(cb) != pb {
		t.Error("a context has another profiler")
	}
	var all sync.WaitGroup
	for ctx, name := range map[context.Context]string{ca: "a", cb: "b"} {
		all.Go(func() {
			for range 100 {
				_, span := probe.Span(ctx, name)
				span.End()
			}
		})
	}
	all.Wait()
	pa.Close()
	if ctx, span := probe.Span(cb, "b"); ctx == cb || span == nil {
		t.Error("closing one profiler ended the other")
	}
	pb.Close()
	if got := told(t, a.Bytes()); len(got) != 1 || got["a"].Count != 100 {
		t.Errorf("the first heard %v", got)
	}
	if got := told(t, b.Bytes()); len(got) != 1 || got["b"].Count != 100 {
		t.Errorf("the second heard %v", got)
	}
}

func TestCounts(t *testing.T) {
	places := profiled(t, func(ctx context.Context) {
		probe.Count(ctx, "rows", 40)
		probe.Count(ctx, "rows", 2)
		probe.Count(ctx, "rows", -5)
		for range 3 {
			probe.Hit(ctx, "plans")
		}
		probe.Miss(ctx, "plans")
		probe.Mark(ctx, "loaded")
		_, phase := probe.Phase(ctx, "serve")
		phase.End()
	})
	if n := *places["+rows"].N; n != 42 {
		t.Errorf("rows: %d, want 42", n)
	}
	if c := places["+plans"]; c.Hits != 3 || c.Misses != 1 {
		t.Errorf("plans: %d hits and %d misses, want 3 and 1", c.Hits, c.Misses)
	}
	if m := places["+loaded"].Memory; m.HeapBytes == 0 || m.PeakBytes < m.HeapBytes || m.AllocObjects == 0 || m.Goroutines == 0 || m.PID == 0 {
		t.Errorf("the mark has %+v", m)
	}
	if l := places["+serve"]; l == nil || !places["serve"].Phase || l.Mark != "serve" {
		t.Errorf("a phase leaves %+v, want a mark behind its line", l)
	}
}

// What is told is not told again.
func TestFlush(t *testing.T) {
	var out bytes.Buffer
	p := probe.New(&out, 0)
	defer p.Close()
	ctx, span := probe.Span(p.Attach(t.Context()), "run", slog.String("kind", "a"))
	probe.Count(ctx, "rows", 1)
	probe.Mark(ctx, "begun")
	p.Flush()
	if l := told(t, out.Bytes())["run"]; l.Begun != 1 || l.Count != 0 {
		t.Errorf("before the end: %+v", l)
	}
	out.Reset()
	p.Flush()
	if out.Len() > 0 {
		t.Errorf("told again: %s", &out)
	}
	span.End()
	p.Flush()
	if l := told(t, out.Bytes())["run"]; l.Begun != 0 || l.Count != 1 {
		t.Errorf("after the end: %+v", l)
	}
}

func TestEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &lockedBuffer{}
		p := probe.New(out, 100*time.Millisecond)
		_, span := probe.Span(p.Attach(t.Context()), "run")
		span.End()
		time.Sleep(101 * time.Millisecond)
		synctest.Wait()
		if out.len() == 0 {
			t.Error("nothing was written in its time")
		}
		p.Close()
	})
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Len()
}

func TestAttributes(t *testing.T) {
	places := profiled(t, func(ctx context.Context) {
		for i := range 100 {
			ctx, span := probe.Span(ctx, "run", slog.String("kind", "a"), slog.Int("id", i))
			if v, ok := pprof.Label(ctx, "kind"); !ok || v != "a" {
				t.Fatalf("label kind = %q", v)
			}
			if _, ok := pprof.Label(ctx, "id"); ok != (i < spans.MaxValues) {
				t.Fatalf("value %d of id is a label: %v", i, ok)
			}
			span.Set(slog.Bool("ok", true))
			span.End()
		}
	})
	a := places["run"].Attrs
	if a["kind"]["a"] != 100 || a["ok"]["true"] != 100 || len(a["id"]) != spans.MaxValues+1 || a["id"][spans.Other] != 100-spans.MaxValues {
		t.Errorf("attributes %v", a)
	}
}

// Names that a program invents do not fill the memory.
func TestBounded(t *testing.T) {
	var deepest int
	places := profiled(t, func(ctx context.Context) {
		for i := range spans.MaxNodes + 100 {
			_, span := probe.Span(ctx, fmt.Sprint("user ", i))
			span.End()
			probe.Count(ctx, fmt.Sprint("counter ", i), 1)
		}
		for range spans.MaxMarks + 10 {
			probe.Mark(ctx, "mark")
		}
	})
	counters := 0
	for _, l := range places {
		if l.Counter != "" {
			counters++
		}
	}
	if n := len(places) - counters - 1; n != spans.MaxNodes || counters != spans.MaxCounters {
		t.Errorf("%d places and %d counters, want %d and %d", n, counters, spans.MaxNodes, spans.MaxCounters)
	}
	if l := places[spans.Other]; l == nil {
		t.Error("what was one too many is nowhere")
	}
	places = profiled(t, func(ctx context.Context) {
		for range 2 * spans.MaxDepth {
			ctx, _ = probe.Span(ctx, strings.Repeat("x", 2*spans.MaxName))
		}
	})
	for _, l := range places {
		deepest = max(deepest, len(l.Span))
		if len(l.Span[0]) > spans.MaxName {
			t.Errorf("a name of %d bytes", len(l.Span[0]))
		}
	}
	if deepest != spans.MaxDepth || places[spans.Other].Begun == 0 {
		t.Errorf("the deepest place is %d deep, want %d", deepest, spans.MaxDepth)
	}
}

// CPU profiles and traces know of the spans.
func TestForwards(t *testing.T) {
	p := probe.New(io.Discard, 0)
	defer p.Close()
	var recorded bytes.Buffer
	if err := trace.Start(&recorded); err != nil {
		t.Skipf("somebody else takes a trace: %v", err)
	}
	_, span := probe.Span(p.Attach(t.Context()), "fetch the planets")
	var goroutines bytes.Buffer
	pprof.Lookup("goroutine").WriteTo(&goroutines, 1)
	span.End()
	trace.Stop()
	if !strings.Contains(goroutines.String(), `"span":"fetch the planets"`) {
		t.Errorf("no goroutine has the label:\n%s", &goroutines)
	}
	if !bytes.Contains(recorded.Bytes(), []byte("fetch the planets")) {
		t.Error("the trace has no region of that name")
	}
	goroutines.Reset()
	pprof.Lookup("goroutine").WriteTo(&goroutines, 1)
	if strings.Contains(goroutines.String(), "fetch the planets") {
		t.Error("the label outlives the span")
	}
}

// Spans of one place do not take memory one by one. BenchmarkTenMillionSpans is the same with more of them.
func TestFlat(t *testing.T) {
	p := probe.New(io.Discard, time.Millisecond)
	defer p.Close()
	ctx := p.Attach(t.Context())
	record(ctx, 1000)
	before := heap()
	record(ctx, 50_000)
	if grown := heap() - before; grown > 256<<10 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
}

package probe_test

import (
	"context"
	"io"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"github.com/org/perfgate/probe"
)

// A span where nobody asks for it.
func BenchmarkSpanDisabled(b *testing.B) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b.ReportAllocs()
	for b.Loop() {
		_, span := probe.Span(ctx, "fetch")
		span.End()
	}
}

func BenchmarkSpanDisabledWithAttributes(b *testing.B) {
	ctx, source := b.Context(), b.Name()
	b.ReportAllocs()
	for b.Loop() {
		_, span := probe.Span(ctx, "fetch", slog.String("source", source), slog.Int("try", 1))
		span.End()
	}
}

// The same attributes where they are made only for somebody who hears of them.
func BenchmarkSpanDisabledSet(b *testing.B) {
	ctx, source := b.Context(), b.Name()
	b.ReportAllocs()
	for b.Loop() {
		_, span := probe.Span(ctx, "fetch")
		if span != nil {
			span.Set(slog.String("source", source), slog.Int("try", 1))
		}
		span.End()
	}
}

// A span that is heard of, below another.
func BenchmarkSpanEnabled(b *testing.B) {
	p := probe.New(io.Discard, 0)
	defer p.Close()
	ctx, outer := probe.Span(p.Attach(b.Context()), "handle")
	defer outer.End()
	b.ReportAllocs()
	for b.Loop() {
		_, span := probe.Span(ctx, "fetch")
		span.End()
	}
}

func BenchmarkSpanEnabledParallel(b *testing.B) {
	p := probe.New(io.Discard, 0)
	defer p.Close()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		ctx := p.Attach(b.Context())
		for pb.Next() {
			_, span := probe.Span(ctx, "fetch")
			span.End()
		}
	})
}

// Ten million spans leave the heap as it was. One operation is all of them.
func BenchmarkTenMillionSpans(b *testing.B) {
	for b.Loop() {
		p := probe.New(io.Discard, 10*time.Millisecond)
		ctx := p.Attach(b.Context())
		record(ctx, 10_000)
		before := heap()
		record(ctx, 10_000_000)
		grown := heap() - before
		p.Close()
		b.ReportMetric(float64(grown), "grown-B")
		if grown > 5<<20 {
			b.Fatalf("the heap grew by %d bytes", grown)
		}
	}
}

func record(ctx context.Context, n int) {
	for i := range n {
		_, span := probe.Span(ctx, "fetch", slog.Int("shard", i%1000))
		span.End()
	}
}

// heap is what is live.
func heap() int64 {
	runtime.GC()
	runtime.GC() // what the first one found to be finalized
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

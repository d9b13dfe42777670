package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/org/perfgate/internal/harness/load"
	"github.com/org/perfgate/internal/profiler"
	"github.com/org/perfgate/internal/result"
)

// toldSpans is what a sample's processes told: own milliseconds and number of spans, by name.
func toldSpans(spans map[string][2]int) *profiler.Collector {
	c := new(profiler.Collector)
	for name, v := range spans {
		fmt.Fprintf(c, `{"span": %q, "ns": %d, "count": %d}`+"\n", name, v[0]*1_000_000, v[1])
	}
	return c
}

// TestDifferences: what head asks more of the upstream and does longer, beyond what samples differ by.
func TestDifferences(t *testing.T) {
	const chat, messages, models = "POST /v1/chat/completions", "POST /v1/messages", "GET /v1/models"
	all := newSeen()
	trace := &load.Trace{Plan: load.Plan{Warmup: 2}, Records: make([]load.Record, 8)}
	for i := range 4 {
		all.add("base", trace, &load.Counts{Routes: []load.RouteCounts{
			{Route: chat, Model: "m", Calls: 16, Attempts: 16, InputTokens: 800, Runs: []int{2, 2, 2, 2, 2, 2, 2, 2}},
			{Route: messages, Model: "c", Calls: 8, Attempts: 8, InputTokens: 80, CachedTokens: 800},
			{Route: models, Calls: 8 + i%2},
		}}, toldSpans(map[string][2]int{"plan": {100 + i, 10}, "ask": {200, 20}, "noisy": {100 * i, 10}, "gone": {50, 10}, "tiny": {1, 10}}))
		all.add("head", trace, &load.Counts{Routes: []load.RouteCounts{
			{Route: chat, Model: "m", Calls: 20, Repeated: 4, Attempts: 22, InputTokens: 1000, Runs: []int{2, 2, 2, 4, 2, 4, 2, 2}},
			{Route: messages, Model: "c", Calls: 8, Attempts: 10, Failures: 2, InputTokens: 80},
			{Route: models, Calls: 8 + (i+1)%2},
		}}, toldSpans(map[string][2]int{"plan": {300 + i, 10}, "ask": {220, 30}, "noisy": {130 * i, 10}, "new": {40, 10}, "tiny": {2, 10}}))
	}
	calls, spans := all.differences("base", "head")
	if d := cmp.Diff([]result.CallGrowth{
		{Route: chat, Model: "m", What: "calls", Base: 2, Head: 2.5, Repeated: 0.5, First: 3, Runs: 2, All: 8},
		{Route: messages, Model: "c", What: "failed attempts", Head: 0.25},
		{Route: messages, Model: "c", What: "input tokens from the prompt cache", Base: 100},
	}, calls); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]result.SpanGrowth{
		{Name: "plan", Base: 0.01015, Head: 0.03015, BaseCount: 1, HeadCount: 1},
		{Name: "new", Head: 0.004, HeadCount: 1},
		{Name: "ask", Base: 0.02, Head: 0.022, BaseCount: 2, HeadCount: 3},
	}, spans, cmpopts.EquateApprox(0, 1e-9)); d != "" {
		t.Errorf("spans (-want +got):\n%s", d)
	}
	if calls, spans := all.differences("base", "memory"); calls != nil || spans != nil {
		t.Errorf("of one side: %v, %v", calls, spans)
	}
}

// Of a sample or two nobody knows the error: times must differ a lot then, and counts are facts.
func TestDifferencesOfFew(t *testing.T) {
	all := newSeen()
	trace := &load.Trace{Records: make([]load.Record, 10)}
	all.add("base", trace, &load.Counts{}, toldSpans(map[string][2]int{"a": {100, 10}, "b": {100, 10}, "c": {100, 10}}))
	all.add("head", trace, &load.Counts{Routes: []load.RouteCounts{{Route: "GET /v1/models", Calls: 1}}}, toldSpans(map[string][2]int{"a": {120, 10}, "b": {130, 10}, "c": {110, 11}}))
	calls, spans := all.differences("base", "head")
	if len(calls) != 1 || calls[0].Head != 0.1 || calls[0].All != 0 {
		t.Errorf("calls %+v, want one of ten runs, and nobody knows which", calls)
	}
	if len(spans) != 2 || spans[0].Name != "b" || spans[1].Name != "c" {
		t.Errorf("spans %+v, want b, which takes a third longer, and c, of which there are more", spans)
	}
}

// The first part of a plan is the same runs at the same times.
func TestPart(t *testing.T) {
	closed := load.Plan{Runs: 10, Concurrency: 2, Chunks: 4}
	if got := part(closed, 0.25); got.Runs != 3 || got.Chunks != 3 {
		t.Errorf("%+v, want 3 runs in 3 blocks", got)
	}
	if got := part(closed, 1); got.Runs != 10 {
		t.Errorf("%+v, want all of it", got)
	}
	open := load.Plan{Stages: []load.Stage{{From: 10, To: 10, Length: 10 * time.Second}}, MaxInFlight: 1, Arrival: load.Arrival{Name: "constant"}}
	whole, err := open.Schedule()
	if err != nil {
		t.Fatal(err)
	}
	short := part(open, 0.05)
	first, err := short.Schedule()
	if err != nil || len(first.Due) != 5 || !cmp.Equal(first.Due, whole.Due[:5]) {
		t.Errorf("%v, %v, want the first 5 of %v", first, err, whole.Due[:10])
	}
}

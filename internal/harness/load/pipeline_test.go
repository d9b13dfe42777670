package load

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/cache"
	"github.com/org/perfgate/internal/harness/mockllm"
	"github.com/org/perfgate/internal/harness/pace"
)

// piped is a pipeline with a mock of its own.
type piped struct {
	mock  *mockllm.Server
	clock Clock
	s     Settings
}

func newPiped(t *testing.T, clock Clock, script mockllm.Script, backend string, caches int) *piped {
	t.Helper()
	mock, err := mockllm.New(mockllm.Config{Seed: 1, Script: script, Pacer: pace.By(clock)})
	if err != nil {
		t.Fatal(err)
	}
	return &piped{mock, clock, Settings{
		Target: "pipeline", LLM: InProcess(mock), URL: "http://mock", Tasks: 1, Caches: caches, Clock: clock,
		OpenCache: func(ctx context.Context, i int) (*cache.Store, error) {
			return cache.Open(ctx, cache.Config{Backend: backend, MaxEntries: 100, Now: clock.Now})
		},
	}}
}

// run makes one sample.
func (p *piped) run(t *testing.T, plan Plan) *Trace {
	t.Helper()
	trace, err := Sample(t.Context(), plan, p.s.Open, Options{Clock: p.clock, Begun: p.mock.Reset})
	if err != nil {
		t.Fatal(err)
	}
	trace.Attribute(func(run int) Calls {
		r := p.mock.RunStats(RunName(run))
		c := Calls{Count: r.Calls, Attempts: r.Attempts}
		for _, b := range r.Busy {
			c.Busy = append(c.Busy, Span(b))
		}
		return c
	})
	return trace
}

// fixed is a model that answers so fast.
func fixed(d time.Duration) mockllm.Script {
	return mockllm.Script{Model: mockllm.Model{TTFT: mockllm.Fixed(d), Tokens: mockllm.Count(2)}}
}

// The critical path is two calls of the plan, two rounds, one review; a cached plan spares its two, and who
// waits for another's plan neither works nor asks.
func TestPipelinePath(t *testing.T) {
	const call = 10 * time.Millisecond
	for _, tt := range []struct {
		name, backend               string
		caches, hits, calls, shared int
		p50, max                    time.Duration
	}{
		{"a cache for each worker", "memory", 10, 30, 300, 0, 3 * call, 5 * call},
		{"one cache", "memory", 1, 39, 282, 9, 3 * call, 5 * call},
		{"no cache", "none", 1, 0, 360, 0, 5 * call, 5 * call},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onClocks(t, func(t *testing.T, c Clock) {
				p := newPiped(t, c, fixed(call), tt.backend, tt.caches)
				trace := p.run(t, Plan{Runs: 40, Concurrency: 10})
				stats := p.mock.Stats()
				m := trace.Metrics(Scale{})
				if value(m, "cache-hits") != float64(tt.hits) || value(m, "cache-misses") != float64(40-tt.hits) || stats.Calls != tt.calls || trace.Usage.Coalesced != tt.shared {
					t.Errorf("%v hits, %v misses, %d calls, %d waited for another's plan; want %d, %d, %d, %d",
						value(m, "cache-hits"), value(m, "cache-misses"), stats.Calls, trace.Usage.Coalesced, tt.hits, 40-tt.hits, tt.calls, tt.shared)
				}
				if v, _ := trace.Quantile(0.5); v != tt.p50 {
					t.Errorf("p50 %v, want %v", v, tt.p50)
				}
				if v, _ := trace.Quantile(1); v != tt.max {
					t.Errorf("max %v, want %v", v, tt.max)
				}
				if v := value(m, "overhead-mean-sec"); v != 0 {
					t.Errorf("an overhead of %v s where nothing but the model takes time", v)
				}
			})
		})
	}
}

// Counts are the same however many workers there are and whoever is first, in real time too.
func TestPipelineCounts(t *testing.T) {
	t.Parallel()
	type counts struct {
		hits, misses float64
		stats        mockllm.Counters
	}
	script := mockllm.Script{
		Model:  mockllm.Model{Tokens: mockllm.Count(1)},
		Faults: []mockllm.Fault{{Kind: "500", Rate: 1, Select: mockllm.Select{Contains: "You are the tester.", On: []int{1}}, RetryAfter: time.Millisecond}},
	}
	for _, workers := range []int{1, 10, 50} {
		var want counts
		for i := range 20 {
			p := newPiped(t, realClock(t), script, "memory", 1)
			trace := p.run(t, Plan{Runs: 10, Concurrency: workers})
			m, stats := trace.Metrics(Scale{}), p.mock.Stats()
			got := counts{value(m, "cache-hits"), value(m, "cache-misses"), stats.Counters}
			if i == 0 {
				want = got
				if got.misses != 1 || stats.Calls != 72 || stats.Attempts != 82 {
					t.Errorf("%d workers: %+v", workers, got)
				}
			}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(counts{})); diff != "" {
				t.Fatalf("%d workers, repetition %d (-want +got):\n%s", workers, i, diff)
			}
		}
	}
}

// In virtual time all is the same to the nanosecond, delays that vary, failures and limits included.
func TestPipelineVirtualIsExact(t *testing.T) {
	t.Parallel()
	delay, err := mockllm.ParseDelay("lognormal:p50=20ms,p99=200ms", nil)
	if err != nil {
		t.Fatal(err)
	}
	script := fixed(0)
	script.Model.TTFT = delay
	script.Faults = []mockllm.Fault{{Kind: "429", Rate: 0.1, RetryAfter: 7 * time.Millisecond}, {Kind: "reset", Rate: 0.02}}
	plan := openPlan(rate(100, time.Second/2))
	plan.Arrival, plan.Timeout = Arrival{Name: "poisson"}, 250*time.Millisecond
	once := func() *Trace {
		c := NewVirtualClock()
		return newPiped(t, c, script, "memory", 3).run(t, plan)
	}
	first := once()
	if first.Count(OK) < 20 || first.Count(Timeout) < 3 {
		t.Fatalf("the test shows little: %v", first.Failures())
	}
	for range 20 {
		if diff := cmp.Diff(first.Records, once().Records); diff != "" {
			t.Fatalf("another run differs:\n%.2000s", diff)
		}
	}
}

// What may pass is tried again, as long as the server says or the SDKs would wait; what may not is not.
func TestPipelineRetries(t *testing.T) {
	for _, tt := range []struct {
		name, header, value string
		status, attempts    int
		least, most         time.Duration
	}{
		{"told in milliseconds", "Retry-After-Ms", "5", 429, 3, 10 * time.Millisecond, 10 * time.Millisecond},
		{"told in seconds", "Retry-After", "2", 503, 3, 4 * time.Second, 4 * time.Second},
		{"not told", "X", "", 500, 3, 1125 * time.Millisecond, 1500 * time.Millisecond},
		{"nonsense", "Retry-After-Ms", "NaN", 500, 3, 1125 * time.Millisecond, 1500 * time.Millisecond},
		{"not again", "X", "", 400, 1, 0, 0},
		{"no answer", "X", "", 200, 1, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onClocks(t, func(t *testing.T, c Clock) {
				var attempts atomic.Int64
				handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					attempts.Add(1)
					w.Header().Set(tt.header, tt.value)
					w.WriteHeader(tt.status)
				})
				p := newPiped(t, c, fixed(0), "memory", 1)
				p.s.LLM = InProcess(handler)
				trace, err := Sample(t.Context(), Plan{Runs: 1, Concurrency: 1}, p.s.Open, Options{Clock: c})
				if !IsInvalid(err) || trace.Records[0].Kind != Status {
					t.Errorf("%v", err)
				}
				if took := trace.Records[0].Latency(); took < tt.least || took > tt.most || attempts.Load() != int64(tt.attempts) {
					t.Errorf("%d attempts in %v, want %d in %v to %v", attempts.Load(), took, tt.attempts, tt.least, tt.most)
				}
			})
		})
	}
}

// A server that passes the trace on has its calls told apart.
func TestByTrace(t *testing.T) {
	var got []string
	h := ByTrace(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = append(got, r.URL.Path) }))
	for _, tt := range []struct{ path, parent string }{
		{"/v1/x", TraceParent(7)}, {"/v1/x", TraceParent(-1)}, {"/r/3/v1/x", TraceParent(7)}, {"/v1/x", ""}, {"/v1/x", "00-" + strings.Repeat("a", 32) + "-b-01"}, {"/v1/x", "x"},
	} {
		r := httptest.NewRequest("GET", tt.path, nil)
		r.Header.Set("Traceparent", tt.parent)
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	if diff := cmp.Diff([]string{"/r/7/v1/x", "/r/-1/v1/x", "/r/3/v1/x", "/v1/x", "/v1/x", "/v1/x"}, got); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
}

// A handler in the same process answers as one behind a connection would.
func TestInProcess(t *testing.T) {
	get := func(h http.HandlerFunc) (*http.Response, error) {
		return InProcess(h).RoundTrip(httptest.NewRequest("GET", "http://mock/x", nil))
	}
	resp, err := get(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("A", "b")
		io.WriteString(w, "hello")
		w.(http.Flusher).Flush()
	})
	if err != nil {
		t.Fatal(err)
	}
	if body, _ := io.ReadAll(resp.Body); string(body) != "hello" || resp.StatusCode != 200 || resp.Header.Get("A") != "b" || resp.ContentLength != 5 {
		t.Errorf("%+v, %q", resp, body)
	}
	if _, err := get(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a broken connection: %v", err)
	}
	if _, err := get(func(http.ResponseWriter, *http.Request) {}); err == nil {
		t.Error("no answer is no error")
	}
	defer func() {
		if recover() != "bug" {
			t.Error("a panic of the handler got lost")
		}
	}()
	get(func(http.ResponseWriter, *http.Request) { panic("bug") })
}

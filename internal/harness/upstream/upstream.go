// Package upstream puts a mock where a target's upstream is, and says afterwards which of its calls were whose.
//
// It decides neither what is offered, which is package load's, nor what is answered, which is package mockllm's.
package upstream

import (
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/org/perfgate/internal/harness/load"
	"github.com/org/perfgate/internal/harness/mockllm"
)

// Serve has the mock listen on loopback, for programs of their own.
func Serve(mock http.Handler) (url string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("the mocked upstream cannot listen: %w", err)
	}
	server := &http.Server{Handler: load.ByTrace(mock), ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.Serve(l) // ends with ErrServerClosed
	}()
	return "http://" + l.Addr().String(), func() { server.Close(); <-done }, nil
}

// Counts takes over what the mock counted, and tells the trace which calls were whose.
func Counts(mock *mockllm.Server, t *load.Trace) *load.Counts {
	stats := mock.Stats()
	counts := &load.Counts{
		Calls: stats.Calls, Attempts: stats.Attempts, InputTokens: stats.InputTokens, OutputTokens: stats.OutputTokens,
		ByModel: map[string]load.Tokens{},
	}
	for _, r := range stats.Routes {
		n := counts.ByModel[r.Model]
		n.Input += r.InputTokens
		n.Output += r.OutputTokens
		counts.ByModel[r.Model] = n
		counts.Routes = append(counts.Routes, routeCounts(r))
	}
	if mock.RunStats("").Attempts == 0 { // else some run's calls would look like its own work
		t.Attribute(func(run int) load.Calls {
			r := mock.RunStats(load.RunName(run))
			addRun(counts, len(t.Records), run, r.Routes)
			c := load.Calls{Count: r.Calls, Attempts: r.Attempts, Depth: r.Depth}
			for _, b := range r.Busy {
				c.Busy = append(c.Busy, load.Span(b))
			}
			return c
		})
	} else {
		t.Usage.Remarks = append(t.Usage.Remarks, "the overhead is not known: the target does not pass the trace of a request (the header traceparent) on to its upstream, so nobody knows which run made which call")
	}
	if late := stats.Lateness; late != nil && late.Answers > 0 {
		planned := stats.Planned / time.Duration(late.Answers)
		counts.Instant = planned < leastDelay
		judgeLateness(t, late, max(lateMock, planned/10))
	}
	return counts
}

func routeCounts(r mockllm.RouteStats) load.RouteCounts {
	c := load.RouteCounts{Route: mockllm.RequestLine(r.Route), Model: r.Model, Calls: r.Calls, Repeated: r.Repeated, Attempts: r.Attempts,
		InputTokens: r.InputTokens, CachedTokens: r.CachedTokens, OutputTokens: r.OutputTokens}
	for _, n := range r.Errors {
		c.Failures += n
	}
	return c
}

// addRun adds one run's calls, of so many runs.
func addRun(counts *load.Counts, runs, run int, routes []mockllm.RouteStats) {
	for _, r := range routes {
		line := mockllm.RequestLine(r.Route)
		for i := range counts.Routes {
			if c := &counts.Routes[i]; c.Route == line && c.Model == r.Model {
				if c.Runs == nil {
					c.Runs = make([]int, runs)
				}
				c.Runs[run] = r.Calls
			}
		}
	}
}

// leastDelay is how long answers must take for calls that are begun together to be under way together: a goroutine
// starts within much less.
const leastDelay = time.Millisecond

// lateMock is how late the mock may be without being worth a word, as may be a tenth of what it was to take.
const lateMock = 2 * time.Millisecond

// judgeLateness says that a trace's times are no sample where the mock answered later than it may: at p99, or at the median where
// the answers are too few for a p99. A few late answers of few are a remark.
func judgeLateness(t *load.Trace, late *mockllm.Lateness, most time.Duration) {
	text := func(quantile string, d time.Duration) string {
		return fmt.Sprintf("the mocked model answered %v later than planned (%s; %v would do): the machine is busy", d.Round(time.Microsecond), quantile, most)
	}
	switch n := int(late.Answers); {
	case n >= load.Needed(0.99) && late.P99 > most:
		t.Late = text("p99", late.P99)
	case n >= load.Needed(0.5) && late.P50 > most:
		t.Late = text("p50", late.P50)
	case late.P99 > most:
		t.Usage.Remarks = append(t.Usage.Remarks, text("p99", late.P99)+", and times say little")
	}
}

package load

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Calls is what the upstream saw of one run.
type Calls struct {
	// Count is what the target meant, Attempts are the requests that it took.
	Count, Attempts int
	// Depth is the most of them that came one after the other, each after the end of the one before.
	Depth int
	// Busy are the times during which at least one of them was under way, in ascending order: calls at
	// the same time count once.
	Busy []Span
}

// Span is from Start to End.
type Span struct{ Start, End time.Time }

// Counts is what the upstream saw of all runs together, those of warming up excepted.
type Counts struct {
	Calls, Attempts           int
	InputTokens, OutputTokens int
	ByModel                   map[string]Tokens
	// Routes are the same by route and model, in that order.
	Routes []RouteCounts
	// Instant says that answers came so fast that which calls were under way together is chance.
	Instant bool
}

// RouteCounts is what the upstream saw of a route and a model.
type RouteCounts struct {
	// Route is the request line, such as POST /v1/chat/completions.
	Route, Model string
	// Repeated are the calls that ask what their run had asked before. Failures are attempts without a whole answer.
	Calls, Repeated, Attempts, Failures     int
	InputTokens, CachedTokens, OutputTokens int
	// Runs are the calls of each run, by its number; nil where nobody knows which run made which call.
	Runs []int
}

// Tokens are those of one model.
type Tokens struct{ Input, Output int }

// Attribute gives each run that began its calls, which of looks up by the run's number.
func (t *Trace) Attribute(of func(run int) Calls) {
	for i := range t.Records {
		r := &t.Records[i]
		if r.Kind == NotStarted {
			continue
		}
		c := of(i)
		r.Upstream = &Waited{Calls: c.Count, Attempts: c.Attempts, Depth: c.Depth, Busy: within(c.Busy, t.Began.Add(time.Duration(r.Started)), t.Began.Add(time.Duration(r.Done)))}
	}
}

// Waited is what a run's upstream calls amounted to.
type Waited struct {
	Calls, Attempts, Depth int
	// Busy is how long at least one was under way while the run was.
	Busy time.Duration
}

// within is the length of the spans as far as it lies between from and to.
func within(spans []Span, from, to time.Time) (total time.Duration) {
	for _, s := range spans {
		if s.Start.Before(from) {
			s.Start = from
		}
		if s.End.After(to) {
			s.End = to
		}
		if s.End.After(s.Start) {
			total += s.End.Sub(s.Start)
		}
	}
	return total
}

// runPrefix begins the paths of upstream requests that belong to a run.
const runPrefix = "/r/"

// RunName is what the upstream knows a run by.
func RunName(run int) string { return strconv.Itoa(run) }

// RunPath begins the paths of a run's upstream requests.
func RunPath(run int) string { return runPrefix + RunName(run) }

// traceID begins the ids of traces that name a run: "perfgate" in ASCII.
const traceID = "7065726667617465"

// TraceParent is the header by which W3C trace context names a run. Runs of warming up are negative.
func TraceParent(run int) string {
	const digits = "0123456789abcdef"
	id := []byte("00-" + traceID + "0000000000000000-0000000000000001-01")
	for at, n := len("00-"+traceID)+15, uint64(run); n > 0; at, n = at-1, n>>4 {
		id[at] = digits[n&15]
	}
	return string(id)
}

// ByTrace stands before an upstream that tells runs apart by their paths, and gives the requests that carry
// a run's trace that path: a server answers many runs, and finds its upstream at one address.
func ByTrace(upstream http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if run, ok := runOf(r.Header.Get("Traceparent")); ok && !strings.HasPrefix(r.URL.Path, runPrefix) {
			r = r.Clone(r.Context())
			r.URL.Path, r.URL.RawPath = RunPath(run)+r.URL.Path, ""
		}
		upstream.ServeHTTP(w, r)
	})
}

func runOf(parent string) (run int, known bool) {
	parts := strings.Split(parent, "-")
	if len(parts) != 4 || len(parts[1]) != 32 {
		return 0, false
	}
	number, ok := strings.CutPrefix(parts[1], traceID)
	n, err := strconv.ParseUint(number, 16, 64)
	return int(int64(n)), ok && err == nil
}

package mockllm

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Counters are what is counted of calls. Of attempts that were answered, the tokens count; of those that
// were cut off in a stream, the tokens that were sent.
type Counters struct {
	Calls int `json:"calls"` // what the program meant: retries are not counted
	// Repeated are the calls that ask what their run had asked before.
	Repeated     int `json:"repeated,omitempty"`
	Attempts     int `json:"attempts"`
	Streams      int `json:"streams"` // attempts that asked for a stream
	ToolCalls    int `json:"tool_calls"`
	InputTokens  int `json:"input_tokens"`
	OutputTokens int `json:"output_tokens"`
	// The bodies of all requests that could be read, and of what was sent but for errors.
	InputBytes  int `json:"input_bytes"`
	OutputBytes int `json:"output_bytes"`
	// Errors are attempts without a whole answer, by kind: a status, reset, stall, truncate, or cancelled
	// where the client went away.
	Errors map[string]int `json:"errors,omitempty"`
	// Limited are the errors 429 that limits made.
	Limited int `json:"limited,omitempty"`
	// CachedTokens are those of InputTokens that a prompt cache held, WrittenTokens those that a request asked it to
	// keep.
	CachedTokens  int `json:"cached_tokens,omitempty"`
	WrittenTokens int `json:"cache_write_tokens,omitempty"`
	// Planned is the sum of the delays of all attempts that were answered.
	Planned time.Duration `json:"planned_ns"`
}

func (c *Counters) add(kind string) {
	if c.Errors == nil {
		c.Errors = map[string]int{}
	}
	c.Errors[kind]++
}

func (c Counters) clone() Counters {
	c.Errors = maps.Clone(c.Errors)
	return c
}

// RouteStats are the counters of a route and a model.
type RouteStats struct {
	Route string `json:"route"`
	Model string `json:"model"`
	Counters
}

// Span is a time during which at least one call was with the upstream. Times have the monotonic clock's
// reading as long as they stay in the process.
type Span struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// Lateness is how much later than planned answers were complete: the upstream's own inexactness.
type Lateness struct {
	Answers int64         `json:"answers"`
	P50     time.Duration `json:"p50_ns"`
	P99     time.Duration `json:"p99_ns"`
	Max     time.Duration `json:"max_ns"`
}

// Stats is what happened since the start or the last reset, in a run or in all.
type Stats struct {
	Counters
	Routes []RouteStats `json:"routes"` // by route and model
	// Busy are the times that the program spent with the upstream: overlapping calls are one span. What is
	// in flight lasts until now. Of a very long run only the last spans are kept; BusyTime is their sum
	// and that of all before.
	Busy     []Span        `json:"busy,omitempty"`
	BusyTime time.Duration `json:"busy_ns"`
	// Depth is the most calls that came one after the other, each after the end of the one before.
	Depth    int       `json:"depth"`
	Lateness *Lateness `json:"lateness,omitempty"` // of all runs together
}

// maxSpans bounds what is kept of a run: 24 MB.
const maxSpans = 1 << 19

// ledger counts what happens in a run. The server's lock guards it.
type ledger struct {
	counters map[[2]string]*Counters // by route and model
	active   int                     // calls in flight
	since    time.Time               // when the first of them came
	busy     []Span
	busyTime time.Duration
	depth    int                     // of the calls of which an attempt has ended
	lateness *hdrhistogram.Histogram // in microseconds; nil in the ledger of one run
}

func newLedger() *ledger { return &ledger{counters: map[[2]string]*Counters{}} }

// newTotal is the ledger of all runs.
func newTotal() *ledger {
	l := newLedger()
	l.lateness = hdrhistogram.New(1, maxDelay.Microseconds(), 2)
	return l
}

func (l *ledger) of(c *call) *Counters {
	k := [2]string{c.route.name, c.request.Model}
	if l.counters[k] == nil {
		l.counters[k] = &Counters{}
	}
	return l.counters[k]
}

// begin counts an attempt that has come.
func (l *ledger) begin(c *call, isNew bool) {
	n := l.of(c)
	n.Attempts++
	n.InputBytes += c.received
	if isNew {
		n.Calls++
		if c.logical.occurrence > 0 {
			n.Repeated++
		}
	}
	if c.request.Stream {
		n.Streams++
	}
	if l.active == 0 {
		l.since = c.arrived
	}
	l.active++
}

// end closes an attempt's span.
func (l *ledger) end(c *call, now time.Time) {
	if l.lateness == nil { // runs know nothing of each other, so all together have no depth
		l.depth = max(l.depth, c.logical.depth)
	}
	if l.active--; l.active > 0 {
		return
	}
	l.busyTime += now.Sub(l.since)
	if l.lateness != nil { // nobody asks for the spans of all runs
		return
	}
	if len(l.busy) == maxSpans {
		l.busy = append(l.busy[:0], l.busy[maxSpans/2:]...)
	}
	l.busy = append(l.busy, Span{l.since, now})
}

func (l *ledger) stats(now time.Time) Stats {
	s := Stats{Routes: []RouteStats{}, Busy: slices.Clone(l.busy), BusyTime: l.busyTime, Depth: l.depth}
	for k, n := range l.counters {
		s.Routes = append(s.Routes, RouteStats{k[0], k[1], n.clone()})
		s.sum(n)
	}
	slices.SortFunc(s.Routes, func(a, b RouteStats) int {
		return cmp.Or(cmp.Compare(a.Route, b.Route), cmp.Compare(a.Model, b.Model))
	})
	if l.active > 0 {
		s.Busy = append(s.Busy, Span{l.since, now})
		s.BusyTime += now.Sub(l.since)
	}
	return s
}

func (c *Counters) sum(other *Counters) {
	c.Calls += other.Calls
	c.Repeated += other.Repeated
	c.Attempts += other.Attempts
	c.Streams += other.Streams
	c.ToolCalls += other.ToolCalls
	c.InputTokens += other.InputTokens
	c.OutputTokens += other.OutputTokens
	c.InputBytes += other.InputBytes
	c.OutputBytes += other.OutputBytes
	c.Planned += other.Planned
	c.Limited += other.Limited
	c.CachedTokens += other.CachedTokens
	c.WrittenTokens += other.WrittenTokens
	for kind, n := range other.Errors {
		if c.Errors == nil {
			c.Errors = map[string]int{}
		}
		c.Errors[kind] += n
	}
}

// begin takes in an attempt: whose it is, and what becomes of it.
func (s *Server) begin(c *call, retryCount string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.state = s.run(c.run)
	isNew := c.state.identify(c, retryCount)
	c.ledgers = [2]*ledger{s.total, c.state.ledger}
	for _, l := range c.ledgers {
		l.begin(c, isNew)
	}
	s.lookUp(c)
}

// run is the named run's state. The caller holds the lock.
func (s *Server) run(name string) *run {
	r := s.runs[name]
	if r == nil {
		r = newRun(len(s.config.Faults), len(s.config.Replies))
		s.runs[name] = r
	}
	return r
}

// settle counts how an attempt ended: the kind of its failure, empty for an answer, and the tokens that
// were sent. It comes before the last byte is sent, so that who has the answer finds it counted.
func (s *Server) settle(c *call, failure string, sent int, late time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.outcome, c.sentTokens = failure, sent
	for _, l := range c.ledgers {
		n := l.of(c)
		n.OutputTokens += sent
		n.OutputBytes += c.sentBytes
		if failure != "" {
			n.add(failure)
			continue
		}
		n.InputTokens += c.inputTokens()
		n.CachedTokens += c.cached
		n.WrittenTokens += c.written
		n.Planned += c.total()
		if c.answer.tool != nil {
			n.ToolCalls++
		}
	}
	if failure != "" {
		if status, err := strconv.Atoi(failure); err != nil || retried(status) {
			c.state.fail(c)
		}
		return
	}
	c.remember()
	_ = c.ledgers[0].lateness.RecordValue(min(max(late, 0), maxDelay).Microseconds()) // within its bounds
}

// leave closes an attempt's span, once.
func (s *Server) leave(c *call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.ended {
		return
	}
	c.ended = true
	c.left = s.pacer.Now()
	for _, l := range c.ledgers {
		l.end(c, c.left)
	}
}

// Stats is what happened in all runs. It is without Busy: spans of different runs say nothing together,
// see [Server.RunStats].
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.total.stats(s.pacer.Now())
	stats.Busy = nil
	h := s.total.lateness
	at := func(quantile float64) time.Duration {
		return time.Duration(h.ValueAtQuantile(quantile)) * time.Microsecond
	}
	stats.Lateness = &Lateness{Answers: h.TotalCount(), P50: at(50), P99: at(99), Max: time.Duration(h.Max()) * time.Microsecond}
	return stats
}

// RunStats is what happened in the named run; the run without a name is that of all requests that name
// none. It is empty for a run that has not come.
func (s *Server) RunStats(name string) Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.runs[name]
	if r == nil {
		return newLedger().stats(s.pacer.Now())
	}
	return r.stats(s.pacer.Now())
}

// Reset forgets all runs: counters, and which calls have been. What is in flight is counted no more.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total, s.runs, s.prompts, s.buckets = newTotal(), map[string]*run{}, nil, map[limited]*buckets{}
}

// ResetRun forgets a run, which then begins anew. The counters of all runs keep what it had.
func (s *Server) ResetRun(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.runs, name)
}

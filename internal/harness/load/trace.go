package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Record is what is known of one run. Times are nanoseconds since the trace began, as they were taken.
type Record struct {
	// Due is when it was scheduled, Started when it began, Done when it ended. In a closed plan Due and
	// Started are the same. A run that never began has all three 0 and Kind NotStarted.
	Due, Started, Done int64
	// Kind is how it ended.
	Kind Kind
	// Err is why, empty where Kind is OK.
	Err string

	// FirstToken is when the first piece of content came, 0 where the answer was no stream. Gaps are the
	// times between the tokens that followed.
	FirstToken int64
	Gaps       []int64
	// Hits and Misses are its look-ups in the plan cache: those that were spared a computation, and the
	// others.
	Hits, Misses int
	// Shared is how long it waited for what another run was asking the upstream.
	Shared time.Duration
	// CPU and MaxRSS are the process's own, of a target that has one for each run.
	CPU    time.Duration
	MaxRSS int64
	// Upstream is what its calls amounted to, nil where nobody could tell whose calls they were.
	Upstream *Waited
}

// Latency is from when the run was due to its end.
func (r *Record) Latency() time.Duration { return time.Duration(r.Done - r.Due) }

// Lag is how late it began.
func (r *Record) Lag() time.Duration { return time.Duration(r.Started - r.Due) }

// Service is from its beginning to its end.
func (r *Record) Service() time.Duration { return time.Duration(r.Done - r.Started) }

// Kind is how a run ended.
type Kind string

// The kinds. A run that is not OK is counted under its kind, and its latency stays among the others.
const (
	OK         Kind = "ok"
	Timeout    Kind = "timeout"     // its own limit
	Connection Kind = "connection"  // refused, reset, closed too early
	Status     Kind = "status"      // an answer that is an error
	Exit       Kind = "exit"        // a process that failed
	Other      Kind = "other"       // any other failure
	Incomplete Kind = "incomplete"  // it was cut off at the end of the grace, or by an interrupt
	NotStarted Kind = "not-started" // the trace ended before it could begin
)

// Kinds are the ways in which a run can fail, in the order of display.
var Kinds = []Kind{Timeout, Connection, Status, Exit, Other, Incomplete, NotStarted}

// KindError is an error whose kind the target knows.
type KindError struct {
	Kind Kind
	Err  error
}

func (e *KindError) Error() string { return e.Err.Error() }
func (e *KindError) Unwrap() error { return e.Err }

// kindOf sorts the error that a run ended with.
func kindOf(err error) Kind {
	var known *KindError
	var op *net.OpError
	switch {
	case errors.As(err, &known):
		return known.Kind
	case errors.Is(err, context.DeadlineExceeded):
		return Timeout
	case errors.Is(err, context.Canceled):
		return Incomplete
	case errors.As(err, &op), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return Connection
	}
	return Other
}

// Trace is what became of a plan: one sample of every metric.
type Trace struct {
	Plan     Plan
	Schedule *Schedule
	// Records are the runs by number.
	Records []Record
	// Began is when the first run was due; Wall is from then to the end of the last one.
	Began time.Time
	Wall  time.Duration
	// Invalid says why the load was not what the plan says. Such a trace is no sample.
	Invalid []string
	// Unfit says why the machine could not offer it as planned, for which no target is to blame. Such a trace is no
	// sample either.
	Unfit []string
	// Late says that the upstream answered later than planned, empty where it did not: times are longer than the
	// target's and the plan's, counts hold.
	Late string
	// Partial says that it was interrupted.
	Partial bool
	// Usage is what the target said when it was closed.
	Usage Usage
}

// Count is the number of records of a kind.
func (t *Trace) Count(k Kind) int {
	n := 0
	for i := range t.Records {
		if t.Records[i].Kind == k {
			n++
		}
	}
	return n
}

// Failures counts the runs that did not end well, by kind, with the first one's words: "timeout 3 (…)".
func (t *Trace) Failures() []string {
	var out []string
	for _, k := range Kinds {
		if n := t.Count(k); n > 0 {
			i := slices.IndexFunc(t.Records, func(r Record) bool { return r.Kind == k })
			text := fmt.Sprintf("%s %d", k, n)
			if e := t.Records[i].Err; e != "" {
				text += fmt.Sprintf(" (run %d: %s)", i, e)
			}
			out = append(out, text)
		}
	}
	return out
}

// InvalidError says that a trace is no sample.
type InvalidError struct {
	Reasons []string
	// Unfit says that all of them are the machine's doing.
	Unfit bool
}

func (e *InvalidError) Error() string {
	return "the load was not what the plan says: " + strings.Join(e.Reasons, "; ")
}

// Err is the reason why the trace is no sample, nil where it is one.
func (t *Trace) Err() error {
	if len(t.Invalid)+len(t.Unfit) == 0 {
		return nil
	}
	return &InvalidError{slices.Concat(t.Invalid, t.Unfit), len(t.Invalid) == 0}
}

// Timely is the reason why the trace's times are no sample, nil where they are one.
func (t *Trace) Timely() error {
	if err := t.Err(); err != nil || t.Late == "" {
		return err
	}
	return &InvalidError{[]string{t.Late}, true}
}

// conclude says how long the trace is, and adds what the records say against it. It goes through them once: of a million
// runs each further time costs more than the clock.
func (t *Trace) conclude() {
	began, ok, incomplete := 0, 0, 0
	for i := range t.Records {
		r := &t.Records[i]
		t.Wall = max(t.Wall, time.Duration(r.Done))
		switch r.Kind {
		case NotStarted:
			continue
		case OK:
			ok++
		case Incomplete:
			incomplete++
		}
		began++
	}
	if began > 0 && ok == 0 && !t.Partial {
		t.Invalid = append(t.Invalid, "no run succeeded: "+strings.Join(t.Failures(), ", "))
	}
	if incomplete > 0 && !t.Partial {
		t.Invalid = append(t.Invalid, fmt.Sprintf("%d runs were cut off %v after the last arrival; raise --grace or offer less", incomplete, t.Plan.Grace))
	}
	if !t.Plan.Open() {
		return
	}
	lags, latencies := t.values((*Record).Lag), t.values((*Record).Latency)
	if len(lags) == 0 {
		return
	}
	lag := nearestRank(lags, 0.99)
	if most := max(time.Millisecond, nearestRank(latencies, 0.5)/20); lag > most {
		t.Unfit = append(t.Unfit, fmt.Sprintf("the generator could not keep up: runs began up to %v late (p99; %v would do); offer less, or leave the machine alone", lag.Round(time.Microsecond), most.Round(time.Microsecond)))
	}
}

// values are those of the runs that began, ascending.
func (t *Trace) values(of func(*Record) time.Duration) []time.Duration {
	out := make([]time.Duration, 0, len(t.Records))
	for i := range t.Records {
		if r := &t.Records[i]; r.Kind != NotStarted {
			out = append(out, of(r))
		}
	}
	slices.Sort(out)
	return out
}

// Package load offers work to a target on a schedule and records what came of it: closed, where so many
// workers each wait for their run to end, and open, where arrivals come whether or not the last one is
// answered.
//
// It decides all times before the first run, from a seed. It never drops an arrival, never invents one and
// never leaves out how long one had to wait: what it cannot offer as planned makes the whole trace invalid.
// It judges nothing; a [Trace] becomes the metrics of one sample, because the independent repetition is the
// whole run and not one request of it.
package load

import (
	"context"
	"fmt"
	"time"
)

// Target is what the load is offered to.
type Target interface {
	// Do makes one run and notes in r what only the target can know. n is the run's number, counted from
	// 0; warm-up runs have negative ones. An error is the run's failure and not the trace's. Do is called
	// from many goroutines at once.
	Do(ctx context.Context, n int, r *Record) error
	// Close ends what the target has started, waits for it and says what is known of the whole.
	Close() (Usage, error)
}

// Usage is what a target knows of all its runs together.
type Usage struct {
	// Startup is how long it took to be ready, 0 where perfgate did not start it.
	Startup time.Duration
	// CPU and MaxRSS, in bytes, are those of a target that is one process for all runs, 0 where it is not
	// perfgate's child.
	CPU    time.Duration
	MaxRSS int64
	// Coalesced are look-ups in the plan cache that were answered from what another run was computing.
	Coalesced int
	// Remarks are what the report must say about the target, such as that its cache had to do without its
	// server.
	Remarks []string
}

// Plan says how load is offered. Where neither Stages nor Burst nor Replay is set it is closed: Runs runs by
// Concurrency workers. Otherwise it is open.
type Plan struct {
	// Runs is how many runs a closed plan makes, and the most that an open one does, 0 for all that its
	// stages hold.
	Runs int
	// Concurrency is the number of workers of a closed plan.
	Concurrency int
	// Think is how long a worker pauses between two of its runs.
	Think time.Duration
	// Chunks splits the runs of a closed plan into so many consecutive blocks of the same size as far as
	// possible, with Pause between two of them and none after the last. 0 and 1 are the same.
	Chunks int
	Pause  time.Duration

	// Stages are the rates of an open plan, one after the other.
	Stages []Stage
	// Arrival is how arrivals scatter about the rate.
	Arrival Arrival
	// Burst, in place of Stages, has groups of runs arrive at the same moment.
	Burst *Burst
	// Replay, in place of Stages, are the times when runs are due, in ascending order.
	Replay []time.Duration
	// Grace is how long after the last arrival what is still running may go on.
	Grace time.Duration
	// MaxInFlight bounds the open runs that are under way at once. Reaching it makes the trace invalid.
	MaxInFlight int

	// Timeout limits one run, from its start, 0 for no limit.
	Timeout time.Duration
	// Warmup is how many runs are made, and not recorded, before the first: one after the other in an open
	// plan, by the workers in a closed one.
	Warmup int
	// Seed decides all that is random.
	Seed uint64
}

// Open reports whether the plan offers runs by the clock.
func (p *Plan) Open() bool { return len(p.Stages) > 0 || p.Burst != nil || p.Replay != nil }

// The limits that a plan starts from.
const (
	DefaultMaxInFlight = 10_000
	DefaultGrace       = 30 * time.Second
	DefaultTimeout     = 30 * time.Second
)

// maxRuns bounds a schedule: it is held in memory, as are the records of all runs.
const maxRuns = 1_000_000

// FieldError is a plan or a target that cannot be used.
type FieldError struct {
	// Field is the setting at fault, as the command line calls it.
	Field string
	Msg   string
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Msg }

func fieldErrorf(field, format string, args ...any) error {
	return &FieldError{Field: field, Msg: fmt.Sprintf(format, args...)}
}

// check finds what no plan can mean.
func (p *Plan) check() error {
	for _, d := range []struct {
		field string
		value time.Duration
	}{{"think", p.Think}, {"pause", p.Pause}, {"grace", p.Grace}, {"timeout", p.Timeout}} {
		if d.value < 0 {
			return fieldErrorf(d.field, "%v is less than nothing", d.value)
		}
	}
	switch {
	case p.Runs > maxRuns:
		return fieldErrorf("runs", "%d are more than the %d that one schedule may have", p.Runs, maxRuns)
	case p.Warmup < 0 || p.Warmup > maxRuns:
		return fieldErrorf("warmup", "%d: want at least 0 and at most %d", p.Warmup, maxRuns)
	case p.Open():
		return p.checkOpen()
	case p.Runs < 1:
		return fieldErrorf("runs", "%d: want at least 1", p.Runs)
	case p.Concurrency < 1:
		return fieldErrorf("concurrency", "%d: nobody would make the runs; want at least 1", p.Concurrency)
	case p.Chunks < 0 || p.Chunks > p.Runs:
		return fieldErrorf("chunks", "%d: want at most one for each of the %d runs", p.Chunks, p.Runs)
	}
	return nil
}

func (p *Plan) checkOpen() error {
	switch {
	case len(p.Stages) > 0 && p.Burst != nil:
		return fieldErrorf("burst", "bursts and rates are two plans; give one of them")
	case p.Replay != nil && (len(p.Stages) > 0 || p.Burst != nil):
		return fieldErrorf("replay", "recorded arrivals have their own times; leave rates and bursts out")
	case p.Runs < 0:
		return fieldErrorf("runs", "%d: want at least 1", p.Runs)
	case p.Chunks > 1 || p.Think > 0:
		return fieldErrorf("chunks", "chunks and pauses belong to workers; an open plan has rates, stages and bursts")
	case p.MaxInFlight < 1:
		return fieldErrorf("max-inflight", "%d: want at least 1", p.MaxInFlight)
	case p.Burst != nil:
		return p.Burst.check()
	case p.Replay != nil:
		return nil // ReadReplay has seen to it
	}
	total := 0.0
	for _, s := range p.Stages {
		if err := s.check(); err != nil {
			return err
		}
		total += s.runs()
	}
	if total > maxRuns {
		return fieldErrorf("duration", "%.0f runs are more than the %d that one schedule may have", total, maxRuns)
	}
	return p.Arrival.check()
}

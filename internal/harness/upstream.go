package harness

import (
	"fmt"
	"sync/atomic"

	"github.com/org/perfgate/internal/result"
)

// Upstream answers what benchmarks call, and counts it. Each of their processes is a run of its own: base and head
// get the same answers to the same calls.
type Upstream struct {
	// Environ are the variables that lead the process of a run to it.
	Environ func(run string) []string
	// Counts are what a run has asked for so far.
	Counts func(run string) UpstreamCounts
	// Scenario is what it answers: what calls another one is not comparable.
	Scenario string

	runs atomic.Uint64
}

// UpstreamCounts are what was asked of an upstream: calls, the attempts that they took, and tokens.
type UpstreamCounts struct{ Calls, Attempts, InputTokens, OutputTokens int }

// next names a run. All names have the same length, since that moves the process's stack.
func (u *Upstream) next() string { return fmt.Sprintf("%08d", u.runs.Add(1)) }

// scenario is what it answers, nothing where there is none.
func (u *Upstream) scenario() string {
	if u == nil {
		return ""
	}
	return u.Scenario
}

// asked is what a side's process has asked for so far.
func (w *walk) asked(side Side) UpstreamCounts {
	if u := w.r.suite.Upstream; u != nil {
		return u.Counts(w.at[side].run)
	}
	return UpstreamCounts{}
}

// minus is what was asked since other.
func (c UpstreamCounts) minus(other UpstreamCounts) UpstreamCounts {
	return UpstreamCounts{c.Calls - other.Calls, c.Attempts - other.Attempts, c.InputTokens - other.InputTokens, c.OutputTokens - other.OutputTokens}
}

// perOperation are the metrics of an operation, where so many of them were counted by runs of n and more. Who asks
// for nothing has that to say, and nothing of attempts and tokens.
func (c UpstreamCounts) perOperation(operations, n int, asks bool) []*result.Metric {
	values := []struct {
		unit  string
		count int
	}{{result.UpstreamCalls, c.Calls}, {result.UpstreamAttempts, c.Attempts}, {result.UpstreamInput, c.InputTokens}, {result.UpstreamOutput, c.OutputTokens}}
	if !asks {
		values = values[:1]
	}
	var all []*result.Metric
	for _, v := range values {
		all = append(all, &result.Metric{Unit: result.UnitOf(v.unit), Samples: []result.Sample{{Value: float64(v.count) / float64(operations), Iters: n}}})
	}
	return all
}

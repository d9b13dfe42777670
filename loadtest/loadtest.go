// Package loadtest offers load to a program's own Go code, as `perfgate load` does to whole programs, with a
// model whose answers are mocked.
//
// In a benchmark, [Bench] carries a plan out and reports its metrics: latency, throughput, calls to the model,
// tokens and the code's own overhead, which `perfgate check` compares as it does all metrics of a benchmark. In a
// test, [Virtual] carries the same plan out in a bubble of testing/synctest: mocked delays cost nothing, and all
// times are exact to the nanosecond, however busy the machine is.
//
// Units, and how each is defined, are those of docs/load.md: seconds, counts, and quantiles by the nearest rank,
// as far as enough runs support them.
package loadtest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/org/perfgate/internal/harness/load"
	"github.com/org/perfgate/internal/harness/mockllm"
	"github.com/org/perfgate/internal/harness/pace"
	"github.com/org/perfgate/internal/harness/upstream"
)

// Plan says how load is offered. Without a Rate it is closed: Runs runs by Concurrency workers, each of which
// begins the next when its last has ended. With one it is open: runs begin by the clock for Duration, whatever
// became of the others, and their latency counts from when they were due.
type Plan struct {
	Runs        int // of a closed plan; 20 where 0
	Concurrency int // of a closed plan; 10 where 0

	Rate     float64 // runs a second
	Duration time.Duration
	// Arrival is how the runs of a Rate scatter about it: "constant", which is the default, "poisson" or
	// "gamma:SHAPE".
	Arrival string

	// Warmup is how many runs are made, and not recorded, before the first.
	Warmup int
	// Timeout limits one run: its context ends. 30 s where 0.
	Timeout time.Duration
	// Seed decides all that is random. The same Seed gives the same arrivals and the same answers.
	Seed  uint64
	Model Model
}

// Model is how a mocked model answers. Delays are durations, or distributions such as
// "lognormal:p50=120ms,p99=400ms"; docs/mock.md lists them. An empty text is a delay of none.
type Model struct {
	Latency string // of the first token
	ITL     string // of each further token
	Tokens  string // of an answer, 32 where empty
	// Script is a file, YAML or JSON, that says more: models, replies, faults. The texts above win over it.
	Script string
}

// Run is one of a plan's runs.
type Run struct {
	// Number counts from 0. Those of warming up are negative.
	Number int
	// URL is where the mocked model is, for this run alone. OpenAI's clients want URL + "/v1" as their base URL,
	// Anthropic's want URL.
	URL string
	// Client carries requests to the mocked model, and to nothing else. Streams are whole when their first byte
	// is read.
	Client *http.Client

	record *load.Record
}

// Hit notes that a look-up in the code's cache spared a computation.
func (r *Run) Hit() { r.record.Hits++ }

// Miss notes one that did not.
func (r *Run) Miss() { r.record.Misses++ }

// Func makes one run. It is called from many goroutines at once. An error is that run's failure: it is counted, and
// the others go on.
type Func func(ctx context.Context, r *Run) error

// Bench carries the plan out once an iteration and reports, of each metric, the mean over the iterations that have
// it. A plan that is none, and a load that was not what the plan says, fail the benchmark. An iteration in which the
// machine began runs late is void, for which no code is to blame: it is logged and done again, three times in all.
func Bench(b *testing.B, plan Plan, fn Func) {
	b.Helper()
	pacer, err := pace.New()
	if err != nil {
		b.Fatal(err)
	}
	defer pacer.Close()
	sums, times := map[string]float64{}, map[string]int{}
	for b.Loop() {
		r, err := again(b.Log, func() (*Result, error) { return carryOut(b.Context(), plan, fn, pacer) })
		if err != nil {
			b.Fatal(err)
		}
		for _, f := range slices.Concat(r.Failures(), r.trace.Usage.Remarks) {
			b.Log(f)
		}
		if r.trace.Late != "" {
			b.Log(r.trace.Late)
		}
		for _, m := range r.metrics {
			sums[m.Unit] += m.Value
			times[m.Unit]++
		}
	}
	for unit, sum := range sums {
		b.ReportMetric(sum/float64(times[unit]), unit)
	}
}

// tries is how often an iteration is begun, of which the machine makes all but the last void.
const tries = 3

// again carries a plan out once more where the machine could not offer its load, and no code is to blame.
func again(log func(...any), once func() (*Result, error)) (*Result, error) {
	for try := 1; ; try++ {
		r, err := once()
		var invalid *load.InvalidError
		if try == tries || !errors.As(err, &invalid) || !invalid.Unfit {
			return r, err
		}
		log("void: " + err.Error())
	}
}

// Virtual carries the plan out in a bubble of testing/synctest and returns what came of it. The code must not
// wait for anything outside of the bubble, such as the network. A plan that is none, and a load that was not what
// the plan says, fail the test.
func Virtual(t *testing.T, plan Plan, fn Func) *Result {
	t.Helper()
	var r *Result
	synctest.Test(t, func(t *testing.T) {
		pacer := pace.Portable()
		defer pacer.Close()
		var err error
		if r, err = carryOut(t.Context(), plan, fn, pacer); err != nil {
			t.Fatal(err)
		}
	})
	return r
}

// Result is what came of a plan.
type Result struct {
	trace   *load.Trace
	metrics []load.Metric
}

// Metric is the value of a metric, in seconds or as a count, and whether there is one: a quantile that too few runs
// support is none.
func (r *Result) Metric(unit string) (value float64, ok bool) {
	for _, m := range r.metrics {
		if m.Unit == unit {
			return m.Value, true
		}
	}
	return 0, false
}

// Quantile is the nearest rank of the runs' latency, such as 0.95 for p95, however few they are.
func (r *Result) Quantile(q float64) time.Duration {
	d, _ := r.trace.Quantile(q)
	return d
}

// Wall is from the first run's beginning to the last one's end.
func (r *Result) Wall() time.Duration { return r.trace.Wall }

// Failures count the runs that did not end well, by kind, each with the first one's error.
func (r *Result) Failures() []string { return r.trace.Failures() }

// carryOut carries a plan out once, with a mocked model of its own.
func carryOut(ctx context.Context, plan Plan, fn Func, pacer *pace.Pacer) (*Result, error) {
	config, err := plan.Model.config(plan.Seed)
	if err != nil {
		return nil, err
	}
	config.Pacer = pacer
	mock, err := mockllm.New(config)
	if err != nil {
		return nil, fmt.Errorf("loadtest: the mocked model: %w", err)
	}
	defer mock.Close()
	target := target{fn, &http.Client{Transport: load.InProcess(mock)}}
	offered, err := plan.load()
	if err != nil {
		return nil, fmt.Errorf("loadtest: %w", err)
	}
	trace, err := load.Run(ctx, offered, target, load.Options{Clock: &load.RealClock{Pacer: pacer}, Begun: mock.Reset})
	if err != nil {
		return nil, fmt.Errorf("loadtest: %w", err)
	}
	counts := upstream.Counts(mock, trace)
	return &Result{trace, trace.Metrics(load.Scale{Upstream: counts})}, nil
}

// load is the plan in the words of package load.
func (p Plan) load() (out load.Plan, err error) {
	out = load.Plan{Runs: p.Runs, Concurrency: p.Concurrency, Warmup: p.Warmup, Timeout: p.Timeout, Seed: p.Seed}
	if out.Timeout == 0 {
		out.Timeout = load.DefaultTimeout
	}
	if p.Rate != 0 || p.Duration != 0 {
		out.Stages = []load.Stage{{From: p.Rate, To: p.Rate, Length: p.Duration}}
		out.MaxInFlight, out.Grace = load.DefaultMaxInFlight, load.DefaultGrace
		if p.Arrival != "" {
			out.Arrival, err = load.ParseArrival(p.Arrival)
		}
		return out, err
	}
	if out.Runs == 0 {
		out.Runs = defaultRuns
	}
	if out.Concurrency == 0 {
		out.Concurrency = defaultConcurrency
	}
	return out, nil
}

// The defaults are those of perfgate load.
const (
	defaultRuns        = 20
	defaultConcurrency = 10
)

// config reads what the model does.
func (m Model) config(seed uint64) (mockllm.Config, error) {
	c := mockllm.Config{Seed: seed}
	if m.Script != "" {
		script, err := mockllm.ReadScriptFile(m.Script, os.ReadFile)
		if err != nil {
			return c, fmt.Errorf("loadtest: Model.Script: %w", err)
		}
		c.Script = *script
	}
	var errs []error
	for _, part := range []struct{ field, name, text string }{{"Latency", "ttft", m.Latency}, {"ITL", "itl", m.ITL}, {"Tokens", "tokens", m.Tokens}} {
		if part.text == "" {
			continue
		}
		if err := c.Set(part.name, part.text, os.ReadFile); err != nil {
			errs = append(errs, fmt.Errorf("loadtest: Model.%s: %w", part.field, err))
		}
	}
	return c, errors.Join(errs...)
}

// target is a function.
type target struct {
	fn     Func
	client *http.Client
}

// Do makes one run.
func (t target) Do(ctx context.Context, n int, r *load.Record) error {
	return t.fn(ctx, &Run{Number: n, URL: "http://mock" + load.RunPath(n), Client: t.client, record: r})
}

// Close has nothing to end.
func (t target) Close() (load.Usage, error) { return load.Usage{}, nil }

package loadtest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/harness/load"
	"github.com/org/perfgate/internal/harness/pace"
)

// ask asks the model, which is an error where its answer is one.
func ask(ctx context.Context, r *Run, question string) error {
	body := fmt.Sprintf(`{"model": "gpt-mock", "messages": [{"role": "user", "content": %q}]}`, question)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := r.Client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return nil
}

// retried asks as often as the official clients do.
func retried(ctx context.Context, r *Run, question string) (err error) {
	for range 3 {
		if err = ask(ctx, r, question); err == nil || ctx.Err() != nil {
			return err
		}
	}
	return err
}

// agent asks three questions: two at the same time, and then one on what came of them, which a cache knows for
// every other run.
func agent(ctx context.Context, r *Run) error {
	errs := make([]error, 2)
	var both sync.WaitGroup
	for i := range errs {
		both.Go(func() { errs[i] = retried(ctx, r, fmt.Sprint("question ", i)) })
	}
	both.Wait()
	if err := errors.Join(errs...); err != nil || r.Number%2 == 1 {
		r.Hit()
		return err
	}
	r.Miss()
	return retried(ctx, r, "the rest")
}

func values(r *Result, units ...string) map[string]float64 {
	out := map[string]float64{}
	for _, u := range units {
		if v, ok := r.Metric(u); ok {
			out[u] = v
		}
	}
	return out
}

// In virtual time a plan takes what its waiting adds up to, to the nanosecond, and what its code does shows as it is: a
// call in sequence, a further call, a cache that no longer hits and a retry that is gone.
func TestVirtual(t *testing.T) {
	serial := func(ctx context.Context, r *Run) error {
		for i := range 3 {
			if err := ask(ctx, r, fmt.Sprint("question ", i)); err != nil {
				return err
			}
		}
		return nil
	}
	for _, tt := range []struct {
		name string
		plan Plan
		fn   Func
		want map[string]float64
		wall time.Duration
	}{
		{"in parallel", Plan{}, agent,
			map[string]float64{"p50-sec": 0.01, "mean-sec": 0.015, "max-sec": 0.02, "overhead-mean-sec": 0, "upstream-calls": 50, "upstream-attempts": 50, "cache-hits": 10, "cache-misses": 10}, 40 * time.Millisecond},
		{"in sequence", Plan{}, serial,
			map[string]float64{"p50-sec": 0.03, "mean-sec": 0.03, "max-sec": 0.03, "overhead-mean-sec": 0, "upstream-calls": 60, "upstream-attempts": 60}, 60 * time.Millisecond},
		{"more workers", Plan{Concurrency: 20}, serial,
			map[string]float64{"p50-sec": 0.03, "mean-sec": 0.03, "max-sec": 0.03, "overhead-mean-sec": 0, "upstream-calls": 60, "upstream-attempts": 60}, 30 * time.Millisecond},
		{"by the clock", Plan{Rate: 100, Duration: time.Second}, serial,
			map[string]float64{"p50-sec": 0.03, "p90-sec": 0.03, "mean-sec": 0.03, "max-sec": 0.03, "overhead-mean-sec": 0, "upstream-calls": 300, "upstream-attempts": 300}, 1020 * time.Millisecond},
		{"warmed up", Plan{Runs: 40, Warmup: 7}, agent,
			map[string]float64{"p50-sec": 0.01, "mean-sec": 0.015, "max-sec": 0.02, "overhead-mean-sec": 0, "upstream-calls": 100, "upstream-attempts": 100, "cache-hits": 20, "cache-misses": 20}, 70 * time.Millisecond},
		{"with work of its own", Plan{}, func(ctx context.Context, r *Run) error { time.Sleep(5 * time.Millisecond); return serial(ctx, r) },
			map[string]float64{"p50-sec": 0.035, "mean-sec": 0.035, "max-sec": 0.035, "overhead-mean-sec": 0.005, "upstream-calls": 60, "upstream-attempts": 60}, 70 * time.Millisecond},
		{"with retries", Plan{Model: Model{Script: "testdata/faults.yaml"}}, agent,
			map[string]float64{"p50-sec": 0.01, "mean-sec": 0.015, "max-sec": 0.02, "overhead-mean-sec": 0, "upstream-calls": 50, "upstream-attempts": 70, "cache-hits": 10, "cache-misses": 10}, 40 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.plan.Model.Latency = "10ms"
			for range 5 {
				r := Virtual(t, tt.plan, tt.fn)
				units := []string{"p50-sec", "p90-sec", "mean-sec", "max-sec", "overhead-mean-sec", "upstream-calls", "upstream-attempts", "cache-hits", "cache-misses"}
				if diff := cmp.Diff(tt.want, values(r, units...)); diff != "" {
					t.Fatalf("metrics (-want +got):\n%s", diff)
				}
				if r.Wall() != tt.wall || len(r.Failures()) > 0 {
					t.Errorf("it took %v, want %v; failures %q", r.Wall(), tt.wall, r.Failures())
				}
			}
		})
	}
}

// Without the retry of its client the runs fail, and are counted.
func TestFailures(t *testing.T) {
	r := Virtual(t, Plan{Model: Model{Script: "testdata/faults.yaml"}}, func(ctx context.Context, r *Run) error {
		if r.Number < 5 {
			return ask(ctx, r, "question 1")
		}
		return retried(ctx, r, "question 1")
	})
	if diff := cmp.Diff([]string{"other 5 (run 0: 429 Too Many Requests)"}, r.Failures()); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
	if share, ok := r.Metric("error-share"); share != 0.25 || !ok || r.Quantile(0.9) != 0 {
		t.Errorf("error-share %v, p90 %v, want 0.25 and no time at all", share, r.Quantile(0.9))
	}
}

// Runs of warming up are made first, and nobody counts them.
func TestWarmup(t *testing.T) {
	warm := 0
	r := Virtual(t, Plan{Runs: 3, Concurrency: 1, Warmup: 2, Model: Model{Latency: "1ms"}}, func(ctx context.Context, r *Run) error {
		if r.Number < 0 {
			warm++
		}
		return ask(ctx, r, "question")
	})
	if calls, _ := r.Metric("upstream-calls"); warm != 2 || calls != 3 {
		t.Errorf("%d runs of warming up and %v calls, want 2 and 3", warm, calls)
	}
}

// A run that outlasts its time ends, and counts as a timeout.
func TestTimeout(t *testing.T) {
	r := Virtual(t, Plan{Runs: 2, Timeout: time.Second, Model: Model{Latency: "500ms"}}, func(ctx context.Context, r *Run) error {
		for range 1 + 2*r.Number {
			if err := ask(ctx, r, "question"); err != nil {
				return err
			}
		}
		return nil
	})
	if diff := cmp.Diff([]string{"timeout 1 (run 1: no end within its time)"}, r.Failures()); diff != "" || r.Quantile(1) != time.Second {
		t.Errorf("the longest took %v, failures (-want +got):\n%s", r.Quantile(1), diff)
	}
}

// What is no plan is said by the field at fault, and a load without a success is no sample.
func TestErrors(t *testing.T) {
	fails := func(context.Context, *Run) error { return errors.New("no") }
	for want, plan := range map[string]Plan{
		`loadtest: runs: -1: want at least 1`:                                                   {Runs: -1},
		`loadtest: concurrency: -1: nobody would make the runs; want at least 1`:                {Concurrency: -1},
		`loadtest: duration: 0s: want more than nothing`:                                        {Rate: 5},
		`loadtest: arrival: "even" is none of constant, poisson, gamma`:                         {Rate: 5, Duration: time.Second, Arrival: "even"},
		`loadtest: Model.Latency: `:                                                             {Model: Model{Latency: "soon"}},
		`loadtest: Model.Tokens: `:                                                              {Model: Model{Tokens: "-1"}},
		`loadtest: Model.Script: open nosuch.yaml: `:                                            {Model: Model{Script: "nosuch.yaml"}},
		`loadtest: the load was not what the plan says: no run succeeded: other 20 (run 0: no)`: {},
	} {
		pacer := pace.Portable()
		if _, err := carryOut(t.Context(), plan, fails, pacer); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%+v: %v, want %s…", plan, err, want)
		}
		pacer.Close()
	}
}

// A benchmark reports the metrics, each as the mean of its iterations.
func TestBench(t *testing.T) {
	old := flag.Lookup("test.benchtime").Value.String()
	if err := flag.Set("test.benchtime", "3x"); err != nil {
		t.Fatal(err)
	}
	defer flag.Set("test.benchtime", old)
	misses := 0
	r := testing.Benchmark(func(b *testing.B) {
		misses = 0
		Bench(b, Plan{Runs: 20, Concurrency: 2, Model: Model{Latency: "100us"}}, func(ctx context.Context, r *Run) error {
			if r.Number == 0 {
				if misses++; misses == 3 { // of the third iteration
					r.Miss()
				}
			}
			return ask(ctx, r, "question")
		})
	})
	if r.N != 3 || r.Extra["upstream-calls"] != 20 || r.Extra["cache-misses"] != 1 || !(r.Extra["p50-sec"] >= 1e-4) || r.Extra["p99-sec"] != 0 {
		t.Errorf("%d iterations, %v", r.N, r.Extra)
	}
	r = testing.Benchmark(func(b *testing.B) { Bench(b, Plan{Runs: -1}, nil) })
	if r.N != 0 && len(r.Extra) > 0 {
		t.Errorf("no plan: %d iterations, %v", r.N, r.Extra)
	}
}

// An iteration that the machine made void is done again, some times, and one that the code made invalid is not.
func TestAgain(t *testing.T) {
	late := fmt.Errorf("loadtest: %w", &load.InvalidError{Reasons: []string{"late"}, Unfit: true})
	failed := fmt.Errorf("loadtest: %w", &load.InvalidError{Reasons: []string{"no run succeeded"}})
	for _, tt := range []struct {
		ends  []error
		begun int
		want  error
		lines int
	}{
		{[]error{nil}, 1, nil, 0},
		{[]error{late, nil}, 2, nil, 1},
		{[]error{late, late, nil}, 3, nil, 2},
		{[]error{late, late, late, nil}, 3, late, 2},
		{[]error{failed, nil}, 1, failed, 0},
		{[]error{late, failed, nil}, 2, failed, 1},
	} {
		begun, lines := 0, 0
		_, err := again(func(...any) { lines++ }, func() (*Result, error) {
			begun++
			return &Result{}, tt.ends[begun-1]
		})
		if err != tt.want || begun != tt.begun || lines != tt.lines {
			t.Errorf("%v: %d begun, %d lines, %v; want %d, %d, %v", tt.ends, begun, lines, err, tt.begun, tt.lines, tt.want)
		}
	}
}

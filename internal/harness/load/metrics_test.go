package load

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/org/perfgate/internal/result"
)

// traceOf is a trace of runs that took 1, 2, … n ms one after the other.
func traceOf(n int) *Trace {
	t := &Trace{Plan: Plan{Runs: n, Concurrency: 1}, Began: epoch}
	at := int64(0)
	for i := range n {
		r := Record{Due: at, Started: at, Kind: OK}
		at += int64(i+1) * 1e6
		r.Done = at
		t.Records = append(t.Records, r)
	}
	t.Wall = time.Duration(at)
	return t
}

// A quantile is the nearest rank, and there only where ten values lie beyond it.
func TestQuantiles(t *testing.T) {
	for _, tt := range []struct {
		n    int
		want []string
	}{
		{1, nil}, {19, nil}, {20, []string{"p50-sec 0.01"}}, {99, []string{"p50-sec 0.05"}},
		{100, []string{"p50-sec 0.05", "p90-sec 0.09"}}, {199, []string{"p50-sec 0.1", "p90-sec 0.18"}},
		{200, []string{"p50-sec 0.1", "p90-sec 0.18", "p95-sec 0.19"}},
		{1000, []string{"p50-sec 0.5", "p90-sec 0.9", "p95-sec 0.95", "p99-sec 0.99"}},
	} {
		var got []string
		for _, m := range traceOf(tt.n).Metrics(Scale{}) {
			if m.Unit[0] == 'p' {
				got = append(got, fmt.Sprint(m.Unit, " ", m.Value))
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%d runs: %q, want %q", tt.n, got, tt.want)
		}
	}
	for q, want := range map[float64]int{0.5: 20, 0.9: 100, 0.95: 200, 0.99: 1000} {
		if got := Needed(q); got != want || !supported(got, q) || supported(got-1, q) {
			t.Errorf("Needed(%g) = %d, want %d", q, got, want)
		}
	}
	if v, ok := traceOf(20).Quantile(0.95); v != 19*time.Millisecond || ok {
		t.Errorf("p95 of 20 = %v, %v, want 19ms, and that it says little", v, ok)
	}
}

// Overlapping calls count once; what lies outside of the run does not count.
func TestOverhead(t *testing.T) {
	at := func(ms int) time.Time { return epoch.Add(time.Duration(ms) * time.Millisecond) }
	tr := traceOf(3) // 0–1, 1–3, 3–6 ms
	tr.Attribute(func(run int) Calls {
		return Calls{Count: 2, Attempts: 3, Busy: [][]Span{{}, {{at(0), at(2)}}, {{at(3), at(4)}, {at(5), at(9)}}}[run]}
	})
	want := []time.Duration{time.Millisecond, time.Millisecond, time.Millisecond}
	for i := range tr.Records {
		if got, ok := tr.Records[i].Overhead(); got != want[i] || !ok {
			t.Errorf("overhead of run %d is %v, want %v", i, got, want[i])
		}
	}
	m := tr.Metrics(Scale{})
	if value(m, "overhead-mean-sec") != 0.001 || value(m, "overhead-share") != 0.5 {
		t.Errorf("metrics %v", m)
	}
	if got := value(traceOf(3).Metrics(Scale{}), "overhead-share"); got != -1 {
		t.Errorf("an overhead of %v where nobody knows the calls", got)
	}
}

// All metrics of a trace that has everything, in the order of display.
func TestMetrics(t *testing.T) {
	tr := traceOf(1000)
	tr.Plan = openPlan(rate(1, time.Second))
	for i := range tr.Records {
		r := &tr.Records[i]
		r.Started += 1e5
		r.FirstToken, r.Gaps = r.Started+2e5, []int64{1e5, 1e5}
		r.Hits, r.Misses, r.CPU, r.MaxRSS = 1, 1, time.Millisecond, int64(i)
	}
	tr.Records[0].Kind = Timeout
	tr.Usage = Usage{Startup: time.Second, Coalesced: 3}
	tr.Attribute(func(int) Calls { return Calls{Depth: 2} })
	scale := Scale{
		Upstream: &Counts{Calls: 10, Attempts: 12, InputTokens: 3_000_000, OutputTokens: 1_000_000, ByModel: map[string]Tokens{"m": {3_000_000, 1_000_000}}},
		Prices:   Prices{"m": {Input: 2, Output: 10}}, Goodput: &Goodput{E2E: 500 * time.Millisecond, TTFT: time.Second, TPOT: 500 * time.Millisecond},
	}
	wall := tr.Wall.Seconds()
	want := []Metric{
		{"mean-sec", 0.5005}, {"p50-sec", 0.5}, {"p90-sec", 0.9}, {"p95-sec", 0.95}, {"p99-sec", 0.99}, {"max-sec", 1},
		{"queue-p50-sec", 1e-4}, {"queue-p90-sec", 1e-4}, {"queue-p95-sec", 1e-4}, {"queue-p99-sec", 1e-4},
		{"service-p50-sec", 0.4999}, {"service-p90-sec", 0.8999}, {"service-p95-sec", 0.9499}, {"service-p99-sec", 0.9899},
		{"ttft-p50-sec", 3e-4}, {"ttft-p90-sec", 3e-4}, {"ttft-p95-sec", 3e-4},
		{"itl-p50-sec", 1e-4}, {"itl-p90-sec", 1e-4}, {"itl-p95-sec", 1e-4}, {"itl-p99-sec", 1e-4},
		{"tpot-p50-sec", 0.25035}, {"tpot-p90-sec", 0.45035}, {"tpot-p95-sec", 0.47535},
		{"overhead-mean-sec", 0.5009}, {"overhead-p50-sec", 0.5009}, {"overhead-p90-sec", 0.9009}, {"overhead-p95-sec", 0.9509},
		{"wall-sec", wall}, {"runs/s", 999 / wall}, {"tokens/s", 1e6 / wall}, {"good-runs/s", 499 / wall},
		{"error-share", 0.001}, {"cache-hits", 1000}, {"cache-misses", 1000}, {"cache-coalesced", 3}, {"hit-rate", 0.5},
		{"upstream-calls", 10}, {"upstream-attempts", 12}, {"upstream-depth", 2000}, {"input-tokens", 3e6}, {"output-tokens", 1e6}, {"cost/run", 0.016},
		{"cpu-sec/run", 0.001}, {"peak-rss-B", 999}, {"startup-sec", 1},
	}
	if diff := cmp.Diff(want, tr.Metrics(scale), cmpopts.EquateApprox(1e-9, 0)); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
	for _, m := range want { // a unit without a row would be judged in no direction
		if result.UnitOf(m.Unit).Better == result.Unknown {
			t.Errorf("package result knows no unit %s", m.Unit)
		}
	}
	scale.Upstream.Instant = true
	if got := value(tr.Metrics(scale), "upstream-depth"); got != -1 {
		t.Errorf("a depth of %v where chance decides it", got)
	}
	scale.Prices = Prices{"other": {}}
	if got := value(tr.Metrics(scale), "cost/run"); got != -1 {
		t.Errorf("a cost of %v without a price", got)
	}
}

// No run is no number, and not zero.
func TestMetricsOfNothing(t *testing.T) {
	tr := &Trace{Records: []Record{{Kind: NotStarted}}}
	if m := tr.Metrics(Scale{}); len(m) != 0 {
		t.Errorf("metrics %v of nothing", m)
	}
}

package result

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestSchema1 reads the committed baseline of the original guide (seeds.md, 2.2): single values,
// which are thresholds and no statistics.
func TestSchema1(t *testing.T) {
	f := readSchema1File(t, nil)
	if !f.ThresholdsOnly || f.SchemaVersion != 1 || !f.GeneratedAt.Equal(time.Unix(0, 0)) {
		t.Errorf("thresholds only %v, schema %d, generated %v", f.ThresholdsOnly, f.SchemaVersion, f.GeneratedAt)
	}
	want := map[string]string{"runs": "10", "concurrency": "5", "llm-latency": "0.01", "task": "Summarise the report – briefly"}
	if diff := cmp.Diff(want, f.Scenario); diff != "" {
		t.Errorf("scenario (-want +got):\n%s", diff)
	}
	one := func(unit string, better Better, v float64) *Metric {
		return &Metric{Unit: Unit{Name: unit, Better: better}, Samples: []Sample{{Value: v, Iters: 10}}}
	}
	bench := &Benchmark{Suite: "load", Name: "pipeline", Status: OK, Metrics: []*Metric{
		one("mean-sec", Lower, 0.5), one("p50-sec", Lower, 0.5), one("p95-sec", Lower, 1), one("max-sec", Lower, 1.2),
		one("wall-sec", Lower, 1), one("runs/s", Higher, 10),
		one("peak-p95-B", Lower, 30000*1024), one("peak-max-B", Lower, 40000*1024),
		one("hit-rate", Higher, 1), one("cache-hits", Higher, 10), one("cache-misses", Lower, 0),
	}}
	if diff := cmp.Diff(&Set{Benchmarks: []*Benchmark{bench}}, f.Head); diff != "" {
		t.Errorf("head (-want +got):\n%s", diff)
	}
	if len(f.Warnings) > 0 {
		t.Errorf("warnings %q of a file that schema 2 holds whole", f.Warnings)
	}
}

// TestSchema1Lifted: written again it is a file of schema 2 that is still known for what it is.
func TestSchema1Lifted(t *testing.T) {
	f := readSchema1File(t, nil)
	f.Tool = Tool{Name: "perfgate"}
	got, err := Read(bytes.NewReader(written(t, f)))
	if err != nil {
		t.Fatal(err)
	}
	if f.SchemaVersion = Schema; !got.ThresholdsOnly {
		t.Error("the lifted file passes for one with statistics")
	}
	if diff := cmp.Diff(f, got, cmpopts.IgnoreFields(File{}, "SHA256")); diff != "" {
		t.Errorf("(-lifted +read):\n%s", diff)
	}
	data := bytes.Replace(written(t, f), []byte(`"thresholds_only": true`), []byte(`"thresholds_only": false`), 1)
	if _, err := Read(bytes.NewReader(data)); !errors.Is(err, ErrHash) {
		t.Errorf("Read of thresholds that were declared statistics: %v, want %v", err, ErrHash)
	}
}

// TestSchema1LeftOut names what schema 2 has no place for.
func TestSchema1LeftOut(t *testing.T) {
	f, err := Read(strings.NewReader(`{"schema_version": 1, "results": {
		"latency_s": {"p99": 2, "p50": 1, "p75": 1}, "memory_kb": {"rss": 1}, "cache": {"evictions": 0}, "top_timers": [{"name": "x"}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, name := range []string{"latency_s.p75", "latency_s.p99", "memory_kb.rss", "cache.evictions", "top_timers"} {
		want = append(want, "results."+name+" of schema 1 has no place in schema 2")
	}
	if diff := cmp.Diff(want, f.Warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

// readSchema1File reads testdata/schema1.json after a change.
func readSchema1File(t *testing.T, change func([]byte) []byte) *File {
	t.Helper()
	data, err := os.ReadFile("testdata/schema1.json")
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		data = change(data)
	}
	f, err := Read(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestSchema1Time: seconds since 1970, as Python writes them.
func TestSchema1Time(t *testing.T) {
	f := readSchema1File(t, func(data []byte) []byte {
		return bytes.Replace(data, []byte(`"generated_at_s": 0`), []byte(`"generated_at_s": 1756729800.5`), 1)
	})
	if want := time.Date(2025, 9, 1, 12, 30, 0, 5e8, time.UTC); !f.GeneratedAt.Equal(want) {
		t.Errorf("generated at %v, want %v", f.GeneratedAt, want)
	}
}

// TestSchema1Gaps: what the file has not is no metric and no scenario; it would be a threshold of zero.
func TestSchema1Gaps(t *testing.T) {
	sparse, err := Read(strings.NewReader(`{"schema_version": 1, "scenario": {"runs": 5}, "results": {"latency_s": {"p50": 1, "p95": null}}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []*Metric{{Unit: Unit{Name: "p50-sec", Better: Lower}, Samples: []Sample{{Value: 1}}}}
	if diff := cmp.Diff(want, sparse.Head.Benchmarks[0].Metrics); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"runs": "5"}, sparse.Scenario); diff != "" {
		t.Errorf("scenario (-want +got):\n%s", diff)
	}
	f := readSchema1File(t, func(data []byte) []byte {
		return bytes.Replace(data, []byte(",\n      \"p95\": 1.0"), nil, 1)
	})
	if b := f.Head.Benchmarks[0]; b.Metric("p95-sec") != nil || b.Metric("p50-sec") == nil {
		t.Errorf("metrics %+v, want all but p95-sec", b.Metrics)
	}
}

// TestSchema1Refuses: three writers of other content used the same file name.
func TestSchema1Refuses(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"the profiler's", `{"schema_version": 1, "run_name": "x"}`, `unknown field "run_name"`},
		{"without schema", `{"timestamp": 1, "scenarios": {}}`, `no "schema_version"`},
		{"a word for a number", "{\"schema_version\": 1,\n\"results\": {\"total_runs\": \"ten\"}}", "line 2: "},
		{"nothing", `{"schema_version": 1, "results": {"total_runs": 10, "latency_s": {"p95": null}}}`, `no "results": nothing was measured`},
		{"milliseconds", `{"schema_version": 1, "generated_at_s": 1756729800500}`, "generated_at_s is 1.7567298005e+12: want seconds since 1970"},
		{"infinite in bytes", `{"schema_version": 1, "results": {"memory_kb": {"tracemalloc_peak_kb_max": 1e308}}}`, "peak-max-B is +Inf"},
	}
	for _, tt := range tests {
		if _, err := Read(strings.NewReader(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want an error with %q", tt.name, err, tt.want)
		}
	}
}

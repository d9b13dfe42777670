package result

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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
		one("runs/s", Higher, 10),
		one("peak-p95-B", Lower, 30000*1024), one("peak-max-B", Lower, 40000*1024),
		one("hit-rate", Higher, 1),
	}}
	if diff := cmp.Diff(&Set{Benchmarks: []*Benchmark{bench}}, f.Head); diff != "" {
		t.Errorf("head (-want +got):\n%s", diff)
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

// TestSchema1Gaps: a quantile that the file has not is no metric; it would be a threshold of zero.
func TestSchema1Gaps(t *testing.T) {
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
		{"infinite in bytes", `{"schema_version": 1, "results": {"memory_kb": {"tracemalloc_peak_kb_max": 1e308}}}`, "peak-max-B is +Inf"},
	}
	for _, tt := range tests {
		if _, err := Read(strings.NewReader(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want an error with %q", tt.name, err, tt.want)
		}
	}
}

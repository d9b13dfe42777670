package result

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// schema1 is the file of the original load-test guide: single values, no samples, no machine.
type schema1 struct {
	SchemaVersion int     `json:"schema_version"`
	GeneratedAtS  float64 `json:"generated_at_s"`
	Scenario      struct {
		Runs        int     `json:"runs"`
		Concurrency int     `json:"concurrency"`
		LLMLatencyS float64 `json:"llm_latency_s"`
		Task        string  `json:"task"`
	} `json:"scenario"`
	Results struct {
		TotalRuns  int                `json:"total_runs"`
		WallTimeS  float64            `json:"wall_time_s"`
		Throughput float64            `json:"throughput_runs_per_s"`
		LatencyS   map[string]float64 `json:"latency_s"`
		MemoryKB   map[string]float64 `json:"memory_kb"`
		Cache      map[string]float64 `json:"cache"`
		TopTimers  []any              `json:"top_timers"`
	} `json:"results"`
}

// readSchema1 reads a schema 1 file as thresholds: one value a metric, no statistics.
func readSchema1(data []byte) (*File, error) {
	var s schema1
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s); err != nil {
		return nil, jsonError(data, err)
	}
	b := &Benchmark{Suite: "load", Name: "pipeline", Status: OK}
	add := func(unit string, better Better, v float64) {
		b.Add(Unit{Name: unit, Better: better}, Sample{Value: v, Iters: s.Results.TotalRuns})
	}
	for _, q := range []string{"mean", "p50", "p95", "max"} {
		if v, ok := s.Results.LatencyS[q]; ok {
			add(q+"-sec", Lower, v)
		}
	}
	add("runs/s", Higher, s.Results.Throughput)
	for _, q := range []string{"p95", "max"} {
		if v, ok := s.Results.MemoryKB["tracemalloc_peak_kb_"+q]; ok {
			add("peak-"+q+"-B", Lower, v*1024)
		}
	}
	if v, ok := s.Results.Cache["hit_rate"]; ok {
		add("hit-rate", Higher, v)
	}
	for _, m := range b.Metrics {
		if v := m.Samples[0].Value; math.IsInf(v, 0) { // so many KiB are too many bytes
			return nil, fmt.Errorf("%s is %v", m.Unit.Name, v)
		}
	}
	return &File{
		SchemaVersion: 1,
		GeneratedAt:   time.Unix(0, int64(s.GeneratedAtS*1e9)).UTC(),
		Scenario: map[string]string{
			"runs":        fmt.Sprint(s.Scenario.Runs),
			"concurrency": fmt.Sprint(s.Scenario.Concurrency),
			"llm-latency": fmt.Sprint(s.Scenario.LLMLatencyS),
			"task":        s.Scenario.Task,
		},
		Head:           &Set{Benchmarks: []*Benchmark{b}},
		ThresholdsOnly: true,
	}, nil
}

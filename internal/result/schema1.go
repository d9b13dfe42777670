package result

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

// schema1 is the file of the original load-test guide: single values, no samples, no machine. What it
// lacks is nil: a zero would be a threshold.
type schema1 struct {
	SchemaVersion int     `json:"schema_version"`
	GeneratedAtS  float64 `json:"generated_at_s"`
	Scenario      struct {
		Runs        *int     `json:"runs"`
		Concurrency *int     `json:"concurrency"`
		LLMLatencyS *float64 `json:"llm_latency_s"`
		Task        *string  `json:"task"`
	} `json:"scenario"`
	Results struct {
		TotalRuns  int                 `json:"total_runs"`
		WallTimeS  *float64            `json:"wall_time_s"`
		Throughput *float64            `json:"throughput_runs_per_s"`
		LatencyS   map[string]*float64 `json:"latency_s"`
		MemoryKB   map[string]*float64 `json:"memory_kb"`
		Cache      map[string]*float64 `json:"cache"`
		TopTimers  []any               `json:"top_timers"`
	} `json:"results"`
}

// readSchema1 reads a schema 1 file as thresholds: one value a metric, no statistics. What has no place
// in schema 2 is a warning of the file.
func readSchema1(data []byte) (*File, error) {
	var s schema1
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s); err != nil {
		return nil, jsonError(data, err)
	}
	ns := s.GeneratedAtS * 1e9
	if math.Abs(ns) >= math.MaxInt64 {
		return nil, fmt.Errorf("generated_at_s is %v: want seconds since 1970", s.GeneratedAtS)
	}
	b, err := s.benchmark()
	if err != nil {
		return nil, err
	}
	f := &File{
		SchemaVersion:  1,
		GeneratedAt:    time.Unix(0, int64(ns)).UTC(),
		Scenario:       s.scenario(),
		Head:           &Set{Benchmarks: []*Benchmark{b}},
		ThresholdsOnly: true,
	}
	for _, name := range s.leftOut() {
		f.Warnings = append(f.Warnings, name+" of schema 1 has no place in schema 2")
	}
	return f, nil
}

// schema1Latencies, schema1Memory and schema1Cache are the keys of schema 1's maps and what they are in
// schema 2, in the order of display.
var (
	schema1Latencies = []schema1Row{{"mean", "mean-sec", Lower}, {"p50", "p50-sec", Lower}, {"p95", "p95-sec", Lower}, {"max", "max-sec", Lower}}
	schema1Memory    = []schema1Row{{"tracemalloc_peak_kb_p95", "peak-p95-B", Lower}, {"tracemalloc_peak_kb_max", "peak-max-B", Lower}}
	schema1Cache     = []schema1Row{{"hit_rate", "hit-rate", Higher}, {"hits", "cache-hits", Higher}, {"misses", "cache-misses", Lower}}
)

type schema1Row struct {
	key, unit string
	better    Better
}

// benchmark holds the values as metrics of one sample each.
func (s *schema1) benchmark() (*Benchmark, error) {
	b := &Benchmark{Suite: "load", Name: "pipeline", Status: OK}
	add := func(unit string, better Better, scale float64, v *float64) {
		if v != nil {
			b.Add(Unit{Name: unit, Better: better}, Sample{Value: *v * scale, Iters: s.Results.TotalRuns})
		}
	}
	all := func(rows []schema1Row, scale float64, values map[string]*float64) {
		for _, r := range rows {
			add(r.unit, r.better, scale, values[r.key])
		}
	}
	all(schema1Latencies, 1, s.Results.LatencyS)
	add("wall-sec", Lower, 1, s.Results.WallTimeS)
	add("runs/s", Higher, 1, s.Results.Throughput)
	all(schema1Memory, 1024, s.Results.MemoryKB)
	all(schema1Cache, 1, s.Results.Cache)
	for _, m := range b.Metrics {
		if v := m.Samples[0].Value; math.IsInf(v, 0) { // so many KiB are too many bytes
			return nil, fmt.Errorf("%s is %v", m.Unit.Name, v)
		}
	}
	if len(b.Metrics) == 0 {
		return nil, errors.New(`no "results": nothing was measured`)
	}
	return b, nil
}

func (s *schema1) scenario() map[string]string {
	m := map[string]string{}
	if v := s.Scenario.Runs; v != nil {
		m["runs"] = fmt.Sprint(*v)
	}
	if v := s.Scenario.Concurrency; v != nil {
		m["concurrency"] = fmt.Sprint(*v)
	}
	if v := s.Scenario.LLMLatencyS; v != nil {
		m["llm-latency"] = fmt.Sprint(*v)
	}
	if v := s.Scenario.Task; v != nil {
		m["task"] = *v
	}
	return m
}

// leftOut lists what the file says and a file of schema 2 has no place for.
func (s *schema1) leftOut() []string {
	var names []string
	for _, group := range []struct {
		name   string
		rows   []schema1Row
		values map[string]*float64
	}{
		{"latency_s", schema1Latencies, s.Results.LatencyS},
		{"memory_kb", schema1Memory, s.Results.MemoryKB},
		{"cache", schema1Cache, s.Results.Cache},
	} {
		for _, key := range slices.Sorted(maps.Keys(group.values)) {
			if !slices.ContainsFunc(group.rows, func(r schema1Row) bool { return r.key == key }) {
				names = append(names, "results."+group.name+"."+key)
			}
		}
	}
	if len(s.Results.TopTimers) > 0 {
		names = append(names, "results.top_timers")
	}
	return names
}

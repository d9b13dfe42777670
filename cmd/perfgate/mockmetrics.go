package main

import (
	"net/http"
	"strings"

	"github.com/VictoriaMetrics/metrics"

	"github.com/org/perfgate/internal/harness/mockllm"
)

// withMetrics serves the upstream and, at /metrics, its counters in the form of Prometheus. What is shown is counted
// anyway: a call costs the same whether or not somebody watches.
func withMetrics(server *mockllm.Server) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/metrics" {
			server.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		metricsOf(server.Stats()).WritePrometheus(w)
	})
}

// mockNamespace stands before the names of all metrics.
const mockNamespace = "perfgate_mock_"

// mockCounters are the counters by route and model, in base units.
var mockCounters = []struct {
	name string
	of   func(c mockllm.Counters) float64
}{
	{"calls_total", func(c mockllm.Counters) float64 { return float64(c.Calls) }},
	{"repeated_total", func(c mockllm.Counters) float64 { return float64(c.Repeated) }},
	{"attempts_total", func(c mockllm.Counters) float64 { return float64(c.Attempts) }},
	{"streams_total", func(c mockllm.Counters) float64 { return float64(c.Streams) }},
	{"tool_calls_total", func(c mockllm.Counters) float64 { return float64(c.ToolCalls) }},
	{"input_tokens_total", func(c mockllm.Counters) float64 { return float64(c.InputTokens) }},
	{"cached_tokens_total", func(c mockllm.Counters) float64 { return float64(c.CachedTokens) }},
	{"cache_write_tokens_total", func(c mockllm.Counters) float64 { return float64(c.WrittenTokens) }},
	{"output_tokens_total", func(c mockllm.Counters) float64 { return float64(c.OutputTokens) }},
	{"input_bytes_total", func(c mockllm.Counters) float64 { return float64(c.InputBytes) }},
	{"output_bytes_total", func(c mockllm.Counters) float64 { return float64(c.OutputBytes) }},
	{"limited_total", func(c mockllm.Counters) float64 { return float64(c.Limited) }},
	{"planned_seconds_total", func(c mockllm.Counters) float64 { return c.Planned.Seconds() }},
}

// metricsOf is what was counted, as metrics.
func metricsOf(s mockllm.Stats) *metrics.Set {
	set := metrics.NewSet()
	for _, r := range s.Routes {
		labels := `route=` + label(r.Route) + `,model=` + label(r.Model)
		for _, c := range mockCounters {
			set.NewFloatCounter(mockNamespace + c.name + "{" + labels + "}").Set(c.of(r.Counters))
		}
		for kind, n := range r.Errors {
			set.NewFloatCounter(mockNamespace + "errors_total{" + labels + ",kind=" + label(kind) + "}").Set(float64(n))
		}
	}
	set.NewFloatCounter(mockNamespace + "busy_seconds_total").Set(s.BusyTime.Seconds())
	for quantile, late := range map[string]float64{"0.5": s.Lateness.P50.Seconds(), "0.99": s.Lateness.P99.Seconds(), "1": s.Lateness.Max.Seconds()} {
		set.NewGauge(mockNamespace+"lateness_seconds{quantile="+label(quantile)+"}", func() float64 { return late })
	}
	return set
}

// escaped is what stands for a character that the form of Prometheus does not have in a label's value.
var escaped = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// label is a value of a label, which a client may have chosen.
func label(value string) string {
	return `"` + escaped.Replace(strings.ToValidUTF8(value, "\ufffd")) + `"`
}

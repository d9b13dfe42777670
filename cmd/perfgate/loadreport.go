package main

import (
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/org/perfgate/internal/harness"
	"github.com/org/perfgate/internal/harness/load"
	"github.com/org/perfgate/internal/report"
	"github.com/org/perfgate/internal/result"
)

// targetName is the benchmark's name: the path of a URL, a program's own.
func (l *loader) targetName() string {
	row, err := l.settings(l.clockOf()).Row()
	switch {
	case err != nil || row.Program == load.NoProgram:
		return l.target
	case row.Program == load.MustRun:
		return filepath.Base(l.args[0])
	}
	_, rest, _ := strings.Cut(l.target, "://")
	_, path, _ := strings.Cut(rest, "/")
	path, _, _ = strings.Cut(path, "?")
	return "http/" + path
}

// environment is the machine, and for our own code what it was built with.
func (l *loader) environment() result.Env {
	e := harness.Fingerprint()
	if l.target == "pipeline" {
		e.Go = runtime.Version()
	}
	return e
}

// scenario is what was asked for: what is not the same is not comparable.
func (l *loader) scenario() map[string]string {
	s := map[string]string{
		"target": l.target, "llm-latency": l.mock.Model.TTFT.String(), "itl": l.mock.Model.ITL.String(), "tokens": l.mock.Model.Tokens.String(),
		"prefill": l.mock.Prefill.String(), "prompt-cache": l.mock.PromptCache.String(),
		"clock": l.clockName, "timeout": l.plan.Timeout.String(), "warmup": strconv.Itoa(l.plan.Warmup),
	}
	if l.target == "pipeline" {
		s["tasks"], s["cache-backend"], s["global-cache"] = strconv.Itoa(l.tasks), l.cacheBackend, strconv.FormatBool(l.globalOnly)
	}
	for _, name := range []string{"rate", "ramp", "stages", "burst", "replay", "script"} {
		if v := l.set.Lookup(name).Value.String(); v != "" {
			s[name] = v
		}
	}
	for name, list := range map[string][]string{"faults": l.faults, "limits": l.limits} {
		if len(list) > 0 {
			s[name] = strings.Join(list, " ")
		}
	}
	if l.mock.Sum != "" {
		s["script-sha256"] = l.mock.Sum
	}
	if l.plan.Open() {
		s["arrival"] = l.plan.Arrival.String()
	} else {
		s["chunks"], s["pause"], s["think"] = strconv.Itoa(l.chunks), l.plan.Pause.String(), l.plan.Think.String()
	}
	var workers, hashes []string
	for _, b := range l.bench {
		t := l.traces[b][0]
		workers, hashes = append(workers, strconv.Itoa(t.Plan.Concurrency)), append(hashes, t.Schedule.Hash)
		s["runs"] = strconv.Itoa(len(t.Records))
	}
	if !l.plan.Open() {
		s["concurrency"] = strings.Join(workers, ",")
	}
	s["schedule-sha256"] = strings.Join(hashes, ",")
	return s
}

// show prints what was measured.
func (l *loader) show(f *result.File) error {
	if l.asJSON {
		return f.Write(l.p.app.stdout)
	}
	for _, b := range l.bench {
		if err := l.table(b); err != nil {
			return err
		}
		if err := report.TopSpans(l.p.app.stdout, nil, b.Spans); err != nil {
			return err
		}
	}
	if len(l.bench) > 1 {
		if err := l.sweepTable(); err != nil {
			return err
		}
	}
	if f.Partial {
		fmt.Fprintln(l.p.app.stdout, "interrupted, so this is a part")
	}
	_, err := fmt.Fprintf(l.p.app.stdout, "written to %s\n", filepath.Join(l.p.config.ReportsDir, latestFile))
	return err
}

// loadRows are the lines of the table, in the order of reading.
var loadRows = []struct{ label, unit string }{
	{"wall time", "wall-sec"}, {"throughput", "runs/s"}, {"good throughput", "good-runs/s"}, {"output tokens", "tokens/s"},
	{"latency mean", "mean-sec"}, {"latency p50", "p50-sec"}, {"latency p90", "p90-sec"}, {"latency p95", "p95-sec"}, {"latency p99", "p99-sec"}, {"latency max", "max-sec"},
	{"queue wait p50", "queue-p50-sec"}, {"queue wait p99", "queue-p99-sec"}, {"service time p50", "service-p50-sec"}, {"service time p99", "service-p99-sec"},
	{"first token p50", "ttft-p50-sec"}, {"first token p95", "ttft-p95-sec"}, {"between tokens p50", "itl-p50-sec"}, {"between tokens p95", "itl-p95-sec"}, {"time per token p50", "tpot-p50-sec"},
	{"overhead mean", "overhead-mean-sec"}, {"overhead p50", "overhead-p50-sec"}, {"overhead p95", "overhead-p95-sec"}, {"overhead share", "overhead-share"},
	{"errors", "error-share"},
	{"upstream calls", "upstream-calls"}, {"upstream attempts", "upstream-attempts"}, {"upstream depth", "upstream-depth"}, {"input tokens", "input-tokens"}, {"output tokens", "output-tokens"}, {"cost a run", "cost/run"},
	{"cache hits", "cache-hits"}, {"cache misses", "cache-misses"}, {"coalesced", "cache-coalesced"}, {"hit rate", "hit-rate"},
	{"CPU a run", "cpu-sec/run"}, {"peak memory", "peak-rss-B"}, {"start-up", "startup-sec"},
}

// alwaysShown are quantiles that are printed where too few runs support them, and say so. Such a value stands in no
// file: nothing may be concluded from it.
var alwaysShown = map[string]float64{"p50-sec": 0.5, "p95-sec": 0.95}

func (l *loader) table(b *result.Benchmark) error {
	t := l.traces[b][0]
	fmt.Fprintf(l.p.app.stdout, "%s: %s; seed %d\n", report.Inert(b.Name), describePlan(t), l.p.config.Seed)
	w := tabwriter.NewWriter(l.p.app.stdout, 0, 0, 2, ' ', 0)
	for _, row := range loadRows {
		if m := b.Metric(row.unit); m != nil {
			fmt.Fprintf(w, "  %s\t%s%s\n", row.label, inUnit(middle(m.Values()), row.unit), spread(m))
		} else if q, ok := alwaysShown[row.unit]; ok {
			if v, _ := t.Quantile(q); v > 0 {
				fmt.Fprintf(w, "  %s\t%s\tsays little: %d runs would support it\n", row.label, inUnit(v.Seconds(), row.unit), load.Needed(q))
			}
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, n := range b.Notes {
		fmt.Fprintf(l.p.app.stdout, "  %s\n", report.Inert(n))
	}
	if b.Message == "" {
		return nil
	}
	_, err := fmt.Fprintf(l.p.app.stdout, "  not valid: %s\n", report.Inert(b.Message))
	return err
}

// describePlan says in words how load was offered.
func describePlan(t *load.Trace) string {
	p, n := &t.Plan, len(t.Records)
	switch {
	case p.Burst != nil:
		return fmt.Sprintf("open, %d runs in bursts of %d every %v", n, p.Burst.Size, p.Burst.Every)
	case p.Replay != nil:
		return fmt.Sprintf("open, %d recorded arrivals in %v", n, t.Schedule.Length)
	case p.Open():
		return fmt.Sprintf("open, %d runs in %v, %s arrivals", n, t.Schedule.Length, p.Arrival)
	}
	if p.Concurrency == 1 {
		return fmt.Sprintf("closed, %d runs by 1 worker", n)
	}
	return fmt.Sprintf("closed, %d runs by %d workers", n, p.Concurrency)
}

// inUnit writes a value as people read it: a share in percent, a time and a size with their units.
func inUnit(v float64, unit string) string {
	switch unit {
	case "overhead-share", "error-share", "hit-rate", sweepUnit:
		return strconv.FormatFloat(100*v, 'f', 1, 64) + " %"
	case "runs/s", "good-runs/s", "tokens/s":
		return strconv.FormatFloat(v, 'f', 1, 64) + " " + strings.TrimPrefix(unit, "good-")
	}
	u := result.UnitOf(unit)
	if !u.Timing() && v == math.Trunc(v) { // a count, of which every one counts
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return report.Value(v, u)
}

// spread is a further column that says how far the samples differ, where there are some.
func spread(m *result.Metric) string {
	v := m.Values()
	if len(v) < 2 {
		return ""
	}
	if slices.Min(v) == slices.Max(v) {
		return fmt.Sprintf("\tthe same in %d samples", len(v))
	}
	return fmt.Sprintf("\t%s to %s in %d samples", inUnit(slices.Min(v), m.Unit.Name), inUnit(slices.Max(v), m.Unit.Name), len(v))
}

// sweepTable compares the levels.
func (l *loader) sweepTable() error {
	w := tabwriter.NewWriter(l.p.app.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "workers\tthroughput\tefficiency")
	for i, b := range l.bench {
		rate, efficiency := "–", "–"
		if m := b.Metric("runs/s"); m != nil {
			rate = inUnit(middle(m.Values()), "runs/s")
		}
		if m := b.Metric(sweepUnit); m != nil {
			efficiency = inUnit(middle(m.Values()), sweepUnit)
		}
		fmt.Fprintf(w, "%d\t%s\t%s\n", l.levels[i], rate, efficiency)
	}
	return w.Flush()
}

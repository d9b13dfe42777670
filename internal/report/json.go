package report

import (
	"encoding/json"
	"io"
	"math"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/result"
)

// The JSON report: verdicts and estimates, without the raw samples, which are in latest.json.
// Numbers that do not exist (no test, no interval) are null.
type jsonReport struct {
	Schema      int            `json:"schema_version"`
	Verdict     compare.Gate   `json:"verdict"`
	Accepted    *jsonAccepted  `json:"accepted,omitempty"`
	Counts      map[string]int `json:"counts"`
	Measured    int            `json:"measured"`
	Total       int            `json:"total"`
	Tests       int            `json:"tests"`
	Effect      float64        `json:"effect"`
	Tolerance   float64        `json:"tolerance"`
	Alpha       float64        `json:"alpha"`
	Seed        uint64         `json:"seed,omitempty"`
	Partial     bool           `json:"partial,omitempty"`
	Base        *jsonSource    `json:"base,omitempty"`
	Head        *jsonSource    `json:"head"`
	Suite       *jsonShift     `json:"suite,omitempty"`
	Control     *jsonShift     `json:"control,omitempty"`
	Pipeline    *jsonPipeline  `json:"pipeline,omitempty"`
	Comparisons []jsonRow      `json:"comparisons"`
	Memory      []jsonMemory   `json:"memory,omitempty"`
	Budgets     []jsonBudget   `json:"budgets,omitempty"`
	Waivers     []jsonWaiver   `json:"waivers,omitempty"`
	Unmet       []string       `json:"unmet,omitempty"`
	Problems    []string       `json:"problems,omitempty"`
	Warnings    []string       `json:"warnings,omitempty"`
}

// jsonAccepted is a maintainer's word, without which the verdict would be fail.
type jsonAccepted struct {
	By    string `json:"by"`
	At    string `json:"at"`
	Label string `json:"label"`
	Head  string `json:"head"`
}

type jsonSource struct {
	Commit string            `json:"commit,omitempty"`
	Ref    string            `json:"ref,omitempty"`
	Dirty  bool              `json:"dirty,omitempty"`
	Env    map[string]string `json:"env"`
}

type jsonRow struct {
	Suite     string            `json:"suite"`
	Package   string            `json:"package,omitempty"`
	Benchmark string            `json:"benchmark"`
	Unit      string            `json:"unit,omitempty"`
	Better    string            `json:"better,omitempty"`
	Against   compare.Reference `json:"against"`
	Verdict   compare.Verdict   `json:"verdict"`
	Gated     bool              `json:"gated"`
	Waived    bool              `json:"waived,omitempty"`
	Exact     bool              `json:"exact,omitempty"`
	Absolute  bool              `json:"absolute,omitempty"`
	Base      *jsonSummary      `json:"base,omitempty"`
	Head      *jsonSummary      `json:"head,omitempty"`
	Change    *float64          `json:"change"`
	Interval  []*float64        `json:"interval,omitempty"`
	Pairs     int               `json:"pairs,omitempty"`
	Passes    int               `json:"passes,omitempty"`
	Builds    int               `json:"builds,omitempty"`
	P         *float64          `json:"p_adjusted"`
	RankP     *float64          `json:"p_mann_whitney"`
	MDE       *float64          `json:"mde"`
	Notes     []string          `json:"notes,omitempty"`
}

// jsonMemory is what a benchmark's processes held, null where that is not known of base.
type jsonMemory struct {
	Suite     string         `json:"suite"`
	Package   string         `json:"package,omitempty"`
	Benchmark string         `json:"benchmark"`
	Base      *result.Memory `json:"base"`
	Head      *result.Memory `json:"head"`
}

type jsonSummary struct {
	N      int      `json:"n"`
	Median *float64 `json:"median"`
	Lo     *float64 `json:"lo"`
	Hi     *float64 `json:"hi"`
}

// jsonShift is what all benchmarks have in common, or the control.
type jsonShift struct {
	Change     *float64        `json:"change"`
	Interval   []*float64      `json:"interval"`
	Benchmarks int             `json:"benchmarks,omitempty"`
	Passes     int             `json:"passes"`
	Builds     int             `json:"builds,omitempty"`
	P          *float64        `json:"p"`
	Verdict    compare.Verdict `json:"verdict,omitempty"`
	Unfit      bool            `json:"unfit,omitempty"`
}

// jsonPipeline is what perfgate's own pipeline did meanwhile: p50 latencies in seconds, null where there are none.
type jsonPipeline struct {
	Samples int      `json:"samples"`
	Base    *float64 `json:"base_p50_sec"`
	Head    *float64 `json:"head_p50_sec"`
	Counts  int      `json:"counts_as_in_baseline"`
	Other   string   `json:"other,omitempty"`
}

// positive returns v, or nil where it is 0.
func positive(v float64) *float64 {
	if v == 0 {
		return nil
	}
	return &v
}

// finite returns v, or nil where JSON has no number for it.
func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// JSON writes the document for programs.
func JSON(w io.Writer, d *Document) error {
	f, o := d.File, d.Outcome
	r := jsonReport{
		Schema: 2, Verdict: d.Gate(), Counts: map[string]int{}, Tests: o.Tests,
		Effect: d.Policy.Effect, Tolerance: d.Policy.Tolerance(), Alpha: d.Policy.Alpha,
		Seed: f.Seed, Partial: f.Partial, Head: &jsonSource{f.Head.Commit, f.Head.Ref, f.Head.Dirty, envMap(f.Head.Env.Fields())},
		Comparisons: make([]jsonRow, 0, len(o.Comparisons)), Unmet: o.Unmet, Problems: o.Problems, Warnings: f.Warnings,
	}
	if d.accepted() {
		a := jsonAccepted(*d.Accepted)
		r.Accepted = &a
	}
	if f.Base != nil {
		r.Base = &jsonSource{f.Base.Commit, f.Base.Ref, f.Base.Dirty, envMap(f.Base.Env.Fields())}
	}
	if f.Run != nil {
		r.Measured, r.Total = f.Run.Measured, f.Run.Total
	}
	if s := o.Suite; s != nil {
		r.Suite = &jsonShift{Change: finite(s.Change), Interval: []*float64{finite(s.Lo), finite(s.Hi)}, Benchmarks: s.Benchmarks, Passes: s.Passes, Builds: s.Builds, P: finite(s.P), Verdict: s.Verdict}
	}
	if c := o.Control; c != nil {
		r.Control = &jsonShift{Change: finite(c.Change), Interval: []*float64{finite(c.Lo), finite(c.Hi)}, Passes: c.Passes, P: finite(c.P), Unfit: c.Unfit}
	}
	if s := o.Pipeline; s != nil {
		r.Pipeline = &jsonPipeline{Samples: s.Samples, Base: positive(s.Base), Head: positive(s.Head), Counts: s.Counts, Other: s.Other}
	}
	for _, v := range compare.Verdicts {
		r.Counts[string(v)] = o.Count(v)
	}
	for _, c := range o.Comparisons {
		r.Comparisons = append(r.Comparisons, row(c))
	}
	all, base := held(d)
	for _, b := range all {
		m := jsonMemory{Suite: b.Suite, Package: b.Package, Benchmark: b.Name, Head: b.Memory}
		if before := base[b.Key()]; before != nil {
			m.Base = before.Memory
		}
		r.Memory = append(r.Memory, m)
	}
	for _, b := range o.Budgets {
		r.Budgets = append(r.Budgets, budgetJSON(b))
	}
	for _, w := range o.Waivers {
		r.Waivers = append(r.Waivers, jsonWaiver{w.Waiver, w.State})
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

func row(c *compare.Comparison) jsonRow {
	r := jsonRow{
		Suite: c.Key.Suite, Package: c.Key.Package, Benchmark: c.Key.Name, Unit: c.Unit.Name, Better: string(c.Unit.Better),
		Against: c.Against, Verdict: c.Verdict, Gated: c.Gated, Waived: c.Waived, Exact: c.Exact, Absolute: c.Absolute,
		Change: finite(c.Change), Pairs: c.Pairs, Passes: c.Passes, Builds: c.Builds, P: finite(c.P), RankP: finite(c.RankP), MDE: finite(c.MDE), Notes: c.Notes,
		Base: summaryJSON(c.Base), Head: summaryJSON(c.Head),
	}
	if c.Unit.Name != "" {
		r.Interval = []*float64{finite(c.Lo), finite(c.Hi)}
	}
	return r
}

func summaryJSON(s compare.Summary) *jsonSummary {
	if s.N == 0 {
		return nil
	}
	return &jsonSummary{s.N, finite(s.Center), finite(s.Lo), finite(s.Hi)}
}

func envMap(fields []result.EnvField) map[string]string {
	m := map[string]string{}
	for _, f := range fields {
		m[f.Name] = f.Value
	}
	return m
}

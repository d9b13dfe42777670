package report

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/result"
)

// fixtures are the documents that every format is drawn of. Each call makes a new one, the same to
// the last bit: what time, machine and commit are comes from the document.
var fixtures = []struct {
	name string
	make func() *Document
}{
	{"verdicts", verdicts},
	{"same", same},
	{"interrupted", interrupted},
	{"problems", problems},
	{"baseline", againstBaseline},
	{"beside", besideBaseline},
	{"files", plainFiles},
	{"nothing", nothing},
	{"contract", contracted},
	{"accepted", onPurpose},
	{"suite", func() *Document { return inPull(slowerSuite(false)) }},
	{"unfit", func() *Document { return slowerSuite(true) }},
	{"hostile", func() *Document {
		return hostile(`X/|<script>##[error]::set-output` + "`@mention` #123 https://x.example\n\x1b[31m\u202e%0A::error::")
	}},
}

// document judges a file as cmd/perfgate does.
func document(f *result.File) *Document { return judged(f, compare.DefaultPolicy) }

func judged(f *result.File, p compare.Policy) *Document {
	return &Document{File: f, Policy: p, Outcome: compare.Judge(f, p)}
}

// onPurpose is a document that fails, with a maintainer's word on it.
func onPurpose() *Document {
	d := againstBaseline()
	d.Accepted = &Acceptance{By: "maria", At: "2026-09-01 13:00:00 UTC", Label: "perfgate-accept", Head: "0123456789abcdef0123456789abcdef01234567"}
	return d
}

// inPull is a document whose regressions a maintainer's label may accept.
func inPull(d *Document) *Document {
	d.AcceptLabel = "perfgate-accept"
	return d
}

func env() result.Env {
	return result.Env{Go: "go1.26.0", GOOS: "linux", GOARCH: "amd64", CPU: "Test CPU @ 2.50GHz", Cores: 4, GOMAXPROCS: 2, Kernel: "6.1.0", Flags: "-trimpath"}
}

// run is the file of a finished run without benchmarks.
func run() *result.File {
	return &result.File{
		SchemaVersion: result.Schema,
		Tool:          result.Tool{Name: "perfgate", Version: "v1.2.3"},
		GeneratedAt:   time.Date(2026, 9, 1, 12, 30, 0, 0, time.UTC),
		Seed:          42,
		Pairing:       result.Passes,
		Run:           &result.Run{Measured: 8, Total: 8, BuildSec: 12.4, RunSec: 200, BudgetSec: 300},
		Head:          &result.Set{Commit: "0123456789abcdef0123456789abcdef01234567", Ref: "work tree", Dirty: true, Env: env()},
		Base:          &result.Set{Commit: "fedcba9876543210fedcba9876543210fedcba98", Ref: "main", Env: env()},
	}
}

func bench(pkg, name string, ms ...*result.Metric) *result.Benchmark {
	return &result.Benchmark{Suite: "gobench", Package: pkg, Name: name, Status: result.OK, Metrics: ms}
}

func metric(u result.Unit, values ...float64) *result.Metric {
	m := &result.Metric{Unit: u}
	for i, v := range values {
		m.Samples = append(m.Samples, result.Sample{Value: v, Iters: 1000, Pair: i, Pass: i})
	}
	return m
}

// times are 20 times about a level, with a relative noise.
func times(seed uint64, level, sd float64) *result.Metric {
	return noisy("sec/op", seed, 20, level, sd)
}

// confirmed adds the second stage: values of 12 builds.
func confirmed(m *result.Metric, seed uint64, level, sd float64) *result.Metric {
	m.Confirm = noisy(m.Unit.Name, seed, 12, level, sd).Samples
	return m
}

func noisy(unit string, seed uint64, n int, level, sd float64) *result.Metric {
	r := rand.New(rand.NewPCG(seed, 1))
	vs := make([]float64, n)
	for i := range vs {
		vs[i] = level * math.Exp(sd*r.NormFloat64())
	}
	return metric(result.UnitOf(unit), vs...)
}

func constant(unit string, v float64) *result.Metric {
	return metric(result.UnitOf(unit), v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, v)
}

const (
	core = "example.com/module/core"
	wire = "example.com/module/internal/wire"
)

// grownMore is what profiles say of a benchmark that got slower.
func grownMore() *result.Why {
	way := []string{core + ".BenchmarkSlower", core + ".(*T).Do", core + ".step"}
	return &result.Why{
		Own: []result.Growth{
			{Function: core + ".leaf", File: core + "/leaf.go", Line: 31, Unit: "sec/op", Base: 2e-7, Head: 4.5e-7, Path: append(way[:3:3], core+".more", core+".leaf")},
			{Function: core + ".(*T).Do", File: core + "/t.go", Line: 8, Unit: "sec/op", Base: 1e-7, Head: 1.5e-7, Path: way[:2]},
		},
		Any:      []result.Growth{{Function: core + ".leaf", File: core + "/leaf.go", Line: 31, Unit: "sec/op", Base: 2e-7, Head: 4.5e-7}, {Function: "runtime.memmove", File: "runtime/memmove_amd64.s", Line: 32, Unit: "sec/op", Head: 5e-8}},
		Allocs:   []result.Growth{{Function: core + ".leaf", File: core + "/leaf.go", Line: 30, Unit: "B/op", Base: 64, Head: 72, Path: way}},
		Compiler: []result.Remark{{File: core + "/leaf.go", Line: 30, Text: "moved to heap: x"}},
		Modules:  []string{"go go1.26.0 → go1.26.1", "example.com/dep v1.0.0 → v1.1.0"},
		Profiles: []string{"perf_reports/profiles/Slower-00000001.cpu-diff.pb.gz"},
	}
}

// grownUnderLoad is what is known of a program under load that got slower.
func grownUnderLoad() *result.Why {
	const file = "example.com/module/cmd/agent/plan.go"
	return &result.Why{
		Calls: []result.CallGrowth{
			{Route: "POST /v1/chat/completions", Model: "gpt-mock", What: "calls", Base: 12, Head: 24, Repeated: 12, Runs: 20, All: 20},
			{Route: "POST /v1/embeddings", Model: "text-embedding-mock", What: "calls", Base: 1, Head: 1.25, First: 3, Runs: 5, All: 20},
			{Route: "POST /v1/messages", Model: "claude-mock", What: "input tokens from the prompt cache", Base: 1024, Head: 0},
		},
		Spans:    []result.SpanGrowth{{Name: "plan", Base: 0.02, Head: 0.04, BaseCount: 1, HeadCount: 1}, {Name: "ask", Base: 0.1, Head: 0.2, BaseCount: 12, HeadCount: 24}},
		Own:      []result.Growth{{Function: "main.rank", File: file, Line: 31, Unit: "sec/run", Base: 1e-3, Head: 18e-3, Path: []string{"main.handle", "main.rank"}}},
		Allocs:   []result.Growth{{Function: "main.rank", File: file, Line: 30, Unit: "allocs/run", Base: 120.5, Head: 4000, Path: []string{"main.handle", "main.rank"}}},
		Profiles: []string{"perf_reports/profiles/agent-00000003.cpu-diff.pb.gz"},
	}
}

// verdicts has every verdict at least once.
func verdicts() *Document {
	f := run()
	f.Base.Benchmarks = []*result.Benchmark{
		bench(core, "Slower", confirmed(times(1, 1.5e-6, 0.02), 21, 1.5e-6, 0.02), constant("B/op", 64), constant("allocs/op", 2), constant("self-sec", 0.05)),
		bench(core, "Heavier/size=10", times(3, 2e-3, 0.02), constant("B/op", 0), constant("allocs/op", 0)),
		bench(core, "Faster", confirmed(times(5, 80e-9, 0.02), 23, 80e-9, 0.02), constant("B/op", 4096), constant("allocs/op", 7)),
		bench(wire, "Same", times(7, 3e-5, 0.01), noisy("B/s", 7, 20, 1e8, 0.01), constant("allocs/op", 1)),
		bench(wire, "Noisy", times(9, 0.25, 0.4)),
		bench(wire, "Gone", times(11, 1, 0.02)),
		bench(wire, "Broken", times(12, 1, 0.02)),
		bench(wire, "Gadgets", metric(result.UnitOf("gadgets"), 1000, 1000, 1000), metric(result.Unit{Name: "hit-rate", Better: result.Higher}, 0.5, 0.5, 0.5)),
		{Suite: "gobench", Package: wire, Name: "Other", Status: result.OK, Incomparable: "the test files changed"},
	}
	f.Head.Benchmarks = []*result.Benchmark{
		bench(core, "Slower", confirmed(times(2, 1.8e-6, 0.02), 22, 1.8e-6, 0.02), constant("B/op", 72), constant("allocs/op", 2), constant("self-sec", 0.06)),
		bench(core, "Heavier/size=10", times(4, 2e-3, 0.02), constant("B/op", 48), constant("allocs/op", 3)),
		bench(core, "Faster", confirmed(times(6, 60e-9, 0.02), 24, 60e-9, 0.02), constant("B/op", 2048), constant("allocs/op", 6)),
		bench(wire, "Same", times(8, 3e-5, 0.01), noisy("B/s", 8, 20, 1e8, 0.01), constant("allocs/op", 1)),
		bench(wire, "Noisy", times(10, 0.25, 0.4)),
		{Suite: "gobench", Package: wire, Name: "Broken", Status: result.Failed, Message: "panic: runtime error: index out of range [5] with length 3"},
		bench(wire, "Gadgets", metric(result.UnitOf("gadgets"), 1001, 1001, 1001), metric(result.Unit{Name: "hit-rate", Better: result.Higher}, 0.25, 0.25, 0.25)),
		bench(wire, "Other", times(14, 1, 0.02)),
		bench(wire, "New", times(15, 1, 0.02)),
	}
	f.Head.Benchmarks[0].Why = grownMore()
	f.Head.Benchmarks[1].Why = &result.Why{Missing: "a profile could not be taken: it failed"}
	f.Head.Benchmarks[2].Why = &result.Why{Profiles: []string{"perf_reports/profiles/Faster-00000002.cpu-diff.pb.gz"}}
	f.Head.Benchmarks[3].Notes = []string{"it starts 3 goroutines"}
	inside := result.Inside{Live: 3 << 20, Allocated: 64, Objects: 2, Cycles: 0.001, Goroutines: 2}
	grown := inside
	grown.Live, grown.Allocated = 4<<20, 72
	f.Base.Benchmarks[0].Memory = &result.Memory{Peak: 12 << 20, Inside: &inside}
	f.Head.Benchmarks[0].Memory = &result.Memory{Peak: 13 << 20, Inside: &grown}
	f.Head.Benchmarks[3].Memory = &result.Memory{Peak: 5 << 20}
	f.Head.Benchmarks[8].Memory = &result.Memory{Inside: &inside}
	for _, s := range []*result.Set{f.Base, f.Head} {
		s.Benchmarks = append(s.Benchmarks, &result.Benchmark{Suite: "gobench", Package: wire, Name: "Untouched", Status: result.OK, Same: "identical binary"})
	}
	f.Run.Screened, f.Run.Confirmed = []uint64{0, 7}, []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	return document(f)
}

// same is a run without a change.
func same() *Document {
	f := run()
	f.Run.Measured, f.Run.Total = 2, 2
	f.Base.Benchmarks = []*result.Benchmark{bench(core, "A", times(1, 1e-6, 0.01), constant("allocs/op", 0)), bench(core, "B", times(2, 1e-3, 0.01), constant("allocs/op", 9))}
	f.Head.Benchmarks = []*result.Benchmark{bench(core, "A", times(3, 1e-6, 0.01), constant("allocs/op", 0)), bench(core, "B", times(4, 1e-3, 0.01), constant("allocs/op", 9))}
	return document(f)
}

// interrupted is a run that ended early: some pairs of one benchmark, and void ones, none of others.
func interrupted() *Document {
	f := run()
	f.Partial = true
	f.Run = &result.Run{Measured: 1, Total: 4, BuildSec: 3, RunSec: 30, BudgetSec: 300}
	f.Warnings = []string{"interrupted after 30s"}
	late := func() *result.Benchmark {
		return &result.Benchmark{Suite: "gobench", Package: core, Name: "Late", Status: result.OK, Unmeasured: "the run was interrupted before it"}
	}
	void := bench(core, "Void", noisy("sec/op", 3, 20, 1e-6, 0.01))
	void.Void = []result.Void{{Pass: 20, Message: "exit status 2"}, {Pass: 21, Message: "exit status 2"}}
	f.Base.Benchmarks = []*result.Benchmark{bench(core, "Few", noisy("sec/op", 1, 4, 1e-6, 0.01)), bench(core, "Done", times(2, 1e-6, 0.01)), void, late()}
	f.Head.Benchmarks = []*result.Benchmark{bench(core, "Few", noisy("sec/op", 4, 4, 1e-6, 0.01)), bench(core, "Done", times(5, 1e-6, 0.01)), bench(core, "Void", times(6, 1e-6, 0.01)), late()}
	return document(f)
}

// problems is a run that came to no verdict.
func problems() *Document {
	f := run()
	f.Run = &result.Run{Measured: 0, Total: 1, BuildSec: 3, RunSec: 0, BudgetSec: 1}
	f.Warnings = []string{"the base's checkout could not be removed"}
	f.Head.BuildFailures = []result.BuildFailure{{Package: wire, Message: "./wire.go:7:2: undefined: x"}}
	f.Base.Benchmarks = []*result.Benchmark{{Suite: "gobench", Package: core, Name: "Late", Status: result.OK, Unmeasured: "the first look at it takes 8s, and less of the budget was left"}}
	f.Head.Benchmarks = []*result.Benchmark{{Suite: "gobench", Package: core, Name: "Late", Status: result.OK, Unmeasured: "the first look at it takes 8s, and less of the budget was left"}}
	return document(f)
}

// stored is a baseline of another day.
func stored() *result.Set {
	s := &result.Set{Commit: "aaaabbbbccccdddd", Env: env()}
	s.Benchmarks = []*result.Benchmark{
		bench(core, "A", times(1, 1e-6, 0.02), constant("B/op", 0), constant("allocs/op", 0)),
		bench(core, "B", times(2, 1e-6, 0.02), constant("B/op", 512), constant("allocs/op", 4)),
	}
	return s
}

// againstBaseline has no base: the stored times of the same machine are all there is.
func againstBaseline() *Document {
	f := run()
	f.Base, f.Pairing = nil, result.Unpaired
	f.Baseline, f.BaselineInfo = stored(), "aaaabbbbcccc of 2026-08-01"
	f.Head.Benchmarks = []*result.Benchmark{
		bench(core, "A", times(3, 1.3e-6, 0.02), constant("B/op", 24), constant("allocs/op", 3)),
		bench(core, "B", times(4, 1e-6, 0.02), constant("B/op", 512), constant("allocs/op", 4)),
	}
	return document(f)
}

// besideBaseline has both references: times come from base, counts from either.
func besideBaseline() *Document {
	d := againstBaseline()
	f := d.File
	f.Pairing = result.Passes
	f.Base = run().Base
	f.Base.Benchmarks = []*result.Benchmark{
		bench(core, "A", times(5, 1.3e-6, 0.02), constant("B/op", 24), constant("allocs/op", 3)),
		bench(core, "B", times(6, 1e-6, 0.02), constant("B/op", 512), constant("allocs/op", 4)),
	}
	f.Base.Control, f.Head.Control, f.Baseline.Control = pipelineOf(7, "p50-sec"), pipelineOf(8, "p50-sec"), pipelineOf(9)
	return document(f)
}

// pipelineOf is perfgate's own pipeline, with counts and such times.
func pipelineOf(seed uint64, times ...string) *result.Benchmark {
	b := &result.Benchmark{Suite: "control", Name: "control/pipeline", Status: result.OK, Scenario: "pipeline 1", Metrics: []*result.Metric{constant("upstream-calls", 160)}}
	for _, unit := range times {
		b.Metrics = append(b.Metrics, noisy(unit, seed, 12, 0.03, 0.02))
	}
	return b
}

// plainFiles are two files of times that say nothing about the order of measuring.
func plainFiles() *Document {
	f := &result.File{Tool: result.Tool{Name: "perfgate", Version: "v1.2.3"}, Base: &result.Set{Ref: "old.txt"}, Head: &result.Set{Ref: "new.txt"}}
	f.Base.Benchmarks = []*result.Benchmark{bench("", "X", times(1, 1e-6, 0.02)), bench("", "Zeros", metric(result.UnitOf("allocs/op"), 0, 1, 0, 1))}
	f.Head.Benchmarks = []*result.Benchmark{bench("", "X", times(2, 1.3e-6, 0.02)), bench("", "Zeros", metric(result.UnitOf("allocs/op"), 1, 0, 1, 1))}
	d := document(f)
	d.Policy.Interleaved = true // so that the zeros come to a test of differences
	return judged(f, d.Policy)
}

// slowerSuite is a run in which all benchmarks are slower by less than any row shows, on a machine that
// may be unfit: a copy of base is slower, too.
func slowerSuite(unfit bool) *Document {
	f := run()
	twin := 1.0
	if unfit {
		twin = 1.02
	}
	f.Control = &result.Control{}
	for i := range uint64(5) {
		name := string(rune('A' + i))
		f.Base.Benchmarks = append(f.Base.Benchmarks, bench(core, name, confirmed(times(10*i, 1e-6, 0.001), 10*i+1, 1e-6, 0.001)))
		f.Head.Benchmarks = append(f.Head.Benchmarks, bench(core, name, confirmed(times(10*i+2, 1.008e-6, 0.001), 10*i+3, 1.008e-6, 0.001)))
		f.Control.Base.Benchmarks = append(f.Control.Base.Benchmarks, bench(core, name, times(10*i+4, 1e-6, 0.001)))
		f.Control.Twin.Benchmarks = append(f.Control.Twin.Benchmarks, bench(core, name, times(10*i+5, twin*1e-6, 0.001)))
	}
	f.Run.Measured, f.Run.Total = 5, 5
	return document(f)
}

// contracted is a run with budgets, waivers and requirements in every state.
func contracted() *Document {
	d := verdicts()
	subject := func(b, m string) compare.Subject { return compare.Subject{Benchmark: b, Metric: m} }
	limit := func(v float64) *float64 { return &v }
	yes := true
	p := compare.DefaultPolicy
	p.Budgets = []compare.Budget{
		{Subject: subject("^Slower$", "sec/op"), Max: limit(1e-6)},
		{Subject: subject("^Slower$", "B/op"), Max: limit(1024)},
		{Subject: subject("^Faster$", "sec/op"), Max: limit(0.1), RelativeTo: "Slower"},
		{Subject: subject("^Noisy$", "sec/op"), Max: limit(0.2)},
		{Subject: subject("^Gadgets$", "hit-rate"), Min: limit(0.2), Max: limit(0.9)},
		{Subject: subject("^Untouched$", "sec/op"), Max: limit(1)},
		{Subject: subject("^Nobody$", "sec/op"), Max: limit(1)},
	}
	p.Waivers = []compare.Waiver{
		{Subject: subject("^Slower$", "sec/op"), Max: limit(2e-6), Reason: "a wider header | see #7", Expires: "2026-12-31"},
		{Subject: subject("^Heavier", "allocs/op"), Max: limit(2), Reason: "two are known", Expires: "2026-12-31"},
		{Subject: subject("^Faster$", "sec/op"), Max: limit(1), Reason: "no longer needed", Expires: "2026-12-31"},
		{Subject: subject("^Heavier", "B/op"), Max: limit(4096), Reason: "until the rewrite", Expires: "2026-08-31"},
	}
	p.Overrides = []compare.Override{{Subject: subject("^Noisy$", "sec/op"), Require: &yes}, {Subject: subject("^Gadgets$", ""), Ignore: &yes}}
	return judged(d.File, p)
}

// nothing is a run that has nothing to compare with.
func nothing() *Document {
	f := run()
	f.Base, f.Pairing = nil, result.Unpaired
	return document(f)
}

// hostile has a stranger's text in every place where a stranger can put one.
func hostileWhy(s string) *result.Why {
	growths := []result.Growth{{Function: s, File: s, Line: 1, Unit: s, Base: 1, Head: 2, Path: []string{s, s, s, s, s, s}}, {Function: s + ".F", Unit: "sec/op", Head: 1}}
	calls := []result.CallGrowth{{Route: s, Model: s, What: s, Head: 1, Repeated: 1, First: 1, Runs: 1, All: 2}, {Route: s, Model: s, What: s, Head: 1}}
	spans := []result.SpanGrowth{{Name: s, Head: 1, HeadCount: 1}, {Name: s, Head: 1}}
	return &result.Why{Calls: calls, Spans: spans, Own: growths, Any: growths, Allocs: growths, Compiler: []result.Remark{{File: s, Line: 1, Text: s}, {File: s, Text: s}}, Modules: []string{s, s}, Profiles: []string{s}, Missing: s}
}

func hostile(s string) *Document {
	f := run()
	f.Tool.Version, f.BaselineInfo, f.Warnings = s, s, []string{s}
	f.Head.Ref, f.Base.Ref, f.Base.Commit = s, s, s
	f.Head.Env.CPU, f.Head.Env.Go, f.Base.Env.Go, f.Base.Env.Kernel = s, s, s, s
	f.Head.BuildFailures = []result.BuildFailure{{Package: s, Message: s}}
	unit := result.Unit{Name: s, Better: result.Lower}
	sides := func(m1, m2 *result.Metric, status result.Status) (b, h *result.Benchmark) {
		b, h = bench(s, s+fmt.Sprint(len(f.Base.Benchmarks)), m1), bench(s, s+fmt.Sprint(len(f.Base.Benchmarks)), m2)
		h.Status, h.Message, h.Notes = status, s, []string{s, "note: " + s}
		return b, h
	}
	for _, status := range []result.Status{result.OK, result.Failed, result.Skipped} {
		b, h := sides(metric(unit, 3, 3, 3), metric(unit, 4, 4, 4), status)
		f.Base.Benchmarks, f.Head.Benchmarks = append(f.Base.Benchmarks, b), append(f.Head.Benchmarks, h)
	}
	b, h := sides(confirmed(times(1, 1, 0.01), 3, 1, 0.01), confirmed(times(2, 2, 0.01), 4, 2, 0.01), result.OK)
	h.FixedLayout, h.Why, h.Memory = s, hostileWhy(s), &result.Memory{Peak: 1}
	b.Void = []result.Void{{Pass: 99, Message: s}}
	f.Base.Benchmarks, f.Head.Benchmarks = append(f.Base.Benchmarks, b), append(f.Head.Benchmarks, h)
	late := *bench(s, s+"Late")
	late.Unmeasured = s
	f.Base.Benchmarks, f.Head.Benchmarks = append(f.Base.Benchmarks, &late), append(f.Head.Benchmarks, &late)
	p, limit, yes := compare.DefaultPolicy, 3.5, true
	everything := compare.Subject{Benchmark: ".*", Metric: s}
	p.Budgets = []compare.Budget{{Subject: everything, Max: &limit, RelativeTo: s}, {Subject: everything, Max: &limit}, {Subject: compare.Subject{Benchmark: s + "(", Metric: s}, Min: &limit}}
	p.Waivers = []compare.Waiver{{Subject: everything, Max: &limit, Reason: s, Expires: "2000-01-01"}}
	p.Overrides = []compare.Override{{Subject: compare.Subject{Benchmark: s + "(", Metric: s}, Require: &yes}}
	return judged(f, p)
}

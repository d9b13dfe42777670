// Package result holds the nouns that every other part speaks: what was measured, on which
// machine, and the one file format for it.
//
// It never measures, judges or draws. Harness and parse produce Sets, compare judges them.
package result

import (
	"slices"
	"strings"
)

// Set is the outcome of measuring one tree: its benchmarks, and where they ran.
type Set struct {
	// Commit is the measured commit, empty when the source was not under git.
	Commit string `json:"commit,omitempty"`
	// Ref is the name by which the commit was asked for, such as "HEAD~1".
	Ref string `json:"ref,omitempty"`
	// Dirty says that the tree had changes beyond Commit.
	Dirty bool `json:"dirty,omitempty"`

	Env        Env          `json:"env"`
	Benchmarks []*Benchmark `json:"benchmarks"`
	// BuildFailures are the packages that did not build, with the compiler's words.
	BuildFailures []BuildFailure `json:"build_failures,omitempty"`
	// Control is perfgate's own pipeline, measured beside the tree: the same code for every tree.
	Control *Benchmark `json:"control,omitempty"`
}

// Status says what became of a benchmark in a tree's own source.
type Status string

// The statuses of a benchmark.
const (
	OK      Status = "ok"
	Failed  Status = "failed"  // it failed, panicked, exited, hung or printed no result
	Skipped Status = "skipped" // it called b.Skip
	Absent  Status = "absent"  // this tree has no such benchmark
	Unbuilt Status = "unbuilt" // its package does not build
)

// Benchmark is a named thing measured.
type Benchmark struct {
	Suite   string `json:"suite"`
	Package string `json:"package,omitempty"`
	// Name is the benchmark's name without the "Benchmark" prefix and the GOMAXPROCS suffix.
	Name   string `json:"name"`
	Status Status `json:"status"`
	// Scenario, of a program, is what was run, and under load what was offered to it; of a benchmark whose upstream is
	// mocked, what that answers. Others have none.
	Scenario string `json:"scenario,omitempty"`
	// Message says why Status is not OK.
	Message string `json:"message,omitempty"`
	// Incomparable, on a base benchmark, says why it has no comparable measurement.
	Incomparable string `json:"incomparable,omitempty"`
	// Unmeasured says why an OK benchmark has no samples, such as an ended budget.
	Unmeasured string `json:"unmeasured,omitempty"`
	// Untimed says why an OK benchmark that was counted has no times, such as an ended budget.
	Untimed string `json:"untimed,omitempty"`
	// Same, on a head benchmark, says why there was nothing to measure: base is the same.
	Same string `json:"same,omitempty"`
	// Uncounted, on a head benchmark, says why not all that is exact was counted.
	Uncounted string `json:"uncounted,omitempty"`
	// FixedLayout, on a head benchmark, says why the sides could not be linked again with their
	// functions in another order.
	FixedLayout string `json:"fixed_layout,omitempty"`
	// First has a letter a pair for the side that went first, b or h. It stands on head.
	First string `json:"first,omitempty"`
	// Void lists why passes were lost.
	Void []Void `json:"void,omitempty"`
	// Notes are remarks from measuring that the report shows beside the benchmark.
	Notes []string `json:"notes,omitempty"`
	// Blocks, on a head benchmark, are the parts of the source in which it executes another number of
	// statements than base, the largest rises first.
	Blocks []Block `json:"blocks,omitempty"`
	// Why, on a head benchmark, is what grew, where that was asked for.
	Why *Why `json:"why,omitempty"`
	// Left, on a head benchmark, is where most comes from of what iterations leave behind.
	Left []Left `json:"left,omitempty"`
	// Memory is what its processes held and allocated.
	Memory *Memory `json:"memory,omitempty"`
	// Imports, on a head benchmark of a program's start, are the packages that are new or grew, the largest growth
	// first, and behind them the slowest of the others.
	Imports []Import  `json:"imports,omitempty"`
	Metrics []*Metric `json:"metrics,omitempty"`
	// Latency, of a program under load, has a histogram of its runs' latencies in nanoseconds for each sample: an
	// HdrHistogram, V2, compressed, in base64.
	Latency []string `json:"latency_hdr,omitempty"`
	// Spans, of a program under load, are where its time went as it says, the largest own time first.
	Spans []Span `json:"spans,omitempty"`
}

// Why is what costs an operation more than on base, by profiles that were taken apart from what is judged. Nothing
// in it is judged.
type Why struct {
	// Own are functions of the main modules, each with what it calls of others. Any are functions by themselves.
	// Allocs are the places in the main modules that allocate.
	Own    []Growth `json:"own,omitempty"`
	Any    []Growth `json:"any,omitempty"`
	Allocs []Growth `json:"allocs,omitempty"`
	// Calls and Spans, of a program under load, are what a run asks more of the upstream, and the spans that take longer,
	// by the samples that were judged.
	Calls []CallGrowth `json:"calls,omitempty"`
	Spans []SpanGrowth `json:"spans,omitempty"`
	// Compiler is what the compiler does otherwise to functions above: values that escape, calls that are no
	// longer inlined.
	Compiler []Remark `json:"compiler,omitempty"`
	// Modules are the dependencies and the toolchain that differ.
	Modules []string `json:"modules,omitempty"`
	// Profiles are the files that hold the profiles, in the folder of the reports.
	Profiles []string `json:"profiles,omitempty"`
	// Missing says why some of it is not known.
	Missing string `json:"missing,omitempty"`
}

// Growth is a function that costs more.
type Growth struct {
	Function string `json:"function"`
	// File is the package's import path and the file's name, and Line where most of the growth is.
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	// Base and Head are what it costs an operation, in Unit.
	Unit string  `json:"unit"`
	Base float64 `json:"base"`
	Head float64 `json:"head"`
	// Path are the functions that lead to it where it costs most, the outermost first.
	Path []string `json:"path,omitempty"`
}

// CallGrowth is what a run of a program under load asks more of its upstream.
type CallGrowth struct {
	// Route is the request line, such as POST /v1/chat/completions.
	Route string `json:"route"`
	Model string `json:"model,omitempty"`
	// What is counted: "calls", "input tokens" and the like.
	What string  `json:"what"`
	Base float64 `json:"base"`
	Head float64 `json:"head"`
	// Repeated, of calls, is by how much those rose that ask again what the run had asked before.
	Repeated float64 `json:"repeated,omitempty"`
	// First is the number of the first run that has more, and Runs how many have, of All. All is 0 where nobody knows
	// which run made which call.
	First int `json:"first,omitempty"`
	Runs  int `json:"runs,omitempty"`
	All   int `json:"all,omitempty"`
}

// SpanGrowth is a span of a program under load that takes more own time a run.
type SpanGrowth struct {
	Name string `json:"name"`
	// Base and Head are the own time in seconds, BaseCount and HeadCount how many there are.
	Base      float64 `json:"base"`
	Head      float64 `json:"head"`
	BaseCount float64 `json:"base_count"`
	HeadCount float64 `json:"head_count"`
}

// Remark is a sentence about a place in the source.
type Remark struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Text string `json:"text"`
}

// Void is a pass that was lost because this side's process gave no result.
type Void struct {
	Pass    int    `json:"pass"`
	Message string `json:"message"`
	// Counted says that only the pass's times are lost, on both sides, and that what it counted holds.
	Counted bool `json:"counted,omitempty"`
}

// Block is a run of statements of a source file.
type Block struct {
	// File is the package's import path and the file's name. From and To are its lines, on base where
	// the block is Gone from head.
	File string `json:"file"`
	From int    `json:"from"`
	To   int    `json:"to"`
	Gone bool   `json:"gone,omitempty"`
	// Base and Head are the statements that it executes an operation.
	Base float64 `json:"base"`
	Head float64 `json:"head"`
}

// Left is what iterations leave behind of one place in the program.
type Left struct {
	// Unit is that of the metric that it is a part of.
	Unit string `json:"unit"`
	// Where is the stack of a goroutine, or that of an allocation, the innermost function first.
	Where string  `json:"where"`
	PerOp float64 `json:"per_op"`
}

// Import is a package or module that a program initialises when it starts. Times are in seconds.
type Import struct {
	Name string `json:"name"`
	// New says that base has no such package, Grew that it takes longer than on base.
	New  bool `json:"new,omitempty"`
	Grew bool `json:"grew,omitempty"`
	// Base and Head are its own time on either side, Total that of head with all it was the first to import.
	Base  float64 `json:"base,omitempty"`
	Head  float64 `json:"head"`
	Total float64 `json:"total,omitempty"`
}

// BuildFailure is a package whose test binary could not be built.
type BuildFailure struct {
	Package string `json:"package"`
	Message string `json:"message"`
}

// Key identifies a benchmark across Sets.
type Key struct{ Suite, Package, Name string }

// Key returns the identity of b.
func (b *Benchmark) Key() Key { return Key{b.Suite, b.Package, b.Name} }

// String is the key as people read it: the package's import path, a dot and the name.
func (k Key) String() string {
	name := k.Name
	if name == "" {
		name = "Benchmark"
	}
	if k.Package == "" {
		return name
	}
	return k.Package + "." + name
}

// Compare orders keys by suite, package and name.
func (k Key) Compare(o Key) int {
	if c := strings.Compare(k.Suite, o.Suite); c != 0 {
		return c
	}
	if c := strings.Compare(k.Package, o.Package); c != 0 {
		return c
	}
	return strings.Compare(k.Name, o.Name)
}

// Metric is one unit of a benchmark with its samples.
type Metric struct {
	Unit    Unit
	Samples []Sample
	// Confirm are the samples of the second stage: taken afresh, a pass a re-linked build.
	Confirm []Sample
	// Best, in a baseline, is the best level of an exact metric that Samples are worse than within the
	// tolerance: nil where they are the best.
	Best *Level
}

// Level is a value that an exact metric once had.
type Level struct {
	Value float64 `json:"value"`
	Iters int     `json:"iters"`
	// Commit and Date say which baseline had it.
	Commit string `json:"commit,omitempty"`
	Date   string `json:"date"`
}

// Sample is one measured value.
type Sample struct {
	// Value is in base units: seconds, bytes, counts.
	Value float64
	// Iters is the number of iterations that Value is the mean of.
	Iters int
	// Pair numbers the base/head pair that the sample belongs to.
	Pair int
	// Pass numbers the pair of processes, or of whole load runs, that the sample was taken from.
	// Passes are independent repetitions; samples of one pass are not.
	Pass int
}

// Route is what becomes of a benchmark after a look at it.
type Route int

// The routes.
const (
	Undecided Route = iota // needs further passes
	Settled                // needs none
	Suspect                // seems slower: to be measured again on re-linked builds
	Candidate              // seems faster
)

// Metric returns b's metric of that unit name, or nil.
func (b *Benchmark) Metric(unit string) *Metric {
	for _, m := range b.Metrics {
		if m.Unit.Name == unit {
			return m
		}
	}
	return nil
}

// Add appends a sample to b's metric of unit u, making the metric where there is none.
func (b *Benchmark) Add(u Unit, s Sample) { b.Take(u, s, false) }

// Take is Add for either stage.
func (b *Benchmark) Take(u Unit, s Sample, confirm bool) {
	m := b.Metric(u.Name)
	if m == nil {
		m = &Metric{Unit: u}
		b.Metrics = append(b.Metrics, m)
	}
	if confirm {
		m.Confirm = append(m.Confirm, s)
	} else {
		m.Samples = append(m.Samples, s)
	}
}

// Passes is the number of passes of b's best measured metric, those of the second stage included.
func (b *Benchmark) Passes() int {
	n := 0
	for _, m := range b.Metrics {
		n = max(n, countPasses(m.Samples)+countPasses(m.Confirm))
	}
	return n
}

func countPasses(samples []Sample) int {
	n := 0
	for at := 0; at < len(samples); at = endOfPass(samples, at) {
		n++
	}
	return n
}

// endOfPass is the index behind the last sample of the pass that begins at index at.
func endOfPass(samples []Sample, at int) int {
	end := at + 1
	for end < len(samples) && samples[end].Pass == samples[at].Pass {
		end++
	}
	return end
}

// ByPass returns one value a pass, the median of its samples, in the order of the passes.
func ByPass(samples []Sample) []Sample {
	out := make([]Sample, 0, countPasses(samples))
	for at := 0; at < len(samples); {
		end := endOfPass(samples, at)
		s := samples[at]
		s.Value = median(samples[at:end])
		out = append(out, s)
		at = end
	}
	return out
}

func median(samples []Sample) float64 {
	if len(samples) == 1 {
		return samples[0].Value
	}
	vs := make([]float64, len(samples))
	for i, s := range samples {
		vs[i] = s.Value
	}
	slices.Sort(vs)
	n := len(vs)
	if n%2 == 1 {
		return vs[n/2]
	}
	return vs[n/2-1]/2 + vs[n/2]/2
}

// Values returns one value a pass, the passes of both stages in the order of measuring.
func (m *Metric) Values() []float64 {
	vs := make([]float64, 0, countPasses(m.Samples)+countPasses(m.Confirm))
	for _, samples := range [][]Sample{m.Samples, m.Confirm} {
		for at := 0; at < len(samples); {
			end := endOfPass(samples, at)
			vs = append(vs, median(samples[at:end]))
			at = end
		}
	}
	return vs
}

// Index returns s's benchmarks by key. It is the caller's to keep: s does not remember it.
func (s *Set) Index() map[Key]*Benchmark {
	m := make(map[Key]*Benchmark, len(s.Benchmarks))
	for _, b := range s.Benchmarks {
		m[b.Key()] = b
	}
	return m
}

// Sort orders s's benchmarks by key and each one's metrics in the order of the unit table.
func (s *Set) Sort() {
	slices.SortStableFunc(s.Benchmarks, func(a, b *Benchmark) int { return a.Key().Compare(b.Key()) })
	for _, b := range s.Benchmarks {
		slices.SortStableFunc(b.Metrics, func(a, b *Metric) int { return a.Unit.Compare(b.Unit) })
	}
}

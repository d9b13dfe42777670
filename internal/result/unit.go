package result

import (
	"cmp"
	"slices"
	"strings"
)

// Better is the direction in which a unit improves.
type Better string

// The directions. A metric of unknown direction is shown and never judged.
const (
	Unknown Better = ""
	Lower   Better = "lower"
	Higher  Better = "higher"
)

// Sign is +1 where lower is better, -1 where higher is, 0 where nobody said.
func (b Better) Sign() float64 {
	switch b {
	case Lower:
		return 1
	case Higher:
		return -1
	}
	return 0
}

// Unit is what a metric counts, in base units (sec, B), and how to read it.
type Unit struct {
	// Name is as benchmarks print it, such as sec/op.
	Name   string `json:"unit"`
	Better Better `json:"better,omitempty"`
	// Exact says that the benchmark declared the unit exact (assume=exact in the Go benchmark
	// format): any difference is real.
	Exact bool `json:"exact,omitempty"`
}

// unitRow is what is known of a unit beforehand.
type unitRow struct {
	name   string
	better Better
	// timing units are estimates however constant their digits are; the others may be exact.
	timing bool
	// counted units are taken in passes of counting, where there are such.
	counted bool
	// offered units are those of a load run, whose values programs may report as well as perfgate.
	offered bool
	// gates says of an offered timing unit that it gates; the others do where a policy names them.
	gates bool
	// named units gate only where a policy names them.
	named bool
	// info units are shown and never gate: they describe the process, set-up included.
	info bool
}

// units is the one list of known units, in the order of display.
var units = []unitRow{
	{name: "sec/op", better: Lower, timing: true},
	{name: "B/s", better: Higher, timing: true},
	{name: "B/op", better: Lower, counted: true},
	{name: "allocs/op", better: Lower, counted: true},
	{name: Statements, better: Lower, counted: true},
	{name: Instructions, better: Lower, counted: true},
	{name: UpstreamCalls, better: Lower, counted: true},
	{name: UpstreamAttempts, better: Lower, counted: true},
	{name: UpstreamInput, better: Lower, counted: true},
	{name: UpstreamOutput, better: Lower, counted: true},
	{name: "calls/op", better: Lower},
	{name: "attempts/op", better: Lower},
	{name: "mean-sec", better: Lower, timing: true, offered: true},
	{name: "p50-sec", better: Lower, timing: true, offered: true, gates: true},
	{name: "p90-sec", better: Lower, timing: true, offered: true},
	{name: "p95-sec", better: Lower, timing: true, offered: true},
	{name: "p99-sec", better: Lower, timing: true, offered: true},
	{name: "max-sec", better: Lower, timing: true, offered: true},
	{name: "queue-p50-sec", better: Lower, timing: true, offered: true},
	{name: "queue-p90-sec", better: Lower, timing: true, offered: true},
	{name: "queue-p95-sec", better: Lower, timing: true, offered: true},
	{name: "queue-p99-sec", better: Lower, timing: true, offered: true},
	{name: "service-p50-sec", better: Lower, timing: true, offered: true},
	{name: "service-p90-sec", better: Lower, timing: true, offered: true},
	{name: "service-p95-sec", better: Lower, timing: true, offered: true},
	{name: "service-p99-sec", better: Lower, timing: true, offered: true},
	{name: "ttft-p50-sec", better: Lower, timing: true, offered: true},
	{name: "ttft-p90-sec", better: Lower, timing: true, offered: true},
	{name: "ttft-p95-sec", better: Lower, timing: true, offered: true},
	{name: "ttft-p99-sec", better: Lower, timing: true, offered: true},
	{name: "itl-p50-sec", better: Lower, timing: true, offered: true},
	{name: "itl-p90-sec", better: Lower, timing: true, offered: true},
	{name: "itl-p95-sec", better: Lower, timing: true, offered: true},
	{name: "itl-p99-sec", better: Lower, timing: true, offered: true},
	{name: "tpot-p50-sec", better: Lower, timing: true, offered: true},
	{name: "tpot-p90-sec", better: Lower, timing: true, offered: true},
	{name: "tpot-p95-sec", better: Lower, timing: true, offered: true},
	{name: "tpot-p99-sec", better: Lower, timing: true, offered: true},
	{name: "overhead-mean-sec", better: Lower, timing: true, offered: true, gates: true},
	{name: "overhead-p50-sec", better: Lower, timing: true, offered: true},
	{name: "overhead-p90-sec", better: Lower, timing: true, offered: true},
	{name: "overhead-p95-sec", better: Lower, timing: true, offered: true},
	{name: "overhead-p99-sec", better: Lower, timing: true, offered: true},
	{name: "overhead-share", better: Lower, timing: true, offered: true},
	{name: "wall-sec", better: Lower, timing: true, offered: true},
	{name: "runs/s", better: Higher, timing: true, offered: true},
	{name: "tokens/s", better: Higher, timing: true, offered: true},
	{name: "good-runs/s", better: Higher, timing: true, offered: true},
	{name: "efficiency", better: Higher, timing: true, offered: true},
	{name: "error-share", better: Lower, offered: true},
	{name: "cache-hits", better: Higher, offered: true},
	{name: "cache-misses", better: Lower, offered: true},
	{name: "cache-coalesced", better: Higher, offered: true, info: true},
	{name: "hit-rate", better: Higher, offered: true},
	{name: "upstream-calls", better: Lower, offered: true},
	{name: "upstream-attempts", better: Lower, offered: true},
	{name: "upstream-depth", better: Lower, offered: true},
	{name: "input-tokens", better: Lower, offered: true},
	{name: "output-tokens", better: Lower, offered: true},
	{name: "cost/run", better: Lower, offered: true},
	{name: "cpu-sec/run", better: Lower, timing: true, offered: true},
	{name: PeakRSS, better: Lower, timing: true, offered: true},
	{name: "startup-sec", better: Lower, timing: true, offered: true},
	{name: Spans, better: Lower, offered: true, named: true},
	{name: Counter, better: Lower, offered: true, named: true},
	{name: Hits, better: Higher, offered: true, named: true},
	{name: Misses, better: Lower, offered: true, named: true},
	{name: CommandCPU, better: Lower, timing: true, offered: true},
	{name: MaxPackage, better: Lower, timing: true, offered: true},
	{name: "self-sec", better: Lower, timing: true, info: true},
	{name: "total-sec", better: Lower, timing: true, info: true},
	{name: "init-B", better: Lower, info: true},
	{name: "init-allocs", better: Lower, info: true},
	{name: LeakBytes, better: Lower, info: true},
	{name: LeakRSS, better: Lower, info: true},
	{name: LeakGoroutines, better: Lower, info: true},
	{name: LeakDescriptors, better: Lower, info: true},
}

// Statements is the unit of the statements of the module that an operation executes.
const Statements = "statements/op"

// Instructions is the unit of the instructions that an operation executes, in user mode.
const Instructions = "instructions/op"

// Units of what an operation asks of the mocked upstream, as that counts it.
const (
	UpstreamCalls    = "upstream-calls/op"
	UpstreamAttempts = "upstream-attempts/op"
	UpstreamInput    = "upstream-input-tokens/op"
	UpstreamOutput   = "upstream-output-tokens/op"
)

// Units of a command and of its start.
const (
	// CommandCPU is the user and system time of a run, that of its children included.
	CommandCPU = "cpu-sec/op"
	// PeakRSS is the largest memory of a process tree, in RAM.
	PeakRSS = "peak-rss-B"
	// MaxPackage is the own time of the package or module that takes longest to initialise.
	MaxPackage = "max-package-sec"
)

// Units of what stays behind an iteration. A sample is the gain of one slice of iterations.
const (
	LeakBytes       = "leak-B/op"
	LeakRSS         = "leak-rss-B/op"
	LeakGoroutines  = "leak-goroutines/op"
	LeakDescriptors = "leak-descriptors/op"
)

// The units of what a program under load counts of itself go on with a name, such as spans:plan: so many spans
// of that name ended, that was added to the counter, so many look-ups did the cache answer or not.
const (
	Spans   = "spans:"
	Counter = "count:"
	Hits    = "hits:"
	Misses  = "misses:"
)

func unitIndex(name string) int {
	return slices.IndexFunc(units, func(r unitRow) bool {
		return r.name == name || strings.HasSuffix(r.name, ":") && strings.HasPrefix(name, r.name)
	})
}

// UnitOf returns the unit of that name with what is known of it.
func UnitOf(name string) Unit {
	if i := unitIndex(name); i >= 0 {
		return Unit{Name: name, Better: units[i].better}
	}
	return Unit{Name: name}
}

// Timing reports whether u measures elapsed time or a rate over it. Such a value is an
// estimate even where all its samples print the same digits.
func (u Unit) Timing() bool {
	if i := unitIndex(u.Name); i >= 0 {
		return units[i].timing
	}
	for _, part := range strings.FieldsFunc(u.Name, func(r rune) bool { return r == '-' || r == '/' || r == '_' }) {
		if part == "sec" || part == "s" {
			return true
		}
	}
	return false
}

// Base is the base unit that u counts, "sec" or "B", and empty for a plain number.
func (u Unit) Base() string {
	unit, _, _ := strings.Cut(u.Name, "/")
	for _, base := range []string{"sec", "B"} {
		if unit == base || strings.HasSuffix(unit, "-"+base) {
			return base
		}
	}
	return ""
}

// Measured reports whether perfgate itself measures units of that name, and no benchmark reports them.
func Measured(name string) bool {
	i := unitIndex(name)
	return i >= 0 && !units[i].offered && (units[i].timing || units[i].counted)
}

// Counted reports whether u is counted apart from times, and compared as a fact where it is constant.
func (u Unit) Counted() bool {
	i := unitIndex(u.Name)
	return i >= 0 && units[i].counted
}

// Differenced reports whether u is the difference between runs of different lengths: no set-up is in it, so that the
// number of iterations does not matter.
func (u Unit) Differenced() bool {
	switch u.Name {
	case Statements, Instructions, UpstreamCalls, UpstreamAttempts, UpstreamInput, UpstreamOutput:
		return true
	}
	return false
}

// Offered reports whether u is of a whole run of load.
func (u Unit) Offered() bool {
	i := unitIndex(u.Name)
	return i >= 0 && units[i].offered
}

// Optional reports whether u gates only where a policy names it: it tells much the same as another unit, with more
// noise.
func (u Unit) Optional() bool {
	i := unitIndex(u.Name)
	return i >= 0 && units[i].offered && (units[i].timing && !units[i].gates || units[i].named)
}

// Leak reports whether u is what an operation leaves behind.
func (u Unit) Leak() bool {
	return slices.Contains([]string{LeakBytes, LeakRSS, LeakGoroutines, LeakDescriptors}, u.Name)
}

// Info reports whether u only describes the process and never gates.
func (u Unit) Info() bool {
	i := unitIndex(u.Name)
	return i >= 0 && units[i].info
}

// Compare orders units as they are displayed: the known ones first, then by name.
func (u Unit) Compare(o Unit) int {
	i, j := unitIndex(u.Name), unitIndex(o.Name)
	if i < 0 {
		i = len(units)
	}
	if j < 0 {
		j = len(units)
	}
	return cmp.Or(cmp.Compare(i, j), strings.Compare(u.Name, o.Name))
}

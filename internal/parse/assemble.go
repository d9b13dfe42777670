package parse

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"

	"github.com/org/perfgate/internal/result"
)

// suite is the suite of every benchmark in the Go benchmark format.
const suite = "gobench"

// assembly is the last step: final names, verdicts and units for what was collected.
type assembly struct {
	*collector
	procs int
}

// set makes the Set of all that c and its findings hold. Of names it strips procs, and of
// units it knows what the input declared.
func (c *collector) set(procs int, units benchfmt.UnitMetadataMap) *result.Set {
	a := &assembly{c, procs}
	for _, e := range c.order {
		a.name(e)
	}
	a.judge()
	slices.SortStableFunc(c.order, func(a, b *entry) int { return cmp.Compare(a.line, b.line) })

	s := &result.Set{Env: c.found.env, BuildFailures: c.found.buildFailures}
	s.Env.GOMAXPROCS = procs
	s.Benchmarks = make([]*result.Benchmark, len(c.order))
	declared := make(map[string]result.Unit)
	for i, e := range c.order {
		s.Benchmarks[i] = &e.b
		if len(e.b.Metrics) == 0 && e.b.Status == result.OK {
			e.b.Unmeasured = "its result line has no measurement"
		}
		for _, m := range e.b.Metrics {
			u, ok := declared[m.Unit.Name]
			if !ok {
				u = unitOf(m.Unit.Name, units)
				declared[u.Name] = u
			}
			m.Unit = u
		}
	}
	return s
}

// unitOf returns the unit of that name with what the input, or else result, knows of it.
func unitOf(name string, units benchfmt.UnitMetadataMap) result.Unit {
	u := result.UnitOf(name)
	if better := units.Get(name, "better"); better != nil {
		switch better.Value {
		case "higher":
			u.Better = result.Higher
		case "lower":
			u.Better = result.Lower
		}
	}
	if assume := units.Get(name, "assume"); assume != nil {
		u.Exact = assume.Value == "exact"
	}
	return u
}

// name gives e its final name. Where only the suffix tells two benchmarks apart (-cpu 1,2
// with one of them to be stripped) it stays: samples of different things must not meet.
func (a *assembly) name(e *entry) {
	name := a.strip(e.raw)
	if name != e.raw && a.byPkg[e.b.Package][name] != nil {
		name = e.raw
		a.found.warnAt(e.line, "%s keeps its suffix: there is a benchmark of that name without one", e.printed())
	}
	e.b.Name = cleanName(name)
}

// strip cuts the suffix for a.procs off a name.
func (a *assembly) strip(name string) string {
	if base, procs := cutProcs(name); procs > 0 && procs == a.procs {
		return base
	}
	return name
}

// judge applies the verdicts, which are the only sign of benchmarks without a result.
func (a *assembly) judge() {
	var failed *verdict // the last one
	for i := range a.found.verdicts {
		v := &a.found.verdicts[i]
		if v.status == result.Failed {
			below := failed
			failed = v
			if v.message == "" && below != nil && below.run == v.run && strings.HasPrefix(below.name, v.name+"/") {
				continue // it only passes on that one of its sub-benchmarks failed
			}
		}
		e := a.judged(v)
		e.line = min(e.line, v.line)
		if severity(v.status) > severity(e.b.Status) {
			e.b.Status, e.b.Message = v.status, cmp.Or(v.message, "no message")
		}
	}
}

// judged returns the entry that v is about, making it where there is none.
func (a *assembly) judged(v *verdict) *entry {
	pkg := a.found.packageOf(v)
	name := a.strip(v.name)
	if name != v.name && (v.suffix == without ||
		v.suffix == perhaps && strings.Contains(name, "/") && a.byPkg[pkg][v.name] == nil) {
		name = v.name // package testing prints a suffix only after it printed the name with it
	}
	inPkg := a.byPkg[pkg]
	for _, raw := range []string{name + "-" + strconv.Itoa(a.procs), name} {
		if e := inPkg[raw]; e != nil && e.b.Name == cleanName(name) {
			return e
		}
	}
	e := newEntry(name, pkg, v.line)
	e.b.Name = cleanName(name)
	if inPkg == nil {
		inPkg = make(map[string]*entry)
		a.byPkg[pkg] = inPkg
	}
	inPkg[name] = e
	a.order = append(a.order, e)
	return e
}

// severity orders what different lines say of one benchmark.
func severity(s result.Status) int {
	switch s {
	case result.Failed:
		return 2
	case result.Skipped:
		return 1
	}
	return 0
}

// commonProcs returns the GOMAXPROCS suffix that all printed names carry, or 0.
func (c *collector) commonProcs() int {
	common := 0
	agrees := func(name string) bool {
		_, procs := cutProcs(name)
		if common == 0 {
			common = procs
		}
		return procs != 0 && procs == common
	}
	for _, e := range c.order {
		if !agrees(e.raw) {
			return 0
		}
	}
	for _, v := range c.found.verdicts {
		if v.suffix == with && !agrees(v.name) {
			return 0
		}
	}
	return common
}

package parse

import (
	"math"

	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchunit"

	"github.com/org/perfgate/internal/result"
)

const (
	maxUnits    = 100 // of one benchmark
	maxExpected = 16  // samples that room is made for beforehand
)

// entry is a benchmark under the name that its result lines print.
type entry struct {
	raw   string // without "Benchmark", with the suffix
	line  int    // of its first appearance
	pairs int    // result lines so far
	b     result.Benchmark

	// Room for the metrics of most benchmarks: allocations are most of what this package
	// costs beyond benchfmt.
	metrics [4]result.Metric
	list    [4]*result.Metric
}

func newEntry(raw, pkg string, line int) *entry {
	e := &entry{raw: raw, line: line}
	e.b = result.Benchmark{Suite: suite, Package: pkg, Status: result.OK, Metrics: e.list[:0]}
	return e
}

// metric returns e's metric of that unit, probably the i-th, or nil.
func (e *entry) metric(i int, unit string) *result.Metric {
	if i < len(e.b.Metrics) && e.b.Metrics[i].Unit.Name == unit {
		return e.b.Metrics[i]
	}
	return e.b.Metric(unit)
}

// add adds a metric of that unit.
func (e *entry) add(unit string, samples []result.Sample) *result.Metric {
	m := new(result.Metric)
	if i := len(e.b.Metrics); i < len(e.metrics) {
		m = &e.metrics[i]
	}
	m.Unit.Name, m.Samples = unit, samples
	e.b.Metrics = append(e.b.Metrics, m)
	return m
}

// printed is the entry's name in a warning.
func (e *entry) printed() string { return clip([]byte("Benchmark" + e.raw)) }

// collector gathers result lines by package and printed name. Names are final only at the end
// of the input: only there it shows whether all of them carry the same suffix.
type collector struct {
	found    *findings
	order    []*entry
	byPkg    map[string]map[string]*entry // by package and raw name
	config   string                       // the pkg: line in force at the last result line
	pkg      string                       // config as a clean name
	inPkg    map[string]*entry            // byPkg[pkg]
	last     *entry
	pkgAt    int // where the pkg: line was in the last result's Config
	expected int // samples of a metric, from the benchmark before

	block     []result.Sample // unused
	blockSize int
}

func newCollector(found *findings) *collector {
	first := make(map[string]*entry)
	return &collector{found: found, byPkg: map[string]map[string]*entry{"": first}, inPkg: first, expected: 1, blockSize: 16}
}

// result adds one result line.
func (c *collector) result(res *benchfmt.Result) {
	_, line := res.Pos()
	if res.Iters <= 0 {
		c.found.warnAt(line, "result of %d iterations dropped", res.Iters)
		return
	}
	e := c.entry(res, line)
	for i := range res.Values {
		c.value(e, res, i, line)
	}
	e.pairs++
}

// entry finds or makes the entry of a result line. A benchmark's lines mostly follow one
// another, so the last one is tried before the map.
func (c *collector) entry(res *benchfmt.Result, line int) *entry {
	c.enter(res)
	if c.last != nil && c.last.raw == string(res.Name) {
		return c.last
	}
	if c.last != nil {
		c.expected = min(c.last.pairs, maxExpected)
	}
	e := c.inPkg[string(res.Name)]
	if e == nil {
		e = newEntry(string(res.Name), c.pkg, line)
		c.inPkg[e.raw] = e
		c.order = append(c.order, e)
		c.found.names++
	}
	c.last = e
	return e
}

// enter makes the package of a result line the current one.
func (c *collector) enter(res *benchfmt.Result) {
	var config []byte
	if c.pkgAt >= len(res.Config) || res.Config[c.pkgAt].Key != "pkg" {
		c.pkgAt, _ = res.ConfigIndex("pkg") // a map look-up, too slow for each line
	}
	if c.pkgAt < len(res.Config) && res.Config[c.pkgAt].Key == "pkg" {
		config = res.Config[c.pkgAt].Value
	}
	if string(config) == c.config {
		return
	}
	c.config = string(config)
	c.pkg = cleanName(c.config)
	c.last = nil
	c.inPkg = c.byPkg[c.pkg]
	if c.inPkg == nil {
		c.inPkg = make(map[string]*entry)
		c.byPkg[c.pkg] = c.inPkg
	}
}

// value adds the i-th value of a result line as a sample. Units come in the same order on
// each of a benchmark's lines, so the i-th metric is tried before the others.
func (c *collector) value(e *entry, res *benchfmt.Result, i, line int) {
	v := &res.Values[i]
	if math.IsNaN(v.Value) || math.IsInf(v.Value, 0) {
		c.found.warnAt(line, "%v %s of %s dropped", v.Value, clip([]byte(v.Unit)), e.printed())
		return
	}
	unit := v.Unit
	if v.Value == 0 { // benchfmt leaves its unit as it was: 0 ns/op, but 1e-9 sec/op
		_, unit = benchunit.Tidy(v.Value, unit)
	}
	m := e.metric(i, unit)
	if m == nil {
		if m = c.newMetric(e, line, cleanName(unit)); m == nil {
			return
		}
	}
	if n := len(m.Samples); n > 0 && m.Samples[n-1].Pair == e.pairs {
		c.found.warnAt(line, "second value of %s on one line dropped", m.Unit.Name)
		return
	}
	m.Samples = append(m.Samples, result.Sample{Value: v.Value, Iters: res.Iters, Pair: e.pairs, Pass: e.pairs})
}

// newMetric adds a metric of that unit to e, or returns the one there is.
func (c *collector) newMetric(e *entry, line int, unit string) *result.Metric {
	if m := e.b.Metric(unit); m != nil {
		return m
	}
	if len(e.b.Metrics) == maxUnits {
		c.found.warnAt(line, "%s has more than %d units: the others are dropped", e.printed(), maxUnits)
		return nil
	}
	return e.add(unit, c.room())
}

// room returns an empty slice for as many samples as are to be expected, out of a block that
// is shared with other metrics.
func (c *collector) room() []result.Sample {
	n := c.expected
	if len(c.block) < n {
		c.blockSize = min(2*c.blockSize, 1024)
		c.block = make([]result.Sample, max(n, c.blockSize))
	}
	s := c.block[:0:n]
	c.block = c.block[n:]
	return s
}

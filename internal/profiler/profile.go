package profiler

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/org/perfgate/internal/spans"
)

// Profile is where a program's time and memory went, as it marked it.
type Profile struct {
	// WallNS is how long the program ran.
	WallNS int64 `json:"wall_ns"`
	// Timers are the spans by name, wherever they stand, the largest own time first.
	Timers []*Timer `json:"timers"`
	// Phases are the parts of the run, in the order in which they ended.
	Phases []*Timer `json:"phases"`
	// Memory is what the program held at its marks.
	Memory []Mark `json:"memory"`
	// Spans are the same times as a tree: the outermost spans, the longest first.
	Spans    []*Span          `json:"spans"`
	Counters map[string]int64 `json:"counters,omitempty"`
	Caches   map[string]Cache `json:"caches,omitempty"`
	// Notes say what is not in the numbers.
	Notes []string `json:"notes,omitempty"`
}

// Timer is what spans add up to, in nanoseconds. Quantiles are within 1.6 %.
type Timer struct {
	Name   string `json:"name"`
	Count  int64  `json:"count"`
	Errors int64  `json:"errors,omitempty"`
	// Open are those that were begun and did not end.
	Open int64 `json:"open,omitempty"`
	// TotalNS is how long they took together. In the table by name, spans below others of their name are in
	// those. SelfNS is the same without the time that children of theirs were under way.
	TotalNS int64 `json:"total_ns"`
	SelfNS  int64 `json:"self_ns"`
	MinNS   int64 `json:"min_ns"`
	MaxNS   int64 `json:"max_ns"`
	P50NS   int64 `json:"p50_ns"`
	P95NS   int64 `json:"p95_ns"`
	P99NS   int64 `json:"p99_ns"`
}

// MeanNS is how long one took on average.
func (t *Timer) MeanNS() int64 { return t.TotalNS / max(t.Count, 1) }

// Span is the spans of one name below the same spans.
type Span struct {
	Timer
	Attrs    map[string]map[string]int64 `json:"attrs,omitempty"`
	Children []*Span                     `json:"children,omitempty"`
}

// Cache is how often look-ups were answered.
type Cache struct {
	Hits   int64 `json:"hits"`
	Misses int64 `json:"misses"`
}

// Mark is the memory at a moment that the program named.
type Mark struct {
	Label string `json:"label"`
	spans.Memory
}

// Profile returns what was heard up to now of a program that ran so long.
func (c *Collector) Profile(wall time.Duration) *Profile {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := &Profile{WallNS: int64(wall), Timers: []*Timer{}, Phases: []*Timer{}, Memory: append([]Mark{}, c.marks...), Spans: []*Span{},
		Counters: maps.Clone(c.counters), Notes: c.notes()}
	byName := map[string]*spans.Stats{}
	for _, child := range c.root.sorted() {
		p.Spans = append(p.Spans, child.span(byName))
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		t := timer(name, byName[name], byName[name].Self)
		p.Timers = append(p.Timers, &t)
	}
	slices.SortStableFunc(p.Timers, BySelf)
	for _, phase := range c.phases {
		t := timer(phase.name, &phase.stats, phase.self())
		p.Phases = append(p.Phases, &t)
	}
	for name, k := range c.caches {
		if p.Caches == nil {
			p.Caches = map[string]Cache{}
		}
		p.Caches[name] = *k
	}
	return p
}

// span is the tree from p on. It adds p's spans to those of the name, which p's names above leads to.
func (p *place) span(byName map[string]*spans.Stats) *Span {
	s := &Span{Timer: timer(p.name, &p.stats, p.self())}
	for key, values := range p.attrs {
		if s.Attrs == nil {
			s.Attrs = map[string]map[string]int64{}
		}
		s.Attrs[key] = maps.Clone(values)
	}
	if byName[p.name] == nil {
		byName[p.name] = new(spans.Stats)
	}
	of := byName[p.name]
	total, self := of.Total, of.Self
	of.Merge(&p.stats)
	of.Self = added(self, p.self())
	for above := p.parent; above != nil; above = above.parent {
		if above.name == p.name { // whose total holds p's
			of.Total = total
			break
		}
	}
	for _, child := range p.sorted() {
		s.Children = append(s.Children, child.span(byName))
	}
	return s
}

// self is the time of the place's own. Of spans whose program does not say, it is what children do not account for.
func (p *place) self() int64 {
	self := p.stats.Self
	if p.stats.Untold > 0 {
		var children int64
		for _, c := range p.order {
			children = added(children, c.stats.Total)
		}
		self = added(self, max(p.stats.Untold-children, 0))
	}
	return self
}

func timer(name string, s *spans.Stats, self int64) Timer {
	quantile := func(q float64) int64 { return min(max(s.Durations.Quantile(q), s.Min), s.Max) } // a bucket is wider than they are
	return Timer{Name: name, Count: s.Count, Errors: s.Errors, Open: s.Open(), TotalNS: s.Total, SelfNS: self, MinNS: s.Min, MaxNS: s.Max,
		P50NS: quantile(0.5), P95NS: quantile(0.95), P99NS: quantile(0.99)}
}

// BySelf, ByTotal and ByP95 order timers, the largest first.
func BySelf(a, b *Timer) int { return cmp.Compare(b.SelfNS, a.SelfNS) }

// ByTotal orders by how long they took together.
func ByTotal(a, b *Timer) int { return cmp.Compare(b.TotalNS, a.TotalNS) }

// ByP95 orders by the quantile.
func ByP95(a, b *Timer) int { return cmp.Compare(b.P95NS, a.P95NS) }

// Orders are the orders by name.
var Orders = []struct {
	Name    string
	Compare func(a, b *Timer) int
}{{"self", BySelf}, {"total", ByTotal}, {"p95", ByP95}}

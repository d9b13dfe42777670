package main

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/org/perfgate/internal/harness"
	"github.com/org/perfgate/internal/harness/load"
	"github.com/org/perfgate/internal/profiler"
	"github.com/org/perfgate/internal/result"
)

// heardProgram is a program with what it told of itself in all its samples, one for each side.
type heardProgram struct {
	name, side string
	collector  *profiler.Collector
	samples    int
	runs       int // of load, in all samples, those of warming up included
	wall       time.Duration
	always     bool // it is shown though it told nothing
}

// hearing finds what is heard of a program on a side, or begins to hear.
func (p *project) hearing(name, side string) *heardProgram {
	for _, h := range p.heard {
		if h.name == name && h.side == side {
			return h
		}
	}
	h := &heardProgram{name: name, side: side, collector: new(profiler.Collector)}
	p.heard = append(p.heard, h)
	return h
}

// sideOf is the side that a tree is of.
func (p *project) sideOf(dir string) string {
	if dir == p.root {
		return harness.Head.String()
	}
	return harness.Base.String()
}

// hear adds what a sample's processes told to all that was heard of the program, and to what stands for the sample.
func (l *loader) hear(name string, sample *profiler.Collector) func(*profiler.Hearing) error {
	return func(h *profiler.Hearing) error {
		return errors.Join(h.Into(sample), h.Into(l.p.hearing(name, l.side()).collector))
	}
}

// side is that of the loader's tree, or says that the sample is of the memory.
func (l *loader) side() string {
	if l.heap != "" {
		return "memory"
	}
	return l.p.sideOf(l.dir)
}

// note notes that a sample was taken of a program.
func (l *loader) note(name string, t *load.Trace, wall time.Duration) {
	h := l.p.hearing(name, l.side())
	h.always = h.always || l.heap != "" // that it told nothing is what one wants to know
	h.samples++
	h.runs += len(t.Records) + t.Plan.Warmup
	h.wall += wall
}

// mostCounts are made metrics of a program's, of each kind: a stranger's can invent names.
const mostCounts = 32

// counted are the counts of a sample as metrics: spans that ended, counters, hits and misses.
func counted(c *profiler.Collector) (all []load.Metric) {
	if c == nil {
		return nil
	}
	p := c.Profile(0)
	add := func(unit, name string, n int64) {
		all = append(all, load.Metric{Unit: unit + unitName(name), Value: float64(n)})
	}
	timers := slices.SortedFunc(slices.Values(p.Timers), func(a, b *profiler.Timer) int { return cmp.Compare(a.Name, b.Name) })
	for _, t := range timers[:min(len(timers), mostCounts)] {
		add(result.Spans, t.Name, t.Count)
	}
	for i, name := range slices.Sorted(maps.Keys(p.Counters)) {
		if i < mostCounts {
			add(result.Counter, name, p.Counters[name])
		}
	}
	for i, name := range slices.Sorted(maps.Keys(p.Caches)) {
		if i < mostCounts {
			add(result.Hits, name, p.Caches[name].Hits)
			add(result.Misses, name, p.Caches[name].Misses)
		}
	}
	return unique(all)
}

// unique keeps the first of metrics whose names have become the same.
func unique(all []load.Metric) []load.Metric {
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(m load.Metric) bool {
		again := seen[m.Unit]
		seen[m.Unit] = true
		return again
	})
}

// unitName is a program's name inside a unit, which has no spaces.
func unitName(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || !unicode.IsPrint(r) {
			return '_'
		}
		return r
	}, name)
}

// remarks say what is wrong with what a sample's processes told.
func remarks(c *profiler.Collector) []string {
	if c == nil {
		return nil
	}
	var all []string
	for _, n := range c.Profile(0).Notes {
		all = append(all, "of its spans: "+n)
	}
	return all
}

// mostSpans are kept of a program in a result file.
const mostSpans = 20

// putTold puts where the time of programs under load went into their benchmarks, and what they held in memory.
func (p *project) putTold(f *result.File) {
	for side, set := range map[harness.Side]*result.Set{harness.Base: f.Base, harness.Head: f.Head} {
		if set == nil {
			continue
		}
		for _, b := range set.Benchmarks {
			if b.Suite != harness.SuiteLoad {
				continue
			}
			var marks []profiler.Mark
			for _, h := range p.heard {
				if h.name != b.Name || h.side != side.String() {
					continue
				}
				b.Spans = h.spans()
				marks = h.collector.Profile(h.wall).Memory
			}
			b.Memory = harness.MemoryOf(b, marks)
		}
	}
}

// spans are those of a run on average, the largest own time first.
func (h *heardProgram) spans() (all []result.Span) {
	if h.runs == 0 {
		return nil
	}
	each := float64(h.runs)
	for _, t := range h.collector.Profile(h.wall).Timers {
		if len(all) < mostSpans {
			all = append(all, result.Span{Name: t.Name, Count: float64(t.Count) / each, Self: float64(t.SelfNS) / 1e9 / each, Total: float64(t.TotalNS) / 1e9 / each, P95: float64(t.P95NS) / 1e9})
		}
	}
	return all
}

package probe

import (
	"log/slog"
	"runtime/pprof"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/org/perfgate/internal/spans"
)

// node is a place in the tree of spans: a name below the same names.
type node struct {
	name     string
	path     spans.Path
	phase    bool
	label    pprof.LabelSet // of CPU profiles, without attributes
	children table[*node]

	mu    sync.Mutex
	stats spans.Stats // since the last time they were told
	attrs map[string]spans.Values
	known map[string][]string // the values of each key so far
}

// child finds the place of that name below a span, or makes it. What is too deep, or one place too many, counts at a
// place of that name, which is said, below the root.
func (p *Profiler) child(parent *Open, name string, phase bool) *node {
	at := parent.node
	return at.children.get(name, func(map[string]*node) (string, *node) {
		if parent.depth >= spans.MaxDepth || p.size.Load() >= spans.MaxNodes-1 {
			return spans.Other, p.other()
		}
		return name, p.place(&node{name: name, phase: phase, path: append(slices.Clip(at.path), name)})
	})
}

// other is the place of what has none.
func (p *Profiler) other() *node {
	return p.nodes.get(spans.Other, func(map[string]*node) (string, *node) {
		return spans.Other, p.place(&node{name: spans.Other, path: spans.Path{spans.Other}})
	})
}

func (p *Profiler) place(n *node) *node {
	n.label = pprof.Labels(spanLabel, n.name)
	p.size.Add(1)
	p.mu.Lock()
	p.all = append(p.all, n)
	p.mu.Unlock()
	return n
}

// spanLabel is the key of a span's name among the labels of CPU profiles.
const spanLabel = "span"

// begin counts a span that begins, and returns its labels for CPU profiles.
func (n *node) begin(attrs []slog.Attr) pprof.LabelSet {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.stats.Begun++
	if len(attrs) == 0 {
		return n.label
	}
	labels := make([]string, 0, 2+2*len(attrs))
	labels = append(labels, spanLabel, n.name)
	for _, a := range attrs {
		if k, v := n.note(a); v != spans.Other {
			labels = append(labels, k, v)
		}
	}
	return pprof.Labels(labels...)
}

func (n *node) set(attrs []slog.Attr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, a := range attrs {
		n.note(a)
	}
}

// note counts an attribute, under other names where there are too many, and returns those.
func (n *node) note(a slog.Attr) (k, v string) {
	k, v = spans.Name(a.Key), spans.Name(a.Value.String())
	values, seen := n.known[k]
	if !seen && len(n.known) >= spans.MaxValues {
		k, v = spans.Other, spans.Other
	} else if !slices.Contains(values, v) {
		if len(values) >= spans.MaxValues {
			v = spans.Other
		} else {
			if n.known == nil {
				n.known = map[string][]string{}
			}
			n.known[k] = append(values, v)
		}
	}
	if n.attrs == nil {
		n.attrs = map[string]spans.Values{}
	}
	if n.attrs[k] == nil {
		n.attrs[k] = spans.Values{}
	}
	n.attrs[k][v]++
	return k, v
}

func (n *node) end(total, self int64, failed bool) {
	n.mu.Lock()
	n.stats.Add(total, self, failed)
	n.mu.Unlock()
}

// tell returns what came since the last time, nil where nothing did.
func (n *node) tell() *spans.Line {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.stats.Begun == 0 && n.stats.Count == 0 && n.attrs == nil {
		return nil
	}
	stats := n.stats // the line points into it
	l := spans.Tell(n.path, &stats)
	l.Phase, l.Attrs = n.phase, n.attrs
	n.attrs = nil
	n.stats.Reset()
	return l
}

// counter is a number that only rises, or those of a cache.
type counter struct{ n, misses atomic.Int64 }

// named finds a counter. One too many is counted with the others.
func named(t *table[*counter], name string) *counter {
	return t.get(spans.Name(name), func(known map[string]*counter) (string, *counter) {
		if len(known) < spans.MaxCounters-1 {
			return spans.Name(name), new(counter)
		}
		if c, ok := known[spans.Other]; ok {
			return spans.Other, c
		}
		return spans.Other, new(counter)
	})
}

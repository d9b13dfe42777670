package profiler

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/org/perfgate/internal/spans"
)

// MaxBytes is how much is read of what a program tells of itself.
const MaxBytes = 256 << 20

// Collector adds up the lines that programs write of themselves (docs/probe.md). Programs are strangers: what it
// keeps is bounded whatever they write, a line that says nothing is counted, and the first of them is quoted.
// A Collector may be used by several goroutines at once.
type Collector struct {
	mu       sync.Mutex
	root     place
	size     int // of places below the root
	phases   []*place
	counters map[string]int64
	caches   map[string]*Cache
	marks    []Mark

	rest      []byte // a line of which the end has not come
	long      bool   // that line is too long, and being passed over
	bad       int    // lines that say nothing
	firstBad  error
	folded    bool // something was one too many
	manyMarks int
	cut       bool
}

// place is a name below the same names.
type place struct {
	name     string
	parent   *place
	phase    bool
	stats    spans.Stats
	attrs    map[string]spans.Values
	children map[string]*place
	order    []*place
}

// Write takes what a program writes, in pieces of any length.
func (c *Collector) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for part := range bytes.Lines(p) {
		whole := part[len(part)-1] == '\n'
		if !c.long {
			c.rest = append(c.rest, part...)
		}
		if len(c.rest) > spans.MaxLine+1 {
			c.long, c.rest = true, c.rest[:0]
			c.wrong(fmt.Errorf("a line of more than %d bytes", spans.MaxLine))
		}
		if !whole {
			continue
		}
		if !c.long {
			c.take(bytes.TrimSpace(c.rest))
		}
		c.long, c.rest = false, c.rest[:0]
	}
	return len(p), nil
}

// Read takes all that r holds, up to MaxBytes.
func (c *Collector) Read(r io.Reader) error {
	limited := &io.LimitedReader{R: r, N: MaxBytes}
	_, err := io.Copy(c, bufio.NewReader(limited))
	if err == nil && limited.N == 0 {
		if n, _ := io.ReadFull(r, make([]byte, 1)); n > 0 {
			c.mu.Lock()
			c.cut = true
			c.mu.Unlock()
		}
	}
	return err
}

// mostQuoted is how many characters of a line that says nothing are quoted, to find it by in the program.
const mostQuoted = 60

func (c *Collector) wrong(err error) {
	if c.bad++; c.firstBad == nil {
		c.firstBad = err
	}
}

func (c *Collector) take(line []byte) {
	if len(line) == 0 {
		return
	}
	l, err := spans.Decode(line)
	if err != nil {
		c.wrong(fmt.Errorf("%.*q: %w", mostQuoted, line, err))
		return
	}
	switch {
	case l.Span != nil:
		c.span(l)
	case l.Counter != "":
		name := bounded(c, c.counters, l.Counter)
		if c.counters == nil {
			c.counters = map[string]int64{}
		}
		c.counters[name] = added(c.counters[name], *l.N)
	case l.Cache != "":
		name := bounded(c, c.caches, l.Cache)
		if c.caches == nil {
			c.caches = map[string]*Cache{}
		}
		if c.caches[name] == nil {
			c.caches[name] = new(Cache)
		}
		k := c.caches[name]
		k.Hits, k.Misses = added(k.Hits, l.Hits), added(k.Misses, l.Misses)
	case len(c.marks) >= spans.MaxMarks:
		c.manyMarks++
	default:
		c.marks = append(c.marks, Mark{l.Mark, l.Memory})
	}
}

// bounded is the name to count under: its own, or one for all that are too many.
func bounded[T any](c *Collector, known map[string]T, name string) string {
	if _, ok := known[name]; ok || len(known) < spans.MaxCounters-1 {
		return name
	}
	c.folded = true
	return spans.Other
}

func (c *Collector) span(l *spans.Line) {
	at := &c.root
	for i, name := range l.Span {
		if at = c.child(at, name, i); at.name == spans.Other {
			break
		}
	}
	if l.Phase && !at.phase {
		at.phase = true
		c.phases = append(c.phases, at)
	}
	at.stats.Merge(l.Stats())
	for key, values := range l.Attrs {
		at.note(spans.Name(key), values)
	}
}

// child finds the place of that name, or makes it where there is room.
func (c *Collector) child(at *place, name string, depth int) *place {
	if p := at.children[name]; p != nil {
		return p
	}
	if depth >= spans.MaxDepth || c.size >= spans.MaxNodes-1 {
		c.folded = true
		at, name = &c.root, spans.Other
		if p := at.children[name]; p != nil {
			return p
		}
	}
	p := &place{name: name, parent: at}
	if at.children == nil {
		at.children = map[string]*place{}
	}
	at.children[name] = p
	at.order = append(at.order, p)
	c.size++
	return p
}

// note counts attributes, those of too many keys and values together.
func (p *place) note(key string, values spans.Values) {
	if p.attrs == nil {
		p.attrs = map[string]spans.Values{}
	}
	if _, ok := p.attrs[key]; !ok && len(p.attrs) >= spans.MaxValues {
		key = spans.Other
	}
	kept := p.attrs[key]
	if kept == nil {
		kept = spans.Values{}
		p.attrs[key] = kept
	}
	for v, n := range values {
		v = spans.Name(v)
		if _, ok := kept[v]; !ok && len(kept) >= spans.MaxValues {
			v = spans.Other
		}
		kept[v] = added(kept[v], max(n, 0))
	}
}

// added does not begin anew above the largest number.
func added(a, b int64) int64 {
	if s := a + b; s >= a {
		return s
	}
	return a
}

// notes say what is not in the numbers.
func (c *Collector) notes() (all []string) {
	if c.bad > 0 {
		all = append(all, fmt.Sprintf("lines of the program that say nothing: %d, the first: %v", c.bad, c.firstBad))
	}
	if len(c.rest) > 0 {
		all = append(all, "the last line has no end: the program was killed while it wrote it")
	}
	if c.folded {
		all = append(all, fmt.Sprintf("what had too many different names counts as %q", spans.Other))
	}
	if c.manyMarks > 0 {
		all = append(all, fmt.Sprintf("%d memory marks after the first %d are left out", c.manyMarks, spans.MaxMarks))
	}
	if c.cut {
		all = append(all, fmt.Sprintf("the program wrote more than the %d MiB that are read", MaxBytes>>20))
	}
	return all
}

// errNothing says that a program told nothing of itself.
var errNothing = errors.New("the program told nothing of itself: it has no spans of package probe and writes no lines of its protocol (docs/probe.md), or it ended without probe.Flush")

// Told reports whether the collector heard anything, and why not.
func (c *Collector) Told() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.size > 0 || len(c.counters)+len(c.caches)+len(c.marks) > 0:
		return nil
	case c.firstBad != nil:
		return fmt.Errorf("no line of the program can be read: %w", c.firstBad)
	}
	return errNothing
}

// sorted are a place's children, the longest first.
func (p *place) sorted() []*place {
	return slices.SortedStableFunc(slices.Values(p.order), func(a, b *place) int {
		return cmp.Compare(b.stats.Total, a.stats.Total)
	})
}

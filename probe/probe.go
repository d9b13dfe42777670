// Package probe marks what a program does, so that perfgate can say where its time went: spans and phases with their
// attributes and errors, hits and misses of caches, counters, and marks of memory.
//
// A program that is started by perfgate, or with PERFGATE_PROBE in its environment, tells of its spans there.
// Otherwise, and where no [Profiler] is in the context, all of the package does nothing, in a few nanoseconds and
// without an allocation: marks may stay in production code. Spans also become regions of runtime/trace and labels
// of CPU profiles while a profiler is there to hear of them.
//
// Spans are summed up in the program, in memory that does not grow with their number; single ones are not kept.
// The package depends on the standard library alone.
package probe

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/org/perfgate/internal/spans"
)

// Profiler sums up spans, counters, hits and misses, and marks, and writes them as lines of JSON (docs/probe.md).
type Profiler struct {
	began time.Time
	root  *Open // what spans without a parent belong to

	nodes    table[*node] // the places below the root, by a name that nobody else uses
	counters table[*counter]
	caches   table[*counter]
	size     atomic.Int64 // number of nodes

	mu    sync.Mutex // of what follows
	w     io.Writer
	all   []*node
	marks []*spans.Line
	told  int // marks so far
	peak  int64
	buf   bytes.Buffer
	stop  chan struct{}
	ended sync.WaitGroup
	off   bool
}

// profilers is how many there are, that of the environment included: none makes a span cost next to nothing.
var profilers atomic.Int64

// New makes a profiler that writes to w: when it is told to, and every so often where every is more than 0. What
// was summed up since the last time is written, so that a program that is killed has lost no more than that.
func New(w io.Writer, every time.Duration) *Profiler {
	p := &Profiler{began: time.Now(), w: w}
	p.root = &Open{p: p, node: &node{}}
	profilers.Add(1)
	if every > 0 {
		p.stop = make(chan struct{})
		p.ended.Go(func() { p.tick(every) })
	}
	return p
}

// tick writes every so often.
func (p *Profiler) tick(every time.Duration) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			p.Flush() // what fails here fails at the end as well
		case <-p.stop:
			return
		}
	}
}

// now is in nanoseconds since p began.
func (p *Profiler) now() int64 { return int64(time.Since(p.began)) }

// Attach returns a context whose spans are p's. Two profilers in one process do not mix.
func (p *Profiler) Attach(ctx context.Context) context.Context {
	return &spanContext{ctx, p.root}
}

// FromContext returns the profiler that spans begun with ctx belong to, nil where there is none.
func FromContext(ctx context.Context) *Profiler {
	if parent := above(ctx); parent != nil {
		return parent.p
	}
	return nil
}

// Flush writes what was summed up since the last time.
func (p *Profiler) Flush() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.off {
		return nil
	}
	return p.write()
}

// Close writes the last, what was begun and has not ended as well, and ends p.
func (p *Profiler) Close() error {
	p.mu.Lock()
	if p.off {
		p.mu.Unlock()
		return nil
	}
	err := p.write()
	p.off = true
	p.mu.Unlock()
	profilers.Add(-1)
	if p.stop != nil {
		close(p.stop)
		p.ended.Wait()
	}
	return err
}

// write writes what there is to tell, as whole lines at once: other processes may write to the same file.
func (p *Profiler) write() error {
	p.buf.Reset()
	enc := json.NewEncoder(&p.buf)
	enc.SetEscapeHTML(false)
	tell := func(l *spans.Line) {
		if l != nil {
			enc.Encode(l) // of texts and numbers, into memory
		}
	}
	for _, n := range p.all {
		tell(n.tell())
	}
	for name, c := range p.counters.all() {
		if n := c.n.Swap(0); n != 0 {
			tell(&spans.Line{Counter: name, N: &n})
		}
	}
	for name, c := range p.caches.all() {
		if hits, misses := c.n.Swap(0), c.misses.Swap(0); hits+misses > 0 {
			tell(&spans.Line{Cache: name, Hits: hits, Misses: misses})
		}
	}
	for _, m := range p.marks {
		tell(m)
	}
	p.marks = nil
	if p.told > 0 {
		p.watchHeap()
	}
	if p.buf.Len() == 0 {
		return nil
	}
	_, err := p.w.Write(p.buf.Bytes())
	return err
}

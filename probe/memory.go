package probe

import (
	"bytes"
	"context"
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"

	"github.com/org/perfgate/internal/spans"
)

// Mark notes the memory that the process holds now, under a label, and the most since the mark before: what it
// held when the profiler wrote, which is often. It takes some microseconds.
func Mark(ctx context.Context, label string) {
	if o := above(ctx); o != nil {
		o.p.mark(spans.Name(label))
	}
}

const heapBytes = "/memory/classes/heap/objects:bytes"

func (p *Profiler) mark(label string) {
	if collects {
		p.mu.Lock()
		p.watchHeap() // the garbage belongs to the peak
		p.mu.Unlock()
		runtime.GC()
	}
	m := memory()
	m.AtNS = p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	m.PeakBytes = max(p.peak, m.HeapBytes)
	p.peak = 0
	if p.told++; p.told <= spans.MaxMarks {
		p.marks = append(p.marks, &spans.Line{Mark: label, Memory: m})
	}
}

// watchHeap notes the heap between two marks.
func (p *Profiler) watchHeap() {
	s := []metrics.Sample{{Name: heapBytes}}
	metrics.Read(s)
	p.peak = max(p.peak, number(s[0].Value))
}

// memory reads what the runtime and, on Linux, the system know of the process.
func memory() spans.Memory {
	s := []metrics.Sample{{Name: heapBytes}, {Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/total:bytes"}, {Name: "/gc/heap/allocs:bytes"},
		{Name: "/gc/heap/allocs:objects"}, {Name: "/gc/cycles/total:gc-cycles"}, {Name: "/sched/goroutines:goroutines"}}
	metrics.Read(s)
	return spans.Memory{PID: os.Getpid(), RSSBytes: rss(), HeapBytes: number(s[0].Value), LiveBytes: number(s[1].Value), TotalBytes: number(s[2].Value),
		AllocBytes: number(s[3].Value), AllocObjects: number(s[4].Value), GCCycles: number(s[5].Value), Goroutines: number(s[6].Value)}
}

// number is 0 where this runtime does not have the metric.
func number(v metrics.Value) int64 {
	if v.Kind() != metrics.KindUint64 {
		return 0
	}
	return int64(v.Uint64())
}

// rss reads the resident set size in bytes, 0 where there is no procfs.
func rss() int64 {
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := bytes.Fields(data)
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

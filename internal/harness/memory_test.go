package harness

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/harness/proc"
	"github.com/org/perfgate/internal/profiler"
	"github.com/org/perfgate/internal/spans"
)

// A step is what came between two marks of the same process, with the peak that was seen from outside meanwhile.
func TestMemorySteps(t *testing.T) {
	mark := func(label string, pid int, at time.Duration, live, alloc int64) profiler.Mark {
		return profiler.Mark{Label: label, Memory: spans.Memory{PID: pid, AtNS: int64(at), LiveBytes: live, AllocBytes: alloc, AllocObjects: alloc / 10, GCCycles: alloc / 100, PeakBytes: live + 1}}
	}
	run := &MemoryRun{Timeline: proc.Timeline{Points: []proc.Point{
		{At: 1, Memory: proc.Memory{RSS: 10}}, {At: 15, Memory: proc.Memory{RSS: 99}}, {At: 25, Memory: proc.Memory{RSS: 20}},
	}}}
	run.steps([]profiler.Mark{mark("a", 1, 10, 100, 1000), mark("other", 2, 12, 5, 50), mark("b", 1, 20, 400, 5000), mark("c", 1, 30, 150, 5100)})
	var got [][6]int64
	for _, s := range run.Steps {
		got = append(got, [6]int64{s.TreePeak, s.Peak, s.Net, s.Allocated, s.Objects, s.Cycles})
	}
	want := [][6]int64{{10, 101, 0, 1000, 100, 10}, {10, 6, 0, 50, 5, 0}, {99, 401, 300, 4000, 400, 40}, {20, 151, -250, 100, 10, 1}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}

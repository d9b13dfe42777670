// Package spans holds what perfgate's probes in programs and its collector have in common: what the spans of one
// place add up to in bounded memory, and the lines in which a program tells of them (docs/probe.md).
//
// It starts no clock and keeps no tree: package probe measures in the program, package profiler collects.
package spans

import "math"

// Env is the variable that names the file that a program's lines are appended to.
const Env = "PERFGATE_PROBE"

// EnvHeap is the variable that names a folder for what the heap held at the beginning and at the end.
const EnvHeap = "PERFGATE_PROBE_HEAP"

// EnvGC is the variable that has every memory mark collect garbage first.
const EnvGC = "PERFGATE_PROBE_GC"

// EnvProfiles is the variable that names a folder for profiles of what the processes do while they are under load.
const EnvProfiles = "PERFGATE_PROBE_PROFILES"

// The files of that folder: who asks for profiles says with BeginProfiles and EndProfiles when they begin and end, the
// others go on from a name of the process's own.
const (
	BeginProfiles = "begin"
	EndProfiles   = "end"
	// HearsProfiles says that the process waits for the two.
	HearsProfiles = ".hears"
	// AllocsBefore is what was allocated when it began, AllocsAfter the same at the end. CPUProfile is what came between.
	AllocsBefore = ".before.allocs.pprof"
	AllocsAfter  = ".allocs.pprof"
	CPUProfile   = ".cpu.pprof"
)

// HeapBefore and HeapAfter are the names of those profiles.
const (
	HeapBefore = "heap_before.pprof"
	HeapAfter  = "heap_after.pprof"
)

// Limits hold wherever names come from a program: what is beyond them is folded together, and said to be.
const (
	// MaxName is the length of a name in bytes.
	MaxName = 200
	// MaxDepth is how deep spans nest in the tree. Deeper ones count as [Other], below nothing.
	MaxDepth = 64
	// MaxNodes is how many places a tree has.
	MaxNodes = 2048
	// MaxCounters is how many counters, and as many caches, there are.
	MaxCounters = 256
	// MaxMarks is how many memory marks are kept.
	MaxMarks = 1000
	// MaxValues is how many keys a span's attributes may have, and how many values a key.
	MaxValues = 8
)

// Other is the name of what is beyond a limit.
const Other = "(other)"

// Stats is what the spans at one place add up to. Times are in nanoseconds.
type Stats struct {
	// Begun are the spans that were begun where that is known, and Count those that ended.
	Begun, Count int64
	// Errors are those that failed.
	Errors int64
	// Total is how long they took, and Self without the time that children of theirs were under way.
	// Untold is how long those took whose program does not say what was their own.
	Total, Self, Untold int64
	// Min and Max are the shortest and the longest, 0 where none ended.
	Min, Max  int64
	Durations Histogram
}

// Add counts a span that ended.
func (s *Stats) Add(total, self int64, failed bool) {
	total, self = max(total, 0), max(self, 0)
	if s.Count == 0 || total < s.Min {
		s.Min = total
	}
	s.Max = max(s.Max, total)
	s.Count++
	if failed {
		s.Errors++
	}
	s.Total, s.Self = sum(s.Total, total), sum(s.Self, self)
	s.Durations.Add(total)
}

// Merge adds what o counted.
func (s *Stats) Merge(o *Stats) {
	if o.Count > 0 {
		if s.Count == 0 || o.Min < s.Min {
			s.Min = o.Min
		}
		s.Max = max(s.Max, o.Max)
	}
	s.Begun, s.Count, s.Errors = sum(s.Begun, o.Begun), sum(s.Count, o.Count), sum(s.Errors, o.Errors)
	s.Total, s.Self, s.Untold = sum(s.Total, o.Total), sum(s.Self, o.Self), sum(s.Untold, o.Untold)
	s.Durations.Merge(&o.Durations)
}

// Open is how many spans were begun and did not end.
func (s *Stats) Open() int64 { return max(s.Begun-s.Count, 0) }

// Reset forgets everything and keeps the room.
func (s *Stats) Reset() {
	s.Durations.Reset()
	*s = Stats{Durations: s.Durations}
}

// sum adds what is not negative. It stays at the largest number rather than begin anew: a stranger's program can
// say anything.
func sum(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

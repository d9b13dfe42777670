package spans

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxLine is the length of a line in bytes.
const MaxLine = 64 << 10

// Line is one line of the protocol. All numbers are added to what earlier lines said, so that it does not matter
// how a program sums up, in which order its lines come and which process wrote them.
type Line struct {
	// Span is the place: the names from the outermost span down to the one that the line is about.
	Span Path `json:"span,omitempty"`
	// Phase says that the place is a part of the run, which is listed by itself.
	Phase bool `json:"phase,omitempty"`
	// Begun are spans that were begun. A program that tells of it has those flagged that it leaves open.
	Begun int64 `json:"begun,omitempty"`
	// Count are spans that ended: 1 where only NS is given.
	Count int64 `json:"count,omitempty"`
	// NS is how long they took together, SelfNS without what their children took.
	NS     *int64 `json:"ns,omitempty"`
	SelfNS *int64 `json:"self_ns,omitempty"`
	MinNS  int64  `json:"min_ns,omitempty"`
	MaxNS  int64  `json:"max_ns,omitempty"`
	Errors int64  `json:"errors,omitempty"`
	// Buckets are durations as [Histogram.Sparse] lists them. Without them each took as long as the others.
	Buckets [][2]int64 `json:"buckets,omitempty"`
	// Attrs are how often each value of each key stood at them, or the one value.
	Attrs map[string]Values `json:"attrs,omitempty"`

	// Counter is the name of a number to which N is added, 1 where that is absent.
	Counter string `json:"counter,omitempty"`
	N       *int64 `json:"n,omitempty"`

	// Cache is the name of a cache.
	Cache  string `json:"cache,omitempty"`
	Hits   int64  `json:"hits,omitempty"`
	Misses int64  `json:"misses,omitempty"`

	// Mark is the label of a memory mark.
	Mark string `json:"mark,omitempty"`
	Memory
}

// Memory is what a process holds at a moment. What is not known is 0.
type Memory struct {
	// AtNS is when, since the process began to tell of itself.
	AtNS int64 `json:"at_ns,omitempty"`
	PID  int   `json:"pid,omitempty"`
	// HeapBytes are those of objects, live and not yet swept. PeakBytes are the most that was seen since the
	// mark before.
	HeapBytes int64 `json:"heap_bytes,omitempty"`
	PeakBytes int64 `json:"peak_bytes,omitempty"`
	// LiveBytes are those that the last garbage collection found in use.
	LiveBytes int64 `json:"live_bytes,omitempty"`
	// TotalBytes is all that the runtime has mapped, RSSBytes what of the process is in memory.
	TotalBytes int64 `json:"total_bytes,omitempty"`
	RSSBytes   int64 `json:"rss_bytes,omitempty"`
	// AllocBytes and AllocObjects were allocated since the process began, freed or not.
	AllocBytes   int64 `json:"alloc_bytes,omitempty"`
	AllocObjects int64 `json:"alloc_objects,omitempty"`
	GCCycles     int64 `json:"gc_cycles,omitempty"`
	Goroutines   int64 `json:"goroutines,omitempty"`
}

// Path is the names of nested spans. A single one may stand alone in JSON.
type Path []string

// UnmarshalJSON reads a list of names, or one.
func (p *Path) UnmarshalJSON(data []byte) error {
	var name string
	if json.Unmarshal(data, &name) == nil {
		*p = Path{name}
		return nil
	}
	var names []string
	if err := json.Unmarshal(data, &names); err != nil {
		return errors.New("span: want a name or a list of names")
	}
	*p = names
	return nil
}

// Values are how often a value stood at a span. A single one may stand alone in JSON, for 1.
type Values map[string]int64

// UnmarshalJSON reads an object of numbers by value, or one value.
func (v *Values) UnmarshalJSON(data []byte) error {
	var value string
	if json.Unmarshal(data, &value) == nil {
		*v = Values{value: 1}
		return nil
	}
	var counts map[string]int64
	if err := json.Unmarshal(data, &counts); err != nil {
		return errors.New("attrs: want a text, or an object of numbers by text")
	}
	*v = counts
	return nil
}

// maxNumber bounds what one line may count, and maxNS what it may say of time, some 31 years: as many of them as a
// file may have stay within 64 bits of a bucket.
const (
	maxNumber = 1e11
	maxNS     = 1e18
)

// Decode reads a line. Names come back as [Name] has them. The error says what to write instead; unknown keys are
// left to later versions.
func Decode(data []byte) (*Line, error) {
	if len(data) > MaxLine {
		return nil, fmt.Errorf("a line of %d bytes: want at most %d", len(data), MaxLine)
	}
	l := new(Line)
	if err := json.Unmarshal(data, l); err != nil {
		return nil, err
	}
	kinds := 0
	for _, is := range []bool{l.Span != nil, l.Counter != "", l.Cache != "", l.Mark != ""} {
		if is {
			kinds++
		}
	}
	if kinds != 1 {
		return nil, errors.New("want one of span, counter, cache and mark")
	}
	for _, name := range []*string{&l.Counter, &l.Cache, &l.Mark} {
		if *name != "" {
			*name = Name(*name)
		}
	}
	if l.N == nil {
		l.N = new(int64(1))
	}
	if err := l.checkNumbers(); err != nil || l.Span == nil {
		return l, err
	}
	return l, l.checkSpan()
}

func (l *Line) checkNumbers() error {
	m := &l.Memory
	for _, n := range []struct {
		name         string
		value, limit int64
	}{
		{"begun", l.Begun, maxNumber}, {"count", l.Count, maxNumber}, {"errors", l.Errors, maxNumber}, {"n", *l.N, maxNS},
		{"hits", l.Hits, maxNumber}, {"misses", l.Misses, maxNumber}, {"min_ns", l.MinNS, maxNS}, {"max_ns", l.MaxNS, maxNS},
		{"at_ns", m.AtNS, maxNS}, {"heap_bytes", m.HeapBytes, maxNS}, {"peak_bytes", m.PeakBytes, maxNS}, {"live_bytes", m.LiveBytes, maxNS},
		{"total_bytes", m.TotalBytes, maxNS}, {"rss_bytes", m.RSSBytes, maxNS}, {"alloc_bytes", m.AllocBytes, maxNS}, {"alloc_objects", m.AllocObjects, maxNS},
		{"gc_cycles", m.GCCycles, maxNS}, {"goroutines", m.Goroutines, maxNS}, {"pid", int64(m.PID), maxNS},
	} {
		if n.value < 0 || n.value > n.limit {
			return fmt.Errorf("%s: %d: want at least 0 and at most %d", n.name, n.value, n.limit)
		}
	}
	return nil
}

func (l *Line) checkSpan() error {
	if len(l.Span) == 0 {
		return errors.New("span: want at least one name")
	}
	for i, name := range l.Span {
		l.Span[i] = Name(name)
	}
	switch {
	case l.NS == nil && l.Begun == 0 && l.Count == 0:
		return errors.New("ns: want how long the span took, in nanoseconds, or begun")
	case l.NS == nil && l.Count > 0:
		return errors.New("ns: want how long the spans took together, in nanoseconds")
	case l.NS == nil && l.Errors > 0:
		return fmt.Errorf("errors: %d: want ns too, since only a span that ended can have failed", l.Errors)
	case l.NS == nil:
		return nil
	case *l.NS < 0 || *l.NS > maxNS:
		return fmt.Errorf("ns: %d: want at least 0 and at most %d", *l.NS, int64(maxNS))
	case l.SelfNS != nil && (*l.SelfNS < 0 || *l.SelfNS > *l.NS):
		return fmt.Errorf("self_ns: %d: want at least 0 and at most ns", *l.SelfNS)
	case l.Count == 0:
		l.Count = 1
	}
	if l.Errors > l.Count {
		return fmt.Errorf("errors: %d: want no more than count, %d", l.Errors, l.Count)
	}
	return l.checkBuckets()
}

func (l *Line) checkBuckets() error {
	if len(l.Buckets) == 0 {
		return nil
	}
	var n int64
	for _, b := range l.Buckets {
		if b[0] < 0 || b[0] >= Buckets || b[1] < 1 || b[1] > maxNumber {
			return fmt.Errorf("buckets: [%d,%d]: want an index below %d and a number", b[0], b[1], Buckets)
		}
		n += b[1]
	}
	if n != l.Count {
		return fmt.Errorf("buckets: they hold %d durations, and count says %d", n, l.Count)
	}
	return nil
}

// Stats is what a line about spans adds.
func (l *Line) Stats() *Stats {
	s := &Stats{Begun: l.Begun, Count: l.Count, Errors: l.Errors}
	if l.NS == nil || l.Count == 0 {
		return s
	}
	mean := *l.NS / l.Count
	s.Total, s.Min, s.Max = *l.NS, mean, mean
	if l.MaxNS > 0 {
		s.Min, s.Max = min(l.MinNS, l.MaxNS), l.MaxNS
	}
	if l.SelfNS != nil {
		s.Self = *l.SelfNS
	} else {
		s.Untold = s.Total
	}
	for _, b := range l.Buckets {
		s.Durations.put(int(b[0]), uint64(b[1]))
	}
	if len(l.Buckets) == 0 {
		s.Durations.put(bucket(mean), uint64(l.Count))
	}
	return s
}

// Tell makes the line of what the spans at a place add up to.
func Tell(place Path, s *Stats) *Line {
	l := &Line{Span: place, Begun: s.Begun, Count: s.Count}
	if s.Count > 0 {
		l.NS, l.SelfNS = &s.Total, &s.Self
		l.MinNS, l.MaxNS, l.Errors, l.Buckets = s.Min, s.Max, s.Errors, s.Durations.Sparse()
	}
	return l
}

// Name is a name as it is kept: of bounded length, and never empty.
func Name(name string) string {
	if len(name) <= MaxName {
		if name == "" {
			return "(no name)"
		}
		return name
	}
	end := MaxName
	for end > 0 && !utf8.RuneStart(name[end]) {
		end--
	}
	return strings.Clone(name[:end]) // not to keep the whole of it
}

package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"text/tabwriter"

	"github.com/org/perfgate/internal/profiler"
	"github.com/org/perfgate/internal/result"
)

var (
	seconds = result.Unit{Name: "sec"}
	bytesOf = result.Unit{Name: "B"}
)

func nanoseconds(ns int64) string { return value(float64(ns)/1e9, seconds) }

// ProfileTable draws where a program's time went by the name of the span, in the order of the timers, and what it
// counted and held beside that.
func ProfileTable(w io.Writer, p *profiler.Profile) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	t := &printer{w: tw}
	if len(p.Timers) > 0 {
		t.line("span\tcount\tself\tof wall\ttotal\tmean\tp50\tp95\tmax\t")
	}
	for _, s := range p.Timers {
		t.line("%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s", inert(s.Name), s.Count, nanoseconds(s.SelfNS), ofWall(s.SelfNS, p.WallNS), nanoseconds(s.TotalNS),
			nanoseconds(s.MeanNS()), nanoseconds(s.P50NS), nanoseconds(s.P95NS), nanoseconds(s.MaxNS), flaws(s))
	}
	if t.err == nil {
		t.err = tw.Flush()
	}
	return beside(w, p, t.err)
}

// ofWall is a share of the wall time, which spans in several goroutines may exceed together.
func ofWall(ns, wall int64) string {
	if wall <= 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f%%", 100*float64(ns)/float64(wall))
}

// flaws says which of the spans did not end well.
func flaws(t *profiler.Timer) string {
	text := ""
	if t.Errors > 0 {
		text = fmt.Sprintf("%d failed", t.Errors)
	}
	if t.Open > 0 {
		if text != "" {
			text += ", "
		}
		text += fmt.Sprintf("%d LEFT OPEN", t.Open)
	}
	return text
}

// ProfileTree draws the same as a tree.
func ProfileTree(w io.Writer, p *profiler.Profile) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	t := &printer{w: tw}
	if len(p.Spans) > 0 {
		t.line("span\tcount\tself\tof wall\ttotal\tp95\t")
	}
	t.tree(p.Spans, p.WallNS, "")
	if t.err == nil {
		t.err = tw.Flush()
	}
	return beside(w, p, t.err)
}

func (t *printer) tree(list []*profiler.Span, wall int64, indent string) {
	for _, s := range list {
		remark := flaws(&s.Timer)
		for _, key := range slices.Sorted(maps.Keys(s.Attrs)) {
			if remark != "" {
				remark += ", "
			}
			remark += attribute(key, s.Attrs[key])
		}
		t.line("%s%s\t%d\t%s\t%s\t%s\t%s\t%s", indent, inert(s.Name), s.Count, nanoseconds(s.SelfNS), ofWall(s.SelfNS, wall), nanoseconds(s.TotalNS), nanoseconds(s.P95NS), remark)
		t.tree(s.Children, wall, indent+"  ")
	}
}

// attribute lists the values of a key, each with how often it stood there where there are several.
func attribute(key string, values map[string]int64) string {
	text := inert(key) + "="
	names := slices.Sorted(maps.Keys(values))
	for i, v := range names {
		if i > 0 {
			text += "|"
		}
		text += inert(v)
		if len(names) > 1 {
			text += fmt.Sprintf(" (%d)", values[v])
		}
	}
	return text
}

// beside draws what a profile holds beside spans, where nothing failed before.
func beside(w io.Writer, p *profiler.Profile, err error) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	t := &printer{w: tw, err: err}
	if len(p.Caches) > 0 {
		t.line("\ncache\thits\tmisses\thit rate")
	}
	for _, name := range slices.Sorted(maps.Keys(p.Caches)) {
		c := p.Caches[name]
		t.line("%s\t%d\t%d\t%.1f%%", inert(name), c.Hits, c.Misses, 100*float64(c.Hits)/max(float64(c.Hits)+float64(c.Misses), 1))
	}
	if len(p.Counters) > 0 {
		t.line("\ncounter\tcount")
	}
	for _, name := range slices.Sorted(maps.Keys(p.Counters)) {
		t.line("%s\t%d", inert(name), p.Counters[name])
	}
	t.marks(p.Memory)
	if len(p.Notes) > 0 {
		t.line("")
	}
	for _, n := range p.Notes {
		t.line("note: %s", inert(n))
	}
	if t.err != nil {
		return t.err
	}
	return tw.Flush()
}

// marks draws the memory at each mark. What is not known is left out.
func (t *printer) marks(marks []profiler.Mark) {
	if len(marks) == 0 {
		return
	}
	t.line("\nmemory at\tafter\theap\tpeak\tlive\tresident\tallocated\tobjects\tcollections\tgoroutines")
	size := func(n int64) string {
		if n == 0 {
			return "–"
		}
		return value(float64(n), bytesOf)
	}
	number := func(n int64) string {
		if n == 0 {
			return "–"
		}
		return strconv.FormatInt(n, 10)
	}
	for _, m := range marks {
		t.line("%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s", inert(m.Label), nanoseconds(m.AtNS), size(m.HeapBytes), size(m.PeakBytes), size(m.LiveBytes), size(m.RSSBytes),
			size(m.AllocBytes), number(m.AllocObjects), number(m.GCCycles), number(m.Goroutines))
	}
}

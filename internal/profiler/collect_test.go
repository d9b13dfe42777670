package profiler

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/spans"
)

// collected is what lines add up to, in a program that ran for a millisecond.
func collected(t *testing.T, lines ...string) *Profile {
	t.Helper()
	c := new(Collector)
	if err := c.Read(iotest.OneByteReader(strings.NewReader(strings.Join(lines, "\n") + "\n"))); err != nil {
		t.Fatal(err)
	}
	return c.Profile(time.Millisecond)
}

// outline writes a tree: name, count, total and own time.
func outline(list []*Span, indent string) (lines []string) {
	for _, s := range list {
		lines = append(lines, fmt.Sprintf("%s%s %d %d %d", indent, s.Name, s.Count, s.TotalNS, s.SelfNS))
		lines = append(lines, outline(s.Children, indent+"  ")...)
	}
	return lines
}

func TestTree(t *testing.T) {
	p := collected(t,
		`{"span":["run","parse"],"ns":300}`, // a child ends before its parent
		`{"span":["run","load"],"ns":100,"self_ns":100}`,
		`{"span":["run","load"],"count":2,"ns":400,"self_ns":400,"errors":1,"buckets":[[3,2]]}`,
		`{"span":["run"],"ns":1000}`,
		`{"span":"start","ns":50,"self_ns":50}`)
	want := []string{"run 1 1000 200", "  load 3 500 500", "  parse 1 300 300", "start 1 50 50"}
	if diff := cmp.Diff(want, outline(p.Spans, "")); diff != "" {
		t.Errorf("name, count, total, self (-want +got):\n%s", diff)
	}
	var names []string
	for _, timer := range p.Timers {
		names = append(names, timer.Name)
	}
	if diff := cmp.Diff([]string{"load", "parse", "run", "start"}, names); diff != "" {
		t.Errorf("by own time (-want +got):\n%s", diff)
	}
}

// A function that calls itself takes its time once, and is one name.
func TestRecursion(t *testing.T) {
	p := collected(t,
		`{"span":["walk","walk","walk"],"count":4,"ns":40,"self_ns":40,"buckets":[[10,4]]}`,
		`{"span":["walk","walk"],"count":2,"ns":60,"self_ns":20}`,
		`{"span":["walk"],"ns":70,"self_ns":10}`)
	if len(p.Timers) != 1 || p.Timers[0].Count != 7 || p.Timers[0].TotalNS != 70 || p.Timers[0].SelfNS != 70 {
		t.Errorf("timers %+v, want 7 spans in 70 ns", p.Timers[0])
	}
}

func TestCollects(t *testing.T) {
	p := collected(t,
		`{"span":"load","phase":true,"begun":1}`, `{"span":"load","ns":100}`, `{"span":"serve","phase":true,"begun":1}`,
		`{"counter":"rows"}`, `{"counter":"rows","n":41}`,
		`{"cache":"plans","hits":3}`, `{"cache":"plans","misses":2}`,
		`{"mark":"loaded","heap_bytes":5}`, `{"mark":"served","rss_bytes":7}`,
		`{"span":"load","ns":20,"attrs":{"kind":"a","shard":{"1":2,"2":3}}}`)
	if p.Counters["rows"] != 42 || p.Caches["plans"] != (Cache{3, 2}) {
		t.Errorf("counters %v, caches %v", p.Counters, p.Caches)
	}
	if len(p.Memory) != 2 || p.Memory[0] != (Mark{"loaded", spans.Memory{HeapBytes: 5}}) || p.Memory[1].RSSBytes != 7 {
		t.Errorf("marks %+v", p.Memory)
	}
	if len(p.Phases) != 2 || p.Phases[0].Name != "load" || p.Phases[1].Name != "serve" || p.Phases[1].Open != 1 || p.Phases[0].Open != 0 {
		t.Errorf("phases %+v, want serve to be open", p.Phases)
	}
	if a := p.Spans[0].Attrs; a["kind"]["a"] != 1 || a["shard"]["2"] != 3 {
		t.Errorf("attributes %v", a)
	}
	if len(p.Notes) > 0 {
		t.Errorf("notes %q", p.Notes)
	}
}

// What says nothing is counted and quoted, and the rest is kept.
func TestBadLines(t *testing.T) {
	c := new(Collector)
	text := "hello\n\n{\"span\":\"a\",\"ns\":5}\n{}\n" + strings.Repeat("x", 3*spans.MaxLine) + "\n{\"span\":\"a\",\"ns\":5}\n{\"span\":\"a\",\"n"
	for piece := range slices.Chunk([]byte(text), 1000) {
		c.Write(piece)
	}
	p := c.Profile(0)
	if p.Timers[0].Count != 2 {
		t.Errorf("%d spans, want 2", p.Timers[0].Count)
	}
	if want := []string{
		"lines of the program that say nothing: 3, the first: \"hello\": invalid character 'h' looking for beginning of value",
		"the last line has no end: the program was killed while it wrote it",
	}; !slices.Equal(p.Notes, want) {
		t.Errorf("notes %q, want %q", p.Notes, want)
	}
}

func TestTold(t *testing.T) {
	for text, want := range map[string]string{"": "told nothing of itself", "hello\n": "no line of the program can be read", "{\"counter\":\"a\"}\n": ""} {
		c := new(Collector)
		io.WriteString(c, text)
		if err := c.Told(); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// Names that a stranger invents do not fill the memory.
func TestBounded(t *testing.T) {
	c := new(Collector)
	for i := range spans.MaxNodes + 100 {
		fmt.Fprintf(c, "{\"span\":[\"user %d\"],\"ns\":10,\"attrs\":{\"key %d\":\"v\",\"k\":\"value %d\"}}\n", i, i, i)
		fmt.Fprintf(c, "{\"span\":\"one\",\"ns\":10,\"attrs\":{\"key %d\":\"v\",\"k\":\"value %d\"}}\n", i, i)
		fmt.Fprintf(c, "{\"counter\":\"c %d\"}\n{\"cache\":\"c %d\",\"hits\":1}\n{\"mark\":\"m\"}\n", i, i)
	}
	deep := strings.Repeat(`"deep",`, 2*spans.MaxDepth) + `"end"`
	fmt.Fprintf(c, "{\"span\":[%s],\"ns\":1}\n", deep)
	p := c.Profile(0)
	if len(p.Spans) != spans.MaxNodes || len(p.Counters) != spans.MaxCounters || len(p.Caches) != spans.MaxCounters || len(p.Memory) != spans.MaxMarks || len(p.Notes) != 2 {
		t.Errorf("%d places, %d counters, %d caches, %d marks and the notes %q", len(p.Spans), len(p.Counters), len(p.Caches), len(p.Memory), p.Notes)
	}
	for _, s := range p.Spans {
		if s.Name != "one" {
			continue
		}
		if len(s.Attrs) != spans.MaxValues+1 || len(s.Attrs["k"]) != spans.MaxValues+1 {
			t.Errorf("%d keys, %d values of one", len(s.Attrs), len(s.Attrs["k"]))
		}
	}
}

func TestDeep(t *testing.T) {
	c := new(Collector)
	fmt.Fprintf(c, "{\"span\":[%s\"end\"],\"ns\":1}\n", strings.Repeat(`"deep",`, 2*spans.MaxDepth))
	p := c.Profile(0)
	depth := 0
	for at := p.Spans[1:]; len(at) > 0; at = at[0].Children {
		depth++
	}
	if depth != spans.MaxDepth || p.Spans[0].Name != spans.Other || p.Spans[0].Count != 1 {
		t.Errorf("the tree is %d deep and the span counts at %q", depth, p.Spans[0].Name)
	}
}

func TestReadFails(t *testing.T) {
	if err := new(Collector).Read(iotest.ErrReader(errors.New("gone"))); err == nil {
		t.Error("no error")
	}
}

// Bytes mean the same however they are cut, and a stranger's are never more than nothing.
func FuzzCollector(f *testing.F) {
	f.Add([]byte("{\"span\":[\"a\",\"b\"],\"ns\":5}\n{\"counter\":\"c\"}\n"), 3)
	f.Add([]byte("{\"span\":\"a\",\"phase\":true,\"begun\":2}\n{\"cache\":\"c\",\"hits\":1}\n{\"mark\":\"m\"}"), 1)
	f.Fuzz(func(t *testing.T, data []byte, size int) {
		whole, cut := new(Collector), new(Collector)
		whole.Write(data)
		for chunk := range slices.Chunk(data, min(max(size, 1), 1<<16)) {
			cut.Write(chunk)
		}
		a, b := whole.Profile(time.Second), cut.Profile(time.Second)
		if diff := cmp.Diff(a, b); diff != "" {
			t.Errorf("%q (-whole +cut in %d):\n%s", data, size, diff)
		}
		for _, timer := range a.Timers {
			if timer.SelfNS < 0 || timer.TotalNS < 0 || timer.Open < 0 || timer.P95NS < 0 {
				t.Errorf("%q makes %+v", data, timer)
			}
		}
	})
}

// A stranger's longest text, in a piece of memory that is known.
func BenchmarkCollector(b *testing.B) {
	line := []byte(`{"span":["run","load"],"count":2,"ns":400,"self_ns":400,"errors":1,"buckets":[[3,2]]}` + "\n")
	text := bytes.Repeat(line, 1000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		new(Collector).Write(text)
	}
}

package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/profiler"
	"github.com/org/perfgate/internal/result"
)

// told is a program of one goroutine, whose own times add up to its wall time, with something of everything.
func told(t testing.TB) *profiler.Profile {
	t.Helper()
	c := new(profiler.Collector)
	if _, err := io.WriteString(c, `{"span":["run"],"phase":true,"begun":1,"ns":1000000000,"self_ns":200000000}
{"span":["run","load"],"count":2,"ns":300000000,"self_ns":300000000,"min_ns":100000000,"max_ns":200000000,"buckets":[[719,1],[751,1]],"attrs":{"source":{"a":1,"b":1},"kind":"yaml"}}
{"span":["run","serve"],"count":3,"begun":5,"ns":500000000,"self_ns":400000000,"errors":1}
{"span":["run","serve","load"],"ns":100000000,"self_ns":100000000}
{"cache":"plans","hits":3,"misses":1}
{"cache":"empty"}
{"counter":"rows","n":1000}
{"mark":"loaded","at_ns":400000000,"heap_bytes":1048576,"peak_bytes":2097152,"goroutines":4}
{"span":["|evil\u001b[31m\u202e","::error::x"],"ns":0}
nonsense
`); err != nil {
		t.Fatal(err)
	}
	return c.Profile(time.Second)
}

func TestProfileGolden(t *testing.T) {
	for name, draw := range map[string]func(io.Writer, *profiler.Profile) error{"table": ProfileTable, "tree": ProfileTree} {
		var b bytes.Buffer
		if err := draw(&b, told(t)); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(b.String(), "\x1b\u202e") {
			t.Errorf("%s passes on what a terminal obeys:\n%q", name, b.String())
		}
		golden(t, "testdata/profile."+name+".golden", b.Bytes())
	}
}

// In one goroutine all time is somebody's own, once.
func TestSelfIsWall(t *testing.T) {
	p, all := told(t), int64(0)
	for _, timer := range p.Timers {
		all += timer.SelfNS
	}
	if all != p.WallNS {
		t.Errorf("own times add up to %d ns of %d", all, p.WallNS)
	}
}

// Where the time of a program under load went, of both sides and of one, in both formats.
func TestTopSpans(t *testing.T) {
	base := []result.Span{{Name: "plan", Count: 2, Self: 0.2, Total: 0.2, P95: 0.11}, {Name: "gone", Count: 1, Self: 0.001, Total: 0.001}, {Name: "idle", Count: 1}}
	head := []result.Span{{Name: "plan", Count: 2.5, Self: 0.3, Total: 0.3, P95: 0.12}, {Name: "|new\x1b[31m", Count: 1, Self: 0.05, Total: 0.06}, {Name: "idle", Count: 1}}
	for i := range 2 * mostSpans {
		head = append(head, result.Span{Name: fmt.Sprint("small ", i), Count: 1, Self: 1e-9 * float64(i+1), Total: 1})
	}
	bench := func(spans []result.Span) *result.Set {
		return &result.Set{Benchmarks: []*result.Benchmark{{Suite: "load", Name: "agent", Status: result.OK, Spans: spans}, {Suite: "load", Name: "silent", Status: result.OK}}}
	}
	var out bytes.Buffer
	for _, f := range []*result.File{{Base: bench(base), Head: bench(head)}, {Base: bench(nil), Head: bench(head[:1])}, {Head: bench(head[:2])}} {
		d := &Document{File: f, Outcome: &compare.Outcome{Gate: compare.Pass}, Policy: compare.DefaultPolicy}
		for _, draw := range []func(io.Writer, *Document) error{Text, Markdown} {
			if err := draw(&out, d); err != nil {
				t.Fatal(err)
			}
		}
	}
	if strings.Contains(out.String(), "\x1b") || strings.Contains(out.String(), "silent") {
		t.Errorf("what a terminal obeys, or a program that told nothing:\n%q", out.String())
	}
	golden(t, "testdata/topspans.golden", out.Bytes())
}

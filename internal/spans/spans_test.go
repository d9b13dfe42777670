package spans

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Every duration stands for itself within 1.6 %, and buckets ascend.
func TestBuckets(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	values := []int64{0, 1, 31, 32, 33, 63, 64, 65, 1e3, 1e6, 1e9, math.MaxInt64 - 1, math.MaxInt64}
	for range 10_000 {
		values = append(values, rng.Int64()>>rng.IntN(63))
	}
	slices.Sort(values)
	last := 0
	for _, v := range values {
		i := bucket(v)
		if i < last || i >= Buckets {
			t.Fatalf("%d is in bucket %d after %d of %d", v, i, last, Buckets)
		}
		last = i
		if off := math.Abs(float64(middle(i)-v)) / float64(max(v, 1)); off > 0.016 {
			t.Errorf("%d is taken for %d, off by %.2f %%", v, middle(i), 100*off)
		}
	}
	if bucket(-5) != 0 {
		t.Error("a duration below 0 has no bucket")
	}
}

func TestQuantile(t *testing.T) {
	var h Histogram
	if h.Quantile(0.5) != 0 {
		t.Error("nothing has a median")
	}
	for i := range int64(1000) {
		h.Add((i + 1) * 1e6)
	}
	for _, c := range []struct {
		q    float64
		want int64
	}{{0, 1e6}, {0.5, 500e6}, {0.95, 950e6}, {0.99, 990e6}, {1, 1000e6}} {
		if got := h.Quantile(c.q); math.Abs(float64(got-c.want))/float64(c.want) > 0.016 {
			t.Errorf("quantile %v = %d, want %d ± 1.6 %%", c.q, got, c.want)
		}
	}
}

func TestMerge(t *testing.T) {
	var a, b, all Stats
	for i := range int64(100) {
		of := &a
		if i%3 == 0 {
			of = &b
		}
		of.Add(i*1000+7, i*100, i%10 == 0)
		all.Add(i*1000+7, i*100, i%10 == 0)
	}
	var merged Stats
	merged.Merge(&a)
	merged.Merge(&Stats{Begun: 101})
	merged.Merge(&b)
	all.Begun = 101
	if diff := cmp.Diff(all, merged, cmp.AllowUnexported(Histogram{})); diff != "" {
		t.Errorf("(-one by one +in two):\n%s", diff)
	}
	if merged.Open() != 1 {
		t.Errorf("%d are open, want 1", merged.Open())
	}
	merged.Reset()
	if merged.Count != 0 || merged.Durations.Sparse() != nil || merged.Durations.Quantile(0.5) != 0 {
		t.Errorf("after Reset: %+v", merged)
	}
}

// What adds up to too much stays at the largest number.
func TestSum(t *testing.T) {
	s := Stats{Total: math.MaxInt64 - 5}
	s.Add(10, 0, false)
	if s.Total != math.MaxInt64 {
		t.Errorf("total %d", s.Total)
	}
}

func TestTell(t *testing.T) {
	var s Stats
	s.Begun = 4
	for _, ns := range []int64{5, 700, 90_000} {
		s.Add(ns, ns/2, ns == 5)
	}
	data, err := json.Marshal(Tell(Path{"run", "load"}, &s))
	if err != nil {
		t.Fatal(err)
	}
	l, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&s, l.Stats(), cmp.AllowUnexported(Histogram{})); diff != "" {
		t.Errorf("(-told +heard):\n%s", diff)
	}
}

func TestDecode(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{`{"span":"load","ns":1500}`, "load: 0 begun, 1 ended, 0 failed, 1500 ns, 1500 untold"},
		{`{"span":["run","load"],"ns":1500,"self_ns":1000,"errors":1,"later":true}`, "run/load: 0 begun, 1 ended, 1 failed, 1500 ns, 0 untold"},
		{`{"span":["run"],"begun":1}`, "run: 1 begun, 0 ended, 0 failed, 0 ns, 0 untold"},
		{`{"span":["run"],"count":3,"ns":30,"buckets":[[5,1],[12,2]]}`, "run: 0 begun, 3 ended, 0 failed, 30 ns, 30 untold"},
		{`{"span":[""],"ns":1}`, "(no name): 0 begun, 1 ended, 0 failed, 1 ns, 1 untold"},
	} {
		l, err := Decode([]byte(c.line))
		if err != nil {
			t.Errorf("%s: %v", c.line, err)
			continue
		}
		s := l.Stats()
		got := strings.Join(l.Span, "/") + ": " + words(s)
		if got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.line, got, c.want)
		}
	}
}

func words(s *Stats) string {
	data, _ := json.Marshal([]int64{s.Begun, s.Count, s.Errors, s.Total, s.Untold})
	n := strings.Split(strings.Trim(string(data), "[]"), ",")
	return n[0] + " begun, " + n[1] + " ended, " + n[2] + " failed, " + n[3] + " ns, " + n[4] + " untold"
}

func TestDecodeRefuses(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{`{}`, "want one of span, counter, cache and mark"},
		{`{"span":"a","ns":1,"counter":"b"}`, "want one of"},
		{`{"span":"a"}`, "ns: want how long"},
		{`{"span":"a","count":2}`, "ns: want how long the spans took together"},
		{`{"span":[],"ns":1}`, "at least one name"},
		{`{"span":{"a":1},"ns":1}`, "a name or a list of names"},
		{`{"span":"a","ns":-1}`, "ns: -1"},
		{`{"span":"a","ns":5,"self_ns":6}`, "self_ns: 6"},
		{`{"span":"a","ns":5,"errors":2}`, "errors: 2"},
		{`{"span":"a","ns":5,"count":-1}`, "count: -1"},
		{`{"span":"a","begun":1,"errors":1}`, "errors: 1: want ns too"},
		{`{"span":"a","ns":5,"buckets":[[99999,1]]}`, "buckets: [99999,1]"},
		{`{"span":"a","ns":5,"buckets":[[3,2]]}`, "they hold 2 durations, and count says 1"},
		{`{"span":"a","ns":5,"attrs":{"k":[1]}}`, "attrs: want a text"},
		{`{"counter":"a","n":-1}`, "n: -1"},
		{`{"counter":"a","n":1e30}`, "n"},
		{`{"mark":"a","rss_bytes":-1}`, "rss_bytes: -1"},
		{`[1]`, "cannot unmarshal"},
		{strings.Repeat(" ", MaxLine+1), "want at most"},
	} {
		if _, err := Decode([]byte(c.line)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.80s: %v, want %q", c.line, err, c.want)
		}
	}
}

func TestName(t *testing.T) {
	if got := Name(strings.Repeat("é", MaxName)); got != strings.Repeat("é", MaxName/2) {
		t.Errorf("%d bytes: %q", len(got), got)
	}
}

// Whatever a line says, it is refused or what it adds is in bounds and can be told again.
func FuzzDecode(f *testing.F) {
	for _, line := range []string{`{"span":["run","load"],"begun":2,"count":2,"ns":30,"self_ns":20,"min_ns":10,"max_ns":20,"errors":1,"buckets":[[10,1],[20,1]],"attrs":{"k":{"v":2},"one":"v"}}`,
		`{"span":"a","ns":1}`, `{"counter":"rows","n":4}`, `{"cache":"plans","hits":3,"misses":1}`, `{"mark":"loaded","at_ns":5,"rss_bytes":1000}`, `{"span":"a","phase":true,"begun":1}`} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		l, err := Decode(line)
		if err != nil {
			return
		}
		if l.Span == nil {
			return
		}
		for _, name := range l.Span {
			if name == "" || len(name) > MaxName {
				t.Errorf("the name %q", name)
			}
		}
		s := l.Stats()
		if s.Open() < 0 || s.Self < 0 || s.Self+s.Untold > s.Total || s.Min > s.Max || s.Errors > s.Count {
			t.Errorf("%s adds %+v", line, s)
		}
		if q := s.Durations.Quantile(0.95); q < 0 || q > 0 && s.Count == 0 {
			t.Errorf("%s: the 95th percentile is %d", line, q)
		}
		again, err := json.Marshal(Tell(l.Span, s))
		if err != nil {
			t.Fatal(err)
		}
		if l, err := Decode(again); err == nil {
			if l.Count != s.Count || l.Begun != s.Begun {
				t.Errorf("%s was told again as %s", line, again)
			}
		} else if s.Begun+s.Count > 0 && len(again) <= MaxLine {
			t.Errorf("%s was told again as %s: %v", line, again, err)
		}
	})
}

package result

import (
	"slices"
	"testing"
)

func TestKey(t *testing.T) {
	for want, k := range map[string]Key{
		"example.com/m.Encode/size=1": {"gobench", "example.com/m", "Encode/size=1"},
		"Encode":                      {"gobench", "", "Encode"},
		"example.com/m.Benchmark":     {"gobench", "example.com/m", ""}, // func Benchmark(b *testing.B)
		"Benchmark":                   {},
	} {
		if got := k.String(); got != want {
			t.Errorf("%#v is %q, want %q", k, got, want)
		}
	}
}

func TestSort(t *testing.T) {
	s := &Set{}
	for _, k := range []Key{{"load", "a", "a"}, {"gobench", "b", "a"}, {"gobench", "a", "b"}, {"gobench", "a", "a"}} {
		s.Benchmarks = append(s.Benchmarks, &Benchmark{Suite: k.Suite, Package: k.Package, Name: k.Name,
			Metrics: []*Metric{{Unit: UnitOf("allocs/op")}, {Unit: UnitOf("sec/op")}}})
	}
	s.Sort()
	var got []Key
	for _, b := range s.Benchmarks {
		got = append(got, b.Key())
		if b.Metrics[0].Unit.Name != "sec/op" {
			t.Errorf("%s: metrics out of order", b.Key())
		}
	}
	want := []Key{{"gobench", "a", "a"}, {"gobench", "a", "b"}, {"gobench", "b", "a"}, {"load", "a", "a"}}
	if !slices.Equal(got, want) {
		t.Errorf("sorted %v, want %v", got, want)
	}
	for _, k := range want {
		if b := s.Index()[k]; b == nil || b.Key() != k {
			t.Errorf("Index has %v under %v", b, k)
		}
	}
}

func TestAdd(t *testing.T) {
	b := &Benchmark{}
	b.Add(UnitOf("sec/op"), Sample{Value: 1, Pair: 0})
	b.Add(UnitOf("B/op"), Sample{Value: 2, Pair: 0})
	b.Add(UnitOf("sec/op"), Sample{Value: 3, Pair: 1})
	if len(b.Metrics) != 2 || b.Pairs() != 2 || !slices.Equal(b.Metric("sec/op").Values(), []float64{1, 3}) {
		t.Errorf("metrics %+v, %d pairs", b.Metrics, b.Pairs())
	}
	if b.Metric("allocs/op") != nil || new(Benchmark).Pairs() != 0 {
		t.Error("there is a metric that was never added")
	}
}

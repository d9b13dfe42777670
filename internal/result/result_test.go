package result

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
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
	b.Add(UnitOf("sec/op"), Sample{Value: 3, Pair: 1, Pass: 1})
	if len(b.Metrics) != 2 || b.Passes() != 2 || !slices.Equal(b.Metric("sec/op").Values(), []float64{1, 3}) {
		t.Errorf("metrics %+v, %d passes", b.Metrics, b.Passes())
	}
	if b.Metric("allocs/op") != nil || new(Benchmark).Passes() != 0 {
		t.Error("there is a metric that was never added")
	}
}

// TestTake: the second stage is kept apart, and counts among the passes.
func TestTake(t *testing.T) {
	b := &Benchmark{}
	b.Take(UnitOf("sec/op"), Sample{Value: 9}, true)
	b.Take(UnitOf("sec/op"), Sample{Value: 1}, false)
	b.Take(UnitOf("sec/op"), Sample{Value: 2, Pair: 1, Pass: 1}, false)
	b.Take(UnitOf("sec/op"), Sample{Value: 8, Pair: 3, Pass: 1}, true)
	b.Take(UnitOf("B/op"), Sample{Value: 64}, false)
	want := []*Metric{
		{Unit: UnitOf("sec/op"), Samples: []Sample{{Value: 1}, {Value: 2, Pair: 1, Pass: 1}}, Confirm: []Sample{{Value: 9}, {Value: 8, Pair: 3, Pass: 1}}},
		{Unit: UnitOf("B/op"), Samples: []Sample{{Value: 64}}},
	}
	if diff := cmp.Diff(want, b.Metrics); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := b.Metric("sec/op").Values(); !slices.Equal(got, []float64{1, 2, 9, 8}) {
		t.Errorf("Values = %v, want the first stage, then the second", got)
	}
	if b.Passes() != 4 {
		t.Errorf("%d passes, want 4: the stages are not the same passes", b.Passes())
	}
}

// TestByPass: a pass is one repetition, however many samples it gave.
func TestByPass(t *testing.T) {
	in := func(passes ...int) (samples []Sample) { // with values 1, 10, 100, …
		for i, p := range passes {
			samples = append(samples, Sample{Value: math.Pow10(i), Iters: 5 + i, Pair: i, Pass: p})
		}
		return samples
	}
	tests := []struct {
		name    string
		samples []Sample
		want    []Sample
	}{
		{"none", nil, nil},
		{"one", in(3), in(3)},
		{"a pass each", in(0, 1, 2), in(0, 1, 2)},
		{"an odd number", in(0, 0, 0), []Sample{{Value: 10, Iters: 5}}},
		{"an even number", in(0, 0, 0, 0), []Sample{{Value: 55, Iters: 5}}},
		{"uneven passes", in(1, 1, 2, 4, 4), []Sample{{Value: 5.5, Iters: 5, Pass: 1}, {Value: 100, Iters: 7, Pair: 2, Pass: 2}, {Value: 5500, Iters: 8, Pair: 3, Pass: 4}}},
		{"out of order", []Sample{{Value: 3}, {Value: 1}, {Value: 2}}, []Sample{{Value: 2}}},
		{"huge", []Sample{{Value: math.MaxFloat64}, {Value: math.MaxFloat64}}, []Sample{{Value: math.MaxFloat64}}},
	}
	for _, tt := range tests {
		before := slices.Clone(tt.samples)
		if diff := cmp.Diff(tt.want, ByPass(tt.samples), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		m := &Metric{Samples: tt.samples, Confirm: tt.samples}
		var want []float64
		for range 2 {
			for _, s := range tt.want {
				want = append(want, s.Value)
			}
		}
		if got := m.Values(); !slices.Equal(got, want) {
			t.Errorf("%s in both stages: Values = %v, want %v", tt.name, got, want)
		}
		if got := (&Benchmark{Metrics: []*Metric{{}, m, {Samples: in(1)}}}).Passes(); got != max(1, 2*len(tt.want)) {
			t.Errorf("%s in both stages: %d passes, want %d", tt.name, got, max(1, 2*len(tt.want)))
		}
		if !slices.Equal(before, tt.samples) {
			t.Errorf("%s: the samples are now %v", tt.name, tt.samples)
		}
	}
}

// TestByPassIsACopy: whoever appends to what he got does not write into the samples.
func TestByPassIsACopy(t *testing.T) {
	samples := make([]Sample, 2, 10)
	samples[1].Pass = 1
	passes := ByPass(samples)
	passes[0].Value = 7
	_ = append(passes, Sample{Value: 8})
	if samples[0].Value != 0 || samples[:3][2].Value != 0 {
		t.Errorf("samples are now %v", samples[:3])
	}
}

package report

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/org/perfgate/internal/result"
)

// TestMoves: a baseline's renewal lists what moved, differences from zero as differences.
func TestMoves(t *testing.T) {
	d := againstBaseline()
	var b bytes.Buffer
	if err := Moves(&b, d); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/moves.golden", b.Bytes())
	for _, want := range []string{"0 → 3", "+3 ", "0B → 24B", "+24B ", "a rise, accepted with this baseline\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not said", want)
		}
	}
	if err := Moves(&fullDisk{}, d); err == nil {
		t.Error("no error on a full disk")
	}
}

// TestMovesOfWholes: what came and what went are moves.
func TestMovesOfWholes(t *testing.T) {
	f := run()
	f.Base = nil
	f.Baseline = &result.Set{Env: env(), Benchmarks: []*result.Benchmark{bench(core, "Gone", times(1, 1, 0.01))}}
	f.Head.Benchmarks = []*result.Benchmark{bench(core, "New", times(1, 1, 0.01))}
	var b bytes.Buffer
	if err := Moves(&b, document(f)); err != nil {
		t.Fatal(err)
	}
	if got := strings.Fields(b.String()); !slices.Equal(got, []string{"Gone", "missing", "New", "added"}) {
		t.Errorf("moves %q", got)
	}
}

func TestMetricLine(t *testing.T) {
	b := bench(core, "A", metric(result.UnitOf("sec/op"), 1e-6, 3e-6, 2e-6))
	got := MetricLine(b, b.Metrics[0])
	want := []string{"example.com/module/core.A", "sec/op", "2.000µs ±∞", "3 samples"}
	if !slices.Equal(got, want) {
		t.Errorf("MetricLine = %q, want %q", got, want)
	}
	for i := range b.Metrics[0].Samples {
		b.Metrics[0].Samples[i].Pass = 0 // pairs of one process are one sample
	}
	if got := MetricLine(b, b.Metrics[0])[3]; got != "1 sample" {
		t.Errorf("three pairs of a pass are %s", got)
	}
}

package report

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/org/perfgate/internal/parse"
	"github.com/org/perfgate/internal/result"
)

// TestGoBenchParses: base.txt and head.txt say what was measured, to twelve digits. They are the
// way to benchstat and its kin.
func TestGoBenchParses(t *testing.T) {
	for _, fixture := range fixtures {
		if fixture.name == "hostile" { // its names are changed on purpose
			continue
		}
		d := fixture.make()
		for name, s := range map[string]*result.Set{"base": d.File.Base, "head": d.File.Head} {
			text := drawn(t, format(t, name), d)
			want := measuredOf(s)
			if len(want) == 0 {
				if len(text) > 0 {
					t.Errorf("%s %s: nothing was measured and it says %q", fixture.name, name, text)
				}
				continue
			}
			f, err := parse.Parse(bytes.NewReader(text), name)
			if err != nil || len(f.Warnings) > 0 {
				t.Fatalf("%s %s: %v, warnings %q", fixture.name, name, err, f.Warnings)
			}
			if diff := cmp.Diff(want, measuredOf(f.Head), cmpopts.EquateApprox(1e-12, 0)); diff != "" {
				t.Errorf("%s %s (-measured +parsed):\n%s", fixture.name, name, diff)
			}
			e, g := s.Env, f.Head.Env
			if e.GOOS != g.GOOS || e.GOARCH != g.GOARCH || e.CPU != g.CPU || e.GOMAXPROCS != g.GOMAXPROCS && e.GOMAXPROCS > 1 {
				t.Errorf("%s %s: environment %+v became %+v", fixture.name, name, e, g)
			}
		}
	}
}

// measuredOf are the metrics with samples, by benchmark and unit.
func measuredOf(s *result.Set) map[string][]result.Sample {
	m := map[string][]result.Sample{}
	if s == nil {
		return m
	}
	for _, b := range s.Benchmarks {
		for _, metric := range b.Metrics {
			samples := slices.Clone(metric.Samples)
			for _, s := range metric.Confirm { // the file does not tell the stages apart
				s.Pair, s.Pass = len(samples), len(samples)
				samples = append(samples, s)
			}
			m[b.Key().String()+" "+metric.Unit.Name+" better "+string(metric.Unit.Better)] = samples
		}
	}
	return m
}

// TestGoBenchGaps: a metric that some pairs lack leaves the lines of the others as they are.
func TestGoBenchGaps(t *testing.T) {
	b := bench(core, "X", metric(result.UnitOf("sec/op"), 1, 2), metric(result.UnitOf("gadgets"), 7, 8, 9))
	b.Metrics[1].Samples = b.Metrics[1].Samples[1:]
	var out bytes.Buffer
	if err := GoBench(&out, &result.Set{Benchmarks: []*result.Benchmark{b}}); err != nil {
		t.Fatal(err)
	}
	want := "pkg: example.com/module/core\n\nBenchmarkX 1000 1e+09 ns/op\nBenchmarkX 1000 2e+09 ns/op 8 gadgets\nBenchmarkX 1000 9 gadgets\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestDigits: 1.5 µs are 1500 ns, not 1500.0000000000002 ns.
func TestDigits(t *testing.T) {
	for _, tt := range []struct{ in, want float64 }{
		{1500.0000000000002, 1500}, {0.1 + 0.2, 0.3}, {0, 0}, {-2.9999999999999996, -3}, {1e300, 1e300},
		{123456789.1234, 123456789.1234}, {math.Inf(1), math.Inf(1)},
	} {
		if got := digits(tt.in); got != tt.want {
			t.Errorf("digits(%v) = %v, want %v", tt.in, got, tt.want)
		}
	}
}

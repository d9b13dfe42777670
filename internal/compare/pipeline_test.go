package compare

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/result"
)

// The times of perfgate's own pipeline never gate, however far the sides are apart; a count that is not the
// baseline's is a fact.
func TestPipeline(t *testing.T) {
	control := func(calls float64, times ...float64) *result.Benchmark {
		b := bench("control/pipeline", metric("upstream-calls", calls, calls, calls), metric("input-tokens", 7, 7, 7))
		if times != nil {
			b.Metrics = append(b.Metrics, metric("p50-sec", times...))
		}
		b.Suite, b.Scenario = "control", "pipeline 1"
		return b
	}
	file := func() *result.File {
		f := stagedFile(set(bench("X", metric("allocs/op", 3, 3, 3))), set(bench("X", metric("allocs/op", 3, 3, 3))))
		f.Base.Control, f.Head.Control = control(40, 1, 2, 3, 4, 5, 6, 7), control(40, 11, 12, 13, 14, 15, 16, 17)
		f.Baseline = set(bench("X", metric("allocs/op", 3, 3, 3)))
		return f
	}
	for _, tt := range []struct {
		name   string
		change func(f *result.File)
		gate   Gate
		rows   int // of the control
		want   *PipelineShift
	}{
		{"times", func(*result.File) {}, Pass, 0, &PipelineShift{Samples: 7, Base: 4, Head: 14, Lo: 1, Hi: 17}},
		{"the same counts", func(f *result.File) { f.Baseline.Control = control(40) }, Pass, 0, &PipelineShift{Samples: 7, Base: 4, Head: 14, Lo: 1, Hi: 17, Counts: 2}},
		{"another count", func(f *result.File) { f.Baseline.Control = control(39, 1, 1, 1) }, Fail, 1, &PipelineShift{Samples: 7, Base: 4, Head: 14, Lo: 1, Hi: 17, Counts: 1}},
		{"another pipeline", func(f *result.File) {
			f.Baseline.Control = control(39)
			f.Baseline.Control.Scenario = "pipeline 0"
		}, Pass, 0, &PipelineShift{Samples: 7, Base: 4, Head: 14, Lo: 1, Hi: 17, Other: "the baseline's was another: pipeline 0"}},
		{"counts alone", func(f *result.File) { f.Head.Control, f.Baseline.Control = control(40), control(40) }, Pass, 0, &PipelineShift{Counts: 2}},
		{"head alone", func(f *result.File) { f.Base = nil }, Pass, 0, &PipelineShift{Samples: 7, Head: 14, Lo: 11, Hi: 17}},
		{"none", func(f *result.File) { f.Head.Control = nil }, Pass, 0, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := file()
			tt.change(f)
			o := Judge(f, DefaultPolicy)
			rows := 0
			for _, c := range o.Comparisons {
				if c.Key.Suite == "control" {
					rows++
				}
			}
			if diff := cmp.Diff(tt.want, o.Pipeline); diff != "" || o.Gate != tt.gate || rows != tt.rows {
				t.Errorf("the gate says %s with %d rows, want %s with %d (-want +got):\n%s", o.Gate, rows, tt.gate, tt.rows, diff)
			}
		})
	}
}

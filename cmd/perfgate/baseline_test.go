package main

import (
	"testing"

	"github.com/org/perfgate/internal/result"
)

// A baseline has times of as many passes as a first look, of which those that could only count are none, or none at all.
func TestBaselineUnfit(t *testing.T) {
	for _, tt := range []struct {
		counted, timed int
		want           string
	}{
		{6, 6, ""},
		{3, 0, ""},
		{2, 0, "agent has 2 passes, fewer than 3: raise --budget"},
		{6, 5, "agent has 5 passes, fewer than 6, beside 1 void: the machine is busy"},
	} {
		b := &result.Benchmark{Suite: "load", Name: "agent", Status: result.OK}
		for unit, n := range map[string]int{"upstream-calls": tt.counted, "p50-sec": tt.timed} {
			for i := range n {
				b.Add(result.UnitOf(unit), result.Sample{Value: 1, Iters: 20, Pair: i, Pass: i})
			}
		}
		for pass := tt.timed; tt.timed > 0 && pass < tt.counted; pass++ {
			b.Void = append(b.Void, result.Void{Pass: pass, Message: "the machine is busy", Counted: true})
		}
		err := unfit(&result.File{Head: &result.Set{Benchmarks: []*result.Benchmark{b}}})
		if got := errorText(err); got != tt.want {
			t.Errorf("%d counts, %d times: %q, want %q", tt.counted, tt.timed, got, tt.want)
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

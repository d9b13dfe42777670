package harness

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/org/perfgate/internal/parse"
	"github.com/org/perfgate/internal/result"
)

// traceOf is a trace in which each package takes so many milliseconds.
func traceOf(ms map[string]float64) parse.Imports {
	t := parse.Imports{Runtime: "go"}
	for name, v := range ms {
		t.Packages = append(t.Packages, parse.Package{Name: name, Self: v / 1e3, Total: v / 1e3})
	}
	return t
}

// What is new comes first by its weight, what merely wavers is no growth, and the slowest of the rest are shown.
func TestChangedImports(t *testing.T) {
	base := []parse.Imports{traceOf(map[string]float64{"a": 1, "b": 4, "c": 2, "gone": 9}), traceOf(map[string]float64{"a": 1.25, "b": 5, "c": 2, "gone": 9})}
	head := []parse.Imports{traceOf(map[string]float64{"a": 3, "b": 6, "c": 2.25, "heavy": 210, "b2": 4.5}), traceOf(map[string]float64{"a": 3, "b": 4.5, "c": 2.25, "heavy": 230, "b2": 4.5})}
	want := []result.Import{
		{Name: "heavy", New: true, Head: 0.22, Total: 0.22},
		{Name: "b2", New: true, Head: 0.0045, Total: 0.0045},
		{Name: "a", Grew: true, Base: 0.001125, Head: 0.003, Total: 0.003},
		{Name: "b", Base: 0.0045, Head: 0.00525, Total: 0.00525},
		{Name: "c", Base: 0.002, Head: 0.00225, Total: 0.00225},
	}
	if diff := cmp.Diff(want, changedImports([2][]parse.Imports{base, head}), cmpopts.EquateApprox(1e-9, 0)); diff != "" {
		t.Errorf("with a base (-want +got):\n%s", diff)
	}
	for _, i := range changedImports([2][]parse.Imports{nil, head}) {
		if i.New || i.Grew {
			t.Errorf("%+v without a base", i)
		}
	}
}

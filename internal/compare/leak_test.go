package compare

import (
	"math"
	"strings"
	"testing"

	"github.com/org/perfgate/internal/result"
)

// gains are those of slices of 100 iterations.
func gains(unit string, perOp ...float64) *result.Metric {
	m := &result.Metric{Unit: result.UnitOf(unit)}
	for i, v := range perOp {
		m.Samples = append(m.Samples, result.Sample{Value: v, Iters: 100, Pair: i, Pass: i})
	}
	return m
}

// A leak breaks its budget when even the lower bound of the slope passes it, and says where it comes from. What comes
// and goes breaks none.
func TestLeakBudget(t *testing.T) {
	limit := 64.0
	none := 0.0
	p := DefaultPolicy
	p.Budgets = []Budget{
		{Subject: Subject{Benchmark: ".", Metric: result.LeakBytes}, Max: &limit},
		{Subject: Subject{Benchmark: ".", Metric: result.LeakGoroutines}, Max: &none},
	}
	for _, tt := range []struct {
		name              string
		bytes, goroutines *result.Metric
		wantBytes         BudgetVerdict
		wantGoroutines    BudgetVerdict
	}{
		{"leaks", gains(result.LeakBytes, 1024, 1030, 1020, 1024, 1024, 1010, 1040, 1024), gains(result.LeakGoroutines, 1, 1, 1, 1, 1, 1, 1, 1), BudgetBroken, BudgetBroken},
		{"clean", gains(result.LeakBytes, 0, 0, 0, 0, 0, 0, 0, 0), gains(result.LeakGoroutines, 0, 0, 0, 0, 0, 0, 0, 0), BudgetKept, BudgetKept},
		{"comes and goes", gains(result.LeakBytes, 900, -900, 900, -900, 900, -900, 900, -900), gains(result.LeakGoroutines, 1, -1, 0, 0, 1, -1, 1, -1), BudgetKept, BudgetKept},
		{"one step", gains(result.LeakBytes, 0, 0, 0, 5000, 0, 0, 0, 0), gains(result.LeakGoroutines, 0, 0, 0, 1, 0, 0, 0, 0), BudgetUnclear, BudgetUnclear},
		{"perhaps", gains(result.LeakBytes, 300, -200, 400, -100, 200, -300, 600, 50), gains(result.LeakGoroutines, 0, 0, 0, 0, 0, 0, 0, 0), BudgetUnclear, BudgetKept},
	} {
		h := &result.Benchmark{Suite: "gobench", Name: "X", Status: result.OK, Metrics: []*result.Metric{tt.bytes, tt.goroutines},
			Left: []result.Left{{Unit: result.LeakGoroutines, Where: "m.wait (m.go:7)", PerOp: 1}}}
		got := map[string]*BudgetCheck{}
		for _, c := range p.CheckBudgets(&result.Set{Benchmarks: []*result.Benchmark{h}}) {
			got[c.Unit.Name] = c
		}
		if b, g := got[result.LeakBytes], got[result.LeakGoroutines]; b.Verdict != tt.wantBytes || g.Verdict != tt.wantGoroutines {
			t.Errorf("%s: bytes %s (%+v), goroutines %s (%+v); want %s and %s", tt.name, b.Verdict, b.Value, g.Verdict, g.Value, tt.wantBytes, tt.wantGoroutines)
		}
		if note := got[result.LeakGoroutines].Note; strings.Contains(note, "m.wait") != (tt.wantGoroutines == BudgetBroken) {
			t.Errorf("%s: note %q", tt.name, note)
		}
	}
	if s := Describe(gains(result.LeakBytes, 1024, 1030, 1020, 1024, 1024, 1010, 1040, 1024)); math.Abs(s.Center-1024) > 5 || !(s.Lo > 1010) {
		t.Errorf("a leak of 1 KiB is described as %+v", s)
	}
}

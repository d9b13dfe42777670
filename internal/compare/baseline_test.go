package compare

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/result"
)

// TestStoredTimes: a stored time is judged only where there is nothing better and the machine is
// the same.
func TestStoredTimes(t *testing.T) {
	slow := func() *result.Set { return set(timed("X", steady(20, 1.2e-6))) }
	fast := func() *result.Set { return set(timed("X", steady(20, 1e-6))) }
	elsewhere := func(s *result.Set, change func(*result.Env)) *result.Set { change(&s.Env); return s }
	tests := []struct {
		name     string
		baseline *result.Set
		head     *result.Set
		base     *result.Set
		want     Verdict
		gate     Gate
		note     string
	}{
		{"alone, slower", fast(), slow(), nil, Regression, Fail, "drift between the two is not excluded"},
		{"alone, same", fast(), fast(), nil, Unchanged, Pass, "drift between the two is not excluded"},
		{"alone, faster", slow(), fast(), nil, Improvement, Pass, "drift between the two is not excluded"},
		{"alone, other processor", elsewhere(fast(), func(e *result.Env) { e.CPU = "Other CPU" }), slow(), nil, Incomparable, Pass, "different CPU model"},
		{"alone, other kernel", elsewhere(fast(), func(e *result.Env) { e.Kernel = "1.0" }), slow(), nil, Incomparable, Pass, "different kernel"},
		{"alone, other flags", elsewhere(fast(), func(e *result.Env) { e.Flags = "-race" }), slow(), nil, Incomparable, Pass, "different flags"},
		{"beside base", fast(), slow(), slow(), Incomparable, Pass, "times are judged against the re-measured base"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := storedFile(tt.baseline, tt.head)
			if tt.base != nil {
				f.Base, f.Pairing = tt.base, result.Passes
			}
			o := Judge(f, DefaultPolicy)
			c := against(t, o, AgainstBaseline)
			if c.Verdict != tt.want || c.Gated != (tt.want != Incomparable) || c.Pairs != 0 || !strings.Contains(strings.Join(c.Notes, ""), tt.note) {
				t.Errorf("%s, gated %v, %d pairs %q; want %s, no pairs, a note with %q", c.Verdict, c.Gated, c.Pairs, c.Notes, tt.want, tt.note)
			}
			if o.Gate != tt.gate {
				t.Errorf("gate %s, want %s", o.Gate, tt.gate)
			}
		})
	}
}

// TestStoredRates: of a stored rate, too, more is better.
func TestStoredRates(t *testing.T) {
	fast, slow := bench("X", metric("B/s", steady(20, 1.2e9)...)), bench("X", metric("B/s", steady(20, 1e9)...))
	checkDirection(t, "less of a stored rate", Judge(storedFile(set(fast), set(slow)), DefaultPolicy), Regression, 1/1.2-1)
	checkDirection(t, "more of a stored rate", Judge(storedFile(set(slow), set(fast)), DefaultPolicy), Improvement, 0.2)
}

// against returns the only row against one reference.
func against(t *testing.T, o *Outcome, ref Reference) *Comparison {
	t.Helper()
	var found []*Comparison
	for _, c := range o.Comparisons {
		if c.Against == ref {
			found = append(found, c)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d rows against %s: %q", len(found), ref, listed(o))
	}
	return found[0]
}

// TestStoredCounts: a constant is a fact on any machine, also beside a base that already has the
// regression: the baseline moves only on purpose.
func TestStoredCounts(t *testing.T) {
	three, four := bench("X", metric("allocs/op", constants(3, 3)...)), bench("X", metric("allocs/op", constants(3, 4)...))
	wobbly := bench("X", metric("allocs/op", jitter(20, 3)...))
	tests := []struct {
		name                 string
		baseline, base, head *result.Benchmark
		want                 Verdict
		gate                 Gate
	}{
		{"alone", three, nil, four, Regression, Fail},
		{"base has it already", three, four, four, Regression, Fail},
		{"same", three, three, three, Unchanged, Pass},
		{"fewer", four, three, three, Improvement, Pass},
		{"it varies on head", three, wobbly, wobbly, Incomparable, Pass},
		{"it varies, alone", three, nil, wobbly, Incomparable, Pass},
		{"it varied when stored", wobbly, four, four, Incomparable, Pass},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := storedFile(set(tt.baseline), set(tt.head))
			f.Baseline.Env.CPU = "Other CPU"
			if tt.base != nil {
				f.Base, f.Pairing = set(tt.base), result.Passes
			}
			o := Judge(f, DefaultPolicy)
			c := against(t, o, AgainstBaseline)
			if c.Verdict != tt.want || o.Gate != tt.gate {
				t.Errorf("%s %q, gate %s; want %s, %s", c.Verdict, c.Notes, o.Gate, tt.want, tt.gate)
			}
			if told := strings.Contains(strings.Join(c.Notes, ""), "a stored value is no fact"); told != (tt.want == Incomparable) {
				t.Errorf("notes %q", c.Notes)
			}
		})
	}
}

// TestStoredWhole: what is missing or broken is said once, by base where there is one.
func TestStoredWhole(t *testing.T) {
	f := storedFile(set(measuredX()), set())
	if c := only(t, Judge(f, DefaultPolicy)); c.Verdict != Missing || !c.Gated || c.Against != AgainstBaseline {
		t.Errorf("alone: %s, gated %v, against %s; want missing, gated, against the baseline", c.Verdict, c.Gated, c.Against)
	}
	f.Base, f.Pairing = set(measuredX()), result.Passes
	if c := only(t, Judge(f, DefaultPolicy)); c.Verdict != Missing || c.Against != AgainstBase {
		t.Errorf("beside base: %s against %s; want missing, against base", c.Verdict, c.Against)
	}
}

// TestStoredFloor: where even complete separation could not be called a regression, nothing may be
// called unchanged either.
func TestStoredFloor(t *testing.T) {
	// The rank-sum test needs this many samples a side (statistics.md, 3.2, one-sided).
	for m, need := range map[int]int{1: 5, 5: 6, 50: 8, 500: 10} {
		for _, n := range []int{need - 1, need} {
			baseline, head := many(m, n, 0), many(m, n, 1)
			o := Judge(storedFile(baseline, head), DefaultPolicy)
			checkFloor(t, o, n >= need)
		}
	}
}

// TestStoredUnasked: what a run does not measure at all is not missing from it; what one benchmark lost is.
func TestStoredUnasked(t *testing.T) {
	full := func(name string) *result.Benchmark {
		return bench(name, metric("sec/op", steady(20, 1)...), metric("allocs/op", constants(3, 1)...), metric(result.Statements, constants(3, 100)...), metric("hits/op", 1, 1, 1))
	}
	only := func(name string, units ...string) *result.Benchmark {
		return with(full(name), func(b *result.Benchmark) {
			b.Metrics = slices.DeleteFunc(slices.Clone(b.Metrics), func(m *result.Metric) bool { return !slices.Contains(units, m.Unit.Name) })
		})
	}
	for _, tt := range []struct {
		name    string
		head    *result.Set
		missing []string
	}{
		{"exact", set(only("X", "allocs/op", result.Statements, "hits/op"), only("Y", "allocs/op", result.Statements, "hits/op")), nil},
		{"times", set(only("X", "sec/op", "allocs/op", "hits/op"), only("Y", "sec/op", "allocs/op", "hits/op")), nil},
		{"one was not counted", set(full("X"), with(only("Y", "sec/op", "allocs/op", "hits/op"), func(b *result.Benchmark) { b.Uncounted = "an operation takes an hour" })), nil},
		{"one lost its statements", set(full("X"), only("Y", "sec/op", "allocs/op", "hits/op")), []string{"Y statements/op"}},
		{"a metric of its own", set(only("X", "sec/op", "allocs/op", result.Statements), only("Y", "sec/op", "allocs/op", result.Statements)), []string{"X hits/op", "Y hits/op"}},
	} {
		var got []string
		for _, c := range Judge(storedFile(set(full("X"), full("Y")), tt.head), DefaultPolicy).Comparisons {
			if c.Verdict == Missing {
				got = append(got, c.Key.Name+" "+c.Unit.Name)
			}
		}
		if diff := cmp.Diff(tt.missing, got); diff != "" {
			t.Errorf("%s: missing (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestStoredTimeUnmeasured: where the budget ended after the counts of one benchmark, its stored time is not missing
// beside a base, which says what became of it.
func TestStoredTimeUnmeasured(t *testing.T) {
	full := bench("X", metric("sec/op", steady(20, 1)...), metric("allocs/op", constants(3, 1)...))
	counted, other := bench("X", metric("allocs/op", constants(3, 1)...)), bench("Y", metric("sec/op", steady(20, 1)...))
	f := stagedFile(set(counted, other), set(counted, other))
	f.Baseline = set(full, other)
	if o := Judge(f, DefaultPolicy); o.Gate != Pass || o.Count(Missing) > 0 {
		t.Errorf("gate %s, %v", o.Gate, listed(o))
	}
	f.Base = nil
	if o := Judge(f, DefaultPolicy); o.Gate != Fail || o.Count(Missing) != 1 {
		t.Errorf("alone: gate %s, %v", o.Gate, listed(o))
	}
}

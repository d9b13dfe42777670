package compare

import (
	"strings"
	"testing"

	"github.com/org/perfgate/internal/result"
)

// measuredX is the benchmark of the tables in this file where it is measured.
func measuredX() *result.Benchmark { return bench("X", metric("sec/op", steady(20, 1e-6)...)) }

// TestWhole has a row for every way in which a benchmark is not compared metric by metric.
func TestWhole(t *testing.T) {
	unmeasured := with(bench("X"), func(b *result.Benchmark) { b.Unmeasured = "the budget ended before it" })
	tests := []struct {
		name       string
		base, head *result.Benchmark
		want       Verdict
		gated      bool
		note       string
		gate       Gate
	}{
		{"added", nil, measuredX(), Added, false, "", Pass},
		{"added, base has it by name only", statusOf(result.Absent, ""), measuredX(), Added, false, "", Pass},
		{"added, failed on base", statusOf(result.Failed, "panic: old"), measuredX(), Added, false, "it failed on base: panic: old", Pass},
		{"added, skipped on base", statusOf(result.Skipped, "needs root"), measuredX(), Added, false, "base skips it", Pass},

		{"gone", measuredX(), nil, Missing, true, "head has no such benchmark", Fail},
		{"gone, with the reason", measuredX(), statusOf(result.Absent, "its package is gone"), Missing, true, "its package is gone", Fail},
		{"skipped on head only", measuredX(), statusOf(result.Skipped, "needs root"), Missing, true, "head skips it: needs root", Fail},
		{"skipped on head only, no reason", measuredX(), statusOf(result.Skipped, ""), Missing, true, "head skips it", Fail},
		{"gone, failed on base", statusOf(result.Failed, "panic: old"), nil, Missing, false, "it failed on base: panic: old", Pass},
		{"skipped on both", statusOf(result.Skipped, "no disk"), statusOf(result.Skipped, "no disk"), Incomparable, false, "base skips it too", Pass},
		{"skipped on head, absent on base", nil, statusOf(result.Skipped, "no disk"), Incomparable, false, "on both sides", Pass},

		{"broken on head", measuredX(), statusOf(result.Failed, "panic: nil map"), Broken, true, "it fails on head: panic: nil map", Fail},
		{"broken, new on head", nil, statusOf(result.Failed, "panic: nil map"), Broken, true, "it fails on head: panic: nil map", Fail},
		{"broken, skipped on base", statusOf(result.Skipped, ""), statusOf(result.Failed, "boom"), Broken, true, "it fails on head: boom", Fail},
		{"broken on both", statusOf(result.Failed, "old"), statusOf(result.Failed, "new"), Broken, false, "it fails on both sides: new", Pass},

		{"unbuilt on head", measuredX(), statusOf(result.Unbuilt, ""), Incomparable, false, "does not build", Pass},
		{"unbuilt on base", statusOf(result.Unbuilt, ""), measuredX(), Incomparable, false, "does not build", Pass},
		{"unbuilt on base, failed on head", statusOf(result.Unbuilt, ""), statusOf(result.Failed, "boom"), Incomparable, false, "does not build", Pass},

		{"incomparable base", with(bench("X"), func(b *result.Benchmark) { b.Incomparable = "other inputs" }), measuredX(), Incomparable, false, "other inputs", Pass},
		{"unmeasured head", measuredX(), unmeasured, Inconclusive, true, "the budget ended before it", Pass},
		{"unmeasured base", unmeasured, measuredX(), Inconclusive, true, "the budget ended before it", Pass},
		{"unmeasured new benchmark", nil, unmeasured, Inconclusive, true, "the budget ended before it", Pass},
		{"measured without a sample", bench("X"), bench("X"), Inconclusive, true, "no pass was measured", Pass},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := Judge(stagedFile(set(tt.base), set(tt.head)), DefaultPolicy)
			if c := only(t, o); c.Unmeasured != (tt.want == Inconclusive) { // here nothing else is inconclusive
				t.Errorf("Unmeasured is %v", c.Unmeasured)
			}
			checkWhole(t, only(t, o), tt.want, tt.gated, tt.note)
			if o.Gate != tt.gate {
				t.Errorf("gate %s, want %s", o.Gate, tt.gate)
			}
		})
	}
}

// checkWhole checks the one row of a benchmark that is not compared metric by metric.
func checkWhole(t *testing.T, c *Comparison, want Verdict, gated bool, note string) {
	t.Helper()
	if c.Unit.Name != "" || c.Verdict != want || c.Gated != gated {
		t.Errorf("unit %q, %s, gated %v; want no unit, %s, gated %v", c.Unit.Name, c.Verdict, c.Gated, want, gated)
	}
	switch {
	case note == "" && len(c.Notes) > 0:
		t.Errorf("notes %q, want none", c.Notes)
	case note != "" && (len(c.Notes) != 1 || !strings.HasSuffix(c.Notes[0], note)):
		t.Errorf("notes %q, want one that ends in %q", c.Notes, note)
	}
}

// TestMended: base's own test file could not run it, but base's code was measured with head's.
func TestMended(t *testing.T) {
	base := with(measuredX(), func(b *result.Benchmark) { b.Status = result.Absent })
	c := only(t, Judge(stagedFile(set(base), set(measuredX())), DefaultPolicy))
	if c.Verdict != Unchanged || len(c.Notes) != 1 || !strings.Contains(c.Notes[0], "head's test file") {
		t.Errorf("%s %q, want unchanged with a note on head's test file", c.Verdict, c.Notes)
	}
}

// TestNotesOfMeasuring: what the harness remarked on head stands beside every metric.
func TestNotesOfMeasuring(t *testing.T) {
	head := with(measuredX(), func(b *result.Benchmark) { b.Notes = []string{"it starts goroutines"} })
	c := only(t, Judge(stagedFile(set(measuredX()), set(head)), DefaultPolicy))
	if len(c.Notes) != 1 || c.Notes[0] != "it starts goroutines" {
		t.Errorf("notes %q, want the harness's remark", c.Notes)
	}
}

func TestVoid(t *testing.T) {
	measured := func(passes, voids int) *result.Benchmark {
		b := bench("X", metric("sec/op", steady(passes, 1e-6)...))
		for i := range voids {
			b.Void = append(b.Void, result.Void{Pass: passes + i, Message: "exit status 2"})
		}
		return b
	}
	tests := []struct {
		name                       string
		passes, baseVoid, headVoid int
		want                       Verdict
		gated                      bool
		note                       string
	}{
		{"head only", 20, 0, 3, Broken, true, "head's process failed in 3 of 23 passes: exit status 2"},
		{"head only, among many passes", 200, 0, 3, Broken, true, "head's process failed in 3 of 203 passes"},
		{"head more than twice as often", 20, 2, 5, Broken, true, "head's process failed in 5 of 27 passes"},
		{"head, nothing else", 0, 0, 3, Broken, true, "head's process failed in 3 of 3 passes"},
		{"base only", 20, 3, 0, Incomparable, false, "base's process failed in 3 of 23 passes: exit status 2"},
		{"both", 20, 3, 3, Inconclusive, true, "6 of 26 passes are void: head: exit status 2"},
		{"a few on head", 20, 0, 2, Inconclusive, true, "2 of 22 passes are void: head: exit status 2"},
		{"a few on base", 20, 2, 0, Inconclusive, true, "2 of 22 passes are void: base: exit status 2"},
		{"two in forty", 38, 0, 2, Unchanged, true, "2 of 40 passes are void: head: exit status 2"},
		{"just over two in forty", 37, 0, 2, Inconclusive, true, "2 of 39 passes are void"},
		{"one of few", 6, 0, 1, Unchanged, true, "1 of 7 passes is void: head: exit status 2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := Judge(stagedFile(set(measured(tt.passes, tt.baseVoid)), set(measured(tt.passes, tt.headVoid))), DefaultPolicy)
			c := only(t, o)
			if c.Verdict != tt.want || c.Gated != tt.gated || len(c.Notes) != 1 || !strings.Contains(c.Notes[0], tt.note) {
				t.Errorf("%s, gated %v, notes %q; want %s, gated %v, a note with %q", c.Verdict, c.Gated, c.Notes, tt.want, tt.gated, tt.note)
			}
			if wantFail := tt.want == Broken; (o.Gate == Fail) != wantFail {
				t.Errorf("gate %s", o.Gate)
			}
		})
	}
}

// Passes whose counts hold lose times alone: what is exact is judged, and times are where only few are lost.
func TestVoidTimes(t *testing.T) {
	measured := func(calls float64, late, passes int) *result.Benchmark {
		b := bench("X", metric("upstream-calls", constants(passes, calls)...), metric("p50-sec", steady(passes-late, 0.1)...))
		for i := range late {
			b.Void = append(b.Void, result.Void{Pass: passes - 1 - i, Message: "the machine is busy", Counted: true})
		}
		return b
	}
	for _, tt := range []struct {
		late, passes int
		times        Verdict
		note         string
	}{
		{1, 19, Unchanged, "the times of 1 of 19 passes are void, their counts hold: the machine is busy"},
		{2, 40, Unchanged, "the times of 2 of 40 passes are void"},
		{2, 39, Inconclusive, "the times of 2 of 39 passes are void"},
		{3, 3, Inconclusive, ""},
	} {
		f := stagedFile(set(measured(3, tt.late, tt.passes)), set(measured(4, tt.late, tt.passes)))
		if tt.late == tt.passes {
			f.Head.Benchmarks[0].Untimed = "no pass has times that hold"
			for _, b := range []*result.Benchmark{f.Base.Benchmarks[0], f.Head.Benchmarks[0]} {
				b.Metrics = b.Metrics[:1]
			}
		}
		o := Judge(f, DefaultPolicy)
		calls, unit := rowOf(t, o, "X", "upstream-calls"), "p50-sec"
		if calls.Verdict != Regression || !calls.Exact || calls.Notes != nil || o.Gate != Fail {
			t.Errorf("%d late of %d: calls are %+v, want an exact regression without a note", tt.late, tt.passes, calls)
		}
		if tt.note == "" {
			unit = "sec/op"
		}
		c := rowOf(t, o, "X", unit)
		if c.Verdict != tt.times || !c.Gated || tt.note != "" && (len(c.Notes) != 1 || !strings.Contains(c.Notes[0], tt.note)) {
			t.Errorf("%d late of %d: times are %s, gated %v, notes %q, want %s and a note with %q", tt.late, tt.passes, c.Verdict, c.Gated, c.Notes, tt.times, tt.note)
		}
	}
}

// TestOrder: rows come in the order of keys and units, whatever the order of measuring, so that
// the same run gives the same report.
func TestOrder(t *testing.T) {
	two := func(name string) *result.Benchmark {
		return bench(name, metric("allocs/op", constants(20, 1)...), metric("sec/op", steady(20, 1e-6)...))
	}
	o := Judge(stagedFile(set(two("C"), two("A"), measuredX()), set(two("B"), two("A"), two("C"))), DefaultPolicy)
	var got []string
	for _, c := range o.Comparisons {
		got = append(got, c.Key.Name+" "+c.Unit.Name)
	}
	want := "A sec/op, A allocs/op, B , C sec/op, C allocs/op, X "
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("rows %q, want %q", s, want)
	}
}

package result

import (
	"slices"
	"testing"
)

func TestUnits(t *testing.T) {
	tests := []struct {
		name         string
		better       Better
		timing, info bool
	}{
		{"sec/op", Lower, true, false},
		{"spans:plan a-s/sec", Lower, false, false},
		{"count:rows", Lower, false, false},
		{"hits:plans", Higher, false, false},
		{"misses:plans", Lower, false, false},
		{"B/s", Higher, true, false},
		{"B/op", Lower, false, false},
		{"allocs/op", Lower, false, false},
		{"statements/op", Lower, false, false},
		{"upstream-calls/op", Lower, false, false},
		{"upstream-attempts/op", Lower, false, false},
		{"upstream-input-tokens/op", Lower, false, false},
		{"upstream-output-tokens/op", Lower, false, false},
		{"calls/op", Lower, false, false},
		{"attempts/op", Lower, false, false},
		{"instructions/op", Lower, false, false},

		// Of load runs, whoever makes them.
		{"p99-sec", Lower, true, false},
		{"overhead-p50-sec", Lower, true, false},
		{"runs/s", Higher, true, false},
		{"upstream-calls", Lower, false, false},
		{"upstream-depth", Lower, false, false},
		{"cache-hits", Higher, false, false},
		{"cache-coalesced", Higher, false, true},

		// Of commands and their start, and of what stays behind.
		{"cpu-sec/op", Lower, true, false},
		{"max-package-sec", Lower, true, false},
		{"self-sec", Lower, true, true},
		{"total-sec", Lower, true, true},
		{"init-B", Lower, false, true},
		{"init-allocs", Lower, false, true},
		{"leak-B/op", Lower, false, true},
		{"leak-rss-B/op", Lower, false, true},
		{"leak-goroutines/op", Lower, false, true},
		{"leak-descriptors/op", Lower, false, true},

		// Units of others: nobody said which way is better, but a time is never exact.
		{"p999-sec", Unknown, true, false},
		{"req/s", Unknown, true, false},
		{"wait_sec/op", Unknown, true, false},
		{"gadgets", Unknown, false, false},
		{"secrets/op", Unknown, false, false},
		{"misses", Unknown, false, false},
		{"", Unknown, false, false},
	}
	for _, tt := range tests {
		u := UnitOf(tt.name)
		if u != (Unit{Name: tt.name, Better: tt.better}) {
			t.Errorf("UnitOf(%q) = %+v, want better %q", tt.name, u, tt.better)
		}
		if u.Timing() != tt.timing || u.Info() != tt.info {
			t.Errorf("%q: timing %v, info %v; want %v, %v", tt.name, u.Timing(), u.Info(), tt.timing, tt.info)
		}
	}
}

// TestUnitKinds: what a value of a unit is written in, and who measures it.
func TestUnitKinds(t *testing.T) {
	for name, want := range map[string]struct {
		base              string
		counted, measured bool
	}{
		"sec/op": {"sec", false, true}, "B/s": {"B", false, true}, "B/op": {"B", true, true}, "allocs/op": {"", true, true}, "statements/op": {"", true, true}, "upstream-calls/op": {"", true, true},
		"calls/op": {"", false, false}, "p99-sec": {"sec", false, false}, "cpu-sec/run": {"sec", false, false}, "peak-B": {"B", false, false}, "leak-B/op": {"B", false, false}, "secrets/op": {"", false, false}, "": {"", false, false},
	} {
		u := UnitOf(name)
		if u.Base() != want.base || u.Counted() != want.counted || Measured(name) != want.measured {
			t.Errorf("%q: base %q, counted %v, measured %v; want %+v", name, u.Base(), u.Counted(), Measured(name), want)
		}
	}
}

// TestDifferenced: the number of iterations matters where set-up is in a value.
func TestDifferenced(t *testing.T) {
	for name, want := range map[string]bool{"statements/op": true, "upstream-calls/op": true, "allocs/op": false, "calls/op": false, "sec/op": false} {
		if got := UnitOf(name).Differenced(); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

// TestUnitTable: the rows above cover the table.
func TestUnitTable(t *testing.T) {
	seen := map[string]bool{}
	for _, row := range units {
		if seen[row.name] {
			t.Errorf("%s stands twice", row.name)
		}
		seen[row.name] = true
		if row.better == Unknown {
			t.Errorf("%s: a known unit has a direction", row.name)
		}
	}
	if len(units) != 77 {
		t.Errorf("%d units: add the new ones to TestUnits", len(units))
	}
}

func TestUnitOrder(t *testing.T) {
	us := []Unit{UnitOf("zebras"), UnitOf("init-B"), UnitOf("allocs/op"), UnitOf("apes"), UnitOf("B/s"), UnitOf("sec/op"), UnitOf("B/op")}
	slices.SortFunc(us, Unit.Compare)
	var got []string
	for _, u := range us {
		got = append(got, u.Name)
	}
	want := []string{"sec/op", "B/s", "B/op", "allocs/op", "init-B", "apes", "zebras"}
	if !slices.Equal(got, want) {
		t.Errorf("sorted units %q, want %q", got, want)
	}
}

func TestSign(t *testing.T) {
	for better, want := range map[Better]float64{Lower: 1, Higher: -1, Unknown: 0, "louder": 0} {
		if got := better.Sign(); got != want {
			t.Errorf("Better(%q).Sign() = %v, want %v", better, got, want)
		}
	}
}

package result

import (
	"slices"
	"testing"
)

// TestDiffers changes one field after the other: each makes times incomparable, and the first
// three make other code.
func TestDiffers(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Env)
		code   bool
	}{
		{"Go version", func(e *Env) { e.Go = "go1.27.0" }, true},
		{"OS", func(e *Env) { e.GOOS = "plan9" }, true},
		{"architecture", func(e *Env) { e.GOARCH = "riscv64" }, true},
		{"CPU model", func(e *Env) { e.CPU = "Other CPU" }, false},
		{"cores", func(e *Env) { e.Cores = 0 }, false},
		{"GOMAXPROCS", func(e *Env) { e.GOMAXPROCS = 1 }, false},
		{"kernel", func(e *Env) { e.Kernel = "6.2" }, false},
		{"flags", func(e *Env) { e.Flags = "" }, false},
	}
	if got := machine.Differs(machine); len(got) > 0 {
		t.Errorf("an Env differs from itself in %q", got)
	}
	if n := len(machine.Fields()); n != len(tests) {
		t.Errorf("%d fields, %d of them are tried", n, len(tests))
	}
	for _, tt := range tests {
		other := machine
		tt.change(&other)
		if got := machine.Differs(other); !slices.Equal(got, []string{tt.name}) {
			t.Errorf("other %s: Differs = %q", tt.name, got)
		}
		if got := machine.DiffersInCode(other); len(got) == 1 != tt.code {
			t.Errorf("other %s: DiffersInCode = %q, want code %v", tt.name, got, tt.code)
		}
	}
	for _, change := range []func(*Env){
		func(e *Env) { e.Go = "go1.26.99" }, func(e *Env) { e.CPU = "Other CPU" }, func(e *Env) { e.Flags += " GOAMD64=v3" }, func(e *Env) { e.Counter = "perf_event" },
	} {
		other := machine
		change(&other)
		if got := machine.DiffersInCounts(other, Instructions); len(got) != 1 {
			t.Errorf("%+v: DiffersInCounts = %q, want one", other, got)
		}
		if got := machine.DiffersInCode(other); len(got) > 0 {
			t.Errorf("%+v: DiffersInCode = %q", other, got)
		}
	}
	other := machine
	other.Covered = "std"
	for _, unit := range []string{Statements, Instructions, "allocs/op"} {
		if got := machine.DiffersInCounts(other, unit); slices.Equal(got, []string{"covered packages"}) != (unit == Statements) {
			t.Errorf("other covered packages, %s: DiffersInCounts = %q", unit, got)
		}
	}
	if got := machine.Differs(Env{}); len(got) != len(tests) {
		t.Errorf("nothing is known of the other: Differs = %q", got)
	}
}

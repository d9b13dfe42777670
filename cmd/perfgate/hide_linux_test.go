package main

import (
	"io"
	"testing"

	"golang.org/x/sys/unix"
)

// TestHideFromChildren: in a step of a workflow the process is not dumpable, which keeps its environment and memory in
// /proc from what it measures. What root in a container then reads of them, .ci/runner shows.
func TestHideFromChildren(t *testing.T) {
	dumpable := func() int {
		v, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	before := dumpable()
	t.Cleanup(func() { unix.Prctl(unix.PR_SET_DUMPABLE, uintptr(before), 0, 0, 0) })
	if before == 0 {
		t.Skip("the test itself is not dumpable")
	}
	run([]string{"version"}, nil, io.Discard, io.Discard, nil)
	if got := dumpable(); got != before {
		t.Errorf("outside a workflow: dumpable %d, was %d", got, before)
	}
	run([]string{"version"}, nil, io.Discard, io.Discard, []string{"GITHUB_ACTIONS=true", "GITHUB_WORKSPACE=" + t.TempDir()})
	if got := dumpable(); got != 0 {
		t.Errorf("in a workflow: dumpable %d, want 0", got)
	}
}

package harness

import (
	"testing"

	"golang.org/x/sys/unix"
)

// countPageFaults counts an event that every kernel has in the place of instructions: that all threads of the
// process are counted, from its start, and slice by slice, does not depend on what is counted.
func countPageFaults(t *testing.T, r *goRunner) {
	faults := perfEvent{unix.PERF_TYPE_SOFTWARE, unix.PERF_COUNT_SW_PAGE_FAULTS}
	f, err := faults.open(0)
	if err != nil {
		t.Skip(err)
	}
	f.Close()
	for bench, values := range countedOnce(t, r, faults, false) {
		for _, v := range values {
			if v < 7.9 || v > 8.5 {
				t.Errorf("%s: %v page faults an operation, want 8", bench, v)
			}
		}
	}
}

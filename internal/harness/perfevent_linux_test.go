package harness

import (
	"fmt"
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
	var wrong string
	for range 3 { // on a busy machine the kernel adds some of its own
		wrong = ""
		for bench, values := range countedOnce(t, r, faults, false) {
			for _, v := range values {
				if v < 7.9 || v > 8.5 {
					wrong += fmt.Sprintf("%s: %v page faults an operation, want 8\n", bench, v)
				}
			}
		}
		if wrong == "" {
			return
		}
	}
	t.Error(wrong)
}

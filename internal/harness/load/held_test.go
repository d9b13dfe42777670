package load

import (
	"os"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/org/perfgate/internal/harness/proc"
)

// Processes are read in turn, the highest reading counts, and one that was not read towards its end has none.
func TestHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		readings := map[int]int64{}
		h := watchHeld(func(pid int) (proc.Memory, bool) {
			readings[pid]++
			return proc.Memory{RSS: readings[pid], Peak: 2 * readings[pid] % 13}, pid != 3 && (pid != 7 || readings[pid] == 1) // 3 has ended, and 7 can be read once
		})
		defer h.close()
		time.Sleep(heldEvery / 2) // readings lie between what follows
		first, second, gone := h.add(1), h.add(2), h.add(3)
		time.Sleep(12 * heldEvery)
		if got := h.end(first); got != 8 {
			t.Errorf("the first held %d, want 8, its peak in the last of 4 readings", got)
		}
		if got := h.end(gone); got != 0 {
			t.Errorf("one that cannot be read held %d", got)
		}
		time.Sleep(4 * heldEvery)
		if got := h.end(second); got != 12 || readings[2] != 8 || readings[1] != 4 {
			t.Errorf("the second held %d, readings are %v, want 12 and 8 of the second", got, readings)
		}
		short, long := h.add(4), h.add(5)
		time.Sleep(heldEvery * 6 / 10)
		if got := h.end(short); got != 2 {
			t.Errorf("one that was read at five sixths of its life held %d, want 2", got)
		}
		if got := h.end(long); got != 0 {
			t.Errorf("one whose turn it was not yet held %d", got)
		}
		once := h.add(7)
		time.Sleep(4 * heldEvery)
		if got := h.end(once); got != 0 || once.high != 2 {
			t.Errorf("one that was read at its beginning alone held %d of %d", got, once.high)
		}
		never := h.add(6)
		time.Sleep(heldEvery / 4)
		if got := h.end(never); got != 0 {
			t.Errorf("one that was never read held %d", got)
		}
	})
}

// A process that is smaller than this one has its own peak.
func TestHeldByCommand(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the wait status tells, or nobody does")
	}
	t.Parallel()
	target, err := Command{Args: []string{"sleep", "0.05"}, Env: func(int) []string { return []string{"PATH=" + os.Getenv("PATH")} }, Limit: time.Minute}.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	var r Record
	for range 40 { // on a busy machine some are not read when they should be
		if err := target.Do(t.Context(), 0, &r); err != nil {
			t.Fatal(err)
		}
		if r.MaxRSS > 0 {
			break
		}
	}
	if r.MaxRSS < 100<<10 || r.MaxRSS > 8<<20 {
		t.Errorf("sleep held %d bytes", r.MaxRSS)
	}
}

package harness

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// goodDump is what callgrind writes at the end of a slice, in short.
const goodDump = "version: 1\ncreator: callgrind-3.19.0\npid: 1\npart: 2\n\ndesc: I1 cache:\ndesc: Trigger: --dump-before=testing.perfgateEnd\n\npositions: line\nevents: Ir\nsummary: 475\n\nfn=(1) f: g\n0 475\n\ntotals: 475\n"

// TestReadDump reads callgrind's dumps, and says what it does not know.
func TestReadDump(t *testing.T) {
	if n, err := readDump(strings.NewReader(goodDump)); n != 475 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	for old, with := range map[string]string{
		"perfgateEnd": "perfgateBegin", "desc: Trigger": "desc: Other", "events: Ir": "events: Ir Dr", "totals: 475": "", "totals: 47": "totals: -47", "totals: 4": "totals: 99999999999999999999",
	} {
		if n, err := readDump(strings.NewReader(strings.Replace(goodDump, old, with, 1))); err == nil {
			t.Errorf("with %q for %q: %d and no error", with, old, n)
		}
	}
}

// TestDumps takes the dumps of a process one by one, and explains a missing one.
func TestDumps(t *testing.T) {
	d := &dumps{dir: t.TempDir()}
	for i, n := range []int64{475, 476} {
		text := strings.ReplaceAll(goodDump, "475", fmt.Sprint(n))
		write(t, d.dir, map[string]string{fmt.Sprintf("out.%d", i+1): text})
		if got, err := d.next(); got != n || err != nil {
			t.Errorf("%d, %v, want %d", got, err, n)
		}
	}
	if n, err := d.next(); err == nil || !strings.Contains(err.Error(), "-ldflags=-s") {
		t.Errorf("without a dump: %d, %v", n, err)
	}
	if left, _ := os.ReadDir(d.dir); len(left) > 0 {
		t.Errorf("%d dumps are left", len(left))
	}
}

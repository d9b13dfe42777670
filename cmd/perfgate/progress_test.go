package main

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/org/perfgate/internal/harness"
)

// TestProgressLines: a log gets a line a phase now and then, also where two phases take turns every second.
func TestProgressLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		p := newProgress(&log)
		for i := range 20 {
			p.observe(harness.Event{Phase: "link", What: "x", Done: i, Total: 20})
			p.observe(harness.Event{Phase: "confirm", What: "x", Done: i, Total: 20})
			time.Sleep(time.Second)
		}
		want := []string{"perfgate: linking x (0 of 20)", "perfgate: confirming x (0 of 20)", "perfgate: linking x (15 of 20)", "perfgate: confirming x (15 of 20)"}
		if got := strings.TrimSpace(log.String()); got != strings.Join(want, "\n") {
			t.Errorf("the log says\n%s\nwant\n%s", got, strings.Join(want, "\n"))
		}
	})
}

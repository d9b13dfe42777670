package profiler

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// listening is a file and its name as a program hears of it.
func listening(t *testing.T) (*Hearing, string) {
	t.Helper()
	h, err := Listen()
	if err != nil {
		t.Fatal(err)
	}
	_, name, _ := strings.Cut(h.Environ(), "=")
	return h, name
}

// add appends a line as a program does.
func add(t *testing.T, name, line string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Error(err)
		return
	}
	defer f.Close()
	f.WriteString(line + "\n")
}

// What comes a little late is waited for; nobody who told nothing, and nobody for ever.
func TestSettle(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines int // one every 200 ms, behind an empty one
		want  time.Duration
	}{{"silent", -1, 0}, {"two late", 2, 650 * time.Millisecond}, {"without end", 100, settleLimit}} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, name := listening(t)
				ctx, cancel := context.WithCancel(t.Context())
				if c.lines >= 0 {
					add(t, name, "")
				}
				done := make(chan struct{})
				go func() {
					defer close(done)
					for range c.lines {
						time.Sleep(200 * time.Millisecond)
						if ctx.Err() != nil {
							return
						}
						add(t, name, `{"span":"late","ns":1}`)
					}
				}()
				began := time.Now()
				h.Settle(ctx)
				if took := time.Since(began); took < c.want || took > c.want+2*lookEvery {
					t.Errorf("it waited for %v, want %v", took, c.want)
				}
				cancel()
				h.Settle(ctx) // ends at once
				<-done
				collector := new(Collector)
				if err := h.Into(collector); err != nil {
					t.Error(err)
				}
				if c.lines == 2 && collector.Profile(0).Spans[0].Count != 2 {
					t.Error("it did not wait for both")
				}
				if err := h.Close(); err != nil {
					t.Error(err)
				}
				if _, err := os.Stat(filepath.Dir(name)); err == nil {
					t.Error("the folder is still there")
				}
			})
		})
	}
}

// The program may do with the name what it likes: what is read is the file that was made.
func TestReplacedName(t *testing.T) {
	h, name := listening(t)
	defer h.Close()
	add(t, name, `{"counter":"mine"}`)
	if err := os.Remove(name); err != nil {
		t.Skipf("this system does not remove open files: %v", err)
	}
	if err := os.WriteFile(name, []byte(`{"counter":"other"}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := new(Collector)
	if err := h.Into(c); err != nil || c.Profile(0).Counters["mine"] != 1 || len(c.Profile(0).Counters) != 1 {
		t.Errorf("%v, %v", err, c.Profile(0).Counters)
	}
	var none *Hearing
	if err := none.Close(); err != nil {
		t.Error(err)
	}
}

package profiler

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/org/perfgate/internal/spans"
)

// Hearing is a file in which programs tell of themselves while they run.
//
// It is a file because every language appends to one in a line of code, for next to nothing and without waiting
// for a reader, several processes do so at once, and what was written stays when they are killed. A FIFO stops the
// program when nobody reads fast enough; an inherited descriptor is lost in most languages between a program and
// the processes that it starts; a URL would have each measured program carry a client.
type Hearing struct {
	dir  string
	file *os.File // whatever the program does to the name
}

// Listen makes the file.
func Listen() (*Hearing, error) {
	// A name of the same length every time: the size of its environment moves a program's stack.
	dir := filepath.Join(os.TempDir(), "perfgate-probe-"+rand.Text())
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, "probe.jsonl"), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &Hearing{dir, f}, nil
}

// Environ is the variable by which a program hears of it.
func (h *Hearing) Environ() string { return spans.Env + "=" + h.file.Name() }

// Programs write every 100 ms. One that was quiet for quietFor has told everything, and one that never is has told
// enough after settleLimit.
const (
	quietFor    = 250 * time.Millisecond
	settleLimit = 2 * time.Second
	lookEvery   = 20 * time.Millisecond
)

// Settle waits until the programs have told of what they did, before they are ended. It does not wait for those that
// wrote nothing yet: package probe writes an empty line when the first span begins.
func (h *Hearing) Settle(ctx context.Context) {
	if h.size() == 0 {
		return
	}
	limit := time.After(settleLimit)
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for last, since := h.size(), time.Now(); time.Since(since) < quietFor; {
		select {
		case <-tick.C:
		case <-limit:
			return
		case <-ctx.Done():
			return
		}
		if n := h.size(); n != last {
			last, since = n, time.Now()
		}
	}
}

func (h *Hearing) size() int64 {
	info, err := h.file.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}

// Into adds what the programs told to c.
func (h *Hearing) Into(c *Collector) error {
	if _, err := h.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return c.Read(h.file)
}

// Close removes the file. A nil Hearing has none.
func (h *Hearing) Close() error {
	if h == nil {
		return nil
	}
	return errors.Join(h.file.Close(), os.RemoveAll(h.dir))
}

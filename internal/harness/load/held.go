package load

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/org/perfgate/internal/harness/proc"
)

// held watches what processes hold that end by themselves. Linux has the memory of whoever started a process in its wait
// status (what vfork shares until exec counts for it), so that says nothing of one that is smaller than perfgate. The
// peak that the kernel notes of the process itself does, and goes with the process: it is read while that runs.
//
// One process is read at a time, in turn, so that watching many costs no more than watching one.
type held struct {
	read func(pid int) (proc.Memory, bool)

	mu    sync.Mutex
	procs []*heldBy // in the order of their turns
	stop  context.CancelFunc
	done  chan struct{}
}

// heldBy is what is known of one process.
type heldBy struct {
	pid   int
	began time.Time
	at    time.Duration // of the last reading
	high  int64
}

const (
	// heldEvery is the time between two readings. One takes 0.1 to 0.2 ms, so that this is 2 to 4 % of a processor.
	heldEvery = 5 * time.Millisecond
	// heldUntil is the share of its life that a process must have been read in: what it held later is not known.
	heldUntil = 0.75
)

// holding begins to watch where the wait status does not tell, nil elsewhere.
func holding() *held {
	if runtime.GOOS != "linux" {
		return nil
	}
	return watchHeld(proc.ReadMemory)
}

func watchHeld(read func(pid int) (proc.Memory, bool)) *held {
	ctx, stop := context.WithCancel(context.Background())
	h := &held{read: read, stop: stop, done: make(chan struct{})}
	go h.run(ctx)
	return h
}

func (h *held) run(ctx context.Context) {
	defer close(h.done)
	tick := time.NewTicker(heldEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			h.next()
		}
	}
}

// next reads the process whose turn it is.
func (h *held) next() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.procs) == 0 {
		return
	}
	p := h.procs[0]
	h.procs = append(h.procs[1:], p)
	if m, ok := h.read(p.pid); ok {
		p.at, p.high = time.Since(p.began), max(p.high, m.High())
	}
}

// add begins to watch a process.
func (h *held) add(pid int) *heldBy {
	if h == nil {
		return nil
	}
	p := &heldBy{pid: pid, began: time.Now()}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.procs = append(h.procs, p)
	return p
}

// end is the most that a process and its children held, 0 where it is not known. The process has ended.
func (h *held) end(p *heldBy) int64 {
	if h == nil {
		return 0
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.procs = slices.DeleteFunc(h.procs, func(o *heldBy) bool { return o == p })
	if p.at < time.Duration(heldUntil*float64(time.Since(p.began))) {
		return 0
	}
	return p.high
}

// close ends the watching.
func (h *held) close() {
	if h != nil {
		h.stop()
		<-h.done
	}
}

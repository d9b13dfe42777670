package pace

import (
	"container/heap"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// wheel serves all waiters by one timerfd, armed for the earliest of them. One goroutine reads it.
type wheel struct {
	file *os.File
	fd   int
	// start and monotonic are the same moment, on Go's clock and on the kernel's, which tick alike. The
	// timer is armed absolutely: what happens between computing and arming makes nobody late.
	start     time.Time
	monotonic time.Duration
	done      chan struct{}

	mu     sync.Mutex
	wait   waiters
	closed bool
}

// waiter is one call of Until.
type waiter struct {
	at    time.Duration // since the wheel's start
	index int           // in the heap, -1 outside
	due   chan time.Time
}

func newWheel() (*wheel, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("pace: timerfd: %w", err)
	}
	w := &wheel{file: os.NewFile(uintptr(fd), "timerfd"), fd: fd, done: make(chan struct{})}
	if w.start, w.monotonic, err = sameMoment(); err != nil {
		w.file.Close()
		return nil, err
	}
	go w.turn()
	return w, nil
}

// sameMoment reads both clocks. The kernel's is read second, so that it is ahead by tens of nanoseconds
// and the timer is never early; of some tries the closest counts.
func sameMoment() (start time.Time, monotonic time.Duration, err error) {
	closest := time.Duration(-1)
	for range 8 {
		now := time.Now()
		var ts unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
			return start, 0, fmt.Errorf("pace: clock: %w", err)
		}
		if took := time.Since(now); closest < 0 || took < closest {
			closest, start, monotonic = took, now, time.Duration(ts.Nano())
		}
	}
	return start, monotonic, nil
}

// turn wakes who is due, each time that the timer fires, until the file is closed.
func (w *wheel) turn() {
	defer close(w.done)
	var expirations [8]byte
	for {
		if _, err := w.file.Read(expirations[:]); err != nil {
			return
		}
		w.wake()
	}
}

func (w *wheel) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.wait) > 0 {
		now := time.Now()
		if w.wait[0].at > now.Sub(w.start) {
			w.arm()
			return
		}
		heap.Pop(&w.wait).(*waiter).due <- now // has room
	}
}

// arm sets the timer to the earliest waiter, of which there must be one. The caller holds the lock.
func (w *wheel) arm() {
	if w.closed {
		return
	}
	at := unix.NsecToTimespec(int64(w.monotonic + w.wait[0].at))
	if err := unix.TimerfdSettime(w.fd, unix.TFD_TIMER_ABSTIME, &unix.ItimerSpec{Value: at}, nil); err != nil {
		panic(fmt.Sprintf("pace: arming a timer that exists for a time that is valid: %v", err))
	}
}

func (w *wheel) add(t time.Time) *waiter {
	one := &waiter{at: t.Sub(w.start), due: make(chan time.Time, 1)}
	w.mu.Lock()
	defer w.mu.Unlock()
	heap.Push(&w.wait, one)
	if one.index == 0 {
		w.arm()
	}
	return one
}

// remove forgets a waiter that does not wait any more. The timer may fire for nobody then.
func (w *wheel) remove(one *waiter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if one.index >= 0 {
		heap.Remove(&w.wait, one.index)
	}
}

func (w *wheel) close() error {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	err := w.file.Close()
	<-w.done
	return err
}

// waiters is a heap, the earliest on top.
type waiters []*waiter

func (w waiters) Len() int           { return len(w) }
func (w waiters) Less(i, j int) bool { return w[i].at < w[j].at }

func (w waiters) Swap(i, j int) {
	w[i], w[j] = w[j], w[i]
	w[i].index, w[j].index = i, j
}

func (w *waiters) Push(x any) {
	one := x.(*waiter)
	one.index = len(*w)
	*w = append(*w, one)
}

func (w *waiters) Pop() any {
	last := len(*w) - 1
	one := (*w)[last]
	(*w)[last] = nil
	*w = (*w)[:last]
	one.index = -1
	return one
}

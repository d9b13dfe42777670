// Package pace waits until absolute times, as exactly as the system allows: what schedules arrivals and
// what answers with a delay waits here. It makes no schedule, it catches up on nothing and it never wakes
// early.
//
// Timers of the Go runtime are served by epoll_wait, which counts in whole milliseconds: on Linux they are
// half a millisecond late on average. [New] therefore waits by one timerfd, which the runtime's poller
// reports at once, shared by all waiters. Elsewhere it waits by package time, like [Portable].
package pace

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrClosed is what waiting on a closed Pacer returns.
var ErrClosed = errors.New("pace: closed")

// Pacer waits until absolute times. Any number of goroutines may wait at once.
type Pacer struct {
	wheel  *wheel // nil: the timers of package time
	clock  Clock  // in place of both, nil: the machine's
	closed chan struct{}
	once   sync.Once
}

// New returns the most exact Pacer of the system, for real time alone: in a testing/synctest bubble use
// [Portable]. It holds a file descriptor and a goroutine on Linux, so it must be closed. The error is the
// system's refusal of a timer.
func New() (*Pacer, error) {
	w, err := newWheel()
	if err != nil {
		return nil, err
	}
	return &Pacer{wheel: w, closed: make(chan struct{})}, nil
}

// Portable returns a Pacer that waits by the timers of package time: in a testing/synctest bubble it is
// exact, because time there is virtual. It belongs to the bubble that it was made in.
func Portable() *Pacer { return &Pacer{closed: make(chan struct{})} }

// Until waits until t, and returns at once where t has passed. It returns ctx's error when that ends
// first, and [ErrClosed] when the Pacer is closed first or was closed before.
func (p *Pacer) Until(ctx context.Context, t time.Time) error {
	select {
	case <-p.closed:
		return ErrClosed
	default:
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if p.clock != nil {
		return p.clock.Until(ctx, t)
	}
	left := time.Until(t)
	if left <= 0 {
		return nil
	}
	if p.wheel != nil {
		w := p.wheel.add(t)
		err := p.wait(ctx, w.due)
		if err != nil {
			p.wheel.remove(w)
		}
		return err
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	return p.wait(ctx, timer.C)
}

func (p *Pacer) wait(ctx context.Context, due <-chan time.Time) error {
	select {
	case <-due:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-p.closed:
		return ErrClosed
	}
}

// Close wakes all who wait with [ErrClosed] and frees what the Pacer holds. It may be called again.
func (p *Pacer) Close() (err error) {
	p.once.Do(func() {
		close(p.closed)
		if p.wheel != nil {
			err = p.wheel.close()
		}
	})
	return err
}

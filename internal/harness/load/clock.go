package load

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/org/perfgate/internal/harness/pace"
)

// Clock is time as a run sees it: what begins, waits and ends does so here, and the same code runs in real
// and in virtual time. *RealClock and *VirtualClock are the clocks.
type Clock interface {
	Now() time.Time
	// Until waits until t. It returns ctx's error when that ends first, or context.DeadlineExceeded when
	// a limit of the clock's own does.
	Until(ctx context.Context, t time.Time) error
	// Limit makes a context that ends after d. Only Until sees it end in virtual time.
	Limit(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc)
	// Group makes a group of goroutines to wait for.
	Group() Group
	// Alone runs do, which may wait for others that are in Alone with the same key.
	Alone(key string, do func())
	// Drive runs main, which all that uses the clock is called from.
	Drive(main func())
}

// Group is a set of goroutines. Wait waits for all that were started.
type Group interface {
	Go(func())
	Wait()
}

// RealClock is the machine's time, waited for as exactly as the system allows.
type RealClock struct{ Pacer *pace.Pacer }

// Now is time.Now.
func (c *RealClock) Now() time.Time { return time.Now() }

// Until waits by the Pacer.
func (c *RealClock) Until(ctx context.Context, t time.Time) error {
	err := c.Pacer.Until(ctx, t)
	if errors.Is(err, pace.ErrClosed) && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// Limit is context.WithTimeout.
func (c *RealClock) Limit(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, d)
}

// Group is a sync.WaitGroup.
func (c *RealClock) Group() Group { return new(sync.WaitGroup) }

// Alone runs do: in real time callers wait for each other wherever they please.
func (c *RealClock) Alone(_ string, do func()) { do() }

// Drive runs main.
func (c *RealClock) Drive(main func()) { main() }

// sleep waits for d. Where that is nothing it only asks whether the context has ended.
func sleep(ctx context.Context, c Clock, d time.Duration) error {
	return c.Until(ctx, c.Now().Add(d))
}

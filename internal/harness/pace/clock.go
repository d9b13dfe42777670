package pace

import (
	"context"
	"time"
)

// Clock is a source of time other than the machine's, such as that of a simulation.
type Clock interface {
	Now() time.Time
	// Until waits until t, and returns an error where it could not.
	Until(ctx context.Context, t time.Time) error
}

// By returns a Pacer that waits by another clock. Closing it wakes nobody.
func By(c Clock) *Pacer { return &Pacer{clock: c, closed: make(chan struct{})} }

// Now is the time by which the Pacer waits.
func (p *Pacer) Now() time.Time {
	if p.clock != nil {
		return p.clock.Now()
	}
	return time.Now()
}

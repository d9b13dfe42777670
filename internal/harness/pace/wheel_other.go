//go:build !linux

package pace

import "time"

// wheel does not exist here: the timers of package time are what there is.
type wheel struct{}

type waiter struct{ due chan time.Time }

func newWheel() (*wheel, error) { return nil, nil }

func (*wheel) add(time.Time) *waiter { return nil }
func (*wheel) remove(*waiter)        {}
func (*wheel) close() error          { return nil }

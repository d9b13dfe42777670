package harness

import (
	"context"
	"time"
)

// Budget is machine time: a stopwatch with a limit that runs only while something is measured.
type Budget struct {
	Limit time.Duration

	used  time.Duration
	since time.Time
}

// Start lets the stopwatch run until the returned function is called.
func (b *Budget) Start() (stop func()) {
	b.since = time.Now()
	return func() {
		b.used += time.Since(b.since)
		b.since = time.Time{}
	}
}

// Used is the time spent so far.
func (b *Budget) Used() time.Duration {
	if b.since.IsZero() {
		return b.used
	}
	return b.used + time.Since(b.since)
}

// Left is what remains, never below zero.
func (b *Budget) Left() time.Duration { return max(0, b.Limit-b.Used()) }

// context ends with ctx or when the budget is used up.
func (b *Budget) context(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, b.Left())
}

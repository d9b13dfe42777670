package cache

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
)

// flights let those who ask for one key at the same time share one computation. golang.org/x/sync's
// singleflight was not enough: there, the computation ends with the context of whoever came first, and
// where callers wait with a context of their own a panic ends the process.
type flights struct {
	mu      sync.Mutex
	byKey   map[string]*flight
	running sync.WaitGroup
}

// flight is one computation.
type flight struct {
	cancel  context.CancelFunc
	waiting int // who wants it; guarded by flights.mu

	done     chan struct{}
	value    []byte
	err      error
	panicked *PanicError
}

// PanicError is what callers panic with whose computation did.
type PanicError struct {
	Value any
	Stack []byte // of the computation's goroutine
}

func (e *PanicError) Error() string { return fmt.Sprintf("%v\n\n%s", e.Value, e.Stack) }

// errExited says that a computation called runtime.Goexit, as a failing test does.
var errExited = errors.New("the computation ended its goroutine and came to nothing")

// do runs fn, or waits for one that runs already for the key; shared reports which. Fn runs in a goroutine of
// its own, with the values of the first caller's context; it is cancelled when nobody waits for it any
// more. A caller whose own context ends gets that context's error.
func (f *flights) do(ctx context.Context, key string, fn func(context.Context) ([]byte, error)) (value []byte, shared bool, err error) {
	f.mu.Lock()
	fl, shared := f.byKey[key]
	if !shared {
		fl = f.start(ctx, key, fn)
	}
	fl.waiting++
	f.mu.Unlock()
	defer f.leave(key, fl)
	select {
	case <-fl.done:
	case <-ctx.Done():
		return nil, shared, ctx.Err()
	}
	if fl.panicked != nil {
		panic(fl.panicked)
	}
	return fl.value, shared, fl.err
}

// start begins a computation; f.mu is held.
func (f *flights) start(ctx context.Context, key string, fn func(context.Context) ([]byte, error)) *flight {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	fl := &flight{cancel: cancel, done: make(chan struct{}), err: errExited}
	if f.byKey == nil {
		f.byKey = map[string]*flight{}
	}
	f.byKey[key] = fl
	f.running.Go(func() {
		defer func() {
			if r := recover(); r != nil {
				fl.panicked = &PanicError{r, debug.Stack()}
			}
			f.mu.Lock()
			f.forget(key, fl)
			f.mu.Unlock()
			close(fl.done)
		}()
		fl.value, fl.err = fn(ctx)
	})
	return fl
}

// leave takes one who waits away. What nobody waits for is cancelled, and the next caller starts anew.
func (f *flights) leave(key string, fl *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fl.waiting--; fl.waiting == 0 {
		f.forget(key, fl)
		fl.cancel()
	}
}

// forget makes sure that nobody joins the flight any more; f.mu is held.
func (f *flights) forget(key string, fl *flight) {
	if f.byKey[key] == fl {
		delete(f.byKey, key)
	}
}

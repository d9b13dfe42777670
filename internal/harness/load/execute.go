package load

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
)

// Options are what a run needs beside its plan and its target.
type Options struct {
	Clock Clock
	// Begun, when set, is called between the last run of warming up and the first one that counts.
	Begun func()
	// Progress, when set, is called now and then with how many of all runs have ended.
	Progress func(done, total int)
}

// Run carries out the plan. The trace is nil where nothing could be begun. When ctx ends, what was recorded
// is returned, marked partial, with ctx's error. A trace that is no sample is returned with its *InvalidError.
func Run(ctx context.Context, plan Plan, target Target, o Options) (*Trace, error) {
	schedule, err := plan.Schedule()
	if err != nil {
		return nil, err
	}
	e := &execution{plan: plan, target: target, clock: o.Clock, begun: o.Begun, progress: o.Progress,
		trace: &Trace{Plan: plan, Schedule: schedule, Records: make([]Record, schedule.Runs())}}
	for i := range e.trace.Records {
		e.trace.Records[i].Kind = NotStarted
	}
	o.Clock.Drive(func() { e.run(ctx) })
	t := e.trace
	t.Partial = ctx.Err() != nil
	t.conclude()
	if t.Partial {
		return t, ctx.Err()
	}
	return t, t.Err()
}

// execution is a plan while it is carried out.
type execution struct {
	plan     Plan
	target   Target
	clock    Clock
	begun    func()
	progress func(done, total int)
	trace    *Trace

	began    time.Time
	ended    atomic.Int64 // runs
	inFlight atomic.Int64
}

func (e *execution) run(ctx context.Context) {
	e.warmUp(ctx)
	if e.begun != nil {
		e.begun()
	}
	runtime.GC() // what came before must not be collected at the cost of what is measured
	done := e.watch()
	defer done()
	e.began = e.clock.Now()
	e.trace.Began = e.began
	if e.plan.Open() {
		e.open(ctx)
	} else {
		e.closed(ctx)
	}
}

// watch reports progress twice a second, beside the runs.
func (e *execution) watch() (stop func()) {
	if e.progress == nil {
		return func() {}
	}
	quit, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		tick := time.NewTicker(time.Second / 2)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				e.progress(int(e.ended.Load()), len(e.trace.Records))
			case <-quit:
				return
			}
		}
	}()
	return func() { close(quit); <-gone }
}

// warmUp makes the runs that nobody counts. Their failures will be seen in those that count.
func (e *execution) warmUp(ctx context.Context) {
	workers := 1
	if !e.plan.Open() {
		workers = min(e.plan.Concurrency, e.plan.Warmup)
	}
	e.work(ctx, workers, 0, e.plan.Warmup, func(i int) bool {
		var unused Record
		limited, cancel := e.limit(ctx, e.plan.Timeout)
		defer cancel()
		e.target.Do(limited, -1-i, &unused)
		return ctx.Err() == nil
	})
}

// work hands the numbers from begin up to end out to so many workers, each of which makes one after the
// other until do returns false.
func (e *execution) work(ctx context.Context, workers, begin, end int, do func(i int) bool) {
	var next atomic.Int64
	next.Store(int64(begin))
	group := e.clock.Group()
	for range workers {
		group.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= end || ctx.Err() != nil || !do(i) {
					return
				}
			}
		})
	}
	group.Wait()
}

// closed makes the runs block by block.
func (e *execution) closed(ctx context.Context) {
	begin := 0
	for _, end := range e.trace.Schedule.Blocks {
		if begin > 0 && sleep(ctx, e.clock, e.plan.Pause) != nil {
			return
		}
		e.work(ctx, min(e.plan.Concurrency, end-begin), begin, end, func(i int) bool {
			e.one(ctx, i, e.clock.Now(), e.plan.Timeout)
			return e.plan.Think == 0 || i+1 >= end || sleep(ctx, e.clock, e.plan.Think) == nil
		})
		begin = end
	}
}

// open starts each run when it is due, whatever became of the others. One goroutine keeps the time.
func (e *execution) open(ctx context.Context) {
	s := e.trace.Schedule
	end := e.began.Add(s.Length + e.plan.Grace)
	group := e.clock.Group()
	defer group.Wait()
	for i, after := range s.Due {
		due := e.began.Add(after)
		if e.clock.Until(ctx, due) != nil {
			return
		}
		if int(e.inFlight.Load()) >= e.plan.MaxInFlight {
			e.trace.Invalid = append(e.trace.Invalid, fmt.Sprintf("run %d of %d could not begin: %d were under way, which --max-inflight allows; the target does not keep up with the load", i, len(s.Due), e.plan.MaxInFlight))
			return
		}
		e.inFlight.Add(1)
		group.Go(func() {
			defer e.inFlight.Add(-1)
			limit, cut := e.plan.Timeout, end.Sub(e.clock.Now())
			if cut < limit || limit == 0 {
				e.one(ctx, i, due, max(cut, 1))
				if r := &e.trace.Records[i]; r.Kind == Timeout { // of the grace, not its own
					r.Kind = Incomplete
				}
				return
			}
			e.one(ctx, i, due, limit)
		})
	}
}

// one makes run i, which was due at the given time.
func (e *execution) one(ctx context.Context, i int, due time.Time, limit time.Duration) {
	r := &e.trace.Records[i]
	r.Due = int64(due.Sub(e.began))
	r.Started = r.Due
	if e.plan.Open() { // else it was just asked for the time
		r.Started = int64(e.clock.Now().Sub(e.began))
	}
	limited, cancel := e.limit(ctx, limit)
	err := e.target.Do(limited, i, r)
	r.Done = int64(e.clock.Now().Sub(e.began))
	cancel()
	r.Kind = OK
	if err != nil {
		r.Kind = kindOf(err)
		if ctx.Err() != nil {
			r.Kind = Incomplete // whatever it failed of, failed because of the interrupt
		}
		r.Err = words(err)
	}
	e.ended.Add(1)
}

// limit bounds a run, where there is a bound.
func (e *execution) limit(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if d <= 0 {
		return ctx, func() {}
	}
	return e.clock.Limit(ctx, d)
}

// maxWords bounds what is kept of an error: a target may have much to say a million times.
const maxWords = 300

func words(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "no end within its time"
	}
	text := err.Error()
	return clean(text[:min(len(text), maxWords)])
}

// clean makes one line of what a target wrote, with nothing in it that a terminal would obey.
func clean(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return '\uFFFD'
		}
		return r
	}, text)
}

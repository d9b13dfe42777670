package load

import (
	"container/heap"
	"context"
	"fmt"
	"time"
)

// VirtualClock is time that passes only while everyone waits: a discrete-event simulation whose events are
// the goroutines of the code that is simulated. One of them runs at a time and hands over where it waits,
// in an order that follows from the times alone, so that nothing depends on the machine. It is what
// testing/synctest is in tests, in a program: that package wants a testing.T.
type VirtualClock struct {
	now    time.Time
	ready  []*task
	timers timers
	seq    int // of timers: of equal times the first one set is the first one due
	keys   map[string]*queue
	alive  int // goroutines that have not ended
	ended  chan struct{}
}

// task is a goroutine that waits for its turn.
type task struct{ turn chan struct{} }

// queue are the tasks that wait for one which is alone.
type queue struct{ waiting []*task }

// epoch is when virtual time begins.
var epoch = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

// NewVirtualClock makes a clock that stands at midnight of 1 January 2000 UTC.
func NewVirtualClock() *VirtualClock {
	return &VirtualClock{now: epoch, keys: map[string]*queue{}}
}

// Drive runs main and all that it starts, until the last of them has ended. All other methods may only be
// called by these.
func (v *VirtualClock) Drive(main func()) {
	v.ended = make(chan struct{})
	v.spawn(main)
	v.pass()
	<-v.ended
}

// Now is the time of the last event.
func (v *VirtualClock) Now() time.Time { return v.now }

// Until lets all others go on until nobody has anything to do before t. A limit that ends at t has ended.
func (v *VirtualClock) Until(ctx context.Context, t time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var late error
	if end, ok := ctx.Value(limitKey{}).(time.Time); ok && !t.Before(end) {
		t, late = end, context.DeadlineExceeded
	}
	if t.After(v.now) {
		me := newTask()
		v.seq++
		heap.Push(&v.timers, timer{t, v.seq, me})
		v.yield(me)
	}
	if late != nil {
		return late
	}
	return ctx.Err()
}

// limitKey is the key of a limit in a context.
type limitKey struct{}

// Limit notes the end of the time in the context, for Until.
func (v *VirtualClock) Limit(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	end := v.now.Add(d)
	if outer, ok := ctx.Value(limitKey{}).(time.Time); ok && outer.Before(end) {
		end = outer
	}
	return context.WithCancel(context.WithValue(ctx, limitKey{}, end))
}

// Group makes a group whose goroutines take turns.
func (v *VirtualClock) Group() Group { return &virtualGroup{clock: v} }

type virtualGroup struct {
	clock   *VirtualClock
	running int
	waiting *task
}

func (g *virtualGroup) Go(f func()) {
	g.running++
	g.clock.spawn(func() {
		f()
		g.running--
		if g.running == 0 && g.waiting != nil {
			g.clock.ready = append(g.clock.ready, g.waiting)
			g.waiting = nil
		}
	})
}

func (g *virtualGroup) Wait() {
	if g.running > 0 {
		g.waiting = newTask()
		g.clock.yield(g.waiting)
	}
}

// Alone keeps callers with the same key apart, first come, first served. A caller that waited inside do
// for another one would keep the turn from it.
func (v *VirtualClock) Alone(key string, do func()) {
	q, busy := v.keys[key]
	if busy {
		me := newTask()
		q.waiting = append(q.waiting, me)
		v.yield(me)
	} else {
		q = &queue{}
		v.keys[key] = q
	}
	do()
	if len(q.waiting) == 0 {
		delete(v.keys, key)
		return
	}
	v.ready = append(v.ready, q.waiting[0])
	q.waiting = q.waiting[1:]
}

func newTask() *task { return &task{turn: make(chan struct{}, 1)} }

// spawn starts a goroutine that runs f when its turn comes.
func (v *VirtualClock) spawn(f func()) {
	t := newTask()
	v.ready = append(v.ready, t)
	v.alive++
	go func() {
		<-t.turn
		f()
		v.alive--
		v.pass()
	}()
}

// yield hands over and waits for the turn.
func (v *VirtualClock) yield(me *task) {
	v.pass()
	<-me.turn
}

// pass hands over to who is ready, or else to whom is due next, to when time moves on.
func (v *VirtualClock) pass() {
	switch {
	case len(v.ready) > 0:
		next := v.ready[0]
		v.ready = v.ready[1:]
		next.turn <- struct{}{}
	case len(v.timers) > 0:
		next := heap.Pop(&v.timers).(timer)
		v.now = next.at
		next.task.turn <- struct{}{}
	case v.alive > 0:
		panic(fmt.Sprintf("load: %d goroutines in virtual time wait for each other", v.alive))
	default:
		close(v.ended)
	}
}

// timer is a task and when it is due.
type timer struct {
	at   time.Time
	seq  int
	task *task
}

// timers is a heap, the earliest on top.
type timers []timer

func (t timers) Len() int      { return len(t) }
func (t timers) Swap(i, j int) { t[i], t[j] = t[j], t[i] }
func (t timers) Less(i, j int) bool {
	if t[i].at.Equal(t[j].at) {
		return t[i].seq < t[j].seq
	}
	return t[i].at.Before(t[j].at)
}
func (t *timers) Push(x any) { *t = append(*t, x.(timer)) }
func (t *timers) Pop() any {
	last := len(*t) - 1
	top := (*t)[last]
	*t = (*t)[:last]
	return top
}

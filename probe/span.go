package probe

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"sync"

	"github.com/org/perfgate/internal/spans"
)

// Open is a span that has begun. A nil one is of nobody and does nothing.
type Open struct {
	p      *Profiler
	node   *node
	parent *Open
	depth  int
	outer  context.Context // that of the goroutine's labels before
	region *trace.Region
	began  int64

	mu      sync.Mutex // of what follows
	ended   bool
	failed  bool
	running int   // children under way
	since   int64 // when the first of them began
	covered int64 // how long some of those before were
}

// spanContext carries a span. With pprof's labels around it a further context.WithValue would be one more to look
// through.
type spanContext struct {
	context.Context
	open *Open
}

type key struct{}

func (c *spanContext) Value(k any) any {
	if k == (key{}) {
		return c.open
	}
	return c.Context.Value(k)
}

// above is what a span begun with ctx is a child of, nil where nobody asks for spans.
func above(ctx context.Context) *Open {
	if profilers.Load() == 0 {
		return nil
	}
	if o, ok := ctx.Value(key{}).(*Open); ok {
		return o
	}
	if p := ofProcess(); p != nil {
		return p.root
	}
	return nil
}

// Span begins a span, which is a child of the one in ctx, in whichever goroutine. Spans begun with the context that it
// returns are its children. Attributes of few values become labels of CPU profiles.
//
//	ctx, span := probe.Span(ctx, "fetch", slog.String("source", name))
//	defer span.End()
//
// End must be called in the goroutine that called Span for regions and labels to be right; times do not depend on
// it.
//
// Attributes are put together before Span is called, whether or not anybody hears of them. Where some nanoseconds
// count, they are left to [Open.Set], behind a look at the span:
//
//	if span != nil {
//		span.Set(slog.String("source", name))
//	}
func Span(ctx context.Context, name string, attrs ...slog.Attr) (inner context.Context, span *Open) {
	if inner = ctx; profilers.Load() != 0 {
		inner, span = begin(ctx, name, attrs)
	}
	return
}

// Phase begins a span that is a part of the run, such as loading: it is listed by itself, with a mark of the memory
// at its end. Reading that takes some microseconds.
func Phase(ctx context.Context, name string, attrs ...slog.Attr) (context.Context, *Open) {
	if profilers.Load() == 0 {
		return ctx, nil
	}
	return beginAs(ctx, name, true, attrs)
}

// begin has few parameters, so that Span is inlined and costs next to nothing where nobody hears of it.
//
//go:noinline
func begin(ctx context.Context, name string, attrs []slog.Attr) (context.Context, *Open) {
	return beginAs(ctx, name, false, attrs)
}

// beginAs does not keep attrs, so that the caller's need not be on the heap.
func beginAs(ctx context.Context, name string, phase bool, attrs []slog.Attr) (context.Context, *Open) {
	parent := above(ctx)
	if parent == nil {
		return ctx, nil
	}
	p := parent.p
	o := &Open{p: p, node: p.child(parent, spans.Name(name), phase), parent: parent, depth: parent.depth + 1, outer: ctx}
	ctx = pprof.WithLabels(&spanContext{ctx, o}, o.node.begin(attrs))
	pprof.SetGoroutineLabels(ctx)
	if trace.IsEnabled() {
		o.region = trace.StartRegion(ctx, name)
	}
	o.began = p.now()
	parent.childBegan(o.began)
	return ctx, o
}

// childBegan and childEnded keep how long some child is under way: children at the same time count once.
func (o *Open) childBegan(now int64) {
	if o == o.p.root { // which takes no time
		return
	}
	o.mu.Lock()
	if o.running == 0 {
		o.since = max(now, o.since)
	}
	o.running++
	o.mu.Unlock()
}

func (o *Open) childEnded(now int64) {
	if o == o.p.root {
		return
	}
	o.mu.Lock()
	if o.running--; o.running == 0 && now > o.since {
		o.covered += now - o.since
		o.since = now
	}
	o.mu.Unlock()
}

// End ends the span. With defer, a panic ends it as well. Only the first call counts.
func (o *Open) End() {
	if o == nil {
		return
	}
	o.end(nil)
}

// EndWith is End for a function with a named error: the span has failed where *err is one.
//
//	defer span.EndWith(&err)
func (o *Open) EndWith(err *error) {
	if o == nil {
		return
	}
	o.end(*err)
}

// Fail says that the span fails, where err is not nil. It goes on until End.
func (o *Open) Fail(err error) {
	if o == nil || err == nil {
		return
	}
	o.mu.Lock()
	o.failed = true
	o.mu.Unlock()
}

func (o *Open) end(err error) {
	now := o.p.now()
	o.mu.Lock()
	if o.ended {
		o.mu.Unlock()
		return
	}
	o.ended = true
	covered := o.covered
	if o.running > 0 && now > o.since { // children that outlive it
		covered += now - o.since
	}
	failed := o.failed || err != nil
	o.mu.Unlock()

	o.parent.childEnded(now)
	total := now - o.began
	o.node.end(total, total-covered, failed)
	if o.region != nil {
		o.region.End()
	}
	pprof.SetGoroutineLabels(o.outer)
	if o.node.phase {
		o.p.mark(o.node.name)
	}
}

// Set adds attributes. They are no labels of CPU profiles, which a span has from its beginning.
func (o *Open) Set(attrs ...slog.Attr) {
	if o == nil {
		return
	}
	o.node.set(attrs)
}

// Do runs fn in a span, which has failed where fn returns an error, panics or ends its goroutine.
func Do(ctx context.Context, name string, fn func(context.Context) error) error {
	ctx, span := Span(ctx, name)
	err := errNoReturn
	defer func() { span.EndWith(&err) }()
	err = fn(ctx)
	return err
}

var errNoReturn = errors.New("it did not return")

// Wrap returns fn with each call in a span.
func Wrap[In, Out any](name string, fn func(context.Context, In) (Out, error)) func(context.Context, In) (Out, error) {
	return func(ctx context.Context, in In) (out Out, err error) {
		ctx, span := Span(ctx, name)
		failed := errNoReturn
		defer func() { span.EndWith(&failed) }()
		out, err = fn(ctx, in)
		failed = err
		return out, err
	}
}

// callers are the names of functions by where they call Auto.
var callers sync.Map

// Auto is Span with the name of the function that calls it, such as store.(*DB).Get.
func Auto(ctx context.Context, attrs ...slog.Attr) (context.Context, *Open) {
	if profilers.Load() == 0 {
		return ctx, nil
	}
	return begin(ctx, caller(), attrs)
}

// caller is who called the function that calls it.
func caller() string {
	var at [1]uintptr
	runtime.Callers(3, at[:])
	if name, ok := callers.Load(at[0]); ok {
		return name.(string)
	}
	frame, _ := runtime.CallersFrames(at[:]).Next()
	name := base(frame.Function)
	callers.Store(at[0], name)
	return name
}

// base is a function's name without the path of its package.
func base(function string) string {
	for i := len(function) - 1; i >= 0; i-- {
		if function[i] == '/' {
			return function[i+1:]
		}
	}
	return function
}

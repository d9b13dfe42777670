package main

import (
	"context"
	"slices"
	"time"

	"github.com/org/perfgate/internal/harness"
	"github.com/org/perfgate/internal/harness/load"
	"github.com/org/perfgate/internal/profiler"
)

// readMock reads what the mocked model does.
func (l *loader) readMock() (err error) {
	l.mock.Seed = l.seed
	l.mock.Script, err = l.modelFlags.read(l.flags, l.read)
	return err
}

// sample carries a plan out on what is called so. The label says which sample it is.
func (l *loader) sample(ctx context.Context, plan load.Plan, name, label string) (*load.Trace, *load.Counts, error) {
	told := new(profiler.Collector)
	began := time.Now()
	trace, counts, err := l.perform(ctx, plan, label, l.hear(name, told))
	if trace != nil {
		l.note(name, trace, time.Since(began))
		l.told[trace] = told
	}
	return trace, counts, err
}

// perform carries a plan out, and has hear hear of what the processes tell of themselves.
func (l *loader) perform(ctx context.Context, plan load.Plan, label string, hear func(*profiler.Hearing) error) (*load.Trace, *load.Counts, error) {
	return harness.LoadRun{
		Plan: plan, Target: l.settings(l.clockOf()), Mock: l.mock, Plans: l.plans, Environ: l.p.app.childEnv(), PassEnv: l.p.config.PassEnv,
		Hear: hear, Heap: l.heap, Record: l.record, Pprof: l.pprof,
		Progress: func(done, total int) {
			l.observe(harness.Event{Phase: "load", What: label, Done: done, Total: total})
		},
	}.Sample(ctx)
}

// settings are those of the target.
func (l *loader) settings(clock load.Clock) load.Settings {
	s := load.Settings{Target: l.target, Args: l.args, Dir: l.dir, Clock: clock}
	s.Request = load.Request{Method: l.method, Header: l.headers, Body: l.bodyText}
	s.Health, s.Wait, s.Tasks, s.Seed = l.health, l.waitTime, l.tasks, l.seed
	s.InFlight = max(slices.Max(append(l.levels, 1)), 1)
	if l.plan.Open() {
		s.InFlight = min(l.plan.MaxInFlight, keptConnections)
	}
	s.Caches = 1
	if !l.globalOnly && !l.plan.Open() {
		s.Caches = s.InFlight
	}
	return s
}

// keptConnections is how many idle connections an open plan keeps.
const keptConnections = 1000

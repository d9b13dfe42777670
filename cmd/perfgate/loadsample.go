package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/org/perfgate/internal/cache"
	"github.com/org/perfgate/internal/harness"
	"github.com/org/perfgate/internal/harness/load"
	"github.com/org/perfgate/internal/harness/mockllm"
	"github.com/org/perfgate/internal/harness/pace"
	"github.com/org/perfgate/internal/harness/proc"
)

// readMock reads what the mocked model does.
func (l *loader) readMock() (err error) {
	l.mock.Seed = l.p.config.Seed
	l.mock.Script, err = l.modelFlags.read(l.flags)
	return err
}

// sampler takes one sample.
type sampler struct {
	*loader
	plan   load.Plan
	label  string
	counts *load.Counts // what the mock saw
}

// take carries the plan out with a mock and with caches of its own, so that no sample knows of another.
func (s *sampler) take(ctx context.Context) (*load.Trace, error) {
	clock := s.clockOf()
	config := s.mock
	config.Pacer = pace.By(clock)
	mock, err := mockllm.New(config)
	if err != nil {
		return nil, fmt.Errorf("the mocked upstream: %w", err)
	}
	defer mock.Close()
	settings := s.settings(clock, load.Settings{LLM: load.InProcess(mock), URL: "http://mock"})
	row, err := settings.Row()
	if err != nil {
		return nil, err
	}
	if row.Program != load.NoProgram {
		url, stop, err := serveMock(mock)
		if err != nil {
			return nil, err
		}
		defer stop()
		settings.Env = s.childEnviron(url)
	}
	dir, err := os.MkdirTemp("", "perfgate-plans-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	settings.OpenCache = s.openPlans(clock, dir)
	trace, err := load.Sample(ctx, s.plan, settings.Open, load.Options{
		Clock: clock, Begun: mock.Reset,
		Progress: func(done, total int) {
			s.progress.observe(harness.Event{Phase: "load", What: s.label, Done: done, Total: total})
		},
	})
	if trace != nil {
		s.read(mock, trace)
	}
	return trace, err
}

// serveMock has the mock listen on loopback, for programs of their own.
func serveMock(mock http.Handler) (url string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("the mocked upstream cannot listen: %w", err)
	}
	server := &http.Server{Handler: load.ByTrace(mock), ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.Serve(l) // ends with ErrServerClosed
	}()
	return "http://" + l.Addr().String(), func() { server.Close(); <-done }, nil
}

// childEnviron makes the environment of the target's processes: the reduced one, and where the mock is.
func (s *sampler) childEnviron(url string) func(run *int) []string {
	reduced := proc.Env(s.p.app.childEnv(), s.p.config.PassEnv)
	return func(run *int) []string {
		name := ""
		if run != nil {
			name = load.RunName(*run)
		}
		return slices.Concat(reduced, mockllm.Environ(url, name, ""))
	}
}

// openPlans opens the pipeline's caches: each sample's are its own, and gone after it.
func (s *sampler) openPlans(clock load.Clock, dir string) func(context.Context, int) (*cache.Store, error) {
	prefix := "perfgate:load:" + rand.Text() + ":"
	return func(ctx context.Context, i int) (*cache.Store, error) {
		c := s.plans
		c.Dir, c.Prefix, c.Now = filepath.Join(dir, strconv.Itoa(i)), prefix+strconv.Itoa(i)+":", clock.Now
		return cache.Open(ctx, c)
	}
}

// read takes over what the mock counted.
func (s *sampler) read(mock *mockllm.Server, t *load.Trace) {
	stats := mock.Stats()
	s.counts = &load.Counts{
		Calls: stats.Calls, Attempts: stats.Attempts, InputTokens: stats.InputTokens, OutputTokens: stats.OutputTokens,
		ByModel: map[string]load.Tokens{},
	}
	for _, r := range stats.Routes {
		n := s.counts.ByModel[r.Model]
		n.Input += r.InputTokens
		n.Output += r.OutputTokens
		s.counts.ByModel[r.Model] = n
	}
	if mock.RunStats("").Attempts == 0 { // else some run's calls would look like its own work
		t.Attribute(func(run int) load.Calls {
			r := mock.RunStats(load.RunName(run))
			c := load.Calls{Count: r.Calls, Attempts: r.Attempts}
			for _, b := range r.Busy {
				c.Busy = append(c.Busy, load.Span(b))
			}
			return c
		})
	} else {
		t.Usage.Remarks = append(t.Usage.Remarks, "the overhead is not known: the target does not pass the trace of a request (the header traceparent) on to its upstream, so nobody knows which run made which call")
	}
	if late := stats.Lateness; late != nil && late.Answers > 0 {
		planned := stats.Planned / time.Duration(late.Answers)
		if late.P99 > max(lateMock, planned/10) {
			t.Usage.Remarks = append(t.Usage.Remarks, fmt.Sprintf("the mocked model answered up to %v later than planned (p99): the machine is busy, and times say little", late.P99))
		}
	}
}

// lateMock is how late the mock may be without being worth a remark.
const lateMock = 2 * time.Millisecond

// settings are those of the target.
func (l *loader) settings(clock load.Clock, s load.Settings) load.Settings {
	s.Target, s.Args, s.Dir, s.Clock = l.target, l.args, l.p.root, clock
	s.Request = load.Request{Method: l.method, Header: l.headers, Body: l.bodyText}
	s.Health, s.Wait, s.Tasks, s.Seed = l.health, l.waitTime, l.tasks, l.p.config.Seed
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

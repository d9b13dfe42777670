package load

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/org/perfgate/internal/cache"
)

// Pipeline is the target that is built in: an agent program as small as it can be. A run analyses a task,
// drafts a plan, has three roles work on it side by side in two rounds, and reviews what they made. Each step
// calls a model; plans are cached.
type Pipeline struct {
	// LLM carries the calls to the model at URL, whose path is the run's and Chat Completions'.
	LLM http.RoundTripper
	URL string
	// Model is the name of the model that is asked for.
	Model string
	// Tasks is how many different tasks there are. Runs take them in turn.
	Tasks int
	// Caches is how many plan caches there are: run n uses the one numbered n modulo Caches, so that what is
	// found in it does not depend on which worker was faster.
	Caches int
	// OpenCache opens one of them.
	OpenCache func(ctx context.Context, i int) (*cache.Store, error)
	Seed      uint64
	Clock     Clock
}

// DefaultModel is what the pipeline asks for.
const DefaultModel = "gpt-mock"

// pipeline is a Pipeline with its caches.
type pipeline struct {
	Pipeline
	caches []*cache.Store

	mu        sync.Mutex
	drafts    map[string][]Span // when which plan was drafted
	coalesced int               // look-ups that waited for one
}

// Open opens the caches.
func (p Pipeline) Open(ctx context.Context) (Target, error) {
	if p.Tasks < 1 {
		return nil, fieldErrorf("tasks", "%d: want at least 1", p.Tasks)
	}
	open := &pipeline{Pipeline: p, drafts: map[string][]Span{}}
	for i := range p.Caches {
		c, err := p.OpenCache(ctx, i)
		if err != nil {
			_, closeErr := open.Close()
			return nil, errors.Join(err, closeErr)
		}
		open.caches = append(open.caches, c)
	}
	return open, nil
}

// The roles that work side by side, and how often they do.
var roles = []string{"engineer", "tester", "writer"}

const rounds = 2

// Do makes one run.
func (p *pipeline) Do(ctx context.Context, n int, r *Record) error {
	a := &agent{pipeline: p, run: n}
	task := fmt.Sprintf("Build part %d of the shop.", modulo(n, p.Tasks))
	work, err := a.plan(ctx, task, r)
	for round := 0; round < rounds && err == nil; round++ {
		work, err = a.work(ctx, round, work)
	}
	if err == nil {
		_, err = a.ask(ctx, "reviewer", fmt.Sprintf("Review what run %d made of it:\n%s", n, work))
	}
	return err
}

// modulo is never negative: runs of warming up have negative numbers.
func modulo(n, m int) int { return (n%m + m) % m }

// agent is one run of the pipeline.
type agent struct {
	*pipeline
	run int
}

// plan returns the plan for a task, from the cache where it is there.
func (a *agent) plan(ctx context.Context, task string, r *Record) (string, error) {
	slot := modulo(a.run, len(a.caches))
	store, key := a.caches[slot], cache.NewKey("plan", 1, a.Model, task)
	place := fmt.Sprint(slot, " ", key)
	var plan []byte
	var hit bool
	var err error
	look := func() {
		plan, hit, err = store.GetOrCompute(ctx, key, func(ctx context.Context) ([]byte, error) {
			defer a.drafted(place, a.Clock.Now())
			return a.draft(ctx, task)
		})
	}
	began := a.Clock.Now()
	if store.Stats().Backend == cache.None { // nothing is shared
		look()
	} else {
		a.Clock.Alone(place, look)
	}
	if !hit {
		r.Misses++
		return string(plan), err
	}
	r.Hits++
	r.Shared = a.shared(place, began, a.Clock.Now())
	return string(plan), err
}

// drafted notes that a plan was drafted from began until now.
func (p *pipeline) drafted(place string, began time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drafts[place] = append(p.drafts[place], Span{began, p.Clock.Now()})
}

// shared is how long of a look-up another run was drafting what was looked for.
func (p *pipeline) shared(place string, from, to time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := within(p.drafts[place], from, to)
	if d > 0 {
		p.coalesced++
	}
	return d
}

// draft makes a plan.
func (a *agent) draft(ctx context.Context, task string) ([]byte, error) {
	analysis, err := a.ask(ctx, "analyst", "Analyse this task:\n"+task)
	if err != nil {
		return nil, err
	}
	plan, err := a.ask(ctx, "planner", "Draft a plan for this task:\n"+task+"\nThe analysis:\n"+analysis)
	return []byte(plan), err
}

// work has all roles work on what there is, side by side.
func (a *agent) work(ctx context.Context, round int, given string) (string, error) {
	made, errs := make([]string, len(roles)), make([]error, len(roles))
	group := a.Clock.Group()
	for i, role := range roles {
		group.Go(func() {
			made[i], errs[i] = a.ask(ctx, role, fmt.Sprintf("Round %d of run %d. Go on with this:\n%s", round+1, a.run, given))
		})
	}
	group.Wait()
	return strings.Join(made, "\n"), errors.Join(errs...)
}

// Close closes the caches.
func (p *pipeline) Close() (Usage, error) {
	u := Usage{Coalesced: p.coalesced}
	var errs []error
	for _, c := range p.caches {
		if err := c.Failure(); err != nil {
			u.Remarks = append(u.Remarks, err.Error())
		}
		errs = append(errs, c.Close())
	}
	return u, errors.Join(errs...)
}

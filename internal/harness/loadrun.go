package harness

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/org/perfgate/internal/cache"
	"github.com/org/perfgate/internal/harness/load"
	"github.com/org/perfgate/internal/harness/mockllm"
	"github.com/org/perfgate/internal/harness/pace"
	"github.com/org/perfgate/internal/harness/proc"
	"github.com/org/perfgate/internal/harness/upstream"
	"github.com/org/perfgate/internal/profiler"
)

// LoadRun is load on a target whose model calls a mock answers.
type LoadRun struct {
	Plan load.Plan
	// Target says what is driven. What belongs to the mock and to the caches is filled in.
	Target load.Settings
	// Mock is what the model does. It waits by the clock of Target.
	Mock mockllm.Config
	// Plans are the pipeline's caches: where, how many and how long.
	Plans cache.Config
	// Environ is the environment, of which the target's processes see the usual variables and those in PassEnv.
	Environ, PassEnv []string
	// Hear, when set, is called with what the target's processes told of themselves, after they have ended.
	Hear func(*profiler.Hearing) error
	// Heap, when set, is a folder for profiles of the heap, which takes times that nobody should look at.
	Heap string
	// Record, when set, asks for a profile of the program, which takes times that nobody should look at. Pprof is the
	// URL of net/http/pprof in the program, empty where it writes profiles itself.
	Record *Recording
	Pprof  string
	// Progress, when set, is called now and then with how many of all runs have ended.
	Progress func(done, total int)
}

// Sample carries the plan out with a mock, a server and caches of its own, so that no sample knows of another,
// and returns what the mock counted as well. It fails as load.Sample does.
func (r LoadRun) Sample(ctx context.Context) (*load.Trace, *load.Counts, error) {
	row, err := r.Target.Row()
	if err != nil {
		return nil, nil, err
	}
	config := r.Mock
	config.Pacer = pace.By(r.Target.Clock)
	mock, err := mockllm.New(config)
	if err != nil {
		return nil, nil, fmt.Errorf("the mocked upstream: %w", err)
	}
	defer mock.Close()
	target := r.Target
	target.LLM, target.URL = load.InProcess(mock), "http://mock"
	if row.Program != load.NoProgram {
		url, stop, err := upstream.Serve(mock)
		if err != nil {
			return nil, nil, err
		}
		defer stop()
		target.Env = r.environ(url)
	}
	dir, err := os.MkdirTemp("", "perfgate-plans-")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(dir)
	target.OpenCache = r.openPlans(dir)
	if err := r.record(&target, row); err != nil {
		return nil, nil, err
	}
	defer r.Record.close()
	open, heard, err := r.listen(&target, row)
	if err != nil {
		return nil, nil, err
	}
	defer heard.Close()
	begun := func() { mock.Reset(); r.Record.begun(ctx) }
	trace, err := load.Sample(ctx, r.Plan, r.Record.around(ctx, open), load.Options{Clock: target.Clock, Begun: begun, Progress: r.Progress})
	if trace == nil {
		return nil, nil, err
	}
	r.Record.take(trace)
	if herr := r.hear(heard); err == nil && herr != nil {
		return nil, nil, herr
	}
	return trace, upstream.Counts(mock, trace), err
}

// environ makes the environment of the target's processes: the reduced one, and where the mock is.
func (r LoadRun) environ(url string) func(run *int) []string {
	reduced := proc.Env(r.Environ, r.PassEnv)
	return func(run *int) []string {
		name := ""
		if run != nil {
			name = load.RunName(*run)
		}
		return slices.Concat(reduced, mockllm.Environ(url, name, ""))
	}
}

// openPlans opens the pipeline's caches: each sample's are its own, and gone after it.
func (r LoadRun) openPlans(dir string) func(context.Context, int) (*cache.Store, error) {
	prefix := "perfgate:load:" + rand.Text() + ":"
	return func(ctx context.Context, i int) (*cache.Store, error) {
		c := r.Plans
		c.Dir, c.Prefix, c.Now = filepath.Join(dir, strconv.Itoa(i)), prefix+strconv.Itoa(i)+":", r.Target.Clock.Now
		return cache.Open(ctx, c)
	}
}

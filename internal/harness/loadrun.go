package harness

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
	"github.com/org/perfgate/internal/harness/load"
	"github.com/org/perfgate/internal/harness/mockllm"
	"github.com/org/perfgate/internal/harness/pace"
	"github.com/org/perfgate/internal/harness/proc"
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
		url, stop, err := ServeMock(mock)
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
	trace, err := load.Sample(ctx, r.Plan, target.Open, load.Options{Clock: target.Clock, Begun: mock.Reset, Progress: r.Progress})
	if trace == nil {
		return nil, nil, err
	}
	return trace, counted(mock, trace), err
}

// ServeMock has the mock listen on loopback, for programs of their own.
func ServeMock(mock http.Handler) (url string, stop func(), err error) {
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

// counted takes over what the mock counted, and tells the trace which calls were whose.
func counted(mock *mockllm.Server, t *load.Trace) *load.Counts {
	stats := mock.Stats()
	counts := &load.Counts{
		Calls: stats.Calls, Attempts: stats.Attempts, InputTokens: stats.InputTokens, OutputTokens: stats.OutputTokens,
		ByModel: map[string]load.Tokens{},
	}
	for _, r := range stats.Routes {
		n := counts.ByModel[r.Model]
		n.Input += r.InputTokens
		n.Output += r.OutputTokens
		counts.ByModel[r.Model] = n
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
			t.Usage.Remarks = append(t.Usage.Remarks, fmt.Sprintf("the mocked model answered more than %v later than planned (p99): the machine is busy, and times say little", max(lateMock, planned/10)))
		}
	}
	return counts
}

// lateMock is how late the mock may be without being worth a remark.
const lateMock = 2 * time.Millisecond

package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/org/perfgate/internal/harness/proc"
	"github.com/org/perfgate/internal/parse"
	"github.com/org/perfgate/internal/profiler"
	"github.com/org/perfgate/internal/spans"
)

// Until says when a run of a program is over for the clock.
type Until string

// The ends of the clock.
const (
	UntilExit   Until = "exit"
	UntilOutput Until = "output" // the first byte on standard output
	UntilReady  Until = "ready"  // it takes a connection, or answers 2xx
)

// Untils lists them.
var Untils = []Until{UntilExit, UntilOutput, UntilReady}

// Program is a command whose runs are timed.
type Program struct {
	// Args are the program and its arguments. No shell sees them.
	Args []string
	// Prepare and Cleanup are shell scripts around each run, outside the clock.
	Prepare, Cleanup string
	Until            Until
	// Ready is the HOST:PORT or the URL that says that the program is ready.
	Ready string
	// Limit is when a run counts as hung.
	Limit time.Duration
	// Environ is perfgate's own environment, PassEnv names variables that the program sees beyond the usual ones.
	Environ, PassEnv []string
}

// Ran is what a run of a program took.
type Ran struct {
	// Wall is the time from the start to the end of the clock.
	Wall time.Duration
	// CPU is the user and system time of the whole run, that of the children that it waited for included.
	CPU time.Duration
	// Peak is the largest memory of the process tree, in bytes in RAM, where it was watched: 0 where the run was
	// too short to be seen.
	Peak int64
	// Marks are those that it made of its memory, where it was watched.
	Marks []profiler.Mark
	// Imports are what it spent to initialise its packages, where it was traced.
	Imports parse.Imports
}

// Watching says what else is noted of a run that is not to be timed.
type Watching struct{ Memory, Imports bool }

// watchEvery is the pause between two readings of a run's memory.
const watchEvery = time.Millisecond

// programGrace is how long a program may take to end when it is asked to.
const programGrace = 3 * time.Second

// Run runs the program once in a folder. An error is the program's failure, or ctx's.
func (p Program) Run(ctx context.Context, dir string, watch Watching) (ran Ran, err error) {
	if err := p.script(ctx, dir, "prepare", p.Prepare); err != nil {
		return ran, err
	}
	defer func() { // also where it failed or was interrupted: the next run needs it
		cleaned := p.script(context.WithoutCancel(ctx), dir, "cleanup", p.Cleanup)
		err = errors.Join(err, cleaned)
	}()
	if p.Until == UntilReady && proc.Ready(ctx, p.Ready, readyLimit) == nil {
		return ran, fmt.Errorf("%s answers before the program is started, which would be measured in its place: stop what listens there", p.Ready)
	}
	return p.timed(ctx, dir, watch)
}

// script runs one of the user's scripts.
func (p Program) script(ctx context.Context, dir, name, text string) error {
	if text == "" {
		return nil
	}
	if err := runScript(ctx, dir, text, proc.Env(p.Environ, p.PassEnv)); err != nil && ctx.Err() == nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return ctx.Err()
}

// tracing are the variables that make runtimes say what they initialise. They are set together: each is nothing to
// the others.
func tracing(env []string) []string {
	return proc.WithVar(withDebug(env, "inittrace=1"), "PYTHONPROFILEIMPORTTIME", "1")
}

// timed starts the program, waits for the end of the clock, and ends it.
func (p Program) timed(ctx context.Context, dir string, watch Watching) (Ran, error) {
	env := proc.Env(p.Environ, p.PassEnv)
	path, err := proc.Find(p.Args[0], dir, env)
	if err != nil {
		return Ran{}, err
	}
	if watch.Imports {
		env = tracing(env)
	}
	var heard *profiler.Hearing
	if watch.Memory {
		if heard, err = profiler.Listen(); err != nil {
			return Ran{}, err
		}
		defer heard.Close()
		env = proc.WithVar(append(slices.Clip(env), heard.Environ()), spans.EnvGC, "1")
	}
	first := &firstOutput{came: make(chan struct{})}
	began := time.Now()
	child, err := proc.Process{Path: path, Args: p.Args[1:], Dir: dir, Env: env, Limit: p.Limit, Watch: first}.Start(ctx)
	if err != nil {
		return Ran{}, err
	}
	var sampler *proc.Sampler
	if watch.Memory {
		sampler = proc.Sample(child.Pid(), watchEvery)
	}
	var exited proc.Exited
	ended := make(chan struct{})
	go func() {
		exited, err = child.Wait()
		close(ended)
	}()
	wall, early := p.await(ctx, began, first, ended)
	asked := early == nil && p.Until != UntilExit
	if asked {
		stop(child, ended)
	} else if early != nil {
		child.Kill()
	}
	<-ended
	ran := Ran{Wall: wall, CPU: exited.CPU}
	if p.Until == UntilExit {
		ran.Wall = exited.Wall
	}
	if sampler != nil {
		ran.Peak = max(sampler.Stop().High, exited.MaxRSS)
		told := &profiler.Collector{}
		err = errors.Join(err, heard.Into(told))
		ran.Marks = told.Profile(exited.Wall).Memory
	}
	if watch.Imports && err == nil {
		ran.Imports, err = parse.ReadImports(bytes.NewReader(exited.Stderr))
	}
	switch {
	case err != nil:
		return ran, err
	case early != nil:
		return ran, fmt.Errorf("%s%s", p.early(early, exited), saying(exited))
	case exited.Hung:
		return ran, errors.New(exited.Failure)
	case exited.Failure != "" && !asked:
		return ran, fmt.Errorf("%s%s", exited.Failure, saying(exited))
	}
	return ran, nil
}

// early says why the clock did not end, and what to try.
func (p Program) early(why error, exited proc.Exited) string {
	var unready *notReady
	switch ready := errors.As(why, &unready); {
	case exited.Hung && ready:
		return fmt.Sprintf("hung: not ready at %s within %v, and the last answer was: %v; see that it listens there, or let timeout be longer", p.Ready, p.Limit, unready.answer)
	case exited.Hung:
		return exited.Failure
	case ready && exited.Failure == "":
		return why.Error() + ": what is timed must stay in the foreground"
	}
	return why.Error()
}

// notReady is a program that ended before it was, with what the last question was answered.
type notReady struct {
	at     string
	answer error
}

func (n *notReady) Error() string { return "it ended before it was ready at " + n.at }

func saying(e proc.Exited) string {
	if len(bytes.TrimSpace(e.Stderr)) > 0 {
		return lastLine(e.Stderr)
	}
	return lastLine(e.Stdout)
}

// readyEvery is the pause between two questions whether a program is ready: the resolution of that time.
const readyEvery = time.Millisecond

// await waits for the end of the clock, or for the program's own where that comes first.
func (p Program) await(ctx context.Context, began time.Time, first *firstOutput, ended chan struct{}) (time.Duration, error) {
	switch p.Until {
	case UntilOutput:
		select {
		case <-first.came:
			return first.at.Sub(began), nil
		case <-ended:
		}
		select {
		case <-first.came:
			return first.at.Sub(began), nil
		default:
			return 0, errors.New("it ended without a byte on standard output")
		}
	case UntilReady:
		tick := time.NewTicker(readyEvery)
		defer tick.Stop()
		for {
			answer := proc.Ready(ctx, p.Ready, readyLimit)
			if answer == nil {
				return time.Since(began), nil
			}
			select {
			case <-ended:
				return 0, &notReady{p.Ready, answer}
			case <-ctx.Done():
				return 0, fmt.Errorf("it was not ready at %s: %w", p.Ready, ctx.Err())
			case <-tick.C:
			}
		}
	}
	<-ended
	return 0, nil
}

// readyLimit is how long one question may take.
const readyLimit = time.Second

// stop asks the program to end, and kills it where it does not.
func stop(child *proc.Child, ended chan struct{}) {
	child.Terminate()
	select {
	case <-ended:
	case <-time.After(programGrace):
		child.Kill()
	}
}

// firstOutput notes when standard output began.
type firstOutput struct {
	keep io.Writer
	once sync.Once
	at   time.Time
	came chan struct{}
}

func (f *firstOutput) Begin(keep io.Writer, _ *time.Timer) { f.keep = keep }

func (f *firstOutput) Write(p []byte) (int, error) {
	f.once.Do(func() { f.at = time.Now(); close(f.came) })
	return f.keep.Write(p)
}

// Check says what is wrong with the program's settings, by the name of the setting.
func (p Program) Check() (setting, problem string) {
	switch {
	case len(p.Args) == 0 || p.Args[0] == "":
		return "program", "no program to run"
	case p.Until == UntilReady && p.Ready == "":
		return "ready", "want the HOST:PORT or the URL that answers when the program is ready"
	case p.Until != UntilReady && p.Ready != "":
		return "ready", "it belongs to until: ready"
	case p.Limit <= 0 || p.Limit == math.MaxInt64:
		return "timeout", "want a time after which a run counts as hung"
	case p.Ready == "":
	case strings.Contains(p.Ready, "://"):
		if req, err := http.NewRequest(http.MethodGet, p.Ready, nil); err != nil || req.URL.Host == "" || req.URL.Scheme != "http" && req.URL.Scheme != "https" {
			return "ready", "want HOST:PORT or http://HOST:PORT/PATH"
		}
	default:
		if _, port, err := net.SplitHostPort(p.Ready); err != nil || port == "" {
			return "ready", "want HOST:PORT or http://HOST:PORT/PATH"
		} else if _, err := net.LookupPort("tcp", port); err != nil {
			return "ready", "want a port of 1 to 65535 or the name of one"
		}
	}
	return "", ""
}

package load

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"time"

	"github.com/org/perfgate/internal/harness/proc"
)

// Server is a program that listens while it is measured.
type Server struct {
	// Args are the program and its arguments. No shell sees them.
	Args []string
	Dir  string
	// Env is its whole environment.
	Env []string
}

// running is a server that was started.
type running struct {
	child   *proc.Child
	startup time.Duration
	grace   time.Duration // between being asked to end and being killed
	ended   chan struct{} // closed when the child has
	exited  proc.Exited
	err     error
}

// probe asks whether a target is ready.
type probe struct{ address, health string }

// probeEvery is how often, and probeLimit how long one question may take.
const (
	probeEvery = 10 * time.Millisecond
	probeLimit = 5 * time.Second
)

// try asks once.
func (p probe) try(ctx context.Context) error {
	return proc.Ready(ctx, cmp.Or(p.health, p.address), probeLimit)
}

// start starts the server and waits until it is ready. One that listens there already would be measured in
// its place.
func (s Server) start(ctx context.Context, ready probe, wait time.Duration) (*running, error) {
	if conn, err := net.DialTimeout("tcp", ready.address, probeLimit); err == nil {
		conn.Close()
		return nil, fmt.Errorf("something listens on %s already, which would be measured in place of %s: stop it, or leave out what to start", ready.address, s.Args[0])
	}
	path, err := program(s.Args, s.Dir, s.Env)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	p := proc.Process{Path: path, Args: s.Args[1:], Dir: s.Dir, Env: s.Env, Limit: math.MaxInt64}
	// Not ctx: an interrupt must not kill it before it was asked to stop.
	child, err := p.Start(context.WithoutCancel(ctx))
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", s.Args[0], err)
	}
	r := &running{child: child, grace: stopGrace, ended: make(chan struct{})}
	go func() {
		r.exited, r.err = child.Wait()
		close(r.ended)
	}()
	if err := r.await(ctx, ready, wait); err != nil {
		r.child.Kill()
		<-r.ended
		return nil, r.notReady(s.Args[0], ready, err)
	}
	r.startup = time.Since(began)
	return r, nil
}

// errEnded says that a server ended by itself.
var errEnded = errors.New("it ended before it was ready")

func (r *running) await(ctx context.Context, ready probe, wait time.Duration) error {
	limited, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	var last error
	for {
		if last = ready.try(limited); last == nil {
			return nil
		}
		select {
		case <-r.ended:
			return errEnded
		case <-limited.Done():
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("no answer within %v", wait)
		case <-tick.C:
		}
	}
}

// notReady explains why a server that has ended now was not ready.
func (r *running) notReady(name string, ready probe, err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	where := ready.address
	if ready.health != "" {
		where = ready.health
	}
	text := err.Error()
	if errors.Is(err, errEnded) && r.exited.Failure != "" {
		text += " (" + r.exited.Failure + ")"
	}
	if said := lastWords(r.exited); said != "" {
		text += ", and said: " + said
	}
	return &UnreachableError{where, fmt.Errorf("%s: %s", name, text)}
}

// lastWords are the last lines that a child wrote, of standard error before standard output: as many whole ones as
// mostLast has room for, or the beginning of the last one.
func lastWords(e proc.Exited) string {
	for _, out := range [][]byte{e.Stderr, e.Stdout} {
		out = bytes.TrimSpace(out)
		if len(out) == 0 {
			continue
		}
		from := bytes.LastIndexByte(out, '\n') + 1
		for from > 0 {
			before := bytes.LastIndexByte(out[:from-1], '\n') + 1
			if len(out)-before > mostLast {
				break
			}
			from = before
		}
		return clean(string(out[from:min(len(out), from+mostLast)]))
	}
	return ""
}

// mostLast leaves room in maxWords for what stands before the last words.
const mostLast = maxWords - 60

// stopGrace is how long a server may take to end when it is asked to.
const stopGrace = 3 * time.Second

// stop asks the server to end, and kills what is left of its process group.
func (r *running) stop() (Usage, error) {
	select {
	case <-r.ended:
		return Usage{}, fmt.Errorf("the server ended while it was measured: %s %s", r.exited.Failure, lastWords(r.exited))
	default:
	}
	held, _ := proc.ReadMemory(r.child.Pid()) // its wait status says less where perfgate is larger
	r.child.Terminate()
	select {
	case <-r.ended:
	case <-time.After(r.grace):
		r.child.Kill()
		<-r.ended
	}
	return Usage{Startup: r.startup, CPU: r.exited.CPU, MaxRSS: max(held.High(), r.exited.MaxRSS)}, r.err
}

// program finds the executable that args begin with.
func program(args []string, dir string, env []string) (string, error) {
	if len(args) == 0 || args[0] == "" {
		return "", fieldErrorf("target", "no program to run; name it behind --")
	}
	path, err := proc.Find(args[0], dir, env)
	if err != nil {
		return "", fieldErrorf("target", "%v", err)
	}
	return path, nil
}

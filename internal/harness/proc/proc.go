// Package proc runs child processes: in a group of their own that ends with them, with an environment
// that holds no secrets, under a time limit, and with the resources that they used.
//
// It starts no shell and does not read what a child writes. What drives and measures children lies above it.
package proc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// Process is one child to run to its end.
type Process struct {
	Path string
	Args []string
	Dir  string
	Env  []string
	// Limit is when the child counts as hung.
	Limit time.Duration
	// Files are what the child gets beside the standard streams, as descriptors 3, 4, ….
	Files []*os.File
	// Group, when set, is where it begins.
	Group *Group
	// Watch, when set, sees the output while it comes and may extend the limit.
	Watch Watcher
	// Out, when set, gets both streams as they come, of which nothing is kept then.
	Out io.Writer
}

// Watcher is written a child's standard output.
type Watcher interface {
	io.Writer
	// Begin is called before the child starts: keep is where the output belongs, and limit, which runs
	// already, kills the child when it fires.
	Begin(keep io.Writer, limit *time.Timer)
}

// Exited is what became of a child.
type Exited struct {
	Stdout, Stderr []byte
	Wall           time.Duration
	// CPU is user plus system time from the child's own wait status, which includes the
	// children that it waited for.
	CPU time.Duration
	// MaxRSS is the peak resident set size in bytes, 0 where it is not known.
	MaxRSS int64
	// Failure says why the child gave no proper end: an exit status, a signal, a hang.
	Failure string
	Hung    bool
}

// maxOutput bounds what is kept of a stream: a benchmark may print without end.
const maxOutput = 8 << 20

// killGrace is how long a child may hold its pipes open after it was killed.
const killGrace = 2 * time.Second

// Child is a process that runs.
type Child struct {
	cmd            *exec.Cmd
	ctx, limited   context.Context
	cancel         context.CancelCauseFunc
	timer          *time.Timer
	stdout, stderr *tail
	began          time.Time
}

// Run runs p to its end. An error says that p could not be run at all, or that ctx ended; whatever
// p itself does wrong is in Exited.Failure.
func (p Process) Run(ctx context.Context) (Exited, error) {
	c, err := p.Start(ctx)
	if err != nil {
		return Exited{}, err
	}
	return c.Wait()
}

// Start starts p in a process group of its own. The caller must wait for it.
func (p Process) Start(ctx context.Context) (*Child, error) {
	c := &Child{ctx: ctx, stdout: &tail{max: maxOutput}, stderr: &tail{max: maxOutput}}
	c.limited, c.cancel = context.WithCancelCause(ctx)
	c.cmd = exec.CommandContext(c.limited, p.Path, p.Args...)
	c.cmd.Dir, c.cmd.Env, c.cmd.ExtraFiles = p.Dir, p.Env, p.Files
	OwnGroup(c.cmd)
	p.Group.begin(c.cmd)
	c.cmd.WaitDelay = killGrace
	c.cmd.Stdout, c.cmd.Stderr = c.stdout, c.stderr
	c.timer = time.AfterFunc(p.Limit, func() { c.cancel(errHung) })
	if p.Watch != nil {
		p.Watch.Begin(c.stdout, c.timer)
		c.cmd.Stdout = p.Watch
	}
	if p.Out != nil {
		c.cmd.Stdout, c.cmd.Stderr = p.Out, p.Out
	}
	c.began = time.Now()
	if err := c.cmd.Start(); err != nil {
		c.timer.Stop()
		c.cancel(nil)
		return nil, err
	}
	return c, nil
}

// Pid is the process's id, and that of its group.
func (c *Child) Pid() int { return c.cmd.Process.Pid }

// Kill kills the process and all others of its group. It must still be waited for.
func (c *Child) Kill() { killGroup(c.cmd) }

// Limit gives the process so much time from now on.
func (c *Child) Limit(d time.Duration) { c.timer.Reset(d) }

// Unlimit lets the process take its time until the next Limit.
func (c *Child) Unlimit() { c.timer.Stop() }

// Wait waits for the child's end and for that of what it left behind.
func (c *Child) Wait() (Exited, error) {
	err := c.cmd.Wait()
	c.timer.Stop()
	defer c.cancel(nil)
	e := Exited{Stdout: c.stdout.Bytes(), Stderr: c.stderr.Bytes(), Wall: time.Since(c.began)}
	killGroup(c.cmd) // what the child left behind must not run beside the next one
	if c.cmd.ProcessState != nil {
		e.CPU = c.cmd.ProcessState.UserTime() + c.cmd.ProcessState.SystemTime()
		e.MaxRSS = maxRSS(c.cmd.ProcessState)
	}
	switch {
	case c.ctx.Err() != nil:
		return e, c.ctx.Err()
	case errors.Is(context.Cause(c.limited), errHung):
		e.Hung, e.Failure = true, fmt.Sprintf("hung: no end after %v", e.Wall.Round(time.Millisecond))
	case errors.Is(err, exec.ErrWaitDelay): // it ended well, and another process holds its output
		e.Failure = fmt.Sprintf("it ended and left a process behind that kept its output open for %v: redirect the output of that one, or wait for it", killGrace)
	case err != nil:
		e.Failure = err.Error()
	}
	return e, nil
}

var errHung = errors.New("hung")

// tail keeps the last bytes written to it.
type tail struct {
	max int
	buf bytes.Buffer
}

func (t *tail) Write(p []byte) (int, error) {
	t.buf.Write(p)
	if t.buf.Len() > 2*t.max {
		t.buf.Next(t.buf.Len() - t.max)
	}
	return len(p), nil
}

func (t *tail) Bytes() []byte {
	b := t.buf.Bytes()
	return b[max(0, len(b)-t.max):]
}

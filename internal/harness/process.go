package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"
)

// process is one child to run to its end.
type process struct {
	Path string
	Args []string
	Dir  string
	Env  []string
	// Limit is when the child counts as hung.
	Limit time.Duration
	// Watch, when set, sees the output while it comes and may extend the limit.
	Watch *watch
}

// exited is what became of a child.
type exited struct {
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

// run runs p in a process group of its own. An error says that p could not be run at all, or
// that ctx ended; whatever p itself does wrong is in exited.Failure.
func (p process) run(ctx context.Context) (exited, error) {
	limited, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	cmd := exec.CommandContext(limited, p.Path, p.Args...)
	cmd.Dir, cmd.Env = p.Dir, p.Env
	ownGroup(cmd)
	cmd.WaitDelay = killGrace
	stdout, stderr := &tail{max: maxOutput}, &tail{max: maxOutput}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if p.Watch != nil {
		p.Watch.out, cmd.Stdout = stdout, p.Watch
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return exited{}, err
	}
	timer := time.AfterFunc(p.Limit, func() { cancel(errHung) })
	defer timer.Stop()
	if p.Watch != nil {
		p.Watch.restart(timer)
	}
	err := cmd.Wait()
	e := exited{Stdout: stdout.Bytes(), Stderr: stderr.Bytes(), Wall: time.Since(began)}
	killGroup(cmd) // what the child left behind must not run beside the next one
	if cmd.ProcessState != nil {
		e.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		e.MaxRSS = maxRSS(cmd.ProcessState)
	}
	switch {
	case ctx.Err() != nil:
		return e, ctx.Err()
	case errors.Is(context.Cause(limited), errHung):
		e.Hung, e.Failure = true, fmt.Sprintf("hung: no end after %v", e.Wall.Round(time.Millisecond))
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

package load

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/org/perfgate/internal/harness/proc"
)

// Command is a target that ends: a run is a process.
type Command struct {
	// Args are the program and its arguments. No shell sees them.
	Args []string
	Dir  string
	// Env is the whole environment of a run.
	Env func(run int) []string
	// Limit is when a process counts as hung where the plan sets no timeout.
	Limit time.Duration
}

// commandTarget is a Command whose program is found.
type commandTarget struct {
	Command
	path string
	held *held
}

// Open finds the program.
func (c Command) Open(context.Context) (Target, error) {
	path, err := program(c.Args, c.Dir, c.Env(0))
	if err != nil {
		return nil, err
	}
	return &commandTarget{c, path, holding()}, nil
}

// Do runs the program once. What it used is its own, from its wait status, and that of its children that it
// waited for; where that does not tell its memory, from what was seen while it ran.
func (c *commandTarget) Do(ctx context.Context, n int, r *Record) error {
	p := proc.Process{Path: c.path, Args: c.Args[1:], Dir: c.Dir, Env: c.Env(n), Limit: c.Limit}
	child, err := p.Start(ctx)
	if err != nil {
		return cmp.Or(ctx.Err(), err)
	}
	watched := c.held.add(child.Pid())
	e, err := child.Wait()
	r.CPU, r.MaxRSS = e.CPU, max(e.MaxRSS, c.held.end(watched))
	switch {
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return err
	case e.Hung:
		return &KindError{Timeout, errors.New(e.Failure)}
	case e.Failure != "":
		text := e.Failure
		if said := lastWords(e); said != "" {
			text += ": " + said
		}
		return &KindError{Exit, errors.New(text)}
	}
	return nil
}

// Close ends the watching. Every run has ended its process.
func (c *commandTarget) Close() (Usage, error) {
	c.held.close()
	return Usage{}, nil
}

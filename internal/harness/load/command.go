package load

import (
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
}

// Open finds the program.
func (c Command) Open(context.Context) (Target, error) {
	path, err := program(c.Args, c.Dir, c.Env(0))
	if err != nil {
		return nil, err
	}
	return &commandTarget{c, path}, nil
}

// Do runs the program once. What it used is its own, from its wait status, and that of its children that it
// waited for.
func (c *commandTarget) Do(ctx context.Context, n int, r *Record) error {
	p := proc.Process{Path: c.path, Args: c.Args[1:], Dir: c.Dir, Env: c.Env(n), Limit: c.Limit}
	e, err := p.Run(ctx)
	r.CPU, r.MaxRSS = e.CPU, e.MaxRSS
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

// Close does nothing: every run ended its process.
func (c *commandTarget) Close() (Usage, error) { return Usage{}, nil }

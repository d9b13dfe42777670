package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/org/perfgate/internal/harness/proc"
	"github.com/org/perfgate/internal/profiler"
	"github.com/org/perfgate/probe"
)

// profileRun runs a command and says what its spans add up to.
func (a *app) profileRun(ctx context.Context, args []string) error {
	var command []string
	if i := slices.Index(args, "--"); i >= 0 {
		args, command = args[:i], args[i+1:]
	}
	f := newFlags(profileRunCommand, "-- COMMAND ARG...")
	var how drawFlags
	how.add(f)
	cpu := f.set.String("cpu", "", "`FILE` for a CPU profile, of a Go program that has spans of package probe and ends with probe.Flush")
	keep := keepFlag(f)
	f.options("pass-env", "working-directory")
	if err := f.parse(a, args, 0); err != nil {
		return ignoreHelp(err)
	}
	if _, err := how.check(); err != nil {
		return err
	}
	if len(command) == 0 {
		return usagef("no command to run; name it behind --, such as: perfgate profile run -- ./agent --once")
	}
	if *keep < 0 {
		return usagef("--keep %d: want at least 0", *keep)
	}
	p, err := a.configure(f)
	if err != nil {
		return err
	}
	if err := p.open(ctx); err != nil {
		return err
	}
	r := &profiledRun{profiling: p.newProfiling(profileRunCommand, *keep), command: command}
	if r.cpu = *cpu; r.cpu != "" {
		if r.cpu, err = filepath.Abs(r.cpu); err != nil {
			return err
		}
		if info, err := os.Stat(filepath.Dir(r.cpu)); err != nil || !info.IsDir() {
			return usagef("--cpu %s: there is no folder %s to write it to", *cpu, filepath.Dir(r.cpu))
		}
	}
	if err := r.run(ctx); err != nil {
		return err
	}
	d := r.document(nil)
	d.Programs[0].Profile.Notes = append(d.Programs[0].Profile.Notes, r.missing()...)
	return errors.Join(how.draw(a.stdout, d), r.failure)
}

// profiledRun is a command that is run for its spans.
type profiledRun struct {
	*profiling
	command []string
	cpu     string // the file of its CPU profile
	failure error  // what became of the command
}

// askedToEnd is how long a command may take to end when it is asked to.
const askedToEnd = 3 * time.Second

// run runs the command to its end and stores what it told, whether or not it went well.
func (r *profiledRun) run(ctx context.Context) error {
	a := r.p.app
	env := proc.Env(a.childEnv(), r.p.config.PassEnv)
	path, err := proc.Find(r.command[0], r.p.root, env)
	if err != nil {
		return usagef("%v", err)
	}
	heard, err := profiler.Listen()
	if err != nil {
		return err
	}
	defer heard.Close()
	env = append(env, heard.Environ())
	if r.cpu != "" {
		env = append(env, probe.EnvCPU+"="+r.cpu)
	}
	process := proc.Process{Path: path, Args: r.command[1:], Dir: r.p.root, Env: env, Limit: math.MaxInt64, Out: a.stderr}
	began := time.Now()
	// Not ctx: an interrupt must not kill it before it was asked to end, and to tell the last.
	child, err := process.Start(context.WithoutCancel(ctx))
	if err != nil {
		return fmt.Errorf("start %s: %w", r.command[0], err)
	}
	stop := context.AfterFunc(ctx, func() {
		child.Terminate()
		child.Limit(askedToEnd)
	})
	exited, err := child.Wait()
	stop()
	wall := time.Since(began)
	if err != nil {
		return err
	}
	h := r.p.hearing(filepath.Base(r.command[0]), "")
	h.samples, h.wall, h.always = 1, wall, true
	if err := heard.Into(h.collector); err != nil {
		return err
	}
	switch {
	case ctx.Err() != nil:
		r.failure = fmt.Errorf("interrupted: %w", ctx.Err())
	case exited.Failure != "":
		r.failure = fmt.Errorf("%s: %s", r.command[0], exited.Failure)
	}
	return r.save(r.failure)
}

// missing says what was asked for and is not there.
func (r *profiledRun) missing() (notes []string) {
	if err := r.p.heard[0].collector.Told(); err != nil {
		notes = append(notes, err.Error())
	}
	if r.cpu == "" {
		return notes
	}
	if info, err := os.Stat(r.cpu); err != nil || info.Size() == 0 {
		return append(notes, fmt.Sprintf("no CPU profile in %s: the command is no Go program with spans of package probe, or it ended without probe.Flush", r.cpu))
	}
	return append(notes, "CPU profile: go tool pprof "+r.cpu)
}

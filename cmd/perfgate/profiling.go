package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/org/perfgate/internal/harness"
	"github.com/org/perfgate/internal/profiler"
	"github.com/org/perfgate/internal/result"
	"github.com/org/perfgate/probe"
)

// performanceDir is where profiles of runs are kept, below the project's root.
const performanceDir = "logs/performance"

// keptProfiles is how many are kept.
const keptProfiles = 20

// profileFlags are those of the commands that measure.
type profileFlags struct {
	profile, memory bool
	keep            *int
}

func (f *flags) profiling() *profileFlags {
	p := new(profileFlags)
	f.set.BoolVar(&p.profile, "profile", false, "say where the run's time went, of perfgate and of programs under load: "+performanceDir)
	f.set.BoolVar(&p.memory, "profile-memory", false, "--profile with the memory of programs under load, of which one more sample is taken that is not timed")
	p.keep = keepFlag(f)
	return p
}

func keepFlag(f *flags) *int {
	return f.set.Int("keep", keptProfiles, "`N` profiles stay in "+performanceDir+", the newest; 0 for all")
}

// begin begins the profile that was asked for. The project has it from then on.
func (f *profileFlags) begin(p *project, command string) error {
	if *f.keep < 0 {
		return usagef("--keep %d: want at least 0", *f.keep)
	}
	if f.profile || f.memory {
		p.profiling = p.newProfiling(command, *f.keep)
		p.profiling.memory = f.memory
	}
	return nil
}

// profiling is the profile of a run while it comes about.
type profiling struct {
	p       *project
	command string
	keep    int
	memory  bool // of programs as well
	began   time.Time
	own     *profiler.Collector // perfgate's spans
	probe   *probe.Profiler
	ctx     context.Context

	mu    sync.Mutex // of what follows
	run   *probe.Open
	phase *probe.Open
	name  string
}

func (p *project) newProfiling(command string, keep int) *profiling {
	r := &profiling{p: p, command: command, keep: keep, began: p.app.now(), own: new(profiler.Collector)}
	r.probe = probe.New(r.own, 0)
	r.ctx, r.run = probe.Span(r.probe.Attach(context.Background()), command)
	return r
}

// watch makes phases of what is observed, where a profile is asked for.
func (r *profiling) watch(observe func(harness.Event)) func(harness.Event) {
	if r == nil {
		return observe
	}
	return func(e harness.Event) {
		r.enter(e.Phase)
		observe(e)
	}
}

// enter ends the phase before and begins the next.
func (r *profiling) enter(phase string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if phase == r.name {
		return
	}
	r.phase.End()
	r.name, r.phase = phase, nil
	if phase != "" {
		_, r.phase = probe.Phase(r.ctx, phase)
	}
}

// document is what the run came to, with why it did not come to its end.
func (r *profiling) document(failure error) *profiler.Document {
	r.enter("")
	r.run.End()
	r.probe.Flush() // into memory
	d := &profiler.Document{SchemaVersion: profiler.Schema, Command: r.command, Began: r.began.UTC(), PID: os.Getpid(), Profile: *r.own.Profile(r.p.app.now().Sub(r.began))}
	switch {
	case errors.Is(failure, context.Canceled):
		d.Failure = "was interrupted"
	case failure != nil && !errors.Is(failure, errFail):
		d.Failure = "failed: " + failure.Error()
	}
	if r.p.repo != nil { // where git fails, the run has said so
		d.Commit, _ = r.p.repo.Head(context.Background())
	}
	for _, h := range r.p.heard {
		if h.collector.Told() == nil || h.always {
			d.Programs = append(d.Programs, &profiler.Program{Name: h.name, Side: h.side, Samples: h.samples, Profile: *h.collector.Profile(h.wall)})
		}
	}
	return d
}

// put puts the profile into the result file.
func (r *profiling) put(f *result.File) (err error) {
	if r == nil {
		return nil
	}
	f.Profile, err = json.Marshal(r.document(nil))
	return err
}

// save stores the profile and says where. A run that failed or was interrupted is the one that one wants to see.
func (r *profiling) save(failure error) error {
	if r == nil {
		return nil
	}
	d := r.document(failure)
	dir := filepath.Join(r.p.root, filepath.FromSlash(performanceDir))
	name, err := profiler.Save(dir, d, r.keep)
	if name != "" {
		for _, made := range []string{filepath.Dir(dir), dir, filepath.Join(dir, ".gitignore"), name} {
			giveBack(made, r.p.root)
		}
		if rel, rerr := filepath.Rel(r.p.root, name); rerr == nil {
			name = rel
		}
		r.p.app.say("profile written to %s", filepath.ToSlash(name))
	}
	return err
}

// finish stores the profile of a command that ends with err. What is wrong with the file is a warning: it changes no
// verdict.
func (r *profiling) finish(err error) {
	if serr := r.save(err); serr != nil {
		r.p.app.warn("profile: %v", serr)
	}
}

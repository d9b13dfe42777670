package harness

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/org/perfgate/internal/harness/proc"
	"github.com/org/perfgate/internal/profiler"
	"github.com/org/perfgate/internal/spans"
)

// MemoryRun is the memory of one run of a program, over time and step by step.
type MemoryRun struct {
	Wall time.Duration `json:"wall_ns"`
	// Peak is the largest memory of the process tree, in bytes in RAM.
	Peak int64 `json:"peak_bytes"`
	// Group is the same as Linux counts it.
	Group    GroupPeak     `json:"cgroup"`
	Timeline proc.Timeline `json:"timeline"`
	// Steps end where the program marked its memory (docs/probe.md), in its order.
	Steps []MemoryStep `json:"steps"`
	// Notes say what is not in the numbers.
	Notes []string `json:"notes,omitempty"`
}

// GroupPeak is the most that the program's control group held: pages that processes share once, and the files that it
// read and what the kernel keeps for it as well.
type GroupPeak struct {
	Bytes int64 `json:"peak_bytes,omitempty"`
	// Shared says that it is perfgate's own group, with perfgate in it.
	Shared bool `json:"shared,omitempty"`
	// Missing says why it is not known.
	Missing string `json:"missing,omitempty"`
}

// startIn starts p in a control group of its own, or without where there is none.
func startIn(ctx context.Context, p proc.Process) (child *proc.Child, peak func() (GroupPeak, error), err error) {
	group, err := proc.OpenGroup()
	if p.Group = group; err == nil {
		child, err = p.Start(ctx)
	}
	if err != nil { // of the group, or of the program, which fails again then
		missing := GroupPeak{Missing: err.Error()}
		var left error
		if group != nil {
			left = group.Close()
		}
		p.Group = nil
		child, err = p.Start(ctx)
		return child, func() (GroupPeak, error) { return missing, left }, err
	}
	return child, func() (g GroupPeak, left error) {
		if g.Bytes, g.Shared, err = group.Peak(); err != nil {
			g.Missing = err.Error()
		}
		return g, group.Close()
	}, nil
}

// MemoryStep is what came between two marks of a process, or between its start and its first mark.
type MemoryStep struct {
	Label string `json:"label"`
	// At is when the mark was, since the process began to tell of itself.
	At time.Duration `json:"at_ns"`
	// TreePeak is the largest memory of the process tree in the step, as seen from outside.
	TreePeak int64 `json:"tree_peak_bytes"`
	// Peak is the most that the heap held in the step, and Net what its live part gained. Allocated and Objects
	// were allocated in it, whether or not they were freed, in Cycles garbage collections.
	Peak      int64 `json:"heap_peak_bytes"`
	Net       int64 `json:"net_bytes"`
	Allocated int64 `json:"allocated_bytes"`
	Objects   int64 `json:"allocated_objects"`
	Cycles    int64 `json:"gc_cycles"`
	// Now is what the process held at the mark.
	Now profiler.Mark `json:"now"`
}

// Memory runs the program to its end and watches its memory so often. The error is the program's failure, with what
// was seen until then, or ctx's.
func (p Program) Memory(ctx context.Context, dir string, every time.Duration) (*MemoryRun, error) {
	heard, err := profiler.Listen()
	if err != nil {
		return nil, err
	}
	defer heard.Close()
	env := proc.Env(p.Environ, p.PassEnv)
	path, err := proc.Find(p.Args[0], dir, env)
	if err != nil {
		return nil, err
	}
	env = proc.WithVar(append(slices.Clip(env), heard.Environ()), spans.EnvGC, "1")
	limit := p.Limit
	if limit <= 0 {
		limit = math.MaxInt64
	}
	child, group, err := startIn(ctx, proc.Process{Path: path, Args: p.Args[1:], Dir: dir, Env: env, Limit: limit})
	if err != nil {
		return nil, err
	}
	sampler := proc.Sample(child.Pid(), every)
	exited, err := child.Wait()
	run := &MemoryRun{Wall: exited.Wall, Timeline: sampler.Stop(), Steps: []MemoryStep{}}
	run.Peak = max(run.Timeline.High, exited.MaxRSS)
	var left error
	run.Group, left = group()
	told := &profiler.Collector{}
	if herr := heard.Into(told); herr != nil {
		return run, fmt.Errorf("what the program tells of itself: %w", herr)
	}
	profile := told.Profile(exited.Wall)
	run.Notes = profile.Notes
	if left != nil {
		run.Notes = append(run.Notes, "a control group stays behind: "+left.Error())
	}
	run.steps(profile.Memory)
	switch {
	case err != nil:
		return run, err
	case exited.Failure != "":
		return run, errors.New(exited.Failure + saying(exited))
	}
	return run, nil
}

// steps takes each mark against the one before of the same process.
func (r *MemoryRun) steps(marks []profiler.Mark) {
	last := map[int]profiler.Mark{}
	for _, m := range marks {
		before, known := last[m.PID]
		s := MemoryStep{Label: m.Label, At: time.Duration(m.AtNS), Peak: m.PeakBytes, Now: m,
			Allocated: m.AllocBytes - before.AllocBytes, Objects: m.AllocObjects - before.AllocObjects, Cycles: m.GCCycles - before.GCCycles}
		if known {
			s.Net = m.LiveBytes - before.LiveBytes
		}
		for _, p := range r.Timeline.Points {
			if p.At > time.Duration(before.AtNS) && p.At <= s.At {
				s.TreePeak = max(s.TreePeak, p.RSS)
			}
		}
		last[m.PID] = m
		r.Steps = append(r.Steps, s)
	}
}

package harness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/org/perfgate/internal/harness/proc"
	"github.com/org/perfgate/internal/result"
)

// Suites are a project's suites, measured as one.
type Suites struct {
	// HeadDir is the project's root in the user's work tree, BaseDir the same in the base's
	// checkout, empty to measure head alone.
	HeadDir, BaseDir string
	// Script is a shell script that is run in each tree before anything is built.
	Script string
	// Environ is perfgate's own environment, PassEnv names variables that the script sees
	// beyond the usual ones.
	Environ, PassEnv []string
	Parts            []Suite
}

// several are the runners of suites, each with targets of its own.
type several struct {
	parts []Runner
	of    map[*Target]int
}

// Prepare prepares all suites. One that the project has nothing of is left out, as long as there is another.
func (s *Suites) Prepare(ctx context.Context, budget *Budget, observe func(Event)) (Runner, error) {
	if err := s.RunScript(ctx, observe); err != nil {
		return nil, err
	}
	all := &several{of: map[*Target]int{}}
	var nothing error
	for _, part := range s.Parts {
		r, err := part.Prepare(ctx, budget, observe)
		var usage *ErrUsage
		if r == nil && errors.As(err, &usage) && usage.Nothing {
			nothing = cmp.Or(nothing, err) // the first part is what a project has most often
			continue
		}
		if r != nil {
			for _, t := range r.Targets() {
				all.of[t] = len(all.parts)
			}
			all.parts = append(all.parts, r)
		}
		if err != nil {
			if len(all.parts) == 0 {
				return nil, err
			}
			return all, err
		}
	}
	if len(all.parts) == 0 {
		return nil, nothing
	}
	return all, nil
}

// RunScript runs the user's script in both trees: generated code, submodules, ignored files, programs.
func (s *Suites) RunScript(ctx context.Context, observe func(Event)) error {
	for _, dir := range []string{s.BaseDir, s.HeadDir} {
		if err := s.prepareIn(ctx, dir, observe); err != nil {
			return err
		}
	}
	return nil
}

func (s *Suites) prepareIn(ctx context.Context, dir string, observe func(Event)) error {
	if s.Script == "" || dir == "" {
		return nil
	}
	observe(Event{Phase: "build", What: "prepare in " + dir})
	if err := runScript(ctx, dir, s.Script, proc.BuildEnv(s.Environ, s.PassEnv)); err != nil && ctx.Err() == nil {
		return fmt.Errorf("prepare, in %s: %w", dir, err)
	}
	return ctx.Err()
}

// each calls do with each runner that has some of the targets.
func (s *several) each(targets []*Target, do func(Runner, []*Target) error) error {
	own := make([][]*Target, len(s.parts))
	for _, t := range targets {
		own[s.of[t]] = append(own[s.of[t]], t)
	}
	for i, ts := range own {
		if len(ts) == 0 {
			continue
		}
		if err := do(s.parts[i], ts); err != nil {
			return err
		}
	}
	return nil
}

// Targets are those of all suites.
func (s *several) Targets() []*Target {
	var all []*Target
	for _, r := range s.parts {
		all = append(all, r.Targets()...)
	}
	return all
}

func (s *several) Calibrate(ctx context.Context, targets []*Target) error {
	return s.each(targets, func(r Runner, ts []*Target) error { return r.Calibrate(ctx, ts) })
}

func (s *several) Count(ctx context.Context, targets []*Target, take func(*Target, Reading)) error {
	return s.each(targets, func(r Runner, ts []*Target) error { return r.Count(ctx, ts, take) })
}

func (s *several) CountInstructions(ctx context.Context, targets []*Target, rng *rand.Rand, take func(*Target, Reading)) error {
	return s.each(targets, func(r Runner, ts []*Target) error { return r.CountInstructions(ctx, ts, rng, take) })
}

func (s *several) Pass(ctx context.Context, targets []*Target, build Build, rng *rand.Rand, take func(*Target, Reading)) error {
	return s.each(targets, func(r Runner, ts []*Target) error { return r.Pass(ctx, ts, build, rng, take) })
}

func (s *several) Control(ctx context.Context, targets []*Target, rng *rand.Rand, take func(*Target, Reading)) error {
	return s.each(targets, func(r Runner, ts []*Target) error { return r.Control(ctx, ts, rng, take) })
}

func (s *several) Link(ctx context.Context, build Build, targets []*Target) error {
	return s.each(targets, func(r Runner, ts []*Target) error { return r.Link(ctx, build, ts) })
}

func (s *several) Unlink(build Build) {
	for _, r := range s.parts {
		r.Unlink(build)
	}
}

// Sets returns the benchmarks of all suites. What the first says of the machine holds for all.
func (s *several) Sets() (base, head *result.Set) {
	var sets [2]*result.Set
	for _, r := range s.parts {
		b, h := r.Sets()
		for side, of := range []*result.Set{b, h} {
			switch {
			case of == nil:
			case sets[side] == nil:
				sets[side] = of
			default:
				sets[side].Benchmarks = append(sets[side].Benchmarks, of.Benchmarks...)
				sets[side].BuildFailures = append(sets[side].BuildFailures, of.BuildFailures...)
				sets[side].Sort()
			}
		}
	}
	return sets[Base], sets[Head]
}

func (s *several) Warnings() []string {
	var all []string
	for _, r := range s.parts {
		all = append(all, r.Warnings()...)
	}
	return slices.Compact(all)
}

func (s *several) Close() error {
	var errs []error
	for _, r := range s.parts {
		errs = append(errs, r.Close())
	}
	return errors.Join(errs...)
}

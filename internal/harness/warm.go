package harness

import (
	"context"
	"fmt"
)

// Warm does ahead what the next run would do before anything is measured, as far as Cache keeps it: it tries the
// gate out and links the test binaries of both sides, and where counts says so those that count statements. What
// it takes to lay head's benchmarks over base is not known before they have run. The error says which package
// does not build.
func (s *GoBench) Warm(ctx context.Context, counts bool, observe func(Event)) error {
	r, err := s.runner(ctx, nil, observe)
	if err != nil {
		return err
	}
	if err := r.buildAll(ctx); err != nil {
		return err
	}
	r.findSame()
	for i, p := range r.pkgs {
		observe(Event{Phase: "build", What: p.name(), Done: i, Total: len(r.pkgs)})
		if err := r.warm(ctx, p, counts); err != nil {
			return err
		}
	}
	return nil
}

func (r *goRunner) warm(ctx context.Context, p *pkgState, counts bool) error {
	gated := true
	for side, bin := range p.bins {
		switch {
		case bin != nil && bin.err != nil:
			return fmt.Errorf("%s does not build on %v: %w", p.name(), Side(side), bin.err)
		case bin != nil:
			gated = gated && bin.recipe.flags.gate.why == nil
		}
	}
	if !counts || !gated || p.same != "" {
		return nil
	}
	_, err := r.build.countBoth(ctx, p.bins)
	return err
}

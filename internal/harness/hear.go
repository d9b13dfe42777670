package harness

import (
	"context"
	"slices"

	"github.com/org/perfgate/internal/harness/load"
	"github.com/org/perfgate/internal/profiler"
	"github.com/org/perfgate/internal/spans"
)

// listen has the target's processes tell of themselves, where it has any. The target that open makes lets them tell
// the last before it ends them. What heard is of must be closed; it is nil where there is nothing to hear.
func (r LoadRun) listen(target *load.Settings, row load.TargetRow) (open func(context.Context) (load.Target, error), heard *profiler.Hearing, err error) {
	if row.Program == load.NoProgram || len(target.Args) == 0 || r.Hear == nil {
		return target.Open, nil, nil
	}
	if heard, err = profiler.Listen(); err != nil {
		return nil, nil, err
	}
	environ := target.Env
	target.Env = func(run *int) []string {
		env := append(slices.Clip(environ(run)), heard.Environ())
		if r.Heap != "" {
			env = append(env, spans.EnvHeap+"="+r.Heap)
		}
		return env
	}
	if row.Program == load.MustRun { // its processes have ended by then
		return target.Open, heard, nil
	}
	return func(ctx context.Context) (load.Target, error) {
		t, err := target.Open(ctx)
		if err != nil {
			return nil, err
		}
		return &heardTarget{t, heard, ctx}, nil
	}, heard, nil
}

func (r LoadRun) hear(heard *profiler.Hearing) error {
	if heard == nil {
		return nil
	}
	return r.Hear(heard)
}

// heardTarget is a target whose processes tell of themselves.
type heardTarget struct {
	load.Target
	heard *profiler.Hearing
	ctx   context.Context // of the sample, which ends the waiting
}

// Close waits for what is still to be told, and closes the target.
func (t *heardTarget) Close() (load.Usage, error) {
	t.heard.Settle(t.ctx)
	return t.Target.Close()
}

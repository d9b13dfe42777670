package load

import (
	"context"
	"errors"
)

// Sample opens a target, carries out the plan, and closes the target: one independent repetition. The trace
// is nil where the target could not be opened or the plan is none.
func Sample(ctx context.Context, plan Plan, open func(context.Context) (Target, error), o Options) (*Trace, error) {
	if _, err := plan.Schedule(); err != nil {
		return nil, err // before anything is started
	}
	target, err := open(ctx)
	if err != nil {
		return nil, err
	}
	t, err := Run(ctx, plan, target, o)
	usage, closeErr := target.Close()
	if t != nil {
		t.Usage = usage
	}
	if err == nil && closeErr != nil {
		err = closeErr
	}
	return t, err
}

// IsUnfit reports whether a trace's error says that it is no sample, and that only the machine is to blame.
func IsUnfit(err error) bool {
	var e *InvalidError
	return errors.As(err, &e) && e.Unfit
}

// IsInvalid reports whether a trace's error says that it is no sample.
func IsInvalid(err error) bool { return errors.As(err, new(*InvalidError)) }

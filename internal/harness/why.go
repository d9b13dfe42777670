package harness

import (
	"context"
	"time"

	"github.com/org/perfgate/internal/result"
)

// Wish is a benchmark to be explained.
type Wish struct {
	Key result.Key
	// Change is how much slower its time is in the judge's opinion, as a share of base; 0 where its time is
	// not to be explained.
	Change float64
}

// Explaining says what a run explains when all is measured.
type Explaining struct {
	// Wishes name the benchmarks, the most wanted first, given what was measured.
	Wishes func(base, head *result.Set) []Wish
	// Limit bounds the time of it all; the budget does not.
	Limit time.Duration
	// Keep stores a profile of a benchmark, of a kind such as "cpu-base", and returns the name of its file.
	Keep func(k result.Key, kind string, profile []byte) (string, error)
}

// explainer is a Runner that can explain its targets.
type explainer interface {
	// Explain takes profiles of both sides of t and finds what grew. Where that cannot be had, it says why;
	// the error is for what stops the whole run. With ctx's error comes what was found until it ended, if anything.
	Explain(ctx context.Context, t *Target, w Wish, keep func(kind string, profile []byte) (string, error)) (*result.Why, error)
}

// explain writes on the benchmarks that are wished for what grew.
func (s *schedule) explain(ctx context.Context) error {
	e := s.plan.Explain
	if e == nil {
		return nil
	}
	targets := map[result.Key]*Target{}
	for _, t := range s.runner.Targets() {
		targets[t.Key] = t
	}
	base, head := s.runner.Sets()
	wishes := e.Wishes(base, head)
	limited, cancel := context.WithTimeout(ctx, e.Limit)
	defer cancel()
	for i, w := range wishes {
		t := targets[w.Key]
		if t == nil || t.Bench[Head] == nil {
			continue
		}
		s.observe(Event{Phase: "explain", What: w.Key.String(), Done: i, Total: len(wishes)})
		why, err := s.explainOne(limited, t, w)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case limited.Err() != nil:
			why = cutShort(why)
		case err != nil:
			return err
		}
		t.Bench[Head].Why = why
	}
	return nil
}

// cutShort says that the time ended before why was all there is to say.
func cutShort(why *result.Why) *result.Why {
	if why == nil {
		why = &result.Why{}
	}
	why.Missing = "the time for explanations ended before it"
	if len(why.Own)+len(why.Any)+len(why.Allocs)+len(why.Calls)+len(why.Spans) > 0 {
		why.Missing = "the time for explanations ended before the rest"
	}
	return why
}

func (s *schedule) explainOne(ctx context.Context, t *Target, w Wish) (*result.Why, error) {
	r, ok := s.runner.(explainer)
	switch {
	case !ok:
		return &result.Why{Missing: "perfgate takes no profiles of what it does not build"}, nil
	case t.sides() < 2:
		return &result.Why{Missing: "only one side could be measured, so there are no profiles to compare"}, nil
	}
	return r.Explain(ctx, t, w, func(kind string, profile []byte) (string, error) {
		return s.plan.Explain.Keep(w.Key, kind, profile)
	})
}

// Explain asks the suite that has the target.
func (s *several) Explain(ctx context.Context, t *Target, w Wish, keep func(string, []byte) (string, error)) (*result.Why, error) {
	r, ok := s.parts[s.of[t]].(explainer)
	if !ok {
		return &result.Why{Missing: "perfgate takes no profiles of what it does not build"}, nil
	}
	return r.Explain(ctx, t, w, keep)
}

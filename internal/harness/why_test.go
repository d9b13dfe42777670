package harness

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/result"
)

// explainingRunner takes a second for each explanation.
type explainingRunner struct {
	*fakeRunner
	fails error
	so    *result.Why // found so far when the time ends
}

func (r explainingRunner) Explain(ctx context.Context, t *Target, w Wish, keep func(string, []byte) (string, error)) (*result.Why, error) {
	if err := spend(ctx, time.Second); err != nil {
		return r.so, err
	}
	name, err := keep("cpu", nil)
	if err != nil {
		return nil, err
	}
	return &result.Why{Profiles: []string{name}}, r.fails
}

// TestExplainSchedule: what was wished for is explained in its order, until the time ends, and what is not says why.
func TestExplainSchedule(t *testing.T) {
	target := func(name string, sides ...Side) *Target {
		t := &Target{Key: result.Key{Name: name}}
		for _, s := range sides {
			t.Live[s], t.Bench[s] = true, &result.Benchmark{Name: name, Status: result.OK}
		}
		t.Bench[Head] = &result.Benchmark{Name: name, Status: result.OK}
		return t
	}
	broken := errors.New("no disk")
	for _, tt := range []struct {
		name   string
		limit  time.Duration
		cancel time.Duration
		fails  error
		so     *result.Why
		mute   bool
		want   map[string]string
		err    error
	}{
		{name: "all", limit: time.Minute, want: map[string]string{"A": "B", "B": "A", "One": "only one side could be measured, so there are no profiles to compare"}},
		{name: "late", limit: 1500 * time.Millisecond, want: map[string]string{"A": "the time for explanations ended before it", "B": "A", "One": "the time for explanations ended before it"}},
		{name: "cut short", limit: 1500 * time.Millisecond, so: &result.Why{Own: []result.Growth{{Function: "F"}}}, want: map[string]string{"A": "the time for explanations ended before the rest", "B": "A", "One": "the time for explanations ended before it"}},
		{name: "interrupted", limit: time.Minute, cancel: 1500 * time.Millisecond, want: map[string]string{"B": "A"}, err: context.Canceled},
		{name: "failed", limit: time.Minute, fails: broken, want: map[string]string{}, err: broken},
		{name: "strangers", limit: time.Minute, mute: true, want: map[string]string{"A": "perfgate takes no profiles of what it does not build", "B": "perfgate takes no profiles of what it does not build", "One": "perfgate takes no profiles of what it does not build"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fake := &fakeRunner{targets: []*Target{target("A", Base, Head), target("B", Base, Head), target("One", Head), target("Unwished", Base, Head)}}
				var runner Runner = explainingRunner{fake, tt.fails, tt.so}
				if tt.mute {
					runner = fake
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if tt.cancel > 0 {
					time.AfterFunc(tt.cancel, cancel)
				}
				kept := "A"
				s := &schedule{runner: runner, observe: func(Event) {}, plan: Plan{Explain: &Explaining{
					Limit: tt.limit,
					Wishes: func(_, _ *result.Set) []Wish {
						return []Wish{{Key: result.Key{Name: "B"}}, {Key: result.Key{Name: "Unknown"}}, {Key: result.Key{Name: "A"}}, {Key: result.Key{Name: "One"}}}
					},
					Keep: func(result.Key, string, []byte) (string, error) {
						name := kept
						kept = "B"
						return name, nil
					},
				}}}
				if err := s.explain(ctx); !errors.Is(err, tt.err) {
					t.Errorf("explain = %v, want %v", err, tt.err)
				}
				got := map[string]string{}
				for _, target := range fake.targets {
					if why := target.Bench[Head].Why; why != nil {
						got[target.Key.Name] = why.Missing
						if len(why.Profiles) > 0 {
							got[target.Key.Name] = why.Profiles[0]
						}
					}
				}
				if d := cmp.Diff(tt.want, got); d != "" {
					t.Errorf("(-want +got):\n%s", d)
				}
			})
		})
	}
}

// TestNewRemarks: what is new of escapes and gone of inlining, in the functions that matter, and not what moved.
func TestNewRemarks(t *testing.T) {
	base := map[remark][]int{
		{"a.go", "F", "moved to heap: x"}:             {3},
		{"a.go", "F", "inlining call to G"}:           {4, 9},
		{"a.go", "F", "can inline F"}:                 {2},
		{"a.go", "F", "y escapes to heap"}:            {5},
		{"a.go", "(*T).Old", "inlining call to G"}:    {30},
		{"a.go", "Unrelated", "inlining call to G"}:   {40},
		{"a.go", "F", "inlining call to strings.Cut"}: {6},
	}
	head := map[remark][]int{
		{"a.go", "F", "moved to heap: x"}:             {13},
		{"a.go", "F", "inlining call to G"}:           {14},
		{"a.go", "F", "z escapes to heap"}:            {15, 16},
		{"a.go", "F", "inlining call to H"}:           {17},
		{"a.go", "Unrelated", "w escapes to heap"}:    {50},
		{"a.go", "F", "inlining call to strings.Cut"}: {18},
	}
	got := newRemarks("ex.org/m", [2]map[remark][]int{base, head}, map[string]bool{"ex.org/m.F": true, "ex.org/m.(*T).Old": true})
	want := []result.Remark{
		{File: "ex.org/m/a.go", Line: 13, Text: "no longer: can inline F"},
		{File: "ex.org/m/a.go", Line: 13, Text: "no longer: inlining call to G"},
		{File: "ex.org/m/a.go", Line: 15, Text: "z escapes to heap"},
		{File: "ex.org/m/a.go", Line: 16, Text: "z escapes to heap"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

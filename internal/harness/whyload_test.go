package harness

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/pprof/profile"

	"github.com/org/perfgate/internal/harness/load"
	"github.com/org/perfgate/internal/result"
)

// stack is a sample of a profile, the innermost function first, each in main.go by its line.
type stack struct {
	functions []string
	n         int64
}

// profileOf makes a profile of CPU time, 10 ms a sample, or of all allocations, 100 B each.
func profileOf(kind string, stacks ...stack) *profile.Profile {
	p := &profile.Profile{Period: 10_000_000, PeriodType: &profile.ValueType{Type: kind}, SampleType: []*profile.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "nanoseconds"}}}
	each := p.Period
	if kind == AllocsProfile {
		p.Period, each = 1, 100
		p.SampleType = []*profile.ValueType{{Type: "alloc_objects", Unit: "count"}, {Type: "alloc_space", Unit: "bytes"}}
	}
	known := map[string]*profile.Location{}
	for _, s := range stacks {
		sample := &profile.Sample{Value: []int64{s.n, s.n * each}}
		for i, name := range s.functions {
			if known[name] == nil {
				f := &profile.Function{ID: uint64(len(known) + 1), Name: name, Filename: "/src/main.go"}
				known[name] = &profile.Location{ID: f.ID, Line: []profile.Line{{Function: f, Line: int64(10 * (i + 1))}}}
				p.Function, p.Location = append(p.Function, f), append(p.Location, known[name])
			}
			sample.Location = append(sample.Location, known[name])
		}
		p.Sample = append(p.Sample, sample)
	}
	return p
}

// recorded is a scenario whose program has these profiles, by kind and tree, of ten runs each.
func recorded(profiles map[string]*profile.Profile) (Scenario, *[]string) {
	var log []string
	return Scenario{
		Name: "agent", Runs: 10,
		Take: func(context.Context, string) ([]load.Metric, []string, error) {
			return []load.Metric{{Unit: wallUnit, Value: 16}}, nil, nil
		},
		Differences: func(base, head string) ([]result.CallGrowth, []result.SpanGrowth) {
			return []result.CallGrowth{{Route: base, Model: head}}, []result.SpanGrowth{{Name: "plan"}}
		},
		Record: func(_ context.Context, dir string, rec *Recording) error {
			log = append(log, rec.Kind+" "+dir)
			rec.Profile, rec.Runs = profiles[rec.Kind+" "+dir], 10
			rec.Built = &buildinfo.BuildInfo{GoVersion: "go of " + dir, Path: "ex.org/m/cmd/agent", Main: debug.Module{Path: "ex.org/m"},
				Deps: []*debug.Module{{Path: "ex.org/near", Version: "(devel)"}}}
			if rec.Profile == nil {
				rec.Missing = "none here"
			}
			return nil
		},
	}, &log
}

func explainLoad(t *testing.T, s Scenario, change float64) (*result.Why, error) {
	t.Helper()
	runner, err := (&Load{BaseDir: "base", HeadDir: "head", Scenarios: []Scenario{s}}).Prepare(t.Context(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, target := runner.(*loadRunner), runner.Targets()[0]
	if _, err := r.take(t.Context(), target, Head); err != nil {
		t.Fatal(err)
	}
	return r.Explain(t.Context(), target, Wish{Key: target.Key, Change: change}, func(kind string, _ []byte) (string, error) { return kind, nil })
}

// Functions and places are those of the program's modules, by what a run costs, with the import path in the place of the
// linker's name of a program. What the program does to be profiled is nobody's.
func TestExplainLoad(t *testing.T) {
	handle := []string{"main.handle", "net/http.serve"}
	served := []string{"runtime/pprof.writeHeap", "net/http/pprof.Index", "main.log"}
	of := func(kind string, n int64) *profile.Profile {
		return profileOf(kind, stack{append([]string{"strings.Index", "ex.org/m/plan.Rank"}, handle...), n}, stack{handle, 500}, stack{served, 10 * n})
	}
	s, log := recorded(map[string]*profile.Profile{
		"cpu base": of("cpu", 400), "cpu head": of("cpu", 1200), "allocs base": of("allocs", 20), "allocs head": of("allocs", 80),
	})
	var record = s.Record
	s.Record = func(ctx context.Context, dir string, rec *Recording) error {
		if rec.Share != 0.5 || rec.Length != 8*time.Second {
			t.Errorf("share %v, length %v, want half of a sample of 16 s", rec.Share, rec.Length)
		}
		return record(ctx, dir, rec)
	}
	why, err := explainLoad(t, s, 1)
	if err != nil {
		t.Fatal(err)
	}
	way := []string{"main.handle", "ex.org/m/plan.Rank"}
	want := &result.Why{
		Calls: []result.CallGrowth{{Route: "base", Model: "head"}}, Spans: []result.SpanGrowth{{Name: "plan"}},
		Own:      []result.Growth{{Function: "ex.org/m/plan.Rank", File: "ex.org/m/plan/main.go", Line: 20, Unit: "sec/run", Base: 0.4, Head: 1.2, Path: way}},
		Allocs:   []result.Growth{{Function: "ex.org/m/plan.Rank", File: "ex.org/m/plan/main.go", Line: 20, Unit: "allocs/run", Base: 2, Head: 8, Path: way}},
		Modules:  []string{"go go of base → go of head"},
		Profiles: []string{"cpu-base", "cpu-head", "cpu-diff", "allocs-base", "allocs-head", "allocs-diff"},
	}
	any := why.Any
	why.Any = nil
	if d := cmp.Diff(want, why); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if len(any) == 0 || !slices.ContainsFunc(any, func(g result.Growth) bool { return g.Function == "strings.Index" && g.Unit == "sec/run" }) {
		t.Errorf("any function by itself: %+v, want strings.Index", any)
	}
	if d := cmp.Diff([]string{"cpu base", "cpu head", "allocs base", "allocs head"}, *log); d != "" {
		t.Errorf("samples (-want +got):\n%s", d)
	}
}

// The program's own package has the path that it was built from.
func TestExplainLoadMain(t *testing.T) {
	of := func(kind string, n int64) *profile.Profile { return profileOf(kind, stack{[]string{"main.work"}, n}) }
	s, _ := recorded(map[string]*profile.Profile{"cpu base": of("cpu", 400), "cpu head": of("cpu", 900), "allocs base": of("allocs", 20), "allocs head": of("allocs", 20)})
	why, err := explainLoad(t, s, 0)
	if err != nil || len(why.Own) != 1 || why.Own[0].File != "ex.org/m/cmd/agent/main.go" {
		t.Errorf("%+v, %v, want main.work of ex.org/m/cmd/agent", why, err)
	}
}

// The compiler says of both trees what it does otherwise to the functions that grew, of a program by the path that it was
// built from, with its build tags.
func TestExplainLoadCompiled(t *testing.T) {
	const source = "//go:build tagged\n\npackage main\n\nfunc main() { println(*work()) }\n\n//go:noinline\nfunc work() *int {\n\tn := 1\n\t%s\n}\n\nvar kept int\n"
	dirs := map[string]string{"base": t.TempDir(), "head": t.TempDir()}
	for side, returned := range map[string]string{"base": "kept = n; return &kept", "head": "return &n"} {
		write(t, dirs[side], map[string]string{"go.mod": "module ex.org/m\n\ngo 1.24\n", "cmd/agent/main.go": fmt.Sprintf(source, returned)})
	}
	of := func(kind string, n int64) *profile.Profile { return profileOf(kind, stack{[]string{"main.work"}, n}) }
	for _, tt := range []struct {
		flags []debug.BuildSetting
		want  []result.Remark
	}{
		{[]debug.BuildSetting{{Key: "-tags", Value: "tagged"}}, []result.Remark{{File: "ex.org/m/cmd/agent/main.go", Line: 9, Text: "moved to heap: n"}}},
		{[]debug.BuildSetting{{Key: "-tags", Value: "tagged"}, {Key: "-gcflags", Value: "all=-N -l"}}, nil},
	} {
		s, _ := recorded(map[string]*profile.Profile{"cpu base": of("cpu", 400), "cpu head": of("cpu", 900), "allocs base": of("allocs", 20), "allocs head": of("allocs", 20)})
		record := s.Record
		s.Record = func(ctx context.Context, dir string, rec *Recording) error {
			side := "base"
			if dir == dirs["head"] {
				side = "head"
			}
			err := record(ctx, side, rec)
			rec.Built.Settings = tt.flags
			return err
		}
		runner, err := (&Load{BaseDir: dirs["base"], HeadDir: dirs["head"], Scenarios: []Scenario{s}, Environ: goOffline().env}).Prepare(t.Context(), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		why, err := runner.(*loadRunner).Explain(t.Context(), runner.Targets()[0], Wish{}, func(kind string, _ []byte) (string, error) { return kind, nil })
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(tt.want, why.Compiler); d != "" || why.Missing != "" {
			t.Errorf("built with %v: the compiler says (-want +got):\n%s\nmissing: %s", tt.flags, d, why.Missing)
		}
	}
}

// Few samples are taken again, in turns that change about; next to none are not.
func TestExplainLoadRounds(t *testing.T) {
	for _, tt := range []struct {
		perSample, change float64
		rounds            int
	}{{100, 0, 2}, {1000, 0.1, 1}, {100, 0.1, 4}, {30, 0.1, 14}, {1, 0.1, 1}} {
		of := func(kind string) *profile.Profile {
			return profileOf(kind, stack{[]string{"main.work"}, int64(tt.perSample)})
		}
		s, log := recorded(map[string]*profile.Profile{"cpu base": of("cpu"), "cpu head": of("cpu"), "allocs base": of("allocs"), "allocs head": of("allocs")})
		if _, err := explainLoad(t, s, tt.change); err != nil {
			t.Fatal(err)
		}
		text := strings.Join(*log, ",")
		if n := strings.Count(text, "cpu"); n != 2*tt.rounds || tt.rounds > 1 && !strings.HasPrefix(text, "cpu base,cpu head,cpu head,cpu base") {
			t.Errorf("%v samples for a change of %v: %s, want %d rounds", tt.perSample, tt.change, text, tt.rounds)
		}
	}
}

// Where there is no profile the calls and spans stand, with what to try; what ends the run is an error.
func TestExplainLoadMissing(t *testing.T) {
	s, log := recorded(map[string]*profile.Profile{"cpu base": profileOf("cpu", stack{[]string{"main.work"}, 900})})
	why, err := explainLoad(t, s, 0)
	if err != nil || why.Missing != "no profile of head: none here" || len(why.Calls) != 1 || len(*log) != 2 {
		t.Errorf("%+v, %v after %q, want what is missing of head, and no further sample", why, err, *log)
	}
	s, _ = recorded(map[string]*profile.Profile{"cpu base": profileOf("cpu"), "cpu head": profileOf("allocs")})
	if why, err = explainLoad(t, s, 0); err != nil || !strings.HasPrefix(why.Missing, "the profiles cannot be compared: ") {
		t.Errorf("%+v, %v", why, err)
	}
	s.Record = func(context.Context, string, *Recording) error { return errors.New("it does not start") }
	if why, err = explainLoad(t, s, 0); err != nil || why.Missing != "a profile of base could not be taken: it does not start" {
		t.Errorf("%+v, %v", why, err)
	}
	s.Record, s.NoRecord = nil, "it is not ours"
	if why, err = explainLoad(t, s, 0); err != nil || why.Missing != "it is not ours" || len(why.Spans) != 1 {
		t.Errorf("%+v, %v", why, err)
	}
}

package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/harness/load"
	"github.com/org/perfgate/internal/result"
)

// fakeScenario is a program whose samples take a second, in trees that are called base and head. fails says in which of
// them which samples fail, counted from 0.
func fakeScenario(name string, fails map[string][]int) (Scenario, *[]string) {
	var log []string
	taken := map[string]int{}
	return Scenario{Name: name, Runs: 20, Offered: "a load", Take: func(ctx context.Context, dir string) ([]load.Metric, []string, error) {
		log = append(log, dir)
		n := taken[dir]
		taken[dir]++
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
		if slices.Contains(fails[dir], n) {
			return nil, nil, fmt.Errorf("sample %d of %s failed", n, dir)
		}
		return []load.Metric{{Unit: "p50-sec", Value: float64(len(dir)) + float64(n)/1000}, {Unit: "upstream-calls", Value: 3}}, []string{"a remark"}, nil
	}}, &log
}

// A sample of each side is a pass, in coin-flip order, with the values of a whole run of load.
func TestLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		scenario, log := fakeScenario("agent", map[string][]int{"head": {3}})
		suite := &Load{BaseDir: "base", HeadDir: "head", Scenarios: []Scenario{scenario}}
		m, err := Measure(t.Context(), suite, Plan{Seed: 1, Budget: time.Hour, Exact: true, Judge: &fakeJudge{routes: map[string]result.Route{"agent": result.Suspect}}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		base, head := m.Base.Benchmarks[0], m.Head.Benchmarks[0]
		for _, b := range []*result.Benchmark{base, head} {
			calls := b.Metric("upstream-calls")
			if len(calls.Samples) != 5 || len(calls.Confirm) != fakeBuilds || calls.Samples[0] != (result.Sample{Value: 3, Iters: 20}) {
				t.Errorf("upstream-calls: %+v, want 5 samples of 20 runs, but for the failed one, and %d to confirm", calls, fakeBuilds)
			}
			if b.Suite != SuiteLoad || b.Scenario != "a load" || b.Status != result.OK {
				t.Errorf("%+v, want an ok benchmark of the suite, with its scenario", b)
			}
		}
		if diff := cmp.Diff([]result.Void{{Pass: 2, Message: "sample 3 of head failed"}}, head.Void); diff != "" || base.Void != nil {
			t.Errorf("void passes of head (-want +got):\n%s\nof base: %v", diff, base.Void)
		}
		if diff := cmp.Diff([]string{"base: a remark", "head: a remark"}, head.Notes); diff != "" {
			t.Errorf("notes (-want +got):\n%s", diff)
		}
		firsts := ""
		for i, dir := range (*log)[2:] { // behind those that calibrate
			if i%2 == 0 {
				firsts += dir[:1]
			}
		}
		if without := firsts[:2] + firsts[3:]; head.First != without || !strings.Contains(firsts, "b") || !strings.Contains(firsts, "h") {
			t.Errorf("First = %q, want %q, now the one and now the other", head.First, without)
		}
		if head.FixedLayout == "" || m.Measured != 1 {
			t.Errorf("FixedLayout = %q, %d measured, want that it cannot be linked, and 1", head.FixedLayout, m.Measured)
		}
	})
}

// The times of a sample that only the machine spoilt are void on both sides, and what it counted holds: neither side is
// broken by it.
func TestLoadUnfit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		scenario, _ := fakeScenario("agent", nil)
		sound, n := scenario.Take, 0
		scenario.Take = func(ctx context.Context, dir string) ([]load.Metric, []string, error) {
			metrics, remarks, err := sound(ctx, dir)
			if n++; dir == "head" && n > 2 && n < 8 {
				err = (&load.Trace{Unfit: []string{"the machine is busy"}}).Err()
			}
			return metrics, remarks, err
		}
		suite := &Load{BaseDir: "base", HeadDir: "head", Scenarios: []Scenario{scenario}}
		m, err := Measure(t.Context(), suite, Plan{Seed: 1, Budget: time.Hour, Judge: &fakeJudge{}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		base, head := m.Base.Benchmarks[0], m.Head.Benchmarks[0]
		if diff := cmp.Diff(base.Void, head.Void); diff != "" || len(head.Void) < 2 || head.Status != result.OK {
			t.Errorf("head is %s, void passes of base and head differ (-base +head):\n%s", head.Status, diff)
		}
		for _, b := range []*result.Benchmark{base, head} {
			calls, times := b.Metric("upstream-calls").Samples, b.Metric("p50-sec").Samples
			if len(calls) != looks[0] || len(times) != looks[0]-len(head.Void) || !b.Void[0].Counted || b.Untimed != "" {
				t.Errorf("%d counts and %d times beside void ones %+v, want %d counts and times where none is void", len(calls), len(times), b.Void, looks[0])
			}
		}
	})
}

// A machine that is never fit leaves what is counted, and says why there is no time.
func TestLoadNeverFit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		scenario, _ := fakeScenario("agent", nil)
		sound := scenario.Take
		scenario.Take = func(ctx context.Context, dir string) ([]load.Metric, []string, error) {
			metrics, _, _ := sound(ctx, dir)
			return metrics, nil, (&load.Trace{Unfit: []string{"the machine is busy"}}).Err()
		}
		m, err := Measure(t.Context(), &Load{BaseDir: "base", HeadDir: "head", Scenarios: []Scenario{scenario}}, Plan{Seed: 1, Budget: time.Hour, Judge: &fakeJudge{}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range []*result.Benchmark{m.Base.Benchmarks[0], m.Head.Benchmarks[0]} {
			if len(b.Metrics) != 1 || len(b.Metric("upstream-calls").Samples) != countPasses || b.Untimed != "no pass has times that hold: the load was not what the plan says: the machine is busy" {
				t.Errorf("%d metrics, untimed %q, want %d samples of what is counted, and why there is no time", len(b.Metrics), b.Untimed, countPasses)
			}
		}
		if m.Measured != 1 {
			t.Errorf("%d measured, want 1: what is exact is known", m.Measured)
		}
	})
}

// Where the budget does not bring a program to the first look, as many samples are taken as its counts need. They
// are part of the look where that fits after all.
func TestLoadScarce(t *testing.T) {
	for _, tt := range []struct {
		name              string
		budget            time.Duration // a pass takes 2s, and as long as that it takes to know it
		samples, measured int
	}{
		{"not even that", 7500 * time.Millisecond, 0, 0},
		{"just that", 8500 * time.Millisecond, countPasses, 1},
		{"not the look", 15 * time.Second, countPasses, 1},
		{"the look", 16500 * time.Millisecond, looks[0], 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				scenario, _ := fakeScenario("agent", nil)
				m, err := Measure(t.Context(), &Load{BaseDir: "base", HeadDir: "head", Scenarios: []Scenario{scenario}}, Plan{Seed: 1, Budget: tt.budget, Exact: true, Judge: &fakeJudge{}}, nil)
				if err != nil {
					t.Fatal(err)
				}
				for _, b := range []*result.Benchmark{m.Base.Benchmarks[0], m.Head.Benchmarks[0]} {
					if b.Passes() != tt.samples || (b.Unmeasured == "") != (tt.samples > 0) {
						t.Errorf("%d samples, unmeasured %q, want %d", b.Passes(), b.Unmeasured, tt.samples)
					}
				}
				if m.Measured != tt.measured || m.RunTime > tt.budget {
					t.Errorf("%d measured in %v, want %d within %v", m.Measured, m.RunTime, tt.measured, tt.budget)
				}
			})
		})
	}
}

// Facts of a program leave half of the time to what else there is, and are not taken again in the look that follows.
func TestFacts(t *testing.T) {
	for cost, want := range map[time.Duration]int{2 * time.Second: looks[0], 8 * time.Second: countPasses, 9 * time.Second: 0} {
		synctest.Test(t, func(t *testing.T) {
			r := runnerOf(time.Second, "a", "dear", "fact")
			r.cost["dear"], r.cost["fact"] = 10*time.Second, cost
			r.targets[2].Facts, r.targets[2].Changed = true, true // so that it comes first
			m := measure(t, r, planOf(time.Minute, &fakeJudge{}))
			got := map[string]int{}
			for _, b := range m.Head.Benchmarks {
				got[b.Name] = b.Passes()
			}
			if diff := cmp.Diff(map[string]int{"a": looks[0], "dear": 0, "fact": want}, got); diff != "" {
				t.Errorf("passes where one of the fact takes %v (-want +got):\n%s", cost, diff)
			}
		})
	}
}

// Where no time is wanted, the samples count.
func TestLoadExact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		scenario, _ := fakeScenario("agent", nil)
		m, err := Measure(t.Context(), &Load{HeadDir: "head", NoTimes: true, Scenarios: []Scenario{scenario}}, Plan{Seed: 1, Budget: time.Hour, Exact: true, NoTimes: true}, nil)
		if err != nil {
			t.Fatal(err)
		}
		b := m.Head.Benchmarks[0]
		if b.Metric("p50-sec") != nil || len(b.Metric("upstream-calls").Samples) != countPasses || m.Base != nil {
			t.Errorf("%+v, want %d samples of what is counted, and no base", b.Metrics, countPasses)
		}
	})
}

// A machine that is too busy for times spoils no sample of counts.
func TestLoadExactUnfit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		scenario, _ := fakeScenario("agent", nil)
		sound, n := scenario.Take, 0
		scenario.Take = func(ctx context.Context, dir string) ([]load.Metric, []string, error) {
			metrics, remarks, err := sound(ctx, dir)
			if n++; n == 2 {
				err = (&load.Trace{Unfit: []string{"the machine is busy"}}).Err()
			}
			return metrics, remarks, err
		}
		m, err := Measure(t.Context(), &Load{HeadDir: "head", NoTimes: true, Scenarios: []Scenario{scenario}}, Plan{Seed: 1, Budget: time.Hour, Exact: true, NoTimes: true}, nil)
		if err != nil {
			t.Fatal(err)
		}
		b := m.Head.Benchmarks[0]
		if diff := cmp.Diff([]string{"head: a remark"}, b.Notes); diff != "" || len(b.Metric("upstream-calls").Samples) != countPasses {
			t.Errorf("%d samples, notes (-want +got):\n%s", len(b.Metric("upstream-calls").Samples), diff)
		}
	})
}

// A program that fails is measured no more, and says why on its side.
func TestLoadFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		scenario, log := fakeScenario("agent", map[string][]int{"head": {0}})
		m, err := Measure(t.Context(), &Load{BaseDir: "base", HeadDir: "head", Scenarios: []Scenario{scenario}}, Plan{Seed: 1, Budget: time.Minute}, nil)
		if err != nil {
			t.Fatal(err)
		}
		head := m.Head.Benchmarks[0]
		if head.Status != result.Failed || head.Message != "sample 0 of head failed" || m.Base.Benchmarks[0].Status != result.OK {
			t.Errorf("head is %s (%s) and base %s, want failed and ok", head.Status, head.Message, m.Base.Benchmarks[0].Status)
		}
		if n := len(slices.DeleteFunc(*log, func(dir string) bool { return dir != "head" })); n != 1 {
			t.Errorf("head was run %d times, want once", n)
		}
	})
}

// An interrupt ends a sample, and what was measured before stays.
func TestLoadInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 7500*time.Millisecond)
		defer cancel()
		scenario, _ := fakeScenario("agent", nil)
		m, err := Measure(ctx, &Load{BaseDir: "base", HeadDir: "head", Scenarios: []Scenario{scenario}}, Plan{Seed: 1, Budget: time.Hour}, nil)
		if !errors.Is(err, context.DeadlineExceeded) || !m.Partial || m.Head.Benchmarks[0].Passes() != 2 || m.Base.Benchmarks[0].Passes() != 2 {
			t.Errorf("%v, %d passes, want the interrupt and 2", err, m.Head.Benchmarks[0].Passes())
		}
	})
}

// emptySuite is one that the project has nothing of.
type emptySuite struct{}

func (emptySuite) Prepare(context.Context, *Budget, func(Event)) (Runner, error) {
	return nil, nothingf("nothing here")
}

// Suites are measured as one, each by its own runner; one without anything is left out.
func TestSuites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, logA := fakeScenario("a", nil)
		b, logB := fakeScenario("b", map[string][]int{"head": {1}})
		part := func(s Scenario) *Load { return &Load{BaseDir: "base", HeadDir: "head", Scenarios: []Scenario{s}} }
		suites := &Suites{BaseDir: "base", HeadDir: "head", Parts: []Suite{part(b), emptySuite{}, part(a)}}
		m, err := Measure(t.Context(), suites, Plan{Seed: 1, Budget: time.Hour, Judge: &fakeJudge{routes: map[string]result.Route{"a": result.Suspect}}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, b := range m.Head.Benchmarks {
			names = append(names, b.Name)
		}
		if diff := cmp.Diff([]string{"a", "b"}, names); diff != "" || len(m.Base.Benchmarks) != 2 {
			t.Errorf("benchmarks of head (-want +got):\n%s", diff)
		}
		if na, nb := len(*logA), len(*logB); na != 2*(1+6+fakeBuilds) || nb != 2*(1+6) {
			t.Errorf("%d and %d samples, want those of both stages and of one", na, nb)
		}
		if v := m.Head.Benchmarks[1].Void; len(v) != 1 || m.Head.Benchmarks[0].Void != nil {
			t.Errorf("void passes %v of b, want one, and none of a", v)
		}
	})
	_, err := (&Suites{Parts: []Suite{emptySuite{}, emptySuite{}}}).Prepare(t.Context(), &Budget{}, func(Event) {})
	if !errors.As(err, new(*ErrUsage)) || err.Error() != "nothing here" {
		t.Errorf("nothing of any suite: %v", err)
	}
}

// The script is run in both trees before the suites are prepared, with the environment of builds.
func TestScript(t *testing.T) {
	trees := [2]string{t.TempDir(), t.TempDir()}
	suites := &Suites{BaseDir: trees[Base], HeadDir: trees[Head], Environ: append(os.Environ(), "GITHUB_TOKEN=secret"), Parts: []Suite{emptySuite{}}}
	suites.Script = "echo \"x${GITHUB_TOKEN-}\" >made"
	if _, err := suites.Prepare(t.Context(), &Budget{}, func(Event) {}); err == nil || err.Error() != "nothing here" {
		t.Fatal(err)
	}
	for _, dir := range trees {
		if text, err := os.ReadFile(filepath.Join(dir, "made")); err != nil || string(text) != "x\n" {
			t.Errorf("the script left %q (%v)", text, err)
		}
	}
	suites.Script = "echo no luck >&2; false"
	if _, err := suites.Prepare(t.Context(), &Budget{}, func(Event) {}); err == nil || err.Error() != "prepare, in "+trees[Base]+": exit status 1: no luck" {
		t.Errorf("a script that fails: %v", err)
	}
}

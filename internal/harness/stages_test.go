package harness

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/result"
)

func planOf(budget time.Duration, j *fakeJudge) Plan {
	return Plan{Seed: 1, Budget: budget, Judge: j}
}

// passNumbers are the numbers of the passes that samples were taken in.
func passNumbers(samples []result.Sample) (passes []int) {
	for _, s := range result.ByPass(samples) {
		passes = append(passes, s.Pass)
	}
	return passes
}

// upTo is 0, 1, …, n-1.
func upTo(n int) []int {
	ns := make([]int, n)
	for i := range ns {
		ns[i] = i
	}
	return ns
}

// The first stage looks at fixed numbers of passes, and what is decided leaves.
func TestLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runnerOf(time.Second, "at0", "at7", "at8", "at12", "at16", "at24", "at48", "never")
		j := &fakeJudge{from: map[string]int{"at0": 0, "at7": 7, "at8": 8, "at12": 12, "at16": 16, "at24": 24, "at48": 48, "never": 100}}
		m := measure(t, r, planOf(time.Hour, j))
		want := map[string][]string{
			"at0": {"6"}, "at7": {"6", "8"}, "at8": {"6", "8"}, "at12": {"6", "8", "12"}, "at16": {"6", "8", "12", "16"},
			"at24": {"6", "8", "12", "16", "24"}, "at48": {"6", "8", "12", "16", "24", "48!"}, "never": {"6", "8", "12", "16", "24", "48!"},
		}
		if diff := cmp.Diff(want, j.looks); diff != "" {
			t.Errorf("looks after passes (-want +got):\n%s", diff)
		}
		for name, taken := range map[string]int{"at0": 6, "at7": 8, "at8": 8, "at12": 12, "at16": 16, "at24": 24, "at48": 48, "never": 48} {
			if r.taken[name] != taken {
				t.Errorf("%s: %d passes, want %d", name, r.taken[name], taken)
			}
		}
		if m.Measured != 8 || m.Total != 8 || m.Partial || len(m.Confirmed) != 0 {
			t.Errorf("Measurement = %+v, want 8 of 8, nothing confirmed", m)
		}
		if r.log[len(r.log)-1] != "close" {
			t.Error("the runner was not closed")
		}
	})
}

// A suspect is measured again on fresh builds, each linked before and removed after, with samples of their own.
func TestSecondStage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runnerOf(time.Second, "slow", "slower", "same")
		j := &fakeJudge{routes: map[string]result.Route{"slow": result.Suspect, "slower": result.Suspect, "same": result.Settled}, from: map[string]int{"slower": 8}}
		m := measure(t, r, planOf(time.Hour, j))
		if len(m.Screened) != screenBuilds || m.Screened[0] != 0 || m.Screened[1] == 0 || len(m.Confirmed) != fakeBuilds+1 {
			t.Fatalf("screened on %v and confirmed on %v, want the linker's own order, another one, and %d builds", m.Screened, m.Confirmed, fakeBuilds+1)
		}
		all := append(slices.Clone(m.Screened), m.Confirmed...)
		slices.Sort(all)
		if n := len(slices.Compact(all)); n != len(m.Screened)+len(m.Confirmed) {
			t.Errorf("%v and %v are not all different", m.Screened, m.Confirmed)
		}
		var want []string
		for _, build := range m.Confirmed {
			want = append(want, fmt.Sprint("link ", build, " slow slower"), fmt.Sprint("pass ", build), fmt.Sprint("pass ", build), fmt.Sprint("unlink ", build))
		}
		var got []string
		for _, l := range r.log[slices.Index(r.log, want[0]):] {
			f := strings.Fields(l)
			if f[0] == "pass" {
				l = "pass " + f[1]
			}
			if f[0] != "control" {
				got = append(got, l)
			}
		}
		if diff := cmp.Diff(append(want, "close"), got); diff != "" {
			t.Errorf("the second stage (-want +got):\n%s", diff)
		}
		for i, build := range r.built[:8] {
			if build != m.Screened[i/6*(i%2)] {
				t.Errorf("pass %d was on build %d, want both builds of the first stage in turn after the first look", i, build)
			}
		}
		for name, n := range map[string]int{"slow": 6, "slower": 8, "same": 6} {
			checkStages(t, r, m, name, n, map[bool]int{true: len(m.Confirmed)}[name != "same"])
		}
	})
}

// checkStages holds that a benchmark has so many passes of either stage, and that its pairs fit together.
func checkStages(t *testing.T, r *fakeRunner, m *Measurement, name string, screened, confirmed int) {
	t.Helper()
	i := slices.IndexFunc(m.Head.Benchmarks, func(b *result.Benchmark) bool { return b.Name == name })
	base, head := m.Base.Benchmarks[i], m.Head.Benchmarks[i]
	for _, unit := range []string{"sec/op", "allocs/op"} {
		metric := head.Metric(unit)
		if diff := cmp.Diff(base.Metric(unit), metric); diff != "" {
			t.Errorf("%s of %s: the sides differ (-base +head):\n%s", unit, name, diff)
		}
		if diff := cmp.Diff([][]int{upTo(screened), upTo(confirmed)}, [][]int{passNumbers(metric.Samples), passNumbers(metric.Confirm)}, cmpNil); diff != "" {
			t.Errorf("%s of %s: passes of both stages (-want +got):\n%s", unit, name, diff)
		}
	}
	for pair, s := range slices.Concat(head.Metric("sec/op").Samples, head.Metric("sec/op").Confirm) {
		if s.Pair != pair || s.Iters != 100 {
			t.Fatalf("%s: sample %d is %+v, want pairs numbered through and 100 iterations", name, pair, s)
		}
	}
	if head.First != r.first[name] || len(head.First) != (screened+confirmed)*fewestPairs || base.First != "" {
		t.Errorf("%s: First = %q and on base %q, want %q, a letter a pair", name, head.First, base.First, r.first[name])
	}
}

// cmpNil lets an empty slice equal a nil one.
var cmpNil = cmp.FilterValues(func(a, b []int) bool { return len(a)+len(b) == 0 }, cmp.Ignore())

// A pass whose time is suppressed still has pairs, each with its letter.
func TestTimeless(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runnerOf(time.Second, "a")
		r.timeless = map[string]bool{"a": true}
		head := measure(t, r, planOf(time.Hour, &fakeJudge{})).Head.Benchmarks[0]
		if head.Metric("sec/op") != nil {
			t.Errorf("sec/op = %+v, want none", head.Metric("sec/op"))
		}
		for i, s := range head.Metric("allocs/op").Samples {
			if s.Pass != i || s.Pair != i*fewestPairs {
				t.Errorf("sample %d has pass %d and pair %d, want pair %d", i, s.Pass, s.Pair, i*fewestPairs)
			}
		}
		if head.First != r.first["a"] || len(head.First) != 6*fewestPairs {
			t.Errorf("First = %q, want %q", head.First, r.first["a"])
		}
	})
}

// Improvements are confirmed after the suspects, as far as the budget allows.
func TestCandidates(t *testing.T) {
	for _, tt := range []struct {
		name   string
		budget time.Duration // 4 benchmarks: 4 s of calibrating, 24 s for the first look
		want   string
	}{
		{"enough", time.Hour, "slow1 slow2 fast1 fast2"},
		{"one less", 28*time.Second + 21*time.Second, "slow1 slow2 fast1"}, // 3 need 7 builds
		{"suspects alone", 28*time.Second + 20*time.Second, "slow1 slow2"},
		{"one suspect", 28*time.Second + 11*time.Second, "slow1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := runnerOf(time.Second, "fast1", "slow1", "fast2", "slow2")
				for _, target := range r.targets {
					target.Key.Package = "example.com/one"
				}
				j := &fakeJudge{routes: map[string]result.Route{"fast1": result.Candidate, "slow1": result.Suspect, "fast2": result.Candidate, "slow2": result.Suspect}}
				m := measure(t, r, planOf(tt.budget, j))
				picked := map[string]bool{}
				for _, name := range strings.Fields(tt.want) {
					picked[name] = true
				}
				for _, b := range m.Head.Benchmarks {
					n := 0
					if picked[b.Name] {
						n = fakeBuilds - 1 + len(picked)
					}
					if got := len(passNumbers(b.Metric("sec/op").Confirm)); got != n {
						t.Errorf("%s: %d passes of the second stage, want %d", b.Name, got, n)
					}
				}
				if m.RunTime > tt.budget {
					t.Errorf("it took %v of a budget of %v", m.RunTime, tt.budget)
				}
				if i := slices.IndexFunc(r.log, func(l string) bool { return strings.HasPrefix(l, "link ") && strings.HasSuffix(l, tt.want) }); tt.want != "" && i < 0 {
					t.Errorf("%q were not linked together, suspects first: %q", tt.want, r.log)
				}
				if !slices.Contains(j.tuned, max(1, len(picked))) {
					t.Errorf("the number of passes was chosen for %v suspects, want %d too", j.tuned, len(picked))
				}
			})
		})
	}
}

// A suite that seems slower as a whole is measured again as a whole, if at all.
func TestWholeSuite(t *testing.T) {
	for _, tt := range []struct {
		name   string
		suite  result.Route
		budget time.Duration // 3.5 s of calibrating, 21 s for the first look
		want   string
	}{
		{"suspect", result.Suspect, time.Hour, "a b c"}, // on 7 builds: 21 s
		{"just enough", result.Suspect, 46 * time.Second, "a b c"},
		{"too dear", result.Suspect, 45 * time.Second, "b"},
		{"fine", result.Settled, time.Hour, "b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := runnerOf(time.Second, "a", "b", "c", "new", "broken")
				r.cost["broken"] = 0
				r.targets[3].Live[Base] = false
				r.fail = func(name string, _ Side, _ int) string { return map[string]string{"broken": "no"}[name] }
				m := measure(t, r, planOf(tt.budget, &fakeJudge{suite: tt.suite, routes: map[string]result.Route{"b": result.Suspect}}))
				var got []string
				for _, b := range m.Head.Benchmarks {
					if metric := b.Metric("sec/op"); metric != nil && len(metric.Confirm) > 0 {
						got = append(got, b.Name)
						if n := len(passNumbers(metric.Confirm)); n != len(m.Confirmed) || n < fakeBuilds {
							t.Errorf("%s: %d passes on %d builds", b.Name, n, len(m.Confirmed))
						}
					}
				}
				if strings.Join(got, " ") != tt.want || m.RunTime > tt.budget {
					t.Errorf("measured %q again in %v of %v, want %q", got, m.RunTime, tt.budget, tt.want)
				}
			})
		})
	}
}

// What is undecided goes on only as long as the suspects' second stage is paid for.
func TestReserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runnerOf(time.Second, "slow", "undecided")
		j := &fakeJudge{routes: map[string]result.Route{"slow": result.Suspect, "undecided": result.Undecided}}
		const budget = (2+12+3+fakeBuilds)*time.Second + 500*time.Millisecond
		m := measure(t, r, planOf(budget, j))
		if r.taken["undecided"] != 6+3 || len(m.Confirmed) != fakeBuilds {
			t.Errorf("%d passes of the undecided one, %d builds for the suspect, want 9 and %d", r.taken["undecided"], len(m.Confirmed), fakeBuilds)
		}
		if want := []string{"6", "8", "9!"}; !slices.Equal(j.looks["undecided"], want) {
			t.Errorf("looks at passes %v, want %v", j.looks["undecided"], want)
		}
		if m.RunTime > budget {
			t.Errorf("it took %v of a budget of %v", m.RunTime, budget)
		}
	})
}

// Noise asks for more pairs, a tight budget for fewer, and never for less than the fewest.
func TestPairs(t *testing.T) {
	for _, tt := range []struct {
		name        string
		pairs       int
		budget      time.Duration
		first, last int
	}{
		{"as the judge says", 24, time.Hour, 24, 24},
		{"at most as many as the target wants", 1000, time.Hour, 30, 30},
		{"half of the budget for the first look", 24, 16 * time.Second, 13, 15}, // 6 s of 14 are left, for five passes of 2 s
		{"the fewest", 24, 10 * time.Second, fewestPairs, fewestPairs},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := runnerOf(time.Second, "a")
				r.targets[0].MaxPairs = 30
				m := measure(t, r, planOf(tt.budget, &fakeJudge{pairs: tt.pairs}))
				b := m.Head.Benchmarks[0]
				count := map[int]int{}
				for _, s := range b.Metric("sec/op").Samples {
					count[s.Pass]++
				}
				if len(count) != 6 || count[0] != fewestPairs {
					t.Fatalf("pairs of the passes %v, want 6 of which the first has %d", count, fewestPairs)
				}
				for pass := 1; pass < 6; pass++ {
					if count[pass] < tt.first || count[pass] > tt.last {
						t.Errorf("pass %d has %d pairs, want %d to %d", pass, count[pass], tt.first, tt.last)
					}
				}
				if m.RunTime > tt.budget {
					t.Errorf("it took %v of a budget of %v", m.RunTime, tt.budget)
				}
			})
		})
	}
}

// What a pass costs before its first pair is told to the judge in pairs, and stays as it is when the number
// of pairs changes.
func TestBegin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runnerOf(time.Second, "a")
		r.begin = map[string]time.Duration{"a": 400 * time.Millisecond} // 600 ms for 12 pairs
		j := &fakeJudge{pairs: 24}
		m := measure(t, r, planOf(time.Hour, j))
		for _, got := range j.begin {
			if math.Abs(got-8) > 1e-6 {
				t.Errorf("a beginning of %v pairs, want 8", got)
			}
		}
		if want := time.Second + time.Second + 5*1600*time.Millisecond; m.RunTime != want || len(j.begin) != 6 {
			t.Errorf("it took %v and %d passes, want %v and 6", m.RunTime, len(j.begin), want)
		}
		if got := r.targets[0].Cost; got != 1600*time.Millisecond {
			t.Errorf("a pass is reckoned with %v", got)
		}
	})
}

// Noisy passes are taken several times on each build, and are one value there.
func TestPassesOnBuild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runnerOf(time.Second, "a", "b")
		j := &fakeJudge{routes: map[string]result.Route{"a": result.Suspect}, passes: 3}
		m := measure(t, r, planOf(time.Hour, j))
		if r.taken["a"] != 6+3*fakeBuilds || r.taken["b"] != 6 {
			t.Errorf("%v passes, want 6 and 3 for each of %d builds", r.taken, fakeBuilds)
		}
		confirm := m.Head.Benchmarks[0].Metric("sec/op").Confirm
		if diff := cmp.Diff(upTo(fakeBuilds), passNumbers(confirm)); diff != "" || len(confirm) != 3*fewestPairs*fakeBuilds {
			t.Errorf("%d pairs, passes of the second stage (-want +got):\n%s", len(confirm), diff)
		}
	})
	synctest.Test(t, func(t *testing.T) { // as many as fit, and what does not fit with one is not begun
		for perBuild := range 3 {
			r := runnerOf(time.Second, "a")
			m := measure(t, r, planOf(time.Duration(1+6+(perBuild+1)*fakeBuilds-1)*time.Second, &fakeJudge{routes: map[string]result.Route{"a": result.Suspect}, passes: 3}))
			if want := 6 + perBuild*fakeBuilds; r.taken["a"] != want || len(m.Confirmed) != min(perBuild, 1)*fakeBuilds {
				t.Errorf("%d passes and %d builds in a budget that lacks a second for %d passes on each build", r.taken["a"], len(m.Confirmed), perBuild+1)
			}
		}
	})
}

// Where every pair takes processes of its own, several of them are worth a pass, and in the second stage
// one value.
func TestShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runnerOf(time.Second, "gated", "plain")
		r.targets[1].Share = 2
		j := &fakeJudge{routes: map[string]result.Route{"plain": result.Suspect}}
		m := measure(t, r, planOf(time.Hour, j))
		if r.taken["gated"] != 6 || r.taken["plain"] != 2*(6+fakeBuilds) {
			t.Errorf("%v passes, want 6 and twice as many as 6 and %d", r.taken, fakeBuilds)
		}
		confirm := m.Head.Benchmarks[1].Metric("sec/op").Confirm
		if diff := cmp.Diff(upTo(fakeBuilds), passNumbers(confirm)); diff != "" {
			t.Errorf("passes of the second stage (-want +got):\n%s", diff)
		}
		if want := []string{"12"}; !slices.Equal(j.looks["plain"], want) {
			t.Errorf("looks at passes %v, want %v", j.looks["plain"], want)
		}
	})
}

// Without a judge, or another side, six passes are all.
func TestOneSide(t *testing.T) {
	for name, j := range map[string]Judge{"head alone": nil, "new on head": &fakeJudge{routes: map[string]result.Route{"a": result.Suspect}}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := runnerOf(time.Second, "a", "gone")
				r.targets[0].Live[Base] = false
				r.targets[1].Live = [2]bool{}
				m := measure(t, r, Plan{Seed: 1, Budget: time.Hour, Judge: j})
				base, head := m.Base.Benchmarks[0], m.Head.Benchmarks[0]
				if base.Passes() != 0 || head.Passes() != 6 || head.First != "" {
					t.Errorf("base has %d passes and head %d, First = %q, want 0 and 6 and nobody first", base.Passes(), head.Passes(), head.First)
				}
				if m.Total != 1 || m.Measured != 1 || len(m.Screened) != 1 || len(m.Confirmed) != 0 {
					t.Errorf("%+v, want 1 of 1 on the one build: nobody can run the other", m)
				}
				if slices.Contains(r.log, "calibrate gone") {
					t.Error("a benchmark that no side can run was calibrated")
				}
			})
		})
	}
}

// The seed repeats builds and order, and another one gives others.
func TestSeed(t *testing.T) {
	log := func(seed uint64) (log []string) {
		synctest.Test(t, func(t *testing.T) {
			r := runnerOf(time.Millisecond, "a", "b", "c", "d")
			p := planOf(time.Hour, &fakeJudge{routes: map[string]result.Route{"b": result.Suspect}})
			p.Seed = seed
			m := measure(t, r, p)
			log = append(r.log, fmt.Sprint(m.Screened, m.Confirmed, r.first))
		})
		return log
	}
	if diff := cmp.Diff(log(7), log(7)); diff != "" {
		t.Errorf("the same seed gave another order:\n%s", diff)
	}
	a, b := log(7), log(8)
	if a[len(a)-1] == b[len(b)-1] || slices.Equal(a[:12], b[:12]) {
		t.Error("seeds 7 and 8 gave the same order")
	}
}

// An interrupted run keeps the passes that it finished, says that it is a part, and leaves no build.
func TestInterrupted(t *testing.T) {
	for _, tt := range []struct {
		name                string
		after               time.Duration
		screened, confirmed int
	}{
		{"calibrating", 500 * time.Millisecond, 0, 0},
		{"in the first stage", 4500 * time.Millisecond, 3, 0},
		{"in the second stage", 9500 * time.Millisecond, 6, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := runnerOf(time.Second, "a")
				ctx, cancel := context.WithTimeout(t.Context(), tt.after)
				defer cancel()
				m, err := Measure(ctx, fakeSuite{runner: r}, planOf(time.Hour, &fakeJudge{routes: map[string]result.Route{"a": result.Suspect}}), nil)
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Fatalf("error = %v, want the context's", err)
				}
				if !m.Partial || m.Measured != map[bool]int{true: 1}[tt.screened == 6] || len(m.Confirmed) != tt.confirmed {
					t.Errorf("Partial = %v, %d measured, confirmed on %v, want %d builds", m.Partial, m.Measured, m.Confirmed, tt.confirmed)
				}
				for _, b := range []*result.Benchmark{m.Base.Benchmarks[0], m.Head.Benchmarks[0]} {
					if b.Passes() != tt.screened+tt.confirmed || (b.Unmeasured != "") != (tt.screened == 0) {
						t.Errorf("%d passes, Unmeasured = %q, want %d", b.Passes(), b.Unmeasured, tt.screened+tt.confirmed)
					}
				}
				if n := len(r.links); n > screenBuilds-1 {
					t.Errorf("%d builds of the second stage were left", n-1)
				}
			})
		})
	}
}

//go:build unix

package harness

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/result"
)

// spinSource is a benchmark that leaves a goroutine behind which is never idle.
const spinSource = `package spin

import (
	"sync"
	"sync/atomic"
	"testing"
)

var (
	sink  []byte
	start sync.Once
	turns atomic.Int64
)

func BenchmarkSpins(b *testing.B) {
	start.Do(func() {
		go func() {
			for {
				turns.Add(int64(len(Version)))
			}
		}()
	})
	for b.Loop() {
		sink = make([]byte, 64)
	}
}
`

// gateFailures are what fails at more than one iteration, and how.
var gateFailures = map[string]string{
	"Panics": "panic: too many", "Fatal": "m_test.go: more than one", "AfterLoop": "m_test.go: wrong sum", "Exits": "exit status 3",
}

// gateValues are what the others give.
var gateValues = map[string]map[string]float64{
	"N":              {"allocs/op": 1, "B/op": 64, "widgets/op": 7},
	"Loop":           {"allocs/op": 2, "B/op": 128, "turns/op": 1},
	"Group/n=1":      {"allocs/op": 1, "B/op": 64},
	"Group/loop":     {"allocs/op": 1, "B/op": 64},
	"Group/deep/a_b": {"allocs/op": 1, "B/op": 64},
	"Map/a":          {"allocs/op": 1, "B/op": 64},
	"Map/b":          {"allocs/op": 2, "B/op": 128},
	"Map/c":          {"allocs/op": 3, "B/op": 192},
	"Map/d":          {"allocs/op": 4, "B/op": 256},
	"Map/e":          {"allocs/op": 5, "B/op": 320},
	"Parallel":       {"allocs/op": 1},
	"Timer":          {"allocs/op": 1000},
	"NoTime":         {"allocs/op": 1, "B/op": 64, "hops": 3},
	"Heap":           {"allocs/op": 1, "B/op": 1024},
	"Last":           {"allocs/op": 1, "B/op": 64},
	"Spins":          {"allocs/op": 1, "B/op": 64},
}

// gateBench is the suite prepared on two trees that hardly differ.
func gateBench(t *testing.T) *goRunner {
	t.Helper()
	root := t.TempDir()
	s := &GoBench{HeadDir: filepath.Join(root, "head"), BaseDir: filepath.Join(root, "base"), Scratch: filepath.Join(root, "scratch"),
		Packages: []string{"./..."}, Bench: ".", Environ: goOffline().env, Cache: knownGate(t)}
	for side, dir := range []string{s.BaseDir, s.HeadDir} {
		write(t, dir, map[string]string{"go.mod": "module example.com/m\n\ngo 1.26\n", "m_test.go": gateSuite,
			"m.go": fmt.Sprintf("package m\n\nvar Version = %q\n", Side(side)), "spin/spin_test.go": spinSource,
			"spin/spin.go": fmt.Sprintf("package spin\n\nvar Version = %q\n", Side(side))})
	}
	if err := os.Mkdir(s.Scratch, 0o777); err != nil {
		t.Fatal(err)
	}
	r, err := s.Prepare(t.Context(), &Budget{Limit: time.Hour}, func(Event) {})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	if _, head := r.Sets(); len(head.BuildFailures) > 0 {
		t.Fatal(head.BuildFailures[0].Message)
	}
	for _, g := range r.(*goRunner).build.gates {
		if g.why != nil {
			t.Fatalf("this toolchain has no gate: %v", g.why)
		}
	}
	return r.(*goRunner)
}

// afresh forgets what was found out since the benchmarks were listed.
func (r *goRunner) afresh() {
	r.targets = nil
	for _, p := range r.pkgs {
		r.settle(p)
	}
}

var lineNumber = regexp.MustCompile(`\.go:\d+`)

// passOnce measures all targets and holds that each gave one reading.
func passOnce(t *testing.T, r *goRunner, targets []*Target) map[string]Reading {
	t.Helper()
	dirs := []string{r.suite.BaseDir, r.suite.HeadDir}
	for _, dir := range dirs {
		os.Remove(filepath.Join(dir, "cleaned-up"))
	}
	got := map[string]Reading{}
	err := r.Pass(t.Context(), targets, 0, newRand(1), func(target *Target, reading Reading) {
		if _, twice := got[target.Key.Name]; twice {
			t.Errorf("%s was measured twice", target.Key.Name)
		}
		for side, why := range reading.Failure {
			reading.Failure[side] = lineNumber.ReplaceAllString(why, ".go")
		}
		got[target.Key.Name] = reading
	})
	if err != nil {
		t.Fatal(err)
	}
	for side, dir := range dirs {
		if data, err := os.ReadFile(filepath.Join(dir, "cleaned-up")); err != nil || string(data) != Side(side).String() {
			t.Errorf("what follows m.Run on %v: %q, %v", Side(side), data, err)
		}
	}
	for _, target := range targets {
		if _, ok := got[target.Key.Name]; ok != (target.sides() > 0) {
			t.Errorf("%s on %d sides: a reading %v", target.Key.Name, target.sides(), ok)
		}
	}
	return got
}

// checkReadings holds that the readings are those of the suite.
func checkReadings(t *testing.T, got map[string]Reading, names []string, pairs func(name string) int) {
	t.Helper()
	for _, name := range names {
		want := gateValues[name]
		reading, ok := got[name]
		if !ok || reading.Failure != [2]string{} || reading.Wall <= 0 {
			t.Errorf("%s: %+v, want a reading", name, reading)
			continue
		}
		if n := pairs(name); len(reading.First) != n {
			t.Errorf("%s: %d pairs, want %d", name, len(reading.First), n)
		}
		for side, metrics := range reading.Metrics {
			times, values := reading.Times[side], map[string]float64{}
			for _, m := range metrics {
				values[m.Unit.Name] = m.Samples[0].Value
			}
			if n := map[bool]int{true: pairs(name)}[name != "NoTime"]; len(times) != n {
				t.Errorf("%s on %v: times %v, want %d", name, Side(side), times, n)
			}
			if perSecond := values["B/s"]; (perSecond > 0) != (name == "N") {
				t.Errorf("%s on %v: %v B/s", name, Side(side), perSecond)
			}
			delete(values, "B/s")
			if name == "Parallel" || name == "Timer" { // few iterations for what the runtime adds
				delete(values, "B/op")
			}
			if diff := cmp.Diff(want, values); diff != "" {
				t.Errorf("%s on %v (-want +got):\n%s", name, Side(side), diff)
			}
		}
	}
}

// failuresIn are the failures of the readings. The gate lets the second side go when the first fails.
func failuresIn(got map[string]Reading) map[string]string {
	failures := map[string]string{}
	for name, r := range got {
		if f := r.Failure; f != [2]string{} {
			for side := range f {
				// Package testing lets the main goroutine go on before a panic ends the process, which
				// may be over without a word of it.
				if f[side] == "it printed no result" && strings.HasPrefix(f[1-side], "panic: ") {
					f[side] = f[1-side]
				}
			}
			failures[name] = f[Base] + f[Head]
			if f[Base] == f[Head] {
				failures[name] = f[Base]
			}
		}
	}
	return failures
}

// Whatever a benchmark does, it is measured at the gate as without it, and stands in nobody's way.
func TestGateBehaviour(t *testing.T) {
	t.Parallel()
	r := gateBench(t)
	t.Run("calibrated", func(t *testing.T) { testCalibrated(t, r) })
	t.Run("never idle", func(t *testing.T) { testStops(t, r) })
	t.Run("garbage", func(t *testing.T) { testCollects(t, r) })
	for _, gate := range []string{"at the gate", "without the gate"} {
		pairs := 2
		if gate == "without the gate" {
			pairs = 1
			for _, g := range r.build.gates {
				g.why = errors.New("not in this test")
			}
		}
		t.Run(gate, func(t *testing.T) {
			r.afresh()
			for _, target := range r.targets {
				target.Iters, target.Pairs = 20_000, 2
				if target.Key.Name == "Timer" { // which stops the world twice an iteration
					target.Iters = 100
				}
			}
			got := passOnce(t, r, r.Targets())
			checkReadings(t, got, slices.Collect(maps.Keys(gateValues)), func(string) int { return pairs })
			if diff := cmp.Diff(gateFailures, failuresIn(got)); diff != "" {
				t.Errorf("failures (-want +got):\n%s", diff)
			}
			for _, target := range r.targets { // what took its process down is kept from the others
				if target.Key.Name == "Exits" && target.alone != (gate == "at the gate") {
					t.Errorf("%s: alone = %v", target.Key.Name, target.alone)
				}
			}
		})
	}
}

// testCalibrated holds that calibrating finds iterations for what runs, and says of the others why they
// do not.
func testCalibrated(t *testing.T, r *goRunner) {
	runs := []string{"Loop", "NoTime", "Timer"} // of each kind one
	targets := slices.DeleteFunc(r.Targets(), func(target *Target) bool {
		return !slices.Contains(runs, target.Key.Name) && gateFailures[target.Key.Name] == "" || target.sides() == 0
	})
	if err := r.Calibrate(t.Context(), targets); err != nil {
		t.Fatal(err)
	}
	number := regexp.MustCompile(`\d+ iterations`)
	failed := map[string]string{}
	pairs := map[string]int{}
	for _, target := range targets {
		name := target.Key.Name
		if target.sides() == 0 {
			failed[name] = number.ReplaceAllString(lineNumber.ReplaceAllString(target.Bench[Base].Message, ".go"), "N iterations")
			if target.Bench[Base].Status != result.Failed || target.Bench[Head].Status != result.Failed {
				t.Errorf("%s: %s and %s, want both failed", name, target.Bench[Base].Status, target.Bench[Head].Status)
			}
			continue
		}
		if target.Iters < 2 || target.Pairs < 1 || target.MaxPairs < target.Pairs || target.Cost <= 0 || target.Share != 0 {
			t.Errorf("%s: %d iterations, %d of %d pairs, Cost %v, Share %d", name, target.Iters, target.Pairs, target.MaxPairs, target.Cost, target.Share)
		}
		target.Pairs = min(target.Pairs, 2)
		pairs[name] = target.Pairs
	}
	want := map[string]string{}
	for name, why := range gateFailures {
		want[name] = "fails at N iterations: " + why
	}
	if diff := cmp.Diff(want, failed); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	got := passOnce(t, r, targets)
	checkReadings(t, got, runs, func(name string) int { return pairs[name] })
	if f := failuresIn(got); len(f) != 0 {
		t.Errorf("failures %v", f)
	}
	if w := r.Warnings(); len(w) != 0 {
		t.Errorf("warnings %q", w)
	}
}

// testStops holds that a process which is busy while the other side is measured is stopped meanwhile, and
// measured to the end all the same.
func testStops(t *testing.T, r *goRunner) {
	r.afresh()
	g := r.targets[slices.IndexFunc(r.targets, func(g *goTarget) bool { return g.Key.Name == "Spins" })]
	visited := false
	w, err := r.lead(t.Context(), []*goTarget{g}, group{bins: g.bins}, func(w *walk, target *goTarget) error {
		visited = true
		began := time.Now()
		for rest := 3; rest > 0 && time.Since(began) < 20*time.Second; {
			for _, side := range w.sides {
				if _, err := w.slice(target, side, 20_000, time.Minute); err != nil {
					return err
				}
			}
			if w.at[Base].stops && w.at[Head].stops {
				rest--
			}
		}
		for _, side := range w.sides {
			if !w.at[side].stops || !isStopped(w.at[side].child.Pid()) {
				t.Errorf("%v used %v of %v that it waited, and is not stopped", side, w.at[side].used, w.at[side].waited)
			}
		}
		_, err := w.finish(target)
		return err
	})
	if err != nil || !visited || len(w.failures) > 0 || len(w.targets) > 0 {
		t.Errorf("visited %v: %v, failures %+v", visited, err, w.failures)
	}
}

// testCollects holds that garbage is collected before a slice where there is much of it, beside what is alive, or will
// be, and not where there is little, unless what is exact is counted.
func testCollects(t *testing.T, r *goRunner) {
	g := r.targets[slices.IndexFunc(r.targets, func(g *goTarget) bool { return g.Key.Name == "Heap" })]
	for exact, want := range map[bool]map[int]float64{false: {1: 0, 100: 0, 6000: 20}, true: {1: 20, 100: 20, 6000: 20}} {
		r.afresh()
		got := map[int]float64{}
		_, err := r.lead(t.Context(), []*goTarget{g}, group{bins: g.bins, exact: exact}, func(w *walk, target *goTarget) error {
			for _, n := range []int{1, 100, 6000} { // 1 KiB an iteration, beside 16 MiB alive
				before := 0.0
				for i := range 21 {
					s, err := w.slice(target, Head, n, time.Minute)
					if err != nil {
						return err
					}
					if i == 0 {
						before = s.extra[0].value
					}
					got[n] = s.extra[0].value - before
				}
			}
			_, err := w.finish(target)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if !cmp.Equal(want, got) {
			t.Errorf("exact %v: collections before 20 slices, by iterations: %v, want %v", exact, got, want)
		}
	}
}

// isStopped reports whether a process is stopped by a signal, where that can be seen.
func isStopped(pid int) bool {
	if runtime.GOOS != "linux" {
		return true
	}
	for range 100 {
		stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
		if _, state, _ := strings.Cut(string(stat), ") "); err == nil && strings.HasPrefix(state, "T") {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}

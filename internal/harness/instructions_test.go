//go:build unix

package harness

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/org/perfgate/internal/harness/proc"
	"github.com/org/perfgate/internal/result"
)

// instructedBench has benchmarks of which each operation runs WORK turns of a loop, and maps eight pages of
// memory that it touches.
const instructedBench = `package m

import (
	"os"
	"syscall"
	"testing"
)

var sum int

//go:noinline
func work(n int) {
	for i := 0; i < n; i++ {
		sum += i
	}
}

func touch() {
	mem, err := syscall.Mmap(-1, 0, 8*4096, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		panic(err)
	}
	for i := 0; i < len(mem); i += 4096 {
		mem[i] = 1
	}
	syscall.Munmap(mem)
}

func BenchmarkN(b *testing.B) {
	work(100_000)
	for range b.N {
		work(WORK)
		touch()
	}
}

func BenchmarkLoop(b *testing.B) {
	work(100_000)
	for b.Loop() {
		work(WORK)
		touch()
	}
}

func BenchmarkParallel(b *testing.B) {
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			work(WORK)
			touch()
		}
	})
}

func BenchmarkExits(b *testing.B) {
	if b.N > 1 {
		os.Exit(1)
	}
}
`

// instructed is a prepared suite whose head does 10 % more than its base.
func instructed(t *testing.T) *goRunner {
	t.Helper()
	var dirs [2]string
	for side, work := range []string{"1000", "1100"} {
		dirs[side] = t.TempDir()
		write(t, dirs[side], map[string]string{
			"go.mod": "module example.com/m\n\ngo 1.24\n", "m.go": "package m\n\nconst turns = " + work + "\n",
			"m_test.go": strings.ReplaceAll(instructedBench, "WORK", "turns"),
		})
	}
	suite := &GoBench{HeadDir: dirs[Head], BaseDir: dirs[Base], Scratch: t.TempDir(), Packages: []string{"."}, Bench: "N|Loop|Parallel|Exits", Environ: os.Environ(), Cache: knownGate(t)}
	runner, err := suite.Prepare(t.Context(), &Budget{Limit: 1 << 40}, func(Event) {})
	if err != nil {
		t.Fatal(err)
	}
	return runner.(*goRunner)
}

// countedOnce are the values of both sides in a pass, by benchmark. Of N the number of iterations to count is looked
// for where search is set.
func countedOnce(t *testing.T, r *goRunner, c instructionCounter, search bool) map[string][2]float64 {
	t.Helper()
	r.instructions = c
	for _, target := range r.targets {
		target.instructionIters, target.noInstructions, target.alone = 100, false, false
		if search && target.Key.Name == "N" {
			target.instructionIters = 0
		}
	}
	got := map[string][2]float64{}
	err := r.CountInstructions(t.Context(), r.Targets(), newRand(1), func(target *Target, reading Reading) {
		var values [2]float64
		for side, ms := range reading.Metrics {
			values[side] = ms[0].Samples[0].Value
		}
		got[target.Key.Name] = values
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestCountInstructions counts with what this machine has: the benchmark's own instructions, and not those of
// its set-up, with b.N, b.Loop and in parallel.
func TestCountInstructions(t *testing.T) {
	t.Parallel()
	r := instructed(t)
	counters := map[string]func() (instructionCounter, error){
		"hardware":  hardwareInstructions,
		"callgrind": func() (instructionCounter, error) { return findCallgrind(t.Context(), r.suite.Scratch) },
	}
	for name, find := range counters {
		t.Run(name, func(t *testing.T) {
			c, err := find()
			if err != nil {
				t.Skip(err)
			}
			got := countedOnce(t, r, c, true)
			for _, bench := range []string{"N", "Loop", "Parallel"} {
				// A turn of the loop is three to eight instructions, mapping memory some hundred in all.
				base, head := got[bench][Base], got[bench][Head]
				if rise := head/base - 1; base < 3000 || base > 10000 || !(rise > 0.02 && rise < 0.2) {
					t.Errorf("%s: %v and %v instructions, want some thousand and about 10%% more", bench, base, head)
				}
			}
			for _, target := range r.targets {
				if fails := target.Key.Name == "Exits"; fails != target.noInstructions || fails && len(target.Bench[Head].Notes) == 0 {
					t.Errorf("%s: left out %v, notes %q", target.Key.Name, target.noInstructions, target.Bench[Head].Notes)
				}
			}
			if left, err := filepath.Glob(filepath.Join(r.suite.Scratch, "callgrind-*")); len(left) > 0 || err != nil {
				t.Errorf("left behind: %q, %v", left, err)
			}
		})
	}
	t.Run("page faults", func(t *testing.T) { countPageFaults(t, r) })
}

// TestInstructionEnv: the user's own GODEBUG stays.
func TestInstructionEnv(t *testing.T) {
	env := instructionEnv([]string{"GODEBUG=http2client=0", "GOGC=50"})
	if got := proc.Lookup(env, "GODEBUG"); !strings.HasPrefix(got, "http2client=0,asyncpreemptoff=1") {
		t.Errorf("GODEBUG=%s", got)
	}
	if got := proc.Lookup(env, "GOGC"); got != "off" {
		t.Errorf("GOGC=%s", got)
	}
}

// TestNoCounter: without any counter a line says so, and the run goes on.
func TestNoCounter(t *testing.T) {
	if _, err := hardwareInstructions(); err == nil {
		t.Skip("this processor counts instructions")
	}
	t.Setenv("PATH", t.TempDir())
	r := &goRunner{suite: &GoBench{}}
	if r.openInstructions(t.Context()); r.warnings != nil {
		t.Errorf("not asked for: %q", r.warnings)
	}
	r.suite.Counters = []string{CounterInstructions}
	r.openInstructions(t.Context())
	if len(r.warnings) != 1 || !strings.Contains(r.warnings[0], "valgrind is not installed; install valgrind, or leave out --counters") || strings.Contains(r.warnings[0], "\n") {
		t.Errorf("warnings %q", r.warnings)
	}
}

// TestInstructionPasses: constants take three passes, what varies as many as the test needs, one side alone
// six, and times are left their part of the budget.
func TestInstructionPasses(t *testing.T) {
	passes := func(m *Measurement, name string) int {
		for _, b := range m.Head.Benchmarks {
			if metric := b.Metric(result.Instructions); b.Name == name && metric != nil {
				for i, s := range metric.Samples {
					if s.Pass != i || s.Pair != i {
						t.Errorf("%s: sample %d is of pass %d and pair %d", name, i, s.Pass, s.Pair)
					}
				}
				return len(metric.Samples)
			}
		}
		return 0
	}
	tests := []struct {
		name    string
		prepare func(*fakeRunner, *Plan)
		want    map[string]int
	}{
		{"both", func(*fakeRunner, *Plan) {}, map[string]int{"a": 3, "b": fakeCounted, "c": 0}},
		{"alone", func(r *fakeRunner, _ *Plan) {
			for _, t := range r.targets {
				t.Live[Base] = false
			}
		}, map[string]int{"a": 6, "b": 6, "c": 0}},
		{"not asked for", func(r *fakeRunner, _ *Plan) { r.instructions = "" }, map[string]int{}},
		{"no exact metrics", func(_ *fakeRunner, p *Plan) { p.Exact = false }, map[string]int{}},
		{"half the budget", func(_ *fakeRunner, p *Plan) { p.Budget, p.NoTimes = 45*time.Second, false }, map[string]int{"a": 3, "b": 8, "c": 0}},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			r := runnerOf(time.Second, "a", "b", "c")
			r.instructions = "ab"
			p := planOf(time.Hour, &fakeJudge{varies: "b"})
			p.Exact, p.NoTimes = true, true
			tt.prepare(r, &p)
			m := measure(t, r, p)
			for _, name := range []string{"a", "b", "c"} {
				if got := passes(m, name); got != tt.want[name] {
					t.Errorf("%s: %s has %d passes, want %d", tt.name, name, got, tt.want[name])
				}
			}
		})
	}
}

//go:build unix

package harness

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/pprof/profile"

	"github.com/org/perfgate/internal/result"
)

// slowed has a leaf that does more on head, three calls below the benchmark, and a value that escapes there. A slice of
// base is as long as the profile wants, so that what head does more of all, here three times, is what the test takes.
// Most of base is the leaf, which a few samples find on a busy machine.
const slowed = `package m

var kept *[8]int

var sum int

func leaf(n int) {
	for i := range n {
		sum += i % 7
	}
}

//go:noinline
func middle() { var a [8]int; ESCAPE; leaf(TIMES) }

func Do() { middle(); steady() }

//go:noinline
func steady() {
	for i := range 10000 {
		sum += i % 5
	}
}
`

const slowedBench = `package m_test

import (
	"testing"

	"example.com/m"
)

var big []byte

func BenchmarkN(b *testing.B) {
	big = make([]byte, 1<<20)
	for range b.N {
		m.Do()
	}
}

func BenchmarkLoop(b *testing.B) {
	for b.Loop() {
		m.Do()
	}
}

func BenchmarkFails(b *testing.B) {
	if b.N > 1 {
		b.Fatal("no")
	}
}
`

// TestExplainGrowth finds the function that does more, by its line and by the way to it, the place that allocates and what
// the compiler does otherwise, and hands out profiles that can be read.
func TestExplainGrowth(t *testing.T) {
	t.Parallel()
	var dirs [2]string
	for side, code := range []*strings.Replacer{strings.NewReplacer("TIMES", "30000", "ESCAPE", "sum += a[0]"), strings.NewReplacer("TIMES", "120000", "ESCAPE", "kept = &a")} {
		dirs[side] = t.TempDir()
		write(t, dirs[side], map[string]string{"go.mod": "module example.com/m\n\ngo " + []string{"1.24", "1.25"}[side] + "\n", "m.go": code.Replace(slowed), "m_test.go": slowedBench})
	}
	suite := &GoBench{HeadDir: dirs[Head], BaseDir: dirs[Base], Scratch: t.TempDir(), Packages: []string{"./..."}, Bench: ".", Environ: os.Environ(), Cache: knownGate(t)}
	runner, err := suite.Prepare(t.Context(), &Budget{Limit: 1 << 40}, func(Event) {})
	if err != nil {
		t.Fatal(err)
	}
	r := runner.(*goRunner)
	if _, head := r.Sets(); len(r.Targets()) != 3 {
		t.Fatalf("%d benchmarks to explain, want 3: %+v", len(r.Targets()), head.BuildFailures)
	}
	for _, target := range r.Targets() {
		cut := target.Key.Name == "Loop" // the time ends behind its profiles
		kept := map[string][]byte{}
		explain := func() (*result.Why, error) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			return r.Explain(ctx, target, Wish{Key: target.Key, Change: 1}, func(kind string, profile []byte) (string, error) {
				kept[kind] = profile
				if cut {
					cancel()
				}
				return kind, nil
			})
		}
		why, err := explain()
		for range 2 { // half a second has few samples, and next to none where the machine stands still in it
			if why == nil || why.Missing != "" || len(why.Own) > 0 {
				break
			}
			why, err = explain()
		}
		if cut != errors.Is(err, context.Canceled) || !cut && err != nil {
			t.Fatal(err)
		}
		if target.Key.Name == "Fails" {
			if !strings.Contains(why.Missing, "no") {
				t.Errorf("of what fails: %+v", why)
			}
			continue
		}
		bench := "example.com/m_test.Benchmark" + target.Key.Name
		own, allocs := first(why.Own), first(why.Allocs)
		if own.Function != "example.com/m.leaf" || own.File != "example.com/m/m.go" || own.Line != 8 && own.Line != 9 || own.Head < 2*own.Base || own.Base <= 0 {
			t.Errorf("%s: most grew %+v", target.Key.Name, own)
		}
		if d := cmp.Diff([]string{bench, "example.com/m.Do", "example.com/m.middle", "example.com/m.leaf"}, own.Path); d != "" {
			t.Errorf("%s: the way (-want +got):\n%s", target.Key.Name, d)
		}
		want := result.Growth{Function: "example.com/m.middle", File: "example.com/m/m.go", Line: 14, Unit: "allocs/op", Head: 1, Path: []string{bench, "example.com/m.Do", "example.com/m.middle"}}
		if d := cmp.Diff(want, allocs); d != "" {
			t.Errorf("%s: allocations (-want +got):\n%s", target.Key.Name, d)
		}
		said := []result.Remark{{File: "example.com/m/m.go", Line: 14, Text: "moved to heap: a"}}
		if cut {
			said = nil
		}
		if d := cmp.Diff(said, why.Compiler); d != "" {
			t.Errorf("%s: the compiler (-want +got):\n%s", target.Key.Name, d)
		}
		if d := cmp.Diff([]string{"allocs-base", "allocs-head", "allocs-diff"}, why.Profiles[len(why.Profiles)-3:]); d != "" || len(kept) != 6 || why.Missing != "" || !slices.Equal(why.Modules, []string{"example.com/m go 1.24 → go 1.25"}) {
			t.Errorf("%s: %d profiles, missing %q, modules %q%s", target.Key.Name, len(kept), why.Missing, why.Modules, d)
		}
		for kind, data := range kept {
			if _, err := profile.ParseData(data); err != nil {
				t.Errorf("%s: %v", kind, err)
			}
		}
	}
}

func first(gs []result.Growth) result.Growth {
	if len(gs) == 0 {
		return result.Growth{}
	}
	return gs[0]
}

// What takes longer on the clock and not in CPU time waits, where the judge saw it as well.
func TestWaits(t *testing.T) {
	base := taken{iters: 1000, cpu: time.Millisecond, took: time.Millisecond}
	for _, tt := range []struct {
		name   string
		head   taken
		change float64
		want   string
	}{
		{"sleeps", taken{iters: 10, cpu: 30 * time.Microsecond, took: time.Millisecond}, 95, "its time rose by 9500% and its CPU time by 200%: it waits for the rest"},
		{"computes", taken{iters: 10, cpu: time.Millisecond, took: time.Millisecond}, 95, ""},
		{"beside others", taken{iters: 1000, cpu: time.Millisecond, took: 2 * time.Millisecond}, 0.05, ""},
		{"not profiled", taken{}, 1, ""},
	} {
		if got := waits([2]taken{base, tt.head}, tt.change); !strings.HasPrefix(got, tt.want) || (got == "") != (tt.want == "") {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// The smaller the change, the longer the profile, within bounds.
func TestProfileTime(t *testing.T) {
	for change, want := range map[float64]time.Duration{0: 8 * time.Second, 0.01: 8 * time.Second, 0.1: 1600 * time.Millisecond, 9: 500 * time.Millisecond} {
		if got := profileTime(change); got != want {
			t.Errorf("profileTime(%v) = %v, want %v", change, got, want)
		}
	}
}

// What cannot be kept is an error, and not a gap that nobody sees.
func TestKeepAll(t *testing.T) {
	p := &profile.Profile{SampleType: []*profile.ValueType{{Type: "x", Unit: "y"}}, PeriodType: &profile.ValueType{Type: "x", Unit: "y"}, Period: 1}
	why := &result.Why{}
	full := errors.New("no space")
	err := keepAll(why, "cpu", [2]taken{{iters: 1}, {iters: 1}}, [2]*profile.Profile{p, p}, func(kind string, _ []byte) (string, error) {
		if kind == "cpu-head" {
			return "", full
		}
		return kind, nil
	})
	if !errors.Is(err, full) || len(why.Profiles) != 2 {
		t.Errorf("%v, %q", err, why.Profiles)
	}
}

// What a stranger's program wrote is read within bounds.
func TestParseProfile(t *testing.T) {
	pack := func(data []byte) string {
		var buf bytes.Buffer
		w := gzip.NewWriter(&buf)
		w.Write(data)
		w.Close()
		return buf.String()
	}
	for name, data := range map[string]string{
		"nothing": "", "no gzip": "profile", "short": pack([]byte("profile"))[:12], "no profile": pack([]byte("profile")),
		"too large": pack(make([]byte, mostProfile+1)),
	} {
		if got, err := parseProfile(strings.NewReader(data)); err == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestWithoutClosures(t *testing.T) {
	for name, want := range map[string]string{
		"ex.org/m.F": "ex.org/m.F", "ex.org/m.F.func1": "ex.org/m.F", "ex.org/m.(*T).F.func1.2": "ex.org/m.(*T).F",
		"ex.org/m.F.func2.func1": "ex.org/m.F", "ex.org/m.F[...]": "ex.org/m.F", "ex.org/m.F[...].func1": "ex.org/m.F",
		"ex.org/m.F-range1": "ex.org/m.F", "ex.org/m.F.gowrap1": "ex.org/m.F", "ex.org/m.func1": "ex.org/m",
	} {
		if got := withoutClosures(name); got != want {
			t.Errorf("withoutClosures(%q) = %q, want %q", name, got, want)
		}
	}
}

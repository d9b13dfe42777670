//go:build unix

package harness

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/result"
)

// countedCode has benchmarks whose statements can be counted by hand. MORE is what head's version does.
const countedCode = `package m

import "example.com/m/inner"

var sink []int

func Sum(n int) int {
	s := 0
	for i := range n {
		s += i % 3MORE
	}
	return inner.Twice(s)
}

func Setup() {
	sink = nil
	for i := range 1000 {
		sink = append(sink, i)
	}
}

func Add(s *int) { *s++ }
`

const countedInner = `package inner

func Twice(n int) int { return 2 * n }
`

const countedBench = `package m

import (
	"os"
	"testing"
)

var s []byte

func BenchmarkN(b *testing.B) {
	Setup()
	for range b.N {
		Sum(10)
	}
}

func BenchmarkLoop(b *testing.B) {
	Setup()
	for b.Loop() {
		Sum(10)
		s = make([]byte, 100)
	}
}

func BenchmarkParallel(b *testing.B) {
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			Sum(10)
		}
	})
}

func BenchmarkFails(b *testing.B) {
	if b.N > 1 {
		b.Fatal("no")
	}
	Sum(10)
}

func BenchmarkExits(b *testing.B) {
	if b.N > 1 {
		os.Exit(1)
	}
}

func BenchmarkGroup(b *testing.B) {
	b.Run("Sub", func(b *testing.B) {
		for range b.N {
			Sum(20)
		}
	})
}
`

// TestCount counts statements and allocations exactly: of the module's packages, without set-up, with b.N
// and b.Loop and in parallel, and says where head executes more.
func TestCount(t *testing.T) {
	t.Parallel()
	var dirs [2]string
	for side, more := range []string{"", "\n\t\tAdd(&s)"} {
		dirs[side] = t.TempDir()
		write(t, dirs[side], map[string]string{
			"go.mod": "module example.com/m\n\ngo 1.24\n", "inner/inner.go": countedInner,
			"m.go": strings.Replace(countedCode, "MORE", more, 1), "m_test.go": countedBench,
		})
	}
	suite := &GoBench{HeadDir: dirs[Head], BaseDir: dirs[Base], Scratch: t.TempDir(), Packages: []string{"./..."}, Bench: ".", Environ: os.Environ(), Cache: knownGate(t)}
	runner, err := suite.Prepare(t.Context(), &Budget{Limit: 1 << 40}, func(Event) {})
	if err != nil {
		t.Fatal(err)
	}
	r := runner.(*goRunner)
	got := map[string]string{}
	for range 2 {
		err := r.Count(t.Context(), r.Targets(), func(target *Target, reading Reading) {
			var values []string
			for _, unit := range []string{result.Statements, "allocs/op", "B/op"} {
				for side := range reading.Metrics {
					i := slices.IndexFunc(reading.Metrics[side], func(m *result.Metric) bool { return m.Unit.Name == unit })
					if i < 0 {
						values = append(values, "none")
						continue
					}
					values = append(values, fmt.Sprint(reading.Metrics[side][i].Samples[0].Value))
				}
			}
			text := strings.Join(values, " ")
			if name := target.Key.Name; got[name] != "" && got[name] != text {
				t.Errorf("%s: %s the first time and %s the second", name, got[name], text)
			}
			got[target.Key.Name] = text
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	// Sum(10) is 3 statements outside its loop, 10 times 1 within, and 1 in Twice; head has 10 times 2
	// and 10 calls of Add, with a statement each.
	want := map[string]string{
		"N": "14 34 0 0 0 0", "Loop": "14 34 1 1 112 112", "Parallel": "14 34 0 0 0 0", "Group/Sub": "24 64 0 0 0 0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("statements, allocations and bytes of base and head (-want +got):\n%s", diff)
	}
	for _, target := range r.targets {
		switch name := target.Key.Name; name {
		case "Fails", "Exits":
			if !strings.HasPrefix(target.Uncounted, "its statements could not be counted") {
				t.Errorf("%s: uncounted %q", name, target.Uncounted)
			}
		case "N":
			want := []result.Block{
				{File: "example.com/m/m.go", From: 9, To: 12, Base: 10, Head: 20},
				{File: "example.com/m/m.go", From: 23, To: 23, Head: 10},
			}
			if diff := cmp.Diff(want, target.Bench[Head].Blocks); diff != "" {
				t.Errorf("blocks (-want +got):\n%s", diff)
			}
		}
	}
	for _, target := range r.targets { // as if it took so long
		target.first, target.countIters = time.Minute, 0
	}
	if err := r.Count(t.Context(), r.Targets(), func(target *Target, _ Reading) { t.Errorf("%s was counted", target.Key.Name) }); err != nil {
		t.Fatal(err)
	}
	for _, target := range r.targets {
		if name := target.Key.Name; name == "N" && target.Uncounted != "it is not counted: an operation takes 1m0s" {
			t.Errorf("%s: uncounted %q", name, target.Uncounted)
		}
	}
}

// TestCountUnbuilt: where a package does not compile with counters, a warning says so, and allocations are
// counted all the same.
func TestCountUnbuilt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"go.mod": "module example.com/m\n\ngo 1.24\n", "m.go": "package m\n\nfunc F() {}\n\nfunc perfgateTesting() {}\n",
		"m_test.go": "package m\n\nimport \"testing\"\n\nfunc BenchmarkF(b *testing.B) {\n\tfor range b.N {\n\t\tF()\n\t}\n}\n",
	})
	suite := &GoBench{HeadDir: dir, Scratch: t.TempDir(), Packages: []string{"./..."}, Bench: ".", Environ: os.Environ(), Cache: knownGate(t)}
	runner, err := suite.Prepare(t.Context(), &Budget{Limit: 1 << 40}, func(Event) {})
	if err != nil {
		t.Fatal(err)
	}
	units := 0
	if err := runner.Count(t.Context(), runner.Targets(), func(_ *Target, r Reading) { units = len(r.Metrics[Head]) }); err != nil {
		t.Fatal(err)
	}
	if units != 2 {
		t.Errorf("%d metrics, want allocations and bytes", units)
	}
	if w := runner.Warnings(); len(w) != 1 || !strings.Contains(w[0], "statements are not counted") {
		t.Errorf("warnings %q", w)
	}
}

// TestCountPasses: three passes of counting show what is constant; what varies gets as many as a test
// needs. Without times nothing else is done.
func TestCountPasses(t *testing.T) {
	for _, noTimes := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			r := runnerOf(time.Second, "a", "b")
			p := planOf(time.Hour, &fakeJudge{varies: "b"})
			p.Exact, p.NoTimes = true, noTimes
			m := measure(t, r, p)
			count := map[string]int{}
			for _, line := range r.log {
				count[strings.Join(strings.Fields(line)[:1], " ")]++
			}
			for i, want := range []int{countPasses, fakeCounted} {
				b := m.Head.Benchmarks[i]
				samples := b.Metric(result.Statements).Samples
				if len(samples) != want || samples[want-1].Pass != want-1 || samples[want-1].Pair != want-1 {
					t.Errorf("%s has %d counts, the last of pass %d, want %d", b.Name, len(samples), samples[len(samples)-1].Pass, want)
				}
			}
			if noTimes != (count["pass"] == 0) || noTimes != (count["calibrate"] == 0) || m.Measured != 2 {
				t.Errorf("no times %v: %v, %d measured", noTimes, count, m.Measured)
			}
		})
	}
}

// TestCountBudget: counting ends with the budget, and what was not counted says so.
func TestCountBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runnerOf(time.Second, "a", "b")
		p := planOf(1500*time.Millisecond, &fakeJudge{})
		p.Exact, p.NoTimes = true, true
		m := measure(t, r, p)
		if m.Measured != 0 || m.RunTime > p.Budget {
			t.Errorf("%d measured in %v", m.Measured, m.RunTime)
		}
		if b := m.Head.Benchmarks[1]; b.Unmeasured == "" {
			t.Errorf("%s does not say that it was not counted", b.Name)
		}
	})
}

// TestCountedOnly: what was counted, and whose time the budget did not reach, says so. Where no times are asked for
// there is nothing to say.
func TestCountedOnly(t *testing.T) {
	for _, noTimes := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			p := planOf(8*time.Second, &fakeJudge{})
			p.Exact, p.NoTimes = true, noTimes
			m := measure(t, runnerOf(time.Second, "a", "b"), p)
			b := m.Head.Benchmarks[0]
			if b.Metric(result.Statements) == nil || b.Metric("sec/op") != nil || b.Unmeasured != "" || (b.Untimed != "") == noTimes {
				t.Errorf("no times %v: %d metrics, unmeasured %q, untimed %q; want it counted, not timed, saying so where times were asked for",
					noTimes, len(b.Metrics), b.Unmeasured, b.Untimed)
			}
		})
	}
}

// TestNothingElseCounted: where no instructions are asked for, none are said to be counted.
func TestNothingElseCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := planOf(time.Minute, &fakeJudge{})
		p.Exact, p.NoTimes = true, true
		var said []string
		if _, err := Measure(t.Context(), fakeSuite{runner: runnerOf(time.Second, "a")}, p, func(e Event) {
			if e.Phase == "count" {
				said = append(said, e.What)
			}
		}); err != nil || len(said) == 0 || slices.ContainsFunc(said, func(s string) bool { return s != "exact values of example.com/a" }) {
			t.Errorf("said %q, error %v", said, err)
		}
	})
}

// TestCountShare: where times are measured, too, counting leaves them half of the budget.
func TestCountShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runnerOf(time.Second, "a", "b")
		p := planOf(5*time.Second+7*2*time.Second, &fakeJudge{})
		p.Exact = true
		m := measure(t, r, p)
		if b := m.Head.Benchmarks[0]; len(b.Metric(result.Statements).Samples) > countPasses || b.Metric("sec/op") == nil {
			t.Errorf("%d counts, times %v", len(b.Metric(result.Statements).Samples), b.Metric("sec/op"))
		}
		p.Budget = 8 * time.Second
		r = runnerOf(time.Second, "a", "b")
		m = measure(t, r, p)
		if n := len(m.Head.Benchmarks[0].Metric(result.Statements).Samples); n != 2 {
			t.Errorf("%d counts in half of %v, want 2", n, p.Budget)
		}
	})
}

// TestReadBlocks reads the tables of go tool cover, and says what it does not know.
func TestReadBlocks(t *testing.T) {
	const good = "var v = struct {\n\tCount     [2]uint32\n} {\n\tPos: [3 * 2]uint32{\n\t\t3, 5, 0x190013, // [0]\n\t\t10, 10, 0xa0002, // [1]\n\t},\n\tNumStmt: [2]uint16{\n\t\t2, // 0\n\t\t1, // 1\n\t},\n}\n"
	got, err := readBlocks([]byte("package p\n"+good), "v")
	if diff := cmp.Diff([]block{{3, 5, 2}, {10, 10, 1}}, got, cmp.AllowUnexported(block{})); diff != "" || err != nil {
		t.Errorf("error %v, (-want +got):\n%s", err, diff)
	}
	for _, bad := range []string{"", "package p\n", strings.Replace(good, "\t\t1, // 1\n", "", 1)} {
		if got, err := readBlocks([]byte(bad), "v"); err == nil {
			t.Errorf("%q: %v and no error", bad, got)
		}
	}
}

// TestChangedBlocks matches blocks by their text, since lines move, and the others in their order.
func TestChangedBlocks(t *testing.T) {
	at := func(from, statements int, text string, runs float64) ranBlock {
		return ranBlock{block{from, from + 1, statements}, text, runs}
	}
	of := func(bs ...ranBlock) map[string][]ranBlock { return map[string][]ranBlock{"m/f.go": bs} }
	tests := []struct {
		name       string
		base, head map[string][]ranBlock
		want       string
	}{
		{"the same, moved", of(at(1, 2, "x", 3)), of(at(9, 2, "x", 3)), ""},
		{"more often", of(at(1, 2, "x", 3)), of(at(9, 2, "x", 4)), "9: 6 to 8"},
		{"changed", of(at(1, 1, "x", 3)), of(at(1, 2, "xy", 3)), "1: 3 to 6"},
		{"new", of(), of(at(4, 1, "x", 3)), "4: 0 to 3"},
		{"gone", of(at(4, 1, "x", 3)), of(), "4: 3 to 0 gone"},
		{"twice the same text", of(at(1, 1, "x", 1), at(5, 1, "x", 2)), of(at(1, 1, "x", 1), at(6, 1, "x", 5)), "6: 2 to 5"},
		{"the largest rise first", of(at(1, 1, "x", 1), at(5, 1, "y", 2)), of(at(1, 1, "x", 2), at(6, 1, "y", 9)), "6: 2 to 9, 1: 1 to 2"},
		{"no more than five", of(), of(at(1, 1, "a", 1), at(2, 1, "b", 2), at(3, 1, "c", 3), at(4, 1, "d", 4), at(5, 1, "e", 5), at(6, 1, "f", 6)),
			"6: 0 to 6, 5: 0 to 5, 4: 0 to 4, 3: 0 to 3, 2: 0 to 2"},
	}
	for _, tt := range tests {
		var got []string
		for _, b := range changedBlocks(tt.base, tt.head) {
			text := fmt.Sprintf("%d: %g to %g", b.From, b.Base, b.Head)
			if b.Gone {
				text += " gone"
			}
			got = append(got, text)
		}
		if strings.Join(got, ", ") != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestAllocated: what the runtime does now and then is in no count.
func TestAllocated(t *testing.T) {
	for _, tt := range []struct {
		allocs, bytes         int64 // of 2,000 operations
		wantAllocs, wantBytes float64
	}{
		{0, 0, 0, 0},
		{3, 9_000, 0, 0}, // a goroutine's stack
		{-2, -400, 0, 0}, // more iterations allocated less
		{2_000, 1_024_000, 1, 512},
		{2_006, 1_026_100, 1, 512}, // a pool that was emptied
		{1_995, 1_022_000, 1, 512},
		{2_000, 10_667, 1, 8},        // three share a block of 16
		{3_000, 1_031_000, 1.5, 516}, // every other one
		{100, 60_000, 0.1, 30},       // grows by doubling
		{80, 60_000, 0, 30},          // few, and large
		{2_000_000, 1e9, 1000, 500_000},
	} {
		ran := [2]slice{{allocs: 1_000_000, bytes: 1_000_000_000}, {allocs: 1_000_000 + tt.allocs, bytes: 1_000_000_000 + tt.bytes}}
		if allocs, bytes := allocated(ran, 2000); allocs != tt.wantAllocs || bytes != tt.wantBytes {
			t.Errorf("%d allocations, %d bytes: %v and %v an operation, want %v and %v", tt.allocs, tt.bytes, allocs, bytes, tt.wantAllocs, tt.wantBytes)
		}
	}
}

// TestStatementsPerOp: tenths, and five digits.
func TestStatementsPerOp(t *testing.T) {
	for _, tt := range []struct {
		total int64
		n     int
		want  float64
	}{
		{0, 2000, 0}, {202_000, 2000, 101}, {201_997, 2000, 101}, {202_003, 2000, 101}, {202_200, 2000, 101.1}, {-3, 2000, 0},
		{19_999_800, 2000, 9999.9}, {20_000_000, 2000, 10_000}, {24_690_900, 2000, 12_345}, {246_913_400, 2000, 123_460},
		{33_380_092, 4, 8_345_000}, {33_380_156, 4, 8_345_000}, {33_381_092, 4, 8_345_300},
	} {
		if got := statementsPerOp(tt.total, tt.n); got != tt.want {
			t.Errorf("%d statements in %d operations: %v, want %v", tt.total, tt.n, got, tt.want)
		}
	}
}

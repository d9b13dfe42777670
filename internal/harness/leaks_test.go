package harness

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/result"
)

// Benchmarks that leave something behind: led through the gate, what stays is counted and its place named.
func TestLeaks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{"go.mod": "module example.com/m\n\ngo 1.25\n", "m_test.go": `package m

import (
	"os"
	"testing"
)

var (
	kept  [][]byte
	files []*os.File
	never = make(chan int)
)

func wait() { <-never }

func BenchmarkHeap(b *testing.B) {
	for b.Loop() {
		kept = append(kept, make([]byte, 1024))
	}
}

func BenchmarkGoroutine(b *testing.B) {
	for range b.N {
		go wait()
	}
}

func BenchmarkClean(b *testing.B) {
	for b.Loop() {
		_ = append([]byte(nil), make([]byte, 1024)...)
	}
}

func BenchmarkFile(b *testing.B) {
	for range b.N {
		f, err := os.Open(os.DevNull)
		if err != nil {
			b.Fatal(err)
		}
		files = append(files, f)
	}
}

func BenchmarkLast(b *testing.B) { b.Skip() }
`})
	suite := &GoBench{HeadDir: dir, Scratch: t.TempDir(), Packages: []string{"./..."}, Bench: ".", Environ: os.Environ(), Cache: knownGate(t)}
	m, err := Measure(t.Context(), suite, Plan{Seed: 1, Budget: time.Minute, NoTimes: true, Leaks: func(k result.Key) bool { return k.Name != "Last" }}, nil)
	if err != nil {
		t.Fatal(err)
	}
	of := map[string]map[string]float64{}
	left := map[string]string{}
	for _, b := range m.Head.Benchmarks {
		of[b.Name] = map[string]float64{}
		if b.Name != "Last" && b.Unmeasured != "" {
			t.Errorf("%s: unmeasured: %s", b.Name, b.Unmeasured)
		}
		for _, metric := range b.Metrics {
			sum, n := 0.0, 0
			for _, s := range metric.Samples {
				sum += s.Value * float64(s.Iters)
				n += s.Iters
			}
			of[b.Name][metric.Unit.Name] = sum / float64(n)
		}
		for _, l := range b.Left {
			if l.Unit != result.LeakBytes || b.Name == "Heap" || b.Name == "File" {
				left[b.Name] = l.Where
				break
			}
		}
	}
	if v := of["Heap"][result.LeakBytes]; v < 0.9*1024 || v > 1.1*1024 {
		t.Errorf("1 KiB an iteration that stays is measured as %v B", v)
	}
	if v := of["Goroutine"][result.LeakGoroutines]; v != 1 {
		t.Errorf("a goroutine an iteration that stays is measured as %v", v)
	}
	if v := of["Clean"]; v[result.LeakBytes] > 16 || v[result.LeakGoroutines] != 0 || v[result.LeakDescriptors] != 0 {
		t.Errorf("a benchmark that leaves nothing is measured as %v", v)
	}
	want := map[string]string{"Heap": "example.com/m.BenchmarkHeap (m_test.go:18)", "Goroutine": "example.com/m.wait (m_test.go:14)"}
	file, from, _ := strings.Cut(left["File"], ", called by ")
	if !strings.HasPrefix(file, "os.Open (") || from != "example.com/m.BenchmarkFile (m_test.go:36)" {
		t.Errorf("an open file comes from %q, want the function that the program called, and from where", left["File"])
	}
	delete(left, "File")
	if diff := cmp.Diff(want, left); diff != "" {
		t.Errorf("where it comes from (-want +got):\n%s", diff)
	}
}

// Places of which there is more are named, the largest first, and those that are next to nothing are not.
func TestGained(t *testing.T) {
	first := map[string]float64{"heap a": 100, "heap b": 50, "goroutine x": 1}
	last := map[string]float64{"heap a": 1100, "heap b": 50, "heap c": 30_000, "heap d": 101, "goroutine x": 5, "heap e": 8000}
	want := []result.Left{{Unit: "u", Where: "c", PerOp: 300}, {Unit: "u", Where: "e", PerOp: 80}, {Unit: "u", Where: "a", PerOp: 10}}
	if diff := cmp.Diff(want, gained(first, last, "heap ", "u", 100)); diff != "" {
		t.Errorf("of the heap (-want +got):\n%s", diff)
	}
	last["heap a"] = 110
	if got := gained(first, last, "heap ", "u", 100); len(got) != 2 {
		t.Errorf("%+v, want two: the third is next to nothing", got)
	}
	if got := gained(first, first, "heap ", "u", 100); len(got) != 0 {
		t.Errorf("%+v gained of the same", got)
	}
}

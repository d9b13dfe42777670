//go:build unix

package harness

// gateSuite are benchmarks of every kind.
const gateSuite = `package m

import (
	"os"
	"runtime"
	"sync/atomic"
	"testing"
)

var (
	sink  []byte
	setUp bool
)

func TestMain(m *testing.M) {
	setUp = true
	code := m.Run()
	if err := os.WriteFile("cleaned-up", []byte(Version), 0o666); err != nil {
		panic(err)
	}
	os.Exit(code)
}

func work(n int) {
	for range n {
		sink = make([]byte, 64)
	}
}

func BenchmarkN(b *testing.B) {
	if !setUp {
		b.Fatal("TestMain did not run")
	}
	b.SetBytes(1000)
	work(b.N)
	b.ReportMetric(7, "widgets/op")
}

func BenchmarkPanics(b *testing.B) {
	if b.N > 1 {
		panic("too many")
	}
}

func BenchmarkLoop(b *testing.B) {
	setup := make([][]byte, 1000)
	for i := range setup {
		setup[i] = make([]byte, 100)
	}
	turns := 0
	for b.Loop() {
		work(2)
		turns++
	}
	b.ReportMetric(float64(turns)/float64(b.N), "turns/op")
}

func BenchmarkFatal(b *testing.B) {
	work(b.N)
	if b.N > 1 {
		b.Fatal("more than one")
	}
}

func BenchmarkAfterLoop(b *testing.B) {
	for b.Loop() {
		work(1)
	}
	if b.N > 1 {
		b.Fatal("wrong sum")
	}
}

func BenchmarkGroup(b *testing.B) {
	b.Run("n=1", func(b *testing.B) { work(b.N) })
	b.Run("loop", func(b *testing.B) {
		for b.Loop() {
			work(1)
		}
	})
	b.Run("deep", func(b *testing.B) {
		b.Run("a b", func(b *testing.B) { work(b.N) })
	})
}

func BenchmarkExits(b *testing.B) {
	work(b.N)
	if b.N > 1 {
		os.Exit(3)
	}
}

func BenchmarkMap(b *testing.B) {
	for name, n := range map[string]int{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				work(n)
			}
		})
	}
}

func BenchmarkParallel(b *testing.B) {
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			sinks.Store(new([64]byte))
		}
	})
}

var sinks atomic.Pointer[[64]byte]

func BenchmarkTimer(b *testing.B) {
	for range b.N {
		b.StopTimer()
		work(5)
		b.StartTimer()
		work(1000)
	}
}

func BenchmarkNoTime(b *testing.B) {
	work(b.N)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(3, "hops")
}

var alive [1 << 10][]byte

func BenchmarkHeap(b *testing.B) {
	if alive[0] == nil {
		for i := range alive {
			alive[i] = make([]byte, 16<<10)
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	for range b.N {
		sink = make([]byte, 1<<10)
	}
	if b.N < 10_000 {
		b.ReportMetric(float64(m.NumGC), "gcs")
	}
}

func BenchmarkSkips(b *testing.B) { b.Skip("not here") }

func BenchmarkLast(b *testing.B) { work(b.N) }
`

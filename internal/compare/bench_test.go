package compare

import (
	"fmt"
	"testing"

	"github.com/org/perfgate/internal/result"
)

// BenchmarkJudge10000 judges two files of a large project as `perfgate compare` gets them. The
// aim is to be no slower than the benchstat command on the same data.
func BenchmarkJudge10000(b *testing.B) {
	f := plainFile(large(1, 10000, 10), large(2, 10000, 10))
	b.ReportAllocs()
	for b.Loop() {
		if n := len(Judge(f, DefaultPolicy).Comparisons); n != 30000 {
			b.Fatal(n)
		}
	}
}

// BenchmarkJudgePasses judges what a run of the gate measures.
func BenchmarkJudgePasses(b *testing.B) {
	f := stagedFile(inPasses(large(1, 50, 120), 12), inPasses(large(2, 50, 120), 12))
	b.ReportAllocs()
	for b.Loop() {
		if n := len(Judge(f, DefaultPolicy).Comparisons); n != 150 {
			b.Fatal(n)
		}
	}
}

// inPasses is s with so many pairs a pass.
func inPasses(s *result.Set, pairs int) *result.Set {
	for _, b := range s.Benchmarks {
		for _, m := range b.Metrics {
			for i := range m.Samples {
				m.Samples[i].Pass = i / pairs
			}
		}
	}
	return s
}

// large is a Set of noisy times and constant allocations.
func large(seed uint64, benchmarks, samples int) *result.Set {
	r := newRand(seed)
	s := set()
	for i := range benchmarks {
		s.Benchmarks = append(s.Benchmarks, bench(fmt.Sprintf("Encode/size=%d", i),
			metric("sec/op", noisy(r, samples, 1e-6*float64(i+1), 0.05)...),
			metric("B/op", constants(samples, float64(64*(i%7)))...),
			metric("allocs/op", constants(samples, float64(i%5))...)))
	}
	return s
}

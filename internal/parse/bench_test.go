package parse

import (
	"bytes"
	"fmt"
	"testing"

	"golang.org/x/perf/benchfmt"
)

// generated is the output of benchmarks × samples with -benchmem, as package testing pads it.
func generated(benchmarks, samples int) []byte {
	var b bytes.Buffer
	b.WriteString("goos: linux\ngoarch: amd64\npkg: example.com/m\ncpu: Some CPU @ 2.50GHz\n")
	for i := range benchmarks {
		for j := range samples {
			fmt.Fprintf(&b, "BenchmarkEncode/format=json/size=%d-8         \t%8d\t%10.1f ns/op\t%8d B/op\t%8d allocs/op\n",
				i, 1000+i, 1500.5+float64(i+j), 64*(i%7), i%5)
		}
	}
	b.WriteString("PASS\nok  \texample.com/m\t1.234s\n")
	return b.Bytes()
}

// BenchmarkGoBench is to be held against BenchmarkBenchfmt: aim below twice its time.
func BenchmarkGoBench(b *testing.B) {
	data := generated(2000, 5)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		res, err := GoBench(bytes.NewReader(data), "bench", GoOptions{})
		if err != nil || len(res.Set.Benchmarks) != 2000 || len(res.Warnings) != 0 {
			b.Fatal(err)
		}
	}
}

// BenchmarkBenchfmt is the bare loop over the same bytes: read, look up, keep nothing.
func BenchmarkBenchfmt(b *testing.B) {
	data := generated(2000, 5)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		seen := make(map[string]*int)
		r := benchfmt.NewReader(bytes.NewReader(data), "bench")
		for r.Scan() {
			res := r.Result().(*benchfmt.Result)
			n := seen[string(res.Name)]
			if n == nil {
				n = new(int)
				seen[res.Name.String()] = n
			}
			*n++
		}
		if len(seen) != 2000 {
			b.Fatal(len(seen))
		}
	}
}

package parse_test

import (
	"fmt"
	"strings"

	"github.com/org/perfgate/internal/parse"
)

func ExampleParse() {
	f, err := parse.Parse(strings.NewReader("BenchmarkEncode-8 \t  714387\t  1423 ns/op\n"), "new.txt")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, b := range f.Head.Benchmarks {
		fmt.Printf("%s %s %.3g\n", b.Key(), b.Metrics[0].Unit.Name, b.Metrics[0].Values())
	}
	// Output: Encode sec/op [1.42e-06]
}

func ExampleGoBench() {
	out := `goos: linux
pkg: example.com/codec
BenchmarkEncode-8   	2024/01/02 03:04 a log line in the way
  714387	      1423 ns/op
BenchmarkDecode-8   	panic: no input
exit status 2
`
	res, err := parse.GoBench(strings.NewReader(out), "new.txt", parse.GoOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, b := range res.Set.Benchmarks {
		fmt.Printf("%s: %s %q\n", b.Key(), b.Status, b.Message)
	}
	for _, w := range res.Warnings {
		fmt.Println(w)
	}
	// Output:
	// example.com/codec.Encode: ok ""
	// example.com/codec.Decode: failed "panic: no input"
	// new.txt:4: result line of BenchmarkEncode-8 was broken up by log output
	// new.txt:5: panic: no input
	// new.txt:6: exit status 2
}

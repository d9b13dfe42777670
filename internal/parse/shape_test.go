package parse

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestWhole(t *testing.T) {
	check := func(line string, want bool) {
		t.Helper()
		if got := whole([]byte(line)); got != want {
			t.Errorf("whole(%q) = %v, want %v", line, got, want)
		}
	}
	check("BenchmarkX-8   \t     100\t       123 ns/op", true)
	check("BenchmarkX-8\t100\t123 ns/op\t0 B/op\t0 allocs/op", true)
	check("BenchmarkX 100 123 ns/op 4 B/op", true)
	check("Benchmark 1 1 x", true)
	check("BenchmarkÜ 1 -1.5e+3 x", true)
	check("Benchmark_x 1 NaN x", true)
	check("Benchmark2 1 +Inf x \r", true)
	check("Benchmarkx 1 1 x", false)
	check("BenchmarkX", false)
	check("BenchmarkX-8 \t", false)
	check("BenchmarkX-8 \t 100", false)
	check("BenchmarkX-8 \t 100\t5", false)
	check("BenchmarkX-8 \t 0\t NaN ns/op", false)
	check("BenchmarkX-8 \t 100 items done", false)
	check("BenchmarkX-8 \t 100 5 items done today", false)
	check("BenchmarkX-8 \t2024/01/02 12 x", false)
	check("BenchmarkX-8 \t 1e3\t5 ns/op", false)
	check("BenchmarkX-8 \t 100\t5x ns/op", false)
	check("BenchmarkX-8 \t 100\t- ns/op", false)
	check(" BenchmarkX 1 1 x", false)
	check("BenchmarkX 1 1 "+strings.Repeat("x", maxResult), false)
}

func TestGlued(t *testing.T) {
	check := func(line, want string) {
		t.Helper()
		got := ""
		if at := glued([]byte(line)); at >= 0 {
			got = line[at:]
		}
		if got != want {
			t.Errorf("glued(%q) = %q, want %q", line, got, want)
		}
	}
	check("progress...BenchmarkX-8 \t 100\t5 ns/op", "BenchmarkX-8 \t 100\t5 ns/op")
	check("x BenchmarkX/Benchmark=2 100 5 ns/op", "BenchmarkX/Benchmark=2 100 5 ns/op")
	check("the Benchmark of BenchmarkX 100 5 ns/op", "BenchmarkX 100 5 ns/op")
	check("BenchmarkX 100 5 ns/op", "")
	check("BenchmarkX took 5 ns/op", "")
	check("Benchmarking...BenchmarkX 100 5 ns/op", "BenchmarkX 100 5 ns/op")
	check("", "")
	check(strings.Repeat(".", maxLine)+"BenchmarkX 100 5 ns/op", "BenchmarkX 100 5 ns/op")
	check(strings.Repeat("BenchmarkX 1 ", maxLine/13), "")
}

func TestNumbers(t *testing.T) {
	check := func(line, want string) {
		t.Helper()
		got := ""
		if at := numbers([]byte(line)); at >= 0 {
			got = line[at:]
		}
		if got != want {
			t.Errorf("numbers(%q) = %q, want %q", line, got, want)
		}
	}
	check("     100\t       123 ns/op", "100\t       123 ns/op")
	check("done.     100\t       123 ns/op\t   5 B/op", "100\t       123 ns/op\t   5 B/op")
	check("done100\t123 99%-ns ", "100\t123 99%-ns ")
	check("a\tb\t100\t1 x", "100\t1 x")
	check("7 5     100\t1 x", "100\t1 x")
	check("3 apples\t100\t1 x", "100\t1 x")
	check("100\t1 x\ttail", "")
	check("100 1 ns/op", "")
	check("\t1 ns/op", "")
	check("1 x\t2 y", "")
	check("0\tNaN ns/op", "")
	check("100\t", "")
	check("", "")
}

func TestCutProcs(t *testing.T) {
	check := func(name, base string, procs int) {
		t.Helper()
		if b, p := cutProcs(name); b != base || p != procs {
			t.Errorf("cutProcs(%q) = %q, %d, want %q, %d", name, b, p, base, procs)
		}
	}
	check("X-8", "X", 8)
	check("X/size-16-128", "X/size-16", 128)
	check("-8", "", 8)
	check("X", "X", 0)
	check("X8", "X8", 0)
	check("X-", "X-", 0)
	check("X-1", "X-1", 0) // package testing prints none for 1
	check("X-08", "X-08", 0)
	check("X-12345678", "X-12345678", 0)
	check("8", "8", 0)
	check("", "", 0)
}

func TestCleanName(t *testing.T) {
	long := strings.Repeat("é", maxName)
	names := []string{"plain", "X�", "X\xff", "X\xfe", long, long + "x", long + "y", strings.Repeat("\xff", maxName)}
	seen := make(map[string]string)
	for _, name := range names {
		got := cleanName(name)
		if !utf8.ValidString(got) || len(got) > maxName {
			t.Errorf("cleanName(%.20q) = %d bytes, valid %v", name, len(got), utf8.ValidString(got))
		}
		if other, ok := seen[got]; ok {
			t.Errorf("cleanName(%.20q) is also that of %.20q", name, other)
		}
		seen[got] = name
	}
	if got := cleanName("plain"); got != "plain" {
		t.Errorf("cleanName(plain) = %q", got)
	}
}

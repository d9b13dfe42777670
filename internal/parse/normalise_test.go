package parse

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

const numbers100 = "     100\t       123 ns/op\t       0 B/op"

// TestNormalise holds what benchfmt gets to see for what benchmarks print. An empty line
// stands where a line is kept from it.
func TestNormalise(t *testing.T) {
	whole := "BenchmarkFoo-2   \t" + numbers100
	repaired := "BenchmarkFoo-2\t" + strings.TrimLeft(numbers100, " ")
	tests := []struct {
		name string
		in   []string
		want []string
		// verdicts are "name status message", warnings the parts after the position.
		verdicts, warnings []string
	}{
		{
			name: "whole lines pass",
			in:   []string{"goos: linux", whole, "BenchmarkBar 1 2 x", "PASS"},
			want: []string{"goos: linux", whole, "BenchmarkBar 1 2 x", ""},
		},
		{
			name:     "one log line",
			in:       []string{"BenchmarkFoo-2   \t2024/01/02 03:04 hello", numbers100},
			want:     []string{"", repaired},
			warnings: []string{"result line of BenchmarkFoo-2 was broken up by log output"},
		},
		{
			name:     "log lines that look like headers, and a warning only once a name",
			in:       []string{"BenchmarkFoo-2   \tcpu: 3%", "pkg: evil", numbers100, "BenchmarkFoo-2   \tx", numbers100},
			want:     []string{"", "", repaired, "", repaired},
			warnings: []string{"result line of BenchmarkFoo-2 was broken up by log output"},
		},
		{
			name:     "text before the name",
			in:       []string{"progress...BenchmarkFoo-2   100   123 ns/op"},
			want:     []string{"BenchmarkFoo-2   100   123 ns/op"},
			warnings: []string{"result line of BenchmarkFoo-2 was broken up by log output"},
		},
		{
			name:     "text before the numbers",
			in:       []string{"BenchmarkFoo-2   \tworking", "done." + numbers100},
			want:     []string{"", repaired},
			warnings: []string{"result line of BenchmarkFoo-2 was broken up by log output"},
		},
		{
			name:     "text between, no line end at all",
			in:       []string{"BenchmarkFoo-2   \tworking 5 done." + numbers100},
			want:     []string{repaired},
			warnings: []string{"result line of BenchmarkFoo-2 was broken up by log output"},
		},
		{
			name:     "ns/op is not the first unit",
			in:       []string{"BenchmarkFoo-2   \tx", "  7\t  3 p99-ns\t  4 ns/op"},
			want:     []string{"", "BenchmarkFoo-2\t7\t  3 p99-ns\t  4 ns/op"},
			warnings: []string{"result line of BenchmarkFoo-2 was broken up by log output"},
		},
		{
			name:     "another name first: no result",
			in:       []string{"BenchmarkFoo-2   \tx", whole[:len("BenchmarkFoo-2")] + "0" + whole[len("BenchmarkFoo-2"):], numbers100},
			want:     []string{"", "BenchmarkFoo-20   \t" + numbers100, ""},
			verdicts: []string{"Foo-2 failed printed no result"},
			warnings: []string{"numbers of a result, but no name of a benchmark before them"},
		},
		{
			name: "-v prints names alone, of parents too",
			in:   []string{"BenchmarkFoo", "BenchmarkFoo/a", "BenchmarkFoo/a-2 \t 100\t 1 ns/op", "BenchmarkBar", "PASS"},
			want: []string{"", "", "BenchmarkFoo/a-2 \t 100\t 1 ns/op", "", ""},
		},
		{
			name:     "a log line that quotes a result",
			in:       []string{"BenchmarkBar", "    x_test.go:5: BenchmarkBar-2 \t 100\t 1 ns/op", "see BenchmarkOld-2 \t 100\t 1 ns/op", "BenchmarkBar-2 \t 100\t 2 ns/op"},
			want:     []string{"", "", "", "BenchmarkBar-2 \t 100\t 2 ns/op"},
			warnings: []string{"ignored what looks like a result of BenchmarkOld-2 in the output of BenchmarkBar"},
		},
		{
			name:     "glued under -v",
			in:       []string{"BenchmarkBar", "see BenchmarkBar-2 \t 100\t 1 ns/op"},
			want:     []string{"", "BenchmarkBar-2 \t 100\t 1 ns/op"},
			warnings: []string{"result line of BenchmarkBar-2 was broken up by log output"},
		},
		{
			name:     "a quoted result is not the open benchmark's",
			in:       []string{"BenchmarkFoo-2   \tBenchmarkOld-2 \t 100\t 1 ns/op", numbers100},
			want:     []string{"", repaired},
			warnings: []string{"result line of BenchmarkFoo-2 was broken up by log output"},
		},
		{
			name:     "a failure right after the name, and its message",
			in:       []string{"BenchmarkFoo-2   \t--- FAIL: BenchmarkFoo-2", "    foo_test.go:7: no good", "    foo_test.go:8: at all"},
			want:     []string{"", "", ""},
			verdicts: []string{"Foo-2 failed foo_test.go:7: no good"},
		},
		{
			name:     "a failure after output",
			in:       []string{"    log: --- FAIL: BenchmarkBar", "see --- FAIL: BenchmarkBar here", "working...--- FAIL: BenchmarkFoo"},
			want:     []string{"", "", ""},
			verdicts: []string{"Foo failed "},
		},
		{
			name:     "framed, message first",
			in:       []string{"\x16=== RUN   BenchmarkFoo", "BenchmarkFoo", "    foo_test.go:7: no db", "x\x16--- SKIP: BenchmarkFoo", "\x16--- FAIL: BenchmarkBar", "x\x16--- FAIL: TestX (0.00s)"},
			want:     []string{"", "", "", "", "", ""},
			verdicts: []string{"Foo skipped foo_test.go:7: no db", "Bar failed "},
			warnings: []string{"TestX failed"},
		},
		{
			name:     "death",
			in:       []string{"BenchmarkFoo-2   \tpanic: boom", "", "goroutine 1 [running]:", "exit status 2"},
			want:     []string{"", "", "", ""},
			verdicts: []string{"Foo-2 failed panic: boom"},
			warnings: []string{"panic: boom", "exit status 2"},
		},
		{
			name:     "a panic that was only printed",
			in:       []string{"BenchmarkFoo-2   \tpanic: recovered", numbers100, "PASS"},
			want:     []string{"", repaired, ""},
			warnings: []string{"panic: recovered", "result line of BenchmarkFoo-2 was broken up by log output"},
		},
		{
			name:     "the next run begins in the middle of a line",
			in:       []string{"BenchmarkFoo-2   \tgoos: linux", "pkg: x", whole},
			want:     []string{"goos: linux", "pkg: x", whole},
			verdicts: []string{"Foo-2 failed printed no result"},
		},
		{
			name: "declarations of units pass from anywhere",
			in:   []string{"BenchmarkFoo-2   \tUnit hits better=higher", numbers100},
			want: []string{"Unit hits better=higher", repaired},
			warnings: []string{
				"result line of BenchmarkFoo-2 was broken up by log output",
			},
		},
		{
			name: "lines of the go command are no headers",
			in:   []string{"go: downloading example.com/m v1.0.0", "go: go1.26.8", "toolchain: devel go1.27-abc"},
			want: []string{"", "go: go1.26.8", "toolchain: devel go1.27-abc"},
			warnings: []string{
				`toolchain changes from "go1.26.8" to "devel go1.27-abc"`,
			},
		},
		{
			name:     "too long for benchfmt",
			in:       []string{"Benchmark" + strings.Repeat("X", maxResult) + " \t" + numbers100, strings.Repeat("x", maxLine+1), "cpu: " + strings.Repeat("x", maxResult)},
			want:     []string{"", "", ""},
			warnings: []string{"result line of BenchmarkXXX", "line of 61", "line cut after 1048576 bytes", "line of 61"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			found := newFindings("f")
			got := readLines(t, newNormaliser(strings.NewReader(strings.Join(tt.in, "\n")+"\n"), found))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
			var verdicts []string
			for _, v := range found.verdicts {
				verdicts = append(verdicts, fmt.Sprintf("%s %s %s", v.name, v.status, v.message))
			}
			if diff := cmp.Diff(tt.verdicts, verdicts); diff != "" {
				t.Errorf("verdicts (-want +got):\n%s", diff)
			}
			if len(found.warnings) != len(tt.warnings) {
				t.Fatalf("warnings %q, want %q", found.warnings, tt.warnings)
			}
			for i, w := range found.warnings {
				if !strings.Contains(w, ": "+tt.warnings[i]) {
					t.Errorf("warning %q, want %q", w, tt.warnings[i])
				}
			}
		})
	}
}

func readLines(t *testing.T, r io.Reader) []string {
	t.Helper()
	var lines []string
	s := bufio.NewScanner(r)
	for s.Scan() {
		lines = append(lines, s.Text())
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

// TestNormaliserReads holds that the size of the caller's buffer changes nothing.
func TestNormaliserReads(t *testing.T) {
	in := "goos: linux\n\nBenchmarkFoo-2 \tx\n 100\t 1 ns/op\nBenchmarkBar-2 \t 100\t 1 ns/op"
	all, err := io.ReadAll(newNormaliser(strings.NewReader(in), newFindings("f")))
	if err != nil {
		t.Fatal(err)
	}
	bytewise, err := io.ReadAll(iotest.OneByteReader(newNormaliser(iotest.OneByteReader(strings.NewReader(in)), newFindings("f"))))
	if err != nil {
		t.Fatal(err)
	}
	want := "goos: linux\n\n\nBenchmarkFoo-2\t100\t 1 ns/op\nBenchmarkBar-2 \t 100\t 1 ns/op\n"
	if string(all) != want || string(bytewise) != want {
		t.Errorf("read %q and bytewise %q, want %q", all, bytewise, want)
	}
}

func TestLineReader(t *testing.T) {
	full := strings.Repeat("y", maxLine)
	in := "a\r\nb\n\n" + full + "\n" + full + "zz\r\nlast"
	l := newLineReader(strings.NewReader(in))
	for i, want := range []string{"a", "b", "", full, full, "last"} {
		got, err := l.next()
		if err != nil || string(got) != want || l.line != i+1 {
			t.Fatalf("line %d: %d bytes as line %d, %v, want %d bytes", i+1, len(got), l.line, err, len(want))
		}
		if i == 4 && !l.cut || i != 4 && i != 3 && l.cut {
			t.Errorf("line %d: cut = %v", i+1, l.cut)
		}
	}
	if _, err := l.next(); err != io.EOF {
		t.Errorf("after the end: %v, want EOF", err)
	}
}

func TestReadError(t *testing.T) {
	broken := errors.New("broken")
	r := io.MultiReader(strings.NewReader("BenchmarkX 1 1 ns/op\nBenchm"), iotest.ErrReader(broken))
	if _, err := GoBench(r, "f.txt", GoOptions{}); !errors.Is(err, broken) || !strings.Contains(err.Error(), "f.txt") {
		t.Errorf("GoBench of a broken reader: %v, want one that names file and cause", err)
	}
}

package parse

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/result"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGoGolden holds what is read from recorded outputs of go test, and from ones written by
// hand for what could not be recorded.
func TestGoGolden(t *testing.T) {
	ins, err := filepath.Glob("testdata/go/*.in")
	if err != nil || len(ins) == 0 {
		t.Fatalf("no inputs: %v", err)
	}
	for _, in := range ins {
		t.Run(strings.TrimSuffix(filepath.Base(in), ".in"), func(t *testing.T) {
			data, err := os.ReadFile(in)
			if err != nil {
				t.Fatal(err)
			}
			got, err := GoBench(bytes.NewReader(data), filepath.Base(in), GoOptions{})
			if err != nil {
				t.Fatal(err)
			}
			golden(t, strings.TrimSuffix(in, ".in")+".golden", marshal(t, got))
		})
	}
}

// golden compares got with a file; -update rewrites it. A missing file is a failure.
func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (run go test -update)", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestProcs holds which suffixes are part of a name.
func TestProcs(t *testing.T) {
	tests := []struct {
		name  string
		procs int // as asked for
		in    []string
		want  []string // names, failed ones after a "!"
		got   int      // procs as found
	}{
		{"all agree", 0, []string{"BenchmarkX-8 1 1 x", "BenchmarkY/n-8-8 1 1 x"}, []string{"X", "Y/n-8"}, 8},
		{"two values", 0, []string{"BenchmarkX-8 1 1 x", "BenchmarkX-4 1 1 x"}, []string{"X-8", "X-4"}, 0},
		{"one without", 0, []string{"BenchmarkX-8 1 1 x", "BenchmarkY 1 1 x"}, []string{"X-8", "Y"}, 0},
		{"none for 1", 0, []string{"BenchmarkX-1 1 1 x"}, []string{"X-1"}, 0},
		{"asked for", 4, []string{"BenchmarkX-8 1 1 x", "BenchmarkY-4 1 1 x"}, []string{"X-8", "Y"}, 4},
		{"asked for 1", 1, []string{"BenchmarkX-1 1 1 x", "BenchmarkY-4 1 1 x"}, []string{"X-1", "Y-4"}, 1},
		{"stripping would merge", 2, []string{"BenchmarkX-2 1 1 x", "BenchmarkX 1 1 x"}, []string{"X-2", "X"}, 2},
		{"a failure names its first iteration without", 0, []string{"BenchmarkX-2 1 1 x", "--- FAIL: BenchmarkY/n-2"}, []string{"X", "!Y/n-2"}, 2},
		{"a function's name has no hyphen", 0, []string{"BenchmarkX-2 1 1 x", "--- FAIL: BenchmarkY-2"}, []string{"X", "!Y"}, 2},
		{"a failure of a printed name", 0, []string{"BenchmarkX/n-2 1 1 x", "BenchmarkX/n-2 \t--- FAIL: BenchmarkX/n-2"}, []string{"!X/n"}, 2},
		{"a failure of a known name", 0, []string{"BenchmarkX/n-2 1 1 x", "--- FAIL: BenchmarkX/n-2"}, []string{"!X/n"}, 2},
		{"only failures, printed", 0, []string{"BenchmarkX/n-2 \t--- FAIL: BenchmarkX/n-2"}, []string{"!X/n"}, 2},
		{"the suffix or a sub-benchmark", 0, []string{"BenchmarkX/n-2-2 1 1 x", "--- FAIL: BenchmarkX/n-2"}, []string{"!X/n-2"}, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res, err := GoBench(strings.NewReader(strings.Join(tt.in, "\n")), "f", GoOptions{Procs: tt.procs})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, b := range res.Set.Benchmarks {
				if b.Status == result.Failed {
					b.Name = "!" + b.Name
				}
				got = append(got, b.Name)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
			if res.Procs != tt.got || res.Set.Env.GOMAXPROCS != tt.got {
				t.Errorf("Procs = %d, Env %d, want %d", res.Procs, res.Set.Env.GOMAXPROCS, tt.got)
			}
		})
	}
}

// TestBounds holds what is left of inputs that are made to hurt.
func TestBounds(t *testing.T) {
	parse := func(in string) *GoResult {
		t.Helper()
		res, err := GoBench(strings.NewReader(in), "f", GoOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	var units strings.Builder
	for i := range 2 * maxUnits {
		fmt.Fprintf(&units, " 1 u%d", i)
	}
	res := parse("BenchmarkX 1" + units.String() + "\n" + strings.Repeat("BenchmarkY 1 x x\n", 2*maxWarnings))
	if got := len(res.Set.Benchmarks[0].Metrics); got != maxUnits {
		t.Errorf("%d units, want %d", got, maxUnits)
	}
	if got, want := res.Warnings[len(res.Warnings)-1], "f: 200 more warnings"; len(res.Warnings) != maxWarnings+1 || got != want {
		t.Errorf("%d warnings, the last %q, want %d and %q", len(res.Warnings), got, maxWarnings+1, want)
	}

	long := strings.Repeat("n", 2*maxName)
	res = parse("BenchmarkX" + long + "a-8 1 1 x\nBenchmarkX" + long + "b-8 1 1 x\nBenchmarkX" + long + "a-8 1 1 x\n")
	if len(res.Set.Benchmarks) != 2 || len(res.Set.Benchmarks[0].Name) != maxName || res.Set.Benchmarks[0].Passes() != 2 {
		t.Errorf("long names: %d benchmarks, want 2", len(res.Set.Benchmarks))
	}

	if _, err := GoBench(endless{}, "f", GoOptions{}); err == nil || !strings.Contains(err.Error(), "f: larger than 256 MiB") {
		t.Errorf("an endless input: %v, want one that is too large", err)
	}

	found := newFindings("f")
	found.names = maxNames
	flood := newNormaliser(strings.NewReader(strings.Repeat("--- FAIL: BenchmarkX\n", 10)), found)
	if _, err := io.ReadAll(flood); !errors.Is(err, errNames) || len(found.verdicts) != 1 {
		t.Errorf("a million failures: %v after %d more, want %v", err, len(found.verdicts), errNames)
	}
}

// endless is an input of one line that never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

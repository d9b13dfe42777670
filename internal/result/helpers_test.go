package result

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

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

var machine = Env{Go: "go1.26.0", GOOS: "linux", GOARCH: "amd64", CPU: "Test CPU", Cores: 4, GOMAXPROCS: 2, Kernel: "6.1", Flags: "-trimpath", Counter: "callgrind 3.19.0", Covered: "encoding/json"}

// full is a file with every field set.
func full() *File {
	b := &Benchmark{
		Suite: "gobench", Package: "example.com/m", Name: `Encode/a="[1]"`, Status: OK,
		FixedLayout: "the linker has no -randlayout", Untimed: "the budget ended before it", Uncounted: "an operation takes an hour", First: "bhhb",
		Void:  []Void{{Pass: 3, Message: "exit status 2", Counted: true}},
		Notes: []string{"a remark"}, Latency: []string{"HISTFAAA"},
		Why: &Why{
			Own: []Growth{{Function: "example.com/m.F", File: "example.com/m/m.go", Line: 3, Unit: "sec/op", Base: 1, Head: 2, Path: []string{"example.com/m.BenchmarkF", "example.com/m.F"}}},
			Any: []Growth{{Function: "runtime.memmove", Unit: "sec/op"}}, Allocs: []Growth{{Function: "example.com/m.F", Unit: "allocs/op"}},
			Calls:    []CallGrowth{{Route: "POST /v1/messages", Model: "m", What: "calls", Base: 1, Head: 2, Repeated: 1, First: 3, Runs: 5, All: 20}},
			Spans:    []SpanGrowth{{Name: "plan", Base: 0.25, Head: 0.5, BaseCount: 1, HeadCount: 2}},
			Compiler: []Remark{{File: "example.com/m/m.go", Line: 3, Text: "moved to heap: x"}}, Modules: []string{"go go1.25.0 → go1.26.0"},
			Profiles: []string{"perf_reports/profiles/F.cpu-diff.pb.gz"}, Missing: "the time ended",
		},
		Blocks:  []Block{{File: "example.com/m/m.go", From: 3, To: 5, Gone: true, Base: 7, Head: 0}},
		Left:    []Left{{Unit: LeakGoroutines, Where: "main.wait (main.go:7)", PerOp: 0.5}},
		Memory:  &Memory{Peak: 1 << 20, Inside: &Inside{Live: 1 << 16, Allocated: 64, Objects: 2, Cycles: 0.5, Goroutines: 3}},
		Imports: []Import{{Name: "example.com/heavy", New: true, Head: 0.25, Total: 0.25}, {Name: "example.com/m", Grew: true, Base: 0.125, Head: 0.5, Total: 0.75}},
	}
	b.Spans = []Span{{Name: "plan", Count: 2, Self: 0.25, Total: 0.5, P95: 0.375}}
	for i, v := range []float64{1.25e-6, 1.5e-6, 1.0 / 3} {
		b.Take(UnitOf("sec/op"), Sample{Value: v, Iters: 1000, Pair: i, Pass: []int{0, 0, 2}[i]}, false)
	}
	for i, v := range []float64{2.5e-6, 3.5e-6} {
		b.Take(UnitOf("sec/op"), Sample{Value: v, Iters: 1000 + i, Pair: 3 + i}, true)
	}
	b.Add(UnitOf("allocs/op"), Sample{Value: 3, Iters: 1000, Pair: 0, Pass: 0})
	b.Add(UnitOf("allocs/op"), Sample{Value: 3, Iters: 999, Pair: 2, Pass: 1})
	b.Take(UnitOf("allocs/op"), Sample{Value: 3, Iters: 1000}, true)
	b.Add(Unit{Name: "hits", Better: Higher, Exact: true}, Sample{Value: -7, Iters: 1})
	b.Metric("hits").Best = &Level{Value: -6, Iters: 2, Commit: "0123456789abcdef", Date: "2026-01-01"}
	broken := &Benchmark{Suite: "gobench", Package: "example.com/m", Name: "Broken", Status: Failed, Message: "panic: [nil], {nil}"}
	late := &Benchmark{Suite: "gobench", Name: "Late", Status: OK, Incomparable: "other inputs", Unmeasured: "no budget", Same: "equal binaries"}
	control := &Benchmark{Suite: "gobench", Package: "example.com/m", Name: "Control", Status: OK}
	control.Add(UnitOf("sec/op"), Sample{Value: 7e-6, Iters: 10})
	pipeline := &Benchmark{Suite: "control", Name: "control/pipeline", Status: OK}
	pipeline.Add(UnitOf("upstream-calls"), Sample{Value: 160, Iters: 1})
	return &File{
		SchemaVersion:  Schema,
		Tool:           Tool{Name: "perfgate", Version: "v1.2.3"},
		GeneratedAt:    time.Date(2026, 9, 1, 12, 30, 0, 0, time.UTC),
		Seed:           1 << 52,
		Pairing:        Passes,
		Partial:        true,
		ThresholdsOnly: true,
		Reason:         "a new machine",
		Release:        "v1.2.3",
		Scenario:       map[string]string{"bench": "<.>", "packages": "./..."},
		Run:            &Run{Measured: 1, Total: 2, Screened: []uint64{0, 7}, Confirmed: []uint64{1<<31 - 1}, BuildSec: 1.5, RunSec: 30, BudgetSec: 300},
		Policy:         json.RawMessage(`{"effect":0.05,"list":[1,2,3]}`),
		Profile:        json.RawMessage(`{"schema_version":1,"wall_ns":5}`),
		Warnings:       []string{"a warning with [1, 2]"},
		Head: &Set{
			Commit: "0123456789abcdef", Ref: "work tree", Dirty: true, Env: machine, Benchmarks: []*Benchmark{b, broken, late},
			BuildFailures: []BuildFailure{{Package: "example.com/m/x", Message: "undefined: y"}}, Control: pipeline,
		},
		Base:         &Set{Commit: "fedcba9876543210", Ref: "main", Env: machine, Benchmarks: []*Benchmark{b}},
		Baseline:     &Set{Env: machine, Benchmarks: []*Benchmark{}},
		Control:      &Control{Base: Set{Env: machine, Benchmarks: []*Benchmark{control}}, Twin: Set{Env: machine, Benchmarks: []*Benchmark{control}}},
		BaselineInfo: "0123456789ab of 2026-01-01",
	}
}

func written(t testing.TB, f *File) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// edited is the written full file with one passage replaced.
func edited(t *testing.T, old, new string) []byte {
	t.Helper()
	text := string(written(t, full()))
	if !strings.Contains(text, old) {
		t.Fatalf("the file has no %q", old)
	}
	return []byte(strings.Replace(text, old, new, 1))
}

package harness

import (
	"errors"
	"fmt"
	"go/format"
	"go/parser"
	"go/token"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// The calls of the gate, in the toolchain's own names.
const (
	launchCall = "if perfgate != nil { perfgate.launch(b); return }"
	loopCall   = "if perfgate != nil { return perfgate.loop(b) }"
	collect    = "if perfgate == nil || !perfgate.clean { runtime.GC() }"
)

// The toolchain in use is one that the patch was written for: the calls are in the right functions, and
// that is all that changed.
func TestPatchBenchmark(t *testing.T) {
	e, err := goOffline().environment(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	src, err := os.ReadFile(filepath.Join(e.GOROOT, "src", "testing", "benchmark.go"))
	if err != nil {
		t.Fatal(err)
	}
	patched, err := patchBenchmark(src)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.ParseFile(token.NewFileSet(), "benchmark.go", patched, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := format.Source(patched); err != nil {
		t.Errorf("gofmt: %v", err)
	}
	text := string(patched)
	for call, function := range map[string]string{launchCall: "launch()", loopCall: "loopSlowPath() bool", collect: "runN(n int)"} {
		i := strings.Index(text, call)
		if i < 0 || strings.Count(text, call) != 1 {
			t.Errorf("%q is there %d times, want once", call, strings.Count(text, call))
			continue
		}
		if j := strings.LastIndex(text[:i], "\nfunc "); !strings.HasPrefix(text[j:], "\nfunc (b *B) "+function) {
			t.Errorf("%q is not in %s", call, function)
		}
	}
	if strings.Count(text, "\n") != strings.Count(string(src), "\n") {
		t.Error("the patch moves lines")
	}
	if rest := strings.NewReplacer("; "+launchCall, "", " "+loopCall+";", "", collect, "runtime.GC()").Replace(text); rest != string(src) {
		t.Errorf("beside the calls (-want +got):\n%s", cmp.Diff(string(src), rest))
	}
}

// The gate knows of the profiles, and nothing else changed.
func TestPatchTesting(t *testing.T) {
	e, err := goOffline().environment(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	src, err := os.ReadFile(filepath.Join(e.GOROOT, "src", "testing", "testing.go"))
	if err != nil {
		t.Fatal(err)
	}
	patched, err := patchTesting(src)
	if err != nil {
		t.Fatal(err)
	}
	const call = " if perfgate != nil { perfgate.deps = deps };"
	text := string(patched)
	i := strings.Index(text, call)
	if i < 0 || !strings.HasPrefix(text[strings.LastIndex(text[:i], "\nfunc "):], "\nfunc MainStart(") {
		t.Errorf("%q is not in MainStart", call)
	}
	if strings.Replace(text, call, "", 1) != string(src) {
		t.Error("more changed")
	}
	for _, src := range []string{"", "package testing", "package testing\nfunc MainStart(m int) {}", "package testing\nfunc MainStart(testDeps) {}", "func"} {
		if got, err := patchTesting([]byte(src)); err == nil {
			t.Errorf("patchTesting(%q) = %s", src, got)
		}
	}
}

// benchmarkSource is what the patch looks for, and nothing else.
const benchmarkSource = `package testing

func (b *B) runN(n int) {}

func (x *B) launch() {
	defer func() { x.signal <- true }()
	x.runN(1)
}

func (b *B) loopSlowPath() bool {
	return false
}
`

func TestPatchUnknown(t *testing.T) {
	for _, tt := range []struct{ name, old, new, want string }{
		{"known", "", "", ""},
		{"no launch", "launch()", "start()", errNoGate.Error()},
		{"no slow path", "loopSlowPath()", "loopPath()", errNoGate.Error()},
		{"no runN", "runN(n int)", "run(n int)", errNoGate.Error()},
		{"launch does not defer first", "\tdefer func()", "\tx.runN(0)\n\tdefer func()", errNoGate.Error()},
		{"launch is empty", "\tdefer func() { x.signal <- true }()\n\tx.runN(1)\n", "", errNoGate.Error()},
		{"a function", "func (x *B) launch()", "func launch(x *B)", errNoGate.Error()},
		{"of another type", "(x *B) launch", "(x *InternalBenchmark) launch", errNoGate.Error()},
		{"of a generic type", "(x *B) launch", "(x *B[T]) launch", errNoGate.Error()},
		{"of a value", "(b *B) loopSlowPath", "(b B) loopSlowPath", errNoGate.Error()},
		{"without a name", "(b *B) loopSlowPath", "(*B) loopSlowPath", errNoGate.Error()},
		{"without a body", "func (b *B) runN(n int) {}", "func (b *B) runN(n int)", errNoGate.Error()},
		{"no Go", "package testing", "package", "benchmark.go:3:1: expected"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			src := strings.Replace(benchmarkSource, tt.old, tt.new, 1)
			got, err := patchBenchmark([]byte(src))
			if tt.want == "" {
				if err != nil || !strings.Contains(string(got), "perfgate.launch(x); return") || !strings.Contains(string(got), "return perfgate.loop(b)") {
					t.Errorf("patchBenchmark = %s, %v", got, err)
				}
				return
			}
			if got != nil || err == nil || !strings.HasPrefix(err.Error(), tt.want) || (tt.want == errNoGate.Error()) != errors.Is(err, errNoGate) {
				t.Errorf("patchBenchmark = %s, %v, want the error %q", got, err, tt.want)
			}
		})
	}
}

// A toolchain without a fitting package testing has no gate, and says why.
func TestMakeGate(t *testing.T) {
	for name, source := range map[string]string{"": "", "none": "", "other": "package testing\n"} {
		root := ""
		if name != "" {
			root = t.TempDir()
		}
		if source != "" {
			write(t, root, map[string]string{"src/testing/benchmark.go": source})
		}
		b := &builder{scratch: t.TempDir(), gates: map[string]*gate{}}
		for range 2 {
			g, err := b.gateFor(t.Context(), goOffline(), root, "go1.99")
			if err != nil || g.why == nil || g.replace != nil || len(b.gates) != 1 {
				t.Errorf("%q: gateFor = %+v, %v, want a reason", name, g, err)
			}
		}
	}
}

func TestParseMessage(t *testing.T) {
	for _, tt := range []struct {
		line string
		want message
	}{
		{`ready "BenchmarkA"`, message{kind: "ready", name: "BenchmarkA"}},
		{`ready "BenchmarkA/x=\"1 2\"\n"`, message{kind: "ready", name: "BenchmarkA/x=\"1 2\"\n"}},
		{`end "BenchmarkA" ok`, message{kind: "end", name: "BenchmarkA", status: "ok"}},
		{`end "BenchmarkA" failed "a b" 1.5 "c" -2`, message{kind: "end", name: "BenchmarkA", status: "failed", slice: slice{extra: []extra{{"a b", 1.5}, {"c", -2}}}}},
		{`end "BenchmarkA" skipped`, message{kind: "end", name: "BenchmarkA", status: "skipped"}},
		{`slice 10 2000 3 4 5 6 7 8 9 10 11`, message{kind: "slice", slice: slice{n: 10, took: 2000, allocs: 3, bytes: 4, setBytes: 5, cycles: 6, waited: 7, used: 8, instructions: 9, unseen: 10, cpu: 11}}},
		{`slice 1 0 0 0 0 0 0 0 0 0 0 "x/op" +Inf`, message{kind: "slice", slice: slice{n: 1, extra: []extra{{"x/op", math.Inf(1)}}}}},
	} {
		got, err := parseMessage(tt.line)
		if diff := cmp.Diff(tt.want, got, ofMessage); err != nil || diff != "" {
			t.Errorf("parseMessage(%s): %v (-want +got):\n%s", tt.line, err, diff)
		}
	}
	for _, line := range []string{
		"", "ready", "ready BenchmarkA", `ready "BenchmarkA`, `ready "BenchmarkA" more`, `Ready "BenchmarkA"`,
		"end", `end "BenchmarkA"`, `end "BenchmarkA" well`, `end ok`, `end "BenchmarkA" ok "x"`, `end "BenchmarkA" ok "x" y`, `end "BenchmarkA" ok x 1`,
		"slice", "slice 1 2 3 4 5 6 7 8 9 10", "slice a 2 3 4 5 6 7 8 9 10 11", "slice 0 2 3 4 5 6 7 8 9 10 11", "slice -1 2 3 4 5 6 7 8 9 10 11",
		"slice 2147483648 2 3 4 5 6 7 8 9 10 11", "slice 1 9223372036854775808 3 4 5 6 7 8 9 10 11", "slice 1 2 3 4 5 6 7 8 9 10 11 12",
		"slice 1 2 3 4 5 6 7 8 9 10 11" + strings.Repeat(` "x" 1`, maxExtras+1),
	} {
		if got, err := parseMessage(line); err == nil || len(err.Error()) > 1000 {
			t.Errorf("parseMessage(%s) = %+v, %v, want a short error", clip(line), got, err)
		}
	}
}

var ofMessage = cmp.AllowUnexported(message{}, slice{}, extra{})

// encode writes m as gate/testing.go.txt does.
func (m message) encode() string {
	s := m.slice
	line := m.kind
	switch m.kind {
	case "slice":
		line = fmt.Sprint("slice ", s.n, " ", int64(s.took), " ", s.allocs, " ", s.bytes, " ", s.setBytes, " ", s.cycles, " ", int64(s.waited), " ", int64(s.used), " ", s.instructions, " ", int64(s.unseen), " ", int64(s.cpu))
	case "ready":
		return line + " " + strconv.Quote(m.name)
	case "end":
		line += " " + strconv.Quote(m.name) + " " + m.status
	}
	for _, e := range s.extra {
		line += " " + strconv.Quote(e.unit) + " " + strconv.FormatFloat(e.value, 'g', -1, 64)
	}
	return line
}

// FuzzMessage feeds anything to the parsers of the gate's messages, of the counts of statements, of profiles, of
// callgrind's dumps and of the tables of go tool cover: no panic, bounded fields, and what is understood of a message
// means the same when it is written again.
func FuzzMessage(f *testing.F) {
	for _, line := range []string{
		`ready "BenchmarkA"`, `ready "Benchmark\x00\xff/\u00e4"`, `end "BenchmarkA" ok`, `end "BenchmarkA" failed "a b" 1.5 "c" NaN`, `end "A" skipped`,
		`slice 10 2000 3 4 5 6 7 8 9 10 11`, `slice 1 -1 0 0 0 0 0 0 0 0 0 "x/op" +Inf "ns/op" 0`, "slice 1 2 3 4 5 6 7 8 9 10 11 `raw` 1", `slice`,
		goodDump, "\x01\x00\x00\x00\x07\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\xff\xff\xff\xff", "\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff",
		"var v = struct {\n\t\t3, 5, 0x190013, // [0]\n\t\t2, // 0\n", "var v = struct {\n\t\t99999999999999999999, 5, 0x1, // [0]\n\t\t2, // 0\n",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if n, err := readDump(strings.NewReader(line)); err == nil && n < 0 {
			t.Errorf("%d instructions", n)
		}
		if p, err := parseProfile(strings.NewReader(line)); err == nil && p.CheckValid() != nil {
			t.Errorf("%v is not valid", p)
		}
		if counts, err := parseCounts(strings.NewReader(line)); err == nil && len(counts) > len(line) {
			t.Errorf("%d files in %d bytes", len(counts), len(line))
		}
		if blocks, err := readBlocks([]byte(line), "v"); err == nil && len(blocks) > len(line) {
			t.Errorf("%d blocks in %d bytes", len(blocks), len(line))
		}
		m, err := parseMessage(line)
		if err != nil {
			if len(err.Error()) > 2000 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		if m.kind == "slice" && (m.slice.n <= 0 || m.slice.n > math.MaxInt32) || len(m.slice.extra) > maxExtras {
			t.Errorf("%+v is out of bounds", m)
		}
		if m.kind == "slice" {
			if v, ok := m.slice.secPerOp(); ok && v == 0 && m.slice.took != 0 {
				t.Errorf("%v for %d iterations are %v per operation", m.slice.took, m.slice.n, v)
			}
		}
		again, err := parseMessage(m.encode())
		if err != nil {
			t.Fatalf("%q: %v", m.encode(), err)
		}
		if diff := cmp.Diff(m, again, ofMessage, cmpopts.EquateNaNs()); diff != "" {
			t.Errorf("after writing it (-want +got):\n%s", diff)
		}
	})
}

func TestSecPerOp(t *testing.T) {
	for _, tt := range []struct {
		s    slice
		want float64
		ok   bool
	}{
		{slice{n: 1000, took: time.Millisecond}, 1e-6, true},
		{slice{n: 1000, took: time.Millisecond, extra: []extra{{"x", 5}, {"ns/op", 250}}}, 2.5e-7, true},
		{slice{n: 1000, took: time.Millisecond, extra: []extra{{"ns/op", 0}}}, 0, false},
	} {
		if v, ok := tt.s.secPerOp(); math.Abs(v-tt.want) > 1e-15 || ok != tt.ok {
			t.Errorf("secPerOp of %+v = %v, %v, want %v, %v", tt.s, v, ok, tt.want, tt.ok)
		}
	}
}

// A list of benchmarks selects those and no others, unless it would be too long for a command line.
func TestOnlyThese(t *testing.T) {
	short := []string{"A", "A/x", "Bc/y=1/z|2"}
	if got, want := onlyThese(short), exactly("A")+"|"+exactly("A/x")+"|"+exactly("Bc/y=1/z|2"); got != want {
		t.Errorf("onlyThese = %s, want %s", got, want)
	}
	var long []string
	for i := range 3000 {
		long = append(long, fmt.Sprintf("Group%d/name=%d", i%3, i))
	}
	got := onlyThese(long)
	if want := exactly("Group0") + "|" + exactly("Group1") + "|" + exactly("Group2"); got != want {
		t.Errorf("onlyThese of %d names = %.200s, want %s", len(long), got, want)
	}
	if re := regexp.MustCompile(got); !re.MatchString("BenchmarkGroup1") || re.MatchString("BenchmarkGroup12") {
		t.Errorf("%s does not select Group1 alone", got)
	}
	if n := len(onlyThese(long[:500])); n <= 500 || n > 32<<10 {
		t.Errorf("500 names give an expression of %d bytes, want the exact one", n)
	}
}

package harness

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/harness/proc"
	"github.com/org/perfgate/internal/result"
)

// statuses puts a listing into lines.
func statuses(l *listing) (lines []string) {
	for _, name := range slices.Sorted(maps.Keys(l.bench)) {
		line := name + ": " + string(l.bench[name].Status)
		if m := l.bench[name].Message; m != "" {
			line += ": " + m
		}
		lines = append(lines, line)
	}
	return lines
}

// explain says of every benchmark that started what became of it.
func TestExplain(t *testing.T) {
	ok := func(names ...string) map[string]*result.Benchmark {
		m := map[string]*result.Benchmark{}
		for _, n := range names {
			m[n] = &result.Benchmark{Name: n, Status: result.OK}
		}
		return m
	}
	const pass, fail = "\x16PASS\n", "\x16FAIL\n"
	for _, tt := range []struct {
		name    string
		filter  string
		names   []string
		started string
		parsed  map[string]*result.Benchmark
		e       proc.Exited
		died    string
		want    []string
	}{
		{"all well", ".", []string{"A", "B"}, "A B", ok("A", "B"), proc.Exited{Stdout: []byte(pass)}, "", []string{"A: ok", "B: ok"}},
		{"a group has no result of its own", ".", []string{"A"}, "A A/x A/y", ok("A/x", "A/y"), proc.Exited{Stdout: []byte(pass)}, "", []string{"A/x: ok", "A/y: ok"}},
		{"no result", ".", []string{"A", "B"}, "A B", ok("B"), proc.Exited{Stdout: []byte(pass)}, "", []string{"A: failed: it printed no result", "B: ok"}},
		{"looked into for sub-benchmarks", "A/x|B", []string{"A", "B"}, "A B", ok("B"), proc.Exited{Stdout: []byte(pass)}, "", []string{"B: ok"}},
		{"a panic", ".", []string{"A", "B", "C"}, "A B", ok("A"),
			proc.Exited{Stderr: []byte("panic: oh no\n\ngoroutine 7\n"), Failure: "exit status 2"}, "B", []string{"A: ok", "B: failed: panic: oh no"}},
		{"a panic after the result", ".", []string{"A", "B"}, "A B", ok("A", "B"),
			proc.Exited{Stderr: []byte("panic: oh no\n\ngoroutine 7\n"), Failure: "exit status 2"}, "B", []string{"A: ok", "B: failed: panic: oh no"}},
		{"a panic in a group", ".", []string{"A"}, "A A/x", ok("A/x"),
			proc.Exited{Stderr: []byte("panic: oh no\n"), Failure: "exit status 2"}, "A/x", []string{"A/x: failed: panic: oh no"}},
		{"exit 1 in a benchmark", ".", []string{"A", "B"}, "A", ok(), proc.Exited{Failure: "exit status 1"}, "A", []string{"A: failed: exit status 1"}},
		{"exit 1 in what was only looked into", "A/x|B", []string{"A", "B"}, "A", ok(), proc.Exited{Failure: "exit status 1"}, "A", []string{"A: failed: exit status 1"}},
		{"another benchmark failed", ".", []string{"A", "B"}, "A B", map[string]*result.Benchmark{
			"A": {Name: "A", Status: result.Failed, Message: "m_test.go:3: no"}, "B": {Name: "B", Status: result.OK}},
			proc.Exited{Stdout: []byte(fail), Failure: "exit status 1"}, "", []string{"A: failed: m_test.go:3: no", "B: ok"}},
		{"a hang", ".", []string{"A", "B"}, "A", ok(),
			proc.Exited{Stderr: []byte("panic: not this\n"), Failure: "hung: no end after 5s", Hung: true}, "A", []string{"A: failed: hung: no end after 5s"}},
		{"TestMain panics", ".", []string{"A", "B"}, "", ok(),
			proc.Exited{Stderr: []byte("panic: no database\n"), Failure: "exit status 2"}, "", []string{"A: failed: panic: no database", "B: failed: panic: no database"}},
		{"TestMain runs nothing", ".", []string{"A"}, "", ok(), proc.Exited{}, "", []string{"A: failed: its test binary ran no benchmark"}},
		{"last words", ".", []string{"A"}, "A", ok(), proc.Exited{Stderr: []byte("first\nout of memory\n"), Failure: "signal: killed"}, "A",
			[]string{"A: failed: signal: killed: out of memory"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			filter, err := NewFilter(tt.filter)
			if err != nil {
				t.Fatal(err)
			}
			l := &lister{filter: filter}
			out := &listing{bench: tt.parsed}
			died := l.explain(tt.names, tt.e, &watch{started: strings.Fields(tt.started)}, out)
			if died != tt.died {
				t.Errorf("died = %q, want %q", died, tt.died)
			}
			if diff := cmp.Diff(tt.want, statuses(out)); diff != "" {
				t.Errorf("statuses (-want +got):\n%s", diff)
			}
		})
	}
}

// A message is bounded and valid, whatever a stranger's program wrote.
func TestFailureMessage(t *testing.T) {
	long := failureMessage(proc.Exited{Stderr: []byte("panic: " + strings.Repeat("ä", 5000) + "\xff"), Failure: "exit status 2"})
	if n := len([]rune(long)); n != 301 || !strings.HasSuffix(long, "…") {
		t.Errorf("a message of %d runes, want 300 and an ellipsis", n)
	}
	if got, want := failureMessage(proc.Exited{Stdout: []byte("--- FAIL: BenchmarkX\n    x_test.go:5: wrong\nFAIL\n"), Failure: "exit status 1"}), "x_test.go:5: wrong"; got != want {
		t.Errorf("failureMessage = %q, want %q", got, want)
	}
	if got, want := clip("a\xffb"), "a\uFFFDb"; got != want {
		t.Errorf("clip = %q, want %q", got, want)
	}
}

// Announcements are found however the output is cut up, and restart the limit.
func TestWatch(t *testing.T) {
	output := "goos: linux\n\x16=== RUN   BenchmarkA\nBenchmarkA\n\x16=== RUN   BenchmarkA/x=1\nnoise \x16=== RUN   BenchmarkB\n=== RUN   BenchmarkFake\n"
	for _, size := range []int{1, 2, 7, 1000} {
		var kept bytes.Buffer
		w := &watch{took: map[string]time.Duration{}, limit: func(string) time.Duration { return time.Hour }}
		w.Begin(&kept, time.NewTimer(time.Hour))
		for part := range slices.Chunk([]byte(output), size) {
			w.Write(part)
		}
		w.finish()
		if want := []string{"A", "A/x=1", "B"}; !slices.Equal(w.started, want) || w.current() != "B" {
			t.Errorf("in pieces of %d: started %q, current %q, want %q", size, w.started, w.current(), want)
		}
		if got := kept.String(); got != output {
			t.Errorf("in pieces of %d: output %q", size, got)
		}
		if len(w.took) != 3 {
			t.Errorf("in pieces of %d: times of %v", size, slices.Collect(maps.Keys(w.took)))
		}
	}
	endless := &watch{out: new(bytes.Buffer), took: map[string]time.Duration{}}
	for range 100 {
		endless.Write(make([]byte, 64<<10))
	}
	if len(endless.line) > 200<<10 {
		t.Errorf("a line without end takes %d bytes", len(endless.line))
	}
}

// listedSource are benchmarks that end in every way.
const listedSource = `package m

import (
	"fmt"
	"os"
	"testing"
	"time"
)

// slow is a panic that takes its time: package testing goes on meanwhile.
type slow struct{}

func (slow) Error() string {
	time.Sleep(20 * time.Millisecond)
	return "slow"
}

func TestMain(m *testing.M) {
	code := m.Run()
	time.Sleep(100 * time.Millisecond) // the panic comes before the end
	os.Exit(code)
}

func BenchmarkFine(b *testing.B)     { b.ReportMetric(1, "calls/op") }
func BenchmarkPanics(b *testing.B)   { panic(slow{}) }
func BenchmarkInnocent(b *testing.B) { time.Sleep(100 * time.Millisecond) }
func BenchmarkAlso(b *testing.B)     {}
func BenchmarkFatal(b *testing.B)    { b.Fatal("wrong") }
func BenchmarkExits(b *testing.B)    { os.Exit(1) }
func BenchmarkSkips(b *testing.B)    { b.Skip("not here") }
func BenchmarkGroup(b *testing.B) {
	b.Run("good", func(b *testing.B) {})
	b.Run("bad", func(b *testing.B) { b.Error("wrong") })
	b.Run("a-2", func(b *testing.B) {})
}
func BenchmarkHangs(b *testing.B)     { time.Sleep(time.Hour) }
func BenchmarkDeadlock(b *testing.B)  { select {} }
func BenchmarkPrints(b *testing.B) {
	fmt.Println("BenchmarkFake-2   1   5 ns/op")
	fmt.Print("no end of line")
}
func BenchmarkLast(b *testing.B) {}
`

// buildTest builds the test binary of a one-file module.
func buildTest(t *testing.T, source string) *binary {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, map[string]string{"go.mod": "module example.com/m\n\ngo 1.26\n", "m_test.go": source})
	bin := &binary{path: filepath.Join(dir, "m.test"), dir: dir, pkg: "example.com/m", recipe: recipe{flags: moduleFlags{gate: &gate{why: errNoGate}}}}
	if err := goOffline().build(t.Context(), dir, ".", bin.path, "", "", true); err != nil {
		t.Fatal(err)
	}
	return bin
}

// newLister lists with a filter; Hangs is given less time than others.
func newLister(t *testing.T, bin *binary, expr string) *lister {
	t.Helper()
	f, err := NewFilter(expr)
	if err != nil {
		t.Fatal(err)
	}
	return &lister{bin: bin, env: proc.Env(os.Environ(), nil), filter: f, limit: func(name string) time.Duration {
		if name == "Hangs" {
			return 2 * time.Second
		}
		return time.Minute
	}}
}

// No benchmark hides another, however it ends, and none is blamed for another.
func TestList(t *testing.T) {
	t.Parallel()
	bin := buildTest(t, listedSource)
	l := newLister(t, bin, ".")
	got, err := l.list(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"Also: ok",
		"Deadlock: failed: fatal error: all goroutines are asleep - deadlock!",
		"Exits: failed: exit status 1",
		"Fatal: failed: m_test.go:28: wrong",
		"Fine: ok",
		"Group/a-2: ok",
		"Group/bad: failed: m_test.go:33: wrong",
		"Group/good: ok",
		"Hangs: failed: hung: no end after ",
		"Innocent: ok",
		"Last: ok",
		"Panics: failed: panic: ",
		"Prints: ok",
		"Skips: skipped: m_test.go:30: not here",
	}
	lines := statuses(got)
	for i, line := range lines {
		for _, prefix := range []string{"Hangs: failed: hung: no end after ", "Panics: failed: panic: "} {
			if strings.HasPrefix(line, prefix) {
				lines[i] = prefix
			}
		}
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("listing (-want +got):\n%s", diff)
	}
	if m := got.bench["Fine"].Metric("calls/op"); m == nil || len(m.Samples) != 1 || m.Samples[0].Iters != 1 {
		t.Errorf("Fine ran with metric %+v, want one iteration", m)
	}
	if got.setup <= 0 || got.took["Hangs"] < 2*time.Second {
		t.Errorf("setup %v, Hangs took %v", got.setup, got.took["Hangs"])
	}
	for _, tt := range []struct {
		filter string
		skip   string
		want   []string
	}{
		{"Group/good", "", []string{"Group/good: ok"}},
		{"/good", "Hangs Exits Panics Fatal Deadlock Skips", []string{"Group/good: ok"}}, // the others are only looked into
		{"Fine|Last", "", []string{"Fine: ok", "Last: ok"}},
		{"Fine|Last", "Last", []string{"Fine: ok"}},
		{"Group/a-2|Fine", "", []string{"Fine: ok", "Group/a-2: ok"}},
		{"Nothing", "", nil},
	} {
		l := newLister(t, bin, tt.filter)
		l.skip = func(top string) bool { return slices.Contains(strings.Fields(tt.skip), top) }
		got, err := l.list(t.Context())
		if err != nil {
			t.Errorf("--bench %s: %v", tt.filter, err)
			continue
		}
		if diff := cmp.Diff(tt.want, statuses(got)); diff != "" {
			t.Errorf("--bench %s without %q (-want +got):\n%s", tt.filter, tt.skip, diff)
		}
	}
}

// One process of one benchmark: its metrics, or why there are none.
func TestRunOnce(t *testing.T) {
	t.Parallel()
	bin := buildTest(t, strings.Replace(listedSource, "func BenchmarkLast(b *testing.B) {}", `
var sink []byte

func BenchmarkGrowing(b *testing.B) {
	if b.N > 10 {
		b.Fatal("too many")
	}
	for range b.N {
		time.Sleep(30 * time.Millisecond)
	}
}

func BenchmarkSleeps(b *testing.B) {
	for range b.N {
		time.Sleep(time.Millisecond)
	}
}

func BenchmarkLast(b *testing.B) {}
`, 1))
	p := &processes{bin: bin, procs: procsOf(t, bin)}
	p.suite, p.env, p.budget = &GoBench{}, proc.Env(os.Environ(), nil), &Budget{Limit: time.Hour}
	t.Run("calibrates and samples", func(t *testing.T) {
		g := p.target("Sleeps")
		p.calibrate(t, g)
		if g.Iters < 2 || g.Iters > 50 || g.Cost <= 0 || g.Share != processShare || !g.Live[Base] || !g.Live[Head] {
			t.Errorf("Iters = %d, Cost = %v, Share = %d, Live = %v, want some 20 iterations", g.Iters, g.Cost, g.Share, g.Live)
		}
		got := p.pass(t, g)
		if got.Failure != [2]string{} || len(got.First) != 1 || got.Wall <= 0 {
			t.Fatalf("reading = %+v, want one pair", got)
		}
		for side := range got.Times {
			units := map[string]bool{}
			for _, m := range got.Metrics[side] {
				units[m.Unit.Name] = true
				if len(m.Samples) != 1 || m.Samples[0].Iters != g.Iters {
					t.Errorf("%s: %+v, want one sample of %d iterations", m.Unit.Name, m.Samples, g.Iters)
				}
			}
			if len(got.Times[side]) != 1 || !units["B/op"] || !units["allocs/op"] {
				t.Errorf("%v: times %v and %v, want a time, B/op and allocs/op", Side(side), got.Times[side], units)
			}
		}
	})
	t.Run("a stored count is kept", func(t *testing.T) {
		p.suite.Iters = func(k result.Key) int { return map[string]int{"Sleeps": 13}[k.Name] }
		defer func() { p.suite.Iters = nil }()
		g := p.target("Sleeps")
		p.calibrate(t, g)
		if g.Iters != 13 {
			t.Errorf("Iters = %d, want the baseline's 13", g.Iters)
		}
	})
	t.Run("fails when it runs longer", func(t *testing.T) {
		p.suite.Iters = func(result.Key) int { return 20 }
		defer func() { p.suite.Iters = nil }()
		g := p.target("Growing")
		p.calibrate(t, g)
		if want := "fails at 20 iterations: m_test.go:"; g.Live[Base] || g.Bench[Base].Status != result.Failed || !strings.HasPrefix(g.Bench[Base].Message, want) {
			t.Errorf("base: Live %v, %s, %q, want failed: %s", g.Live[Base], g.Bench[Base].Status, g.Bench[Base].Message, want)
		}
	})
	t.Run("empty", func(t *testing.T) {
		g := p.target("Last")
		p.calibrate(t, g)
		for _, side := range []Side{Base, Head} {
			if g.Live[side] || g.Bench[side].Status != result.Absent || g.Bench[side].Message != emptyMessage {
				t.Errorf("%v: Live %v, %s, %q, want that it measures nothing", side, g.Live[side], g.Bench[side].Status, g.Bench[side].Message)
			}
		}
	})
	t.Run("failures", func(t *testing.T) { testProcessFailures(t, p) })
}

// testProcessFailures holds that a process that gives no result says why.
func testProcessFailures(t *testing.T, p *processes) {
	for name, want := range map[string]string{"Panics": "panic: ", "Fatal": "m_test.go:", "Exits": "exit status 1", "Skips": "it printed no result", "Nosuch": "it printed no result"} {
		g := p.target(name)
		g.Iters = 1
		for side, why := range p.pass(t, g).Failure {
			if !strings.HasPrefix(why, want) {
				t.Errorf("%s on %v: %q, want the failure %q", name, Side(side), why, want)
			}
		}
	}
	t.Run("cut off", func(t *testing.T) {
		p.suite.Timeout = time.Second
		defer func() { p.suite.Timeout = 0 }()
		g := p.target("Hangs")
		g.Iters, g.Live[Head] = 1, false
		if why := p.pass(t, g).Failure; !strings.HasPrefix(why[Base], "hung: ") || why[Head] != "" {
			t.Errorf("failures = %q, want that base hung", why)
		}
	})
}

// processes measures a binary without the gate.
type processes struct {
	goRunner
	bin   *binary
	procs int
}

// target makes a benchmark that is the same on both sides.
func (p *processes) target(name string) *goTarget {
	l := &listing{procs: p.procs}
	bins := [2]*binary{p.bin, p.bin}
	g := &goTarget{Target: *newTarget(name), pkg: &pkgState{bins: bins, own: [2]*listing{l, l}}, bins: bins, procs: [2]int{p.procs, p.procs}}
	g.Key.Suite, g.Key.Package = SuiteGoBench, p.bin.pkg
	p.targets = append(p.targets, g)
	return g
}

func (p *processes) calibrate(t *testing.T, g *goTarget) {
	t.Helper()
	if err := p.Calibrate(t.Context(), []*Target{&g.Target}); err != nil {
		t.Fatal(err)
	}
}

func (p *processes) pass(t *testing.T, g *goTarget) (got Reading) {
	t.Helper()
	times := 0
	err := p.Pass(t.Context(), []*Target{&g.Target}, 0, newRand(1), func(_ *Target, r Reading) { got, times = r, times+1 })
	if err != nil || times != 1 {
		t.Fatalf("Pass took %d readings of %s: %v, want one", times, g.Key.Name, err)
	}
	return got
}

// procsOf is the GOMAXPROCS suffix of a binary's names.
func procsOf(t *testing.T, bin *binary) int {
	t.Helper()
	l, err := newLister(t, bin, "Fine").list(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return l.procs
}

// A binary that cannot even list is an error that names its package.
func TestListFails(t *testing.T) {
	t.Parallel()
	bin := buildTest(t, "package m\n\nimport (\n\t\"os\"\n\t\"testing\"\n)\n\nfunc TestMain(*testing.M) {\n\tprintln(\"no database\")\n\tos.Exit(5)\n}\n\nfunc BenchmarkX(*testing.B) {}\n")
	got, err := newLister(t, bin, ".").list(t.Context())
	if err == nil || !strings.Contains(err.Error(), "the test binary of example.com/m cannot list its benchmarks: exit status 5: no database") {
		t.Errorf("list = %+v, %v, want the reason", got, err)
	}
}

// What the compiler says about a package is the package's, with the file; it is no error of the run.
func TestBuildFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{"go.mod": "module example.com/m\n\ngo 1.26\n", "m_test.go": "package m\n\nimport \"testing\"\n\nfunc BenchmarkX(b *testing.B) { nosuch() }\n", "none/none.go": "package none\n"})
	b := &builder{trees: [2]*tree{nil, {root: dir, tool: goOffline()}}, scratch: t.TempDir(), flags: map[module]moduleFlags{{Rel: "."}: {gate: &gate{}}}}
	for rel, want := range map[string]string{".": "m_test.go:5:33: undefined: nosuch", "none": "no test files"} {
		p := goPackage{ImportPath: "example.com/m", Dir: filepath.Join(dir, rel), Module: module{Rel: "."}}
		if rel != "." {
			p.ImportPath += "/" + rel
		}
		bin, err := b.build(t.Context(), Head, p, nil, true)
		if err != nil {
			t.Fatal(err)
		}
		if bin.err == nil || !strings.Contains(bin.err.Error(), want) {
			t.Errorf("%s: %v, want %q", p.ImportPath, bin.err, want)
		}
	}
	ge := (*goError)(nil)
	if _, err := goOffline().run(t.Context(), dir, "nosuch"); !errors.As(err, &ge) || !strings.Contains(err.Error(), "go nosuch: unknown command") {
		t.Errorf("go nosuch: %v", err)
	}
}

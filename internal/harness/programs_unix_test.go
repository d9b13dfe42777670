//go:build unix

package harness

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/org/perfgate/internal/loopback"
	"github.com/org/perfgate/internal/result"
)

// script is a program that is a shell script.
func script(text string) Program {
	return Program{Args: []string{"sh", "-c", text}, Until: UntilExit, Limit: time.Minute, Environ: []string{"PATH=" + os.Getenv("PATH"), "SECRET=1"}}
}

// Prepare and cleanup are around the clock, cleanup also where the run fails.
func TestProgramAround(t *testing.T) {
	dir := t.TempDir()
	p := script("test -f made && exit $(cat made)")
	p.Prepare, p.Cleanup = "sleep 0.3; echo 0 > made", "rm made; echo again >> cleaned"
	ran, err := p.Run(t.Context(), dir, Watching{})
	if err != nil || ran.Wall <= 0 || ran.Wall >= 300*time.Millisecond {
		t.Errorf("%v, %v: want a run without its preparation", ran.Wall, err)
	}
	p.Prepare = "echo 7 > made"
	if _, err := p.Run(t.Context(), dir, Watching{}); err == nil || err.Error() != "exit status 7" {
		t.Errorf("%v, want the exit status", err)
	}
	if cleaned, err := os.ReadFile(filepath.Join(dir, "cleaned")); err != nil || string(cleaned) != "again\nagain\n" {
		t.Errorf("cleaned up %q, %v; want twice", cleaned, err)
	}
	p.Prepare = "echo no >&2; exit 1"
	if _, err := p.Run(t.Context(), dir, Watching{}); err == nil || !strings.Contains(err.Error(), "prepare: exit status 1") || !strings.Contains(err.Error(), "no") {
		t.Errorf("%v, want that prepare failed and what it said", err)
	}
}

// What prepare leaves running is not waited for, and is there while the program runs: cleanup ends it.
func TestProgramBeside(t *testing.T) {
	dir := t.TempDir()
	p := script("kill -0 $(cat pid)")
	p.Prepare, p.Cleanup = "sleep 30 & echo $! > pid", "kill $(cat pid)"
	if _, err := p.Run(t.Context(), dir, Watching{}); err != nil {
		t.Errorf("%v: want a run beside what was prepared", err)
	}
}

// The clock ends with the first byte, or with an answer.
func TestProgramUntil(t *testing.T) {
	p := script("test -z $SECRET && echo out; exec sleep 60")
	p.Until = UntilOutput
	if ran, err := p.Run(t.Context(), t.TempDir(), Watching{}); err != nil || ran.Wall <= 0 || ran.Wall > 30*time.Second {
		t.Errorf("%+v, %v: want the time to the first byte", ran, err)
	}
	p.Args[2] = "exit 0"
	if _, err := p.Run(t.Context(), t.TempDir(), Watching{}); err == nil || err.Error() != "it ended without a byte on standard output" {
		t.Errorf("%v, want that nothing came", err)
	}
	addr, err := loopback.Free() // nobody else listens there when the listener is gone
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	p.Until, p.Ready = UntilReady, addr
	if _, err := p.Run(t.Context(), t.TempDir(), Watching{}); err == nil || !strings.Contains(err.Error(), "answers before the program is started") {
		t.Errorf("%v, want that another one is there", err)
	}
	l.Close()
	if _, err := p.Run(t.Context(), t.TempDir(), Watching{}); err == nil || err.Error() != "it ended before it was ready at "+addr+": what is timed must stay in the foreground" {
		t.Errorf("%v, want that it was never ready", err)
	}
	p.Args[2], p.Limit = "sleep 60", 50*time.Millisecond
	if _, err := p.Run(t.Context(), t.TempDir(), Watching{}); err == nil || !strings.HasPrefix(err.Error(), "hung: not ready at "+addr+" within 50ms, and the last answer was: ") {
		t.Errorf("%v, want what it did not become", err)
	}
}

func TestProgramFails(t *testing.T) {
	p := script("sleep 60")
	p.Limit = 50 * time.Millisecond
	if _, err := p.Run(t.Context(), t.TempDir(), Watching{}); err == nil || !strings.HasPrefix(err.Error(), "hung: no end after") {
		t.Errorf("%v, want that it hung", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Run(ctx, t.TempDir(), Watching{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want the interrupt", err)
	}
	p.Args = []string{"nosuchprogram"}
	if _, err := p.Run(t.Context(), t.TempDir(), Watching{}); err == nil || err.Error() != `"nosuchprogram": no such program in PATH` {
		t.Errorf("%v, want that there is none", err)
	}
}

// What a program imports is read from what its runtime says, and its memory is its own.
func TestProgramWatched(t *testing.T) {
	p := script("echo \"init example.com/$GODEBUG$PYTHONPROFILEIMPORTTIME @1 ms, 2.5 ms clock, 0 bytes, 0 allocs\" >&2; sleep 0.02")
	p.Environ = append(p.Environ, "GODEBUG=http2client=0")
	ran, err := p.Run(t.Context(), t.TempDir(), Watching{Memory: true, Imports: true})
	if err != nil || len(ran.Imports.Packages) != 1 || ran.Imports.Packages[0].Name != "example.com/http2client=0,inittrace=11" {
		t.Errorf("%+v, %v: want the package that was printed, and both variables set", ran.Imports, err)
	}
	if ran.Peak < 1<<18 || ran.Peak > 16<<20 {
		t.Errorf("peak of %d bytes, want that of a shell", ran.Peak)
	}
}

func TestProgramCheck(t *testing.T) {
	for _, tt := range []struct {
		name    string
		change  func(*Program)
		setting string
	}{
		{"well", func(*Program) {}, ""},
		{"no program", func(p *Program) { p.Args = nil }, "program"},
		{"ready where", func(p *Program) { p.Until = UntilReady }, "ready"},
		{"ready for what", func(p *Program) { p.Ready = "localhost:1" }, "ready"},
		{"port", func(p *Program) { p.Until, p.Ready = UntilReady, "localhost" }, "ready"},
		{"number of a port", func(p *Program) { p.Until, p.Ready = UntilReady, "localhost:99999" }, "ready"},
		{"scheme", func(p *Program) { p.Until, p.Ready = UntilReady, "ftp://localhost" }, "ready"},
		{"url", func(p *Program) { p.Until, p.Ready = UntilReady, "http://localhost:1/health" }, ""},
		{"address", func(p *Program) { p.Until, p.Ready = UntilReady, "localhost:1" }, ""},
		{"limit", func(p *Program) { p.Limit = 0 }, "timeout"},
	} {
		p := script("true")
		tt.change(&p)
		if setting, problem := p.Check(); setting != tt.setting || (problem == "") != (setting == "") {
			t.Errorf("%s: %s: %s, want %q", tt.name, setting, problem, tt.setting)
		}
	}
}

// Passes are pairs in the order of a coin behind a watched run, and as many as were asked for.
func TestPrograms(t *testing.T) {
	base, head := t.TempDir(), t.TempDir()
	timed := Timed{Name: "tool", Program: script("test ! -f fail"), Warmup: 2, MinRuns: 10, MaxRuns: 18, Described: "a tool", Trace: true}
	timed.Prepare = `echo "init x @1 ms, $(test -f heavy && echo 9 || echo 2) ms clock, 0 bytes, 0 allocs" > trace`
	timed.Args[2] += `; cat trace >&2; test -z $PERFGATE_PROBE || echo '{"mark":"end","live_bytes":5,"gc_cycles":3,"goroutines":2}' >> $PERFGATE_PROBE; sleep 0.01`
	if err := os.WriteFile(filepath.Join(head, "heavy"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	suite := &Programs{Kind: SuiteStartup, BaseDir: base, HeadDir: head, Timed: []Timed{timed}}
	m, err := Measure(t.Context(), suite, Plan{Seed: 1, Budget: time.Hour, Judge: &fakeJudge{routes: map[string]result.Route{"tool": result.Undecided}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	h := m.Head.Benchmarks[0]
	for _, b := range []*result.Benchmark{m.Base.Benchmarks[0], h} {
		if n := len(b.Metric("sec/op").Samples); n != 18 || b.Metric("sec/op").Samples[17].Pass != 8 {
			t.Errorf("%d runs, want 9 passes of two: no more than --max-runs", n)
		}
		if cpu := b.Metric(result.CommandCPU); cpu == nil || len(cpu.Samples) != 9 {
			t.Errorf("CPU time %+v, want a value a pass", cpu)
		}
		if b.Suite != SuiteStartup || b.Scenario != "a tool" || len(b.Metric(result.MaxPackage).Samples) != traces {
			t.Errorf("%+v", b)
		}
	}
	if m := h.Memory; m == nil || m.Peak < 1<<18 || m.Inside == nil || *m.Inside != (result.Inside{Live: 5, Cycles: 3, Goroutines: 2}) {
		t.Errorf("memory %+v, want its peak and what it marked", m)
	}
	if len(h.First) != 18 || !strings.Contains(h.First, "b") || !strings.Contains(h.First, "h") {
		t.Errorf("First = %q, want both", h.First)
	}
	if len(h.Imports) != 1 || !h.Imports[0].Grew || h.Imports[0].Base != 0.002 || h.Imports[0].Head != 0.009 {
		t.Errorf("imports %+v, want that x grew from 2 ms to 9 ms", h.Imports)
	}
}

// A program that fails on a side is broken there.
func TestProgramsFail(t *testing.T) {
	base, head := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(head, "fail"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	suite := &Programs{Kind: SuiteCommand, BaseDir: base, HeadDir: head, Timed: []Timed{{Name: "tool", Program: script("test ! -f fail"), MinRuns: 6, MaxRuns: 6}}}
	m, err := Measure(t.Context(), suite, Plan{Seed: 1, Budget: time.Hour}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if b, h := m.Base.Benchmarks[0], m.Head.Benchmarks[0]; h.Status != result.Failed || h.Message != "exit status 1" || b.Status != result.OK {
		t.Errorf("head is %s (%s), base %s", h.Status, h.Message, b.Status)
	}
}

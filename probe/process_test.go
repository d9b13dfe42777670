package probe_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/org/perfgate/internal/spans"
	"github.com/org/perfgate/probe"
)

// The test's binary is the program that tells of itself, where this is set.
const role = "PROBE_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "":
		os.Exit(m.Run())
	case "ends":
		defer probe.Flush()
		ctx, span := probe.Span(testContext, "run")
		probe.Hit(ctx, "plans")
		span.End()
	case "hears":
		probe.Span(testContext, "run")
		if info, err := os.Stat(os.Getenv(probe.Env)); err != nil || info.Size() == 0 {
			fmt.Println("nothing was written when the first span began", err)
		}
	case "runs":
		defer probe.Flush()
	case "serves":
		fmt.Println("ready")
		time.Sleep(time.Hour)
	case "killed":
		_, span := probe.Span(testContext, "run")
		span.End()
		probe.Span(testContext, "serve")
		time.Sleep(3 * probe.Every)
		fmt.Println("slept")
		time.Sleep(time.Hour)
	}
}

// program starts the test's binary in a role.
func program(t *testing.T, as string, env ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(append(os.Environ(), role+"="+as), env...)
	return cmd
}

func read(t *testing.T, name string) map[string]*spans.Line {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return told(t, data)
}

func TestProgramEnds(t *testing.T) {
	dir := t.TempDir()
	name, cpu := filepath.Join(dir, "probe.jsonl"), filepath.Join(dir, "cpu.pprof")
	if out, err := program(t, "ends", probe.Env+"="+name, probe.EnvCPU+"="+cpu, probe.EnvHeap+"="+filepath.Join(dir, "heap")).CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("%v: %s", err, out)
	}
	places := read(t, name)
	if places["run"] == nil || places["run"].Count != 1 || places["+plans"].Hits != 1 {
		t.Errorf("the program told of %v", places)
	}
	if places["+begin"] == nil || places["+end"] == nil {
		t.Errorf("no marks of the memory: %v", places)
	}
	for _, name := range []string{cpu, filepath.Join(dir, "heap", spans.HeapBefore), filepath.Join(dir, "heap", spans.HeapAfter)} {
		if info, err := os.Stat(name); err != nil || info.Size() == 0 {
			t.Errorf("no profile: %v", err)
		}
	}
}

// A program that is killed has told of all but the last moment.
func TestProgramKilled(t *testing.T) {
	name := filepath.Join(t.TempDir(), "probe.jsonl")
	cmd := program(t, "killed", probe.Env+"="+name)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	bufio.NewReader(out).ReadString('\n')
	cmd.Process.Kill()
	cmd.Wait()
	places := read(t, name)
	if l := places["run"]; l == nil || l.Count != 1 {
		t.Errorf("it told of %v", places)
	}
	if l := places["serve"]; l == nil || l.Begun != 1 || l.Count != 0 {
		t.Errorf("it left serve open and told of %v", places)
	}
}

// Who waits for a program's spans knows from the first on that there are some.
func TestProgramBegins(t *testing.T) {
	out, err := program(t, "hears", probe.Env+"="+filepath.Join(t.TempDir(), "probe.jsonl")).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("%v: %s", err, out)
	}
}

// What cannot be opened is said once, and the program goes on.
func TestNoFile(t *testing.T) {
	out, err := program(t, "ends", probe.Env+"="+filepath.Join(t.TempDir(), "gone", "probe.jsonl")).CombinedOutput()
	if err != nil || len(out) == 0 {
		t.Errorf("%v: %s", err, out)
	}
}

// A program that is under load for as long as it runs leaves its profiles when it ends, without a span.
func TestProgramRecorded(t *testing.T) {
	dir := t.TempDir()
	touch(t, filepath.Join(dir, spans.BeginProfiles))
	cmd := program(t, "runs", probe.EnvProfiles+"="+dir)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("%v: %s", err, out)
	}
	own := filepath.Join(dir, fmt.Sprint(cmd.Process.Pid))
	want := []string{own + spans.AllocsAfter, own + spans.AllocsBefore, own + spans.CPUProfile, own + spans.HearsProfiles, filepath.Join(dir, spans.BeginProfiles)}
	slices.Sort(want)
	if got, _ := filepath.Glob(filepath.Join(dir, "*")); !slices.Equal(got, want) {
		t.Errorf("the program left %q, want %q", got, want)
	}
}

// A server leaves them while it serves on: it may be killed next. It takes none before it is told to.
func TestServerRecorded(t *testing.T) {
	dir := t.TempDir()
	cmd := program(t, "serves", probe.EnvProfiles+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	bufio.NewReader(out).ReadString('\n')
	own := filepath.Join(dir, fmt.Sprint(cmd.Process.Pid))
	await := func(name string) {
		t.Helper()
		for range 1000 {
			if info, err := os.Stat(name); err == nil {
				if info.Size() == 0 {
					t.Errorf("%s is empty", name)
				}
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
		t.Fatalf("no %s", name)
	}
	if _, err := os.Stat(own + spans.HearsProfiles); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(own + spans.AllocsBefore); err == nil {
		t.Error("it began before it was told to")
	}
	touch(t, filepath.Join(dir, spans.BeginProfiles))
	await(own + spans.AllocsBefore)
	if _, err := os.Stat(own + spans.CPUProfile); err == nil {
		t.Error("it ended before it was told to")
	}
	touch(t, filepath.Join(dir, spans.EndProfiles))
	await(own + spans.AllocsAfter)
	await(own + spans.CPUProfile)
}

func touch(t *testing.T, name string) {
	t.Helper()
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

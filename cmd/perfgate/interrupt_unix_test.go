//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/loopback"
	"github.com/org/perfgate/internal/result"
)

// slowBench notes the process that runs it, which has a child of its own.
const slowBench = `package m

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	child := exec.Command("sleep", "600")
	if err := child.Start(); err != nil {
		panic(err)
	}
	f, err := os.OpenFile(filepath.Join(os.Getenv("HOME"), "pids"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(f, os.Getpid(), child.Process.Pid)
	f.Close()
	os.Exit(m.Run())
}

func BenchmarkNap(b *testing.B) {
	for i := range b.N {
		if i%every == 0 {
			time.Sleep(200 * time.Microsecond)
		}
	}
}
`

// slowCode is what the benchmark runs, in two versions.
const slowCode = "package m\n\nvar every = %d\n"

// An interrupted check exits 130, keeps the pairs that it finished, and leaves nothing behind: no
// checkout, no folder, no process.
func TestInterrupt(t *testing.T) {
	t.Run("first stage", func(t *testing.T) {
		t.Parallel()
		base, head := interrupt(t, 101, 4)
		if n := base.Passes(); n == 0 || n != head.Passes() || n >= compare.FirstLook {
			t.Errorf("latest.json has %d passes of base and %d of head, want the same number, some and not all", n, head.Passes())
		}
	})
	t.Run("second stage", func(t *testing.T) {
		if !long() {
			t.Skip("it takes long: set PERFGATE_TEST_LONG=1")
		}
		t.Parallel()
		base, head := interrupt(t, 30, compare.FirstLook+4) // a build takes three
		b, h := base.Metric("sec/op").Confirm, head.Metric("sec/op").Confirm
		if len(b) == 0 || len(b) != len(h) || b[len(b)-1].Pass >= 11 {
			t.Errorf("latest.json has %d and %d pairs of the second stage, want the same number, some builds and not all", len(b), len(h))
		}
	})
}

// A check of a program under load that is interrupted leaves, beyond that, no program and no listener.
func TestInterruptLoad(t *testing.T) {
	t.Parallel()
	addr, err := loopback.Free()
	if err != nil {
		t.Fatal(err)
	}
	const (
		server = "echo $$ $PERFGATE_MOCK_URL >>$HOME/pids; modelserver ADDR & echo $! $PERFGATE_MOCK_URL >>$HOME/pids; wait # "
		load   = "load: [{name: ask, target: http://ADDR/ask, program: [sh, server.sh], runs: 4, concurrency: 2, llm-latency: 20ms}]\n"
		pass   = 4
	)
	there := strings.NewReplacer("ADDR", addr)
	var mock string
	base, head := interruptCheck(t, map[string]string{"perfgate.yaml": there.Replace(load), "server.sh": there.Replace(server) + "one\n"}, map[string]string{"server.sh": there.Replace(server) + "two\n"},
		func(home string) (pids []int) {
			pids, mock = awaitRuns(t, filepath.Join(home, "pids"), 2*2*pass+3) // a sample of each side calibrates, and then there is one a pass
			return pids
		})
	if n := base.Passes(); n == 0 || n != head.Passes() || n >= compare.FirstLook {
		t.Errorf("latest.json has %d passes of base and %d of head, want the same number, some and not all", n, head.Passes())
	}
	nobodyListens(t, addr)
	nobodyListens(t, strings.TrimPrefix(mock, "http://"))
}

// interrupt checks a commit after which one turn in so many sleeps, in place of one in a hundred, and
// interrupts it while it takes the given pass. It returns what latest.json has.
func interrupt(t *testing.T, every, pass int) (base, head *result.Benchmark) {
	return interruptCheck(t, map[string]string{"go.mod": "module example.com/m\n\ngo 1.26\n", "m_test.go": slowBench, "m.go": fmt.Sprintf(slowCode, 100)},
		map[string]string{"m.go": fmt.Sprintf(slowCode, every)},
		func(home string) []int { // 2 processes a side list, one calibrates, and then there is one a pass
			return awaitLines(t, filepath.Join(home, "pids"), 2*(2+1+pass))
		})
}

// interruptCheck checks a commit of edited files, and interrupts it when await has returned the processes that
// there are.
func interruptCheck(t *testing.T, files, edited map[string]string, await func(home string) (pids []int)) (base, head *result.Benchmark) {
	dir := t.TempDir()
	home, vars, err := isolate(dir)
	if err != nil {
		t.Fatal(err)
	}
	env := append(vars, "HOME="+home, "PATH="+os.Getenv("PATH"), "TMPDIR="+dir, "PERFGATE_METRICS=times", "PERFGATE_CONTROL=false")
	repo := filepath.Join(dir, "repo")
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("git", args...)
		cmd.Dir, cmd.Env = repo, env
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	if err := os.Mkdir(repo, 0o777); err != nil {
		t.Fatal(err)
	}
	git("init", "--quiet", "--initial-branch=main")
	for _, version := range []map[string]string{files, edited} {
		for name, text := range version {
			if err := os.WriteFile(filepath.Join(repo, name), []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		git("add", "--all")
		git("commit", "--quiet", "--message=a version")
	}

	var stdout, stderr bytes.Buffer
	cmd := exec.Command("perfgate", "check", "--budget", "5m")
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = repo, env, &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pids := await(home)
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	err = cmd.Wait()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != exitInterrupted {
		t.Errorf("perfgate ended with %v, want exit status %d\nstderr: %s", err, exitInterrupted, &stderr)
	}
	if got := stderr.String(); !strings.HasSuffix(got, "perfgate: interrupted\n") {
		t.Errorf("stderr %q, want it to end by saying that the run was interrupted", got)
	}
	if strings.Contains(stdout.String(), ": the budget ended before it") {
		t.Errorf("the budget has no part in it:\n%s", &stdout)
	}
	if want := "interrupted, so this is a part"; !strings.Contains(stdout.String(), want) {
		t.Errorf("standard output does not say %q:\n%s", want, &stdout)
	}
	base, head = readPartial(t, filepath.Join(repo, "perf_reports", "latest.json"))
	if out := git("worktree", "list", "--porcelain"); strings.Count(out, "worktree ") != 1 {
		t.Errorf("work trees left:\n%s", out)
	}
	if _, err := os.Stat(filepath.Join(repo, ".git", "perfgate")); !os.IsNotExist(err) {
		t.Errorf("stat .git/perfgate = %v, want that it does not exist", err)
	}
	for _, pid := range pids {
		if alive(pid) {
			t.Errorf("process %d is still there", pid)
		}
	}
	again := exec.Command("perfgate", "report", filepath.Join("perf_reports", "latest.json"))
	again.Dir, again.Env = repo, env
	if out, err := again.CombinedOutput(); again.ProcessState.ExitCode() != exitNoVerdict || !strings.Contains(string(out), "interrupted") {
		t.Errorf("perfgate report on what is left: %v\n%s", err, out)
	}
	return base, head
}

// awaitLines waits until the file has n lines and returns the numbers in it.
func awaitLines(t *testing.T, name string, n int) []int {
	t.Helper()
	for range 1200 {
		data, _ := os.ReadFile(name)
		if bytes.Count(data, []byte("\n")) >= n {
			var pids []int
			for f := range strings.FieldsSeq(string(data)) {
				pid, err := strconv.Atoi(f)
				if err != nil {
					t.Fatal(err)
				}
				pids = append(pids, pid)
			}
			return pids
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("%s does not have %d lines after 2 minutes", name, n)
	return nil
}

// alive reports whether a process runs. One that was killed and that nobody waited for is not.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return true // no /proc: the signal's word
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(state, "Z")
}

// readPartial reads a file that says that it is partial and has one benchmark a side.
func readPartial(t *testing.T, name string) (base, head *result.Benchmark) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := result.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Partial {
		t.Error("latest.json does not say that it is partial")
	}
	for _, s := range []*result.Set{r.Base, r.Head} {
		if s == nil || len(s.Benchmarks) != 1 {
			t.Fatalf("latest.json has %+v, want one benchmark a side", s)
		}
	}
	return r.Base.Benchmarks[0], r.Head.Benchmarks[0]
}

//go:build unix

package proc

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// shell is a child that runs a script.
func shell(t *testing.T, script string) Process {
	return Process{Path: "/bin/sh", Args: []string{"-c", script}, Dir: t.TempDir(), Env: []string{"PATH=" + os.Getenv("PATH")}, Limit: time.Minute}
}

func TestProcess(t *testing.T) {
	for _, tt := range []struct {
		name, script, stdout, stderr, failure string
	}{
		{"well", "echo out; echo err >&2", "out\n", "err\n", ""},
		{"exit code", "echo out; exit 3", "out\n", "", "exit status 3"},
		{"signal", "kill -SEGV $$", "", "", "signal: segmentation fault"},
		{"environment", "echo $GITHUB_TOKEN$HOME", "\n", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, err := shell(t, tt.script).Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if string(e.Stdout) != tt.stdout || string(e.Stderr) != tt.stderr || !strings.HasPrefix(e.Failure, tt.failure) || (e.Failure == "") != (tt.failure == "") {
				t.Errorf("stdout %q, stderr %q, failure %q, want %q, %q, %q", e.Stdout, e.Stderr, e.Failure, tt.stdout, tt.stderr, tt.failure)
			}
			if e.Wall <= 0 || e.Hung {
				t.Errorf("Wall = %v, Hung = %v", e.Wall, e.Hung)
			}
		})
	}
	p := shell(t, "")
	p.Path = filepath.Join(t.TempDir(), "nosuch")
	if _, err := p.Run(t.Context()); err == nil {
		t.Error("a program that does not exist ran")
	}
}

// awaitPid waits for a script to write a number to a file.
func awaitPid(t *testing.T, name string) int {
	t.Helper()
	for range 600 {
		if data, err := os.ReadFile(name); err == nil && bytes.HasSuffix(data, []byte("\n")) {
			pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
			if err != nil {
				t.Fatal(err)
			}
			return pid
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("no %s after 30 s", name)
	return 0
}

// awaitDeath waits until a process is gone or a zombie that nobody has waited for.
func awaitDeath(t *testing.T, pid int) {
	t.Helper()
	for range 100 {
		if syscall.Kill(pid, 0) != nil {
			return
		}
		stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
		if _, state, _ := strings.Cut(string(stat), ") "); err == nil && strings.HasPrefix(state, "Z") {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("process %d is still there", pid)
	syscall.Kill(pid, syscall.SIGKILL)
}

// A child that does not end is killed at its limit, with its own children, and what it wrote is kept.
func TestProcessHangs(t *testing.T) {
	t.Parallel()
	p := shell(t, "sleep 600 & echo $! >grandchild; echo so far; sleep 600")
	p.Limit = 2 * time.Second
	e, err := p.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !e.Hung || !strings.HasPrefix(e.Failure, "hung: no end after ") || string(e.Stdout) != "so far\n" {
		t.Errorf("Hung = %v, failure %q, stdout %q", e.Hung, e.Failure, e.Stdout)
	}
	awaitDeath(t, awaitPid(t, filepath.Join(p.Dir, "grandchild")))
}

// A child's own children do not outlive it, also where it ends by itself and they hold its output.
func TestProcessLeavesChild(t *testing.T) {
	t.Parallel()
	p := shell(t, "sleep 600 & echo $! >grandchild; echo done")
	began := time.Now()
	e, err := p.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %v to notice that the child had ended", took)
	}
	if string(e.Stdout) != "done\n" || !strings.HasPrefix(e.Failure, "it ended and left a process behind") {
		t.Errorf("stdout %q, failure %q, want that another holds its output", e.Stdout, e.Failure)
	}
	awaitDeath(t, awaitPid(t, filepath.Join(p.Dir, "grandchild")))
}

// An ended context kills the group and is the error.
func TestProcessCancelled(t *testing.T) {
	t.Parallel()
	p := shell(t, "sleep 600 & echo $! >grandchild; sleep 600")
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer cancel()
		awaitPid(t, filepath.Join(p.Dir, "grandchild"))
	}()
	if e, err := p.Run(ctx); !errors.Is(err, context.Canceled) || e.Hung {
		t.Errorf("run = %+v, %v, want the context's error", e, err)
	}
	awaitDeath(t, awaitPid(t, filepath.Join(p.Dir, "grandchild")))
}

// The end of an endless output is kept, and no more.
func TestProcessOutput(t *testing.T) {
	t.Parallel()
	e, err := shell(t, "yes 123456789 | head -c 30000000; echo last").Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Stdout) != maxOutput || !bytes.HasSuffix(e.Stdout, []byte("\nlast\n")) {
		t.Errorf("%d bytes of output that end in %q, want %d with the last line", len(e.Stdout), e.Stdout[max(0, len(e.Stdout)-10):], maxOutput)
	}
}

func TestTail(t *testing.T) {
	w := &tail{max: 10}
	for i := range 1000 {
		if n, err := w.Write([]byte(strconv.Itoa(i) + "\n")); err != nil || n != len(strconv.Itoa(i))+1 {
			t.Fatalf("Write = %d, %v", n, err)
		}
		if w.buf.Len() > 20 {
			t.Fatalf("%d bytes are kept", w.buf.Len())
		}
	}
	if got, want := string(w.Bytes()), "7\n998\n999\n"; got != want {
		t.Errorf("Bytes() = %q, want %q", got, want)
	}
}

// CPU time is the child's own, from its wait status.
func TestProcessCPU(t *testing.T) {
	t.Parallel()
	e, err := shell(t, "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done").Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if e.CPU <= 0 || e.CPU > 2*e.Wall+time.Second {
		t.Errorf("CPU = %v in %v", e.CPU, e.Wall)
	}
}

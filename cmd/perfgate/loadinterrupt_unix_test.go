//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/org/perfgate/internal/loopback"
	"github.com/org/perfgate/internal/profiler"
	"github.com/org/perfgate/internal/result"
)

// An interrupted load exits 130, writes what it has, and leaves no process and no listener: neither those of
// a run nor the mocked upstream.
func TestLoadInterrupt(t *testing.T) {
	addr, err := loopback.Free()
	if err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"command": {"--target", "command", "--concurrency", "2", "--", "sh", "-c", "echo $$ $PERFGATE_MOCK_URL >>pids; [ -e first ] || { touch first; exit; }; sleep 600 & echo $! $PERFGATE_MOCK_URL >>pids; sleep 600"},
		"server": {"--target", "http://" + addr + "/llm", "--llm-latency", "10m", "--timeout", "0", "--concurrency", "2", "--",
			"sh", "-c", "echo $$ $PERFGATE_MOCK_URL >>pids; modelserver " + addr + " & echo $! $PERFGATE_MOCK_URL >>pids; echo $$ $PERFGATE_MOCK_URL >>pids; wait"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			var stdout, stderr bytes.Buffer
			cmd := exec.Command("perfgate", append([]string{"load", "--profile"}, args...)...)
			cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, &stderr
			cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			pids, mock := awaitRuns(t, filepath.Join(dir, "pids"), 3)
			if name == "server" {
				awaitListener(t, addr)
				time.Sleep(50 * time.Millisecond) // requests are under way: nothing tells from outside
			}
			cmd.Process.Signal(syscall.SIGINT)
			err := cmd.Wait()
			if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != exitInterrupted {
				t.Errorf("perfgate ended with %v, want exit status %d\nstderr: %s", err, exitInterrupted, &stderr)
			}
			if !strings.HasSuffix(stderr.String(), "perfgate: interrupted\n") {
				t.Errorf("standard error does not end with the interrupt:\n%s", &stderr)
			}
			if !strings.Contains(stdout.String(), "interrupted, so this is a part\n") {
				t.Errorf("standard output does not say that it is a part:\n%s", &stdout)
			}
			f, err := readResult(filepath.Join(dir, "perf_reports", "latest.json"))
			if err != nil || !f.Partial || len(f.Head.Benchmarks) != 1 || f.Head.Benchmarks[0].Status != result.OK {
				t.Errorf("latest.json: %v, %+v", err, f)
			}
			nobodyListens(t, strings.TrimPrefix(mock, "http://"))
			if name == "server" {
				nobodyListens(t, addr)
			}
			for _, pid := range pids {
				if alive(pid) {
					t.Errorf("process %d is still there", pid)
				}
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "perfgate-*")); len(left) > 0 {
				t.Errorf("folders left: %q", left)
			}
			profiles, _ := filepath.Glob(filepath.Join(dir, performanceDir, "*.json"))
			if len(profiles) != 1 {
				t.Fatalf("profiles %q, want one", profiles)
			}
			d, err := profiler.Read(profiles[0])
			if err != nil || d.Failure != "was interrupted" || len(d.Phases) != 1 || d.Phases[0].Name != "load" {
				t.Errorf("the profile: %v, %+v", err, d)
			}
		})
	}
}

// awaitRuns waits until the file has n lines, and returns the process of each and where the mock listens.
func awaitRuns(t *testing.T, name string, n int) (pids []int, mock string) {
	t.Helper()
	for range 3000 {
		data, _ := os.ReadFile(name)
		if bytes.Count(data, []byte("\n")) < n {
			time.Sleep(20 * time.Millisecond)
			continue
		}
		for line := range strings.Lines(string(data)) {
			id, url, _ := strings.Cut(strings.TrimSpace(line), " ")
			pid, err := strconv.Atoi(id)
			if err != nil {
				t.Fatal(err)
			}
			mock, _, _ = strings.Cut(url, "/r/")
			pids = append(pids, pid)
		}
		return pids, mock
	}
	t.Fatalf("%s does not have %d lines after a minute", name, n)
	return nil, ""
}

func awaitListener(t *testing.T, addr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 12*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		if dials(ctx, addr) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("nobody listens on %s", addr)
}

//go:build unix

package github

import (
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestPipe is a file replaced by a pipe that nobody reads or writes: opening it
// would hold the gate for ever.
func TestPipe(t *testing.T) {
	t.Run("before the start", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "outputs")
		makePipe(t, path)
		err := inTime(t, func() error {
			env := map[string]string{"GITHUB_OUTPUT": path}
			return New(environment(env), io.Discard).SetOutput("verdict", "pass")
		})
		if err == nil {
			t.Error("writing into a pipe succeeded")
		}
	})
	t.Run("while measuring", func(t *testing.T) {
		s := newStep(t, "", "")
		if err := os.Remove(s.outputs); err != nil {
			t.Fatal(err)
		}
		makePipe(t, s.outputs)
		if err := inTime(t, func() error { return s.runner.SetOutput("verdict", "pass") }); err != nil {
			t.Error(err)
		}
		checkFile(t, s.outputs, "verdict=pass\n")
	})
}

func makePipe(t *testing.T, path string) {
	t.Helper()
	if err := syscall.Mkfifo(path, 0o644); err != nil {
		t.Fatal(err)
	}
}

// inTime returns what do does, which must be soon.
func inTime(t *testing.T, do func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- do() }()
	select {
	case err := <-done:
		return err
	case <-time.After(5 * time.Second):
		t.Fatal("it waits for the other end of the pipe")
		return nil
	}
}

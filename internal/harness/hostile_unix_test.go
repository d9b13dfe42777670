//go:build unix

package harness

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/org/perfgate/internal/harness/load"
	"github.com/org/perfgate/internal/spans"
)

// A test binary that leaves the conversation and goes on is not waited for without end.
func TestLeavesGate(t *testing.T) {
	bin := &binary{dir: t.TempDir()}
	bin.path = filepath.Join(bin.dir, "head.test")
	if err := os.WriteFile(bin.path, []byte("#!/bin/sh\nexec 3<&- 4>&-\nexec sleep 30\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	target := &goTarget{}
	target.Key.Name = "X"
	r := &goRunner{suite: &GoBench{Timeout: 100 * time.Millisecond}, env: os.Environ()}
	w, err := r.lead(t.Context(), []*goTarget{target}, group{bins: [2]*binary{Head: bin}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(w.failures) != 1 || !strings.HasPrefix(w.failures[0].message, "hung: ") {
		t.Errorf("%+v, want that it hung", w.failures)
	}
}

// A pipe in the place of a profile would be opened for as long as one likes.
func TestProfileFolderPipe(t *testing.T) {
	f, err := newProfileFolder(AllocsProfile, true)
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	put(t, f.dir, "1"+spans.AllocsAfter, packed(t, profileOf(AllocsProfile, stack{[]string{"main.work"}, 1})))
	if err := syscall.Mkfifo(filepath.Join(f.dir, "1"+spans.AllocsBefore), 0o600); err != nil {
		t.Fatal(err)
	}
	failed := make(chan error, 1)
	go func() {
		_, _, err := f.take()
		failed <- err
	}()
	select {
	case err := <-failed:
		if err == nil || !strings.Contains(err.Error(), "it is no file") {
			t.Errorf("%v, want that it is no file", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("it waits for a writer")
	}
}

// A program that is not there leaves no folder for its profiles behind.
func TestRecordNothing(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	r := &LoadRun{Record: &Recording{Kind: CPUProfile}}
	target := &load.Settings{Args: []string{"./nosuch"}, Dir: t.TempDir(), Env: func(*int) []string { return nil }}
	if err := r.record(target, load.TargetRow{Program: load.MustRun}); err == nil {
		t.Error("it was found")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}

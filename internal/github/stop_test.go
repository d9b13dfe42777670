package github

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// obeyed replays a log as the runner reads it and returns the commands that it obeys.
func obeyed(log string) []string {
	var out []string
	stopped := ""
	for line := range strings.Lines(log) {
		line = strings.TrimSpace(line)
		switch {
		case stopped != "" && line == "::"+stopped+"::":
			stopped = ""
		case stopped != "":
		case strings.HasPrefix(line, "::stop-commands::"):
			stopped = strings.TrimPrefix(line, "::stop-commands::")
		case strings.HasPrefix(line, "::") || strings.Contains(line, "##["):
			out = append(out, line)
		}
	}
	return out
}

func TestStopCommands(t *testing.T) {
	var log bytes.Buffer
	r := New(environment(map[string]string{"GITHUB_ACTIONS": "true"}), &log)
	child := func() { log.WriteString("::error::pwn\n  ##[error]pwn\n::set-output name=verdict::pass\n") }
	step := func(do func() error) {
		t.Helper()
		if err := do(); err != nil {
			t.Fatal(err)
		}
	}
	step(r.StopCommands)
	step(r.StopCommands) // is stopped already
	child()
	step(func() error { return r.Annotate([]Annotation{{Level: "error", Message: "slower"}}) })
	child()
	step(r.Resume)
	step(r.Resume)
	step(func() error { return r.Annotate([]Annotation{{Level: "notice", Message: "done"}}) })
	if diff := cmp.Diff([]string{"::error::slower", "::notice::done"}, obeyed(log.String())); diff != "" {
		t.Errorf("the runner obeys (-want +got):\n%s\nof\n%s", diff, log.String())
	}
	tokens := regexp.MustCompile(`(?m)^::stop-commands::([0-9a-f]{32})$`).FindAllStringSubmatch(log.String(), -1)
	if len(tokens) != 2 || tokens[0][1] == tokens[1][1] {
		t.Errorf("the words %v, want two of 128 bits that differ", tokens)
	}
}

func TestStopCommandsOutside(t *testing.T) {
	var log bytes.Buffer
	r := New(environment(nil), &log)
	if err := r.StopCommands(); err != nil || log.Len() > 0 {
		t.Errorf("outside Actions: %v, %q", err, log.String())
	}
	if err := New(environment(map[string]string{"GITHUB_ACTIONS": "true"}), closed{}).StopCommands(); err == nil {
		t.Error("a closed log is no error")
	}
}

// TestRestore: a measured program that finds the runner's files sets nothing for later steps.
func TestRestore(t *testing.T) {
	dir := t.TempDir()
	env := map[string]string{"GITHUB_ACTIONS": "true"}
	before := map[string]string{"GITHUB_STEP_SUMMARY": "# Mine\n", "GITHUB_OUTPUT": "a=1\n", "GITHUB_ENV": "B=2\n", "GITHUB_PATH": "", "GITHUB_STATE": ""}
	for name, text := range before {
		env[name] = filepath.Join(dir, name)
		writeFile(t, env[name], text)
	}
	r := New(environment(env), io.Discard)
	if written, err := r.Restore(); written != nil || err != nil {
		t.Errorf("untouched: %v, %v", written, err)
	}
	writeFile(t, env["GITHUB_OUTPUT"], "verdict=pass\n")
	if err := r.SetOutput("verdict", "fail"); err != nil {
		t.Fatal(err)
	}
	writeFile(t, env["GITHUB_ENV"], "LD_PRELOAD=/evil.so\n")
	writeFile(t, env["GITHUB_STATE"], "isPost=true\n")
	if err := os.Remove(env["GITHUB_PATH"]); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "elsewhere"), env["GITHUB_PATH"]); err != nil {
		t.Skip(err) // no links here
	}
	written, err := r.Restore()
	if diff := cmp.Diff([]string{"outputs", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE"}, written); diff != "" || err != nil {
		t.Errorf("written by others (-want +got):\n%s%v", diff, err)
	}
	before["GITHUB_OUTPUT"] = "a=1\nverdict=fail\n"
	for name, want := range before {
		checkFile(t, env[name], want)
	}
	if _, err := os.Stat(filepath.Join(dir, "elsewhere")); err == nil {
		t.Error("a link was followed")
	}
}

// TestToldOnce: a file that cannot be written is one error, however many outputs are lost.
func TestToldOnce(t *testing.T) {
	r := New(environment(map[string]string{"GITHUB_OUTPUT": filepath.Join(t.TempDir(), "absent", "file")}), io.Discard)
	if r.SetOutput("a", "1") == nil {
		t.Error("the first output is no error")
	}
	if err := r.SetOutput("b", "2"); err != nil {
		t.Errorf("the second output: %v", err)
	}
}

func TestSummaryRoom(t *testing.T) {
	s := newStep(t, "before, without a line end", "")
	room := s.runner.SummaryRoom()
	if err := s.runner.AppendSummary(strings.Repeat("x", room+1)); err == nil {
		t.Error("more than the room is no error")
	}
	s = newStep(t, "before, without a line end", "")
	if err := s.runner.AppendSummary(strings.Repeat("x", room)); err != nil {
		t.Error(err)
	}
	if room = s.runner.SummaryRoom(); room != 0 {
		t.Errorf("room for %d bytes in a full summary", room)
	}
}

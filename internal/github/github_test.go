package github

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// environment returns a getenv for a map. No test reads the real environment:
// it may itself be a step of a workflow.
func environment(env map[string]string) func(string) string {
	return func(name string) string { return env[name] }
}

func TestActive(t *testing.T) {
	for value, want := range map[string]bool{"true": true, "": false, "false": false, "1": false} {
		r := New(environment(map[string]string{"GITHUB_ACTIONS": value}), io.Discard)
		if got := r.Active(); got != want {
			t.Errorf("Active with GITHUB_ACTIONS=%q = %v, want %v", value, got, want)
		}
	}
}

func TestInput(t *testing.T) {
	tests := []struct {
		name string
		env  map[string]string
		want string
	}{
		{"unset", nil, ""},
		{"hyphen", map[string]string{"INPUT_PASS-ENV": "HOME"}, "HOME"},
		{"underscore", map[string]string{"INPUT_PASS_ENV": "HOME"}, "HOME"},
		{"hyphen wins", map[string]string{"INPUT_PASS-ENV": "A", "INPUT_PASS_ENV": "B"}, "A"},
		{"empty hyphen", map[string]string{"INPUT_PASS-ENV": "  ", "INPUT_PASS_ENV": "B"}, "B"},
		{"trimmed", map[string]string{"INPUT_PASS-ENV": " \n A,B \n"}, "A,B"},
		{"other input", map[string]string{"INPUT_PASS": "A"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env := map[string]string{"GITHUB_ACTIONS": "true"}
			for k, v := range tt.env {
				env[k] = v
			}
			if got := New(environment(env), io.Discard).Input("pass-env"); got != tt.want {
				t.Errorf("Input(pass-env) = %q, want %q", got, tt.want)
			}
			env["GITHUB_ACTIONS"] = ""
			if got := New(environment(env), io.Discard).Input("pass-env"); got != "" {
				t.Errorf("outside Actions Input(pass-env) = %q, want nothing", got)
			}
		})
	}
}

func TestWorkspace(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	tests := map[string]string{"": "", dir: dir, file: "", filepath.Join(dir, "absent"): ""}
	for value, want := range tests {
		r := New(environment(map[string]string{"GITHUB_WORKSPACE": value}), io.Discard)
		if got := r.Workspace(); got != want {
			t.Errorf("Workspace with GITHUB_WORKSPACE=%q = %q, want %q", value, got, want)
		}
	}
}

// TestOutsideActions is the laptop: no variable is set, nothing is written
// anywhere, and nothing is an error.
func TestOutsideActions(t *testing.T) {
	var stdout bytes.Buffer
	r := New(environment(nil), &stdout)
	err := errors.Join(
		r.AppendSummary("# Title"),
		r.SetOutput("verdict", "pass"),
		r.Annotate([]Annotation{{Level: "error", Message: "slower"}}),
	)
	if err != nil {
		t.Errorf("outside Actions: %v", err)
	}
	if stdout.Len() > 0 {
		t.Errorf("outside Actions wrote %q", stdout.String())
	}
}

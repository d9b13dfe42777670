package github

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// step is a step of a workflow with both files in a folder of its own. What the
// files hold before the gate starts is given.
type step struct {
	summary, outputs string // paths
	runner           *Runner
}

func newStep(t *testing.T, summary, outputs string) *step {
	t.Helper()
	dir := t.TempDir()
	s := &step{summary: filepath.Join(dir, "summary"), outputs: filepath.Join(dir, "outputs")}
	writeFile(t, s.summary, summary)
	writeFile(t, s.outputs, outputs)
	s.runner = New(environment(map[string]string{
		"GITHUB_ACTIONS":      "true",
		"GITHUB_STEP_SUMMARY": s.summary,
		"GITHUB_OUTPUT":       s.outputs,
	}), io.Discard)
	return s
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func checkFile(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", filepath.Base(path), diff)
	}
}

func TestAppendSummary(t *testing.T) {
	s := newStep(t, "before, without a line end", "")
	for _, text := range []string{"# One", "| a |\n"} {
		if err := s.runner.AppendSummary(text); err != nil {
			t.Fatal(err)
		}
	}
	checkFile(t, s.summary, "before, without a line end\n# One\n| a |\n\n")
}

func TestSetOutput(t *testing.T) {
	s := newStep(t, "", "earlier=1")
	want := "earlier=1\n"
	for _, o := range [][2]string{
		{"verdict", "fail"}, {"exit-code", "1"}, {"report", "perf_reports/before_after.md"},
		{"baseline_sha", "0123abcdef"}, {"missing", ""}, {"score", "+1.5 a-b"}, {"verdict", "error"},
	} {
		if err := s.runner.SetOutput(o[0], o[1]); err != nil {
			t.Fatal(err)
		}
		want += o[0] + "=" + o[1] + "\n"
		if err := s.runner.SetOutput(o[0], o[1]); err != nil { // is said once
			t.Fatal(err)
		}
	}
	checkFile(t, s.outputs, want)
}

func TestSetOutputRefuses(t *testing.T) {
	const delimiter = "_GitHubActionsFileCommandDelimeter_"
	tests := []struct{ name, value string }{
		{"report", "X/|<script>##[error]::set-output"},
		{"report", "a\nverdict=pass"},
		{"report", "a\rverdict=pass"},
		{"report", "a\n"},
		{"report", "%0A::error::"},
		{"report", "x<<" + delimiter + "\npass\n" + delimiter},
		{"report", "gnp.\u202eexe"},
		{"report", "caf\u00e9"},
		{"report", "a\x00b"},
		{"", "pass"},
		{"a=b", "pass"},
		{"verdict<<EOF", "pass"},
		{"verdict\n", "pass"},
		{"9lives", "pass"},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%q", tt.name+"="+tt.value), func(t *testing.T) {
			s := newStep(t, "", "kept=1\n")
			if err := s.runner.SetOutput(tt.name, tt.value); err == nil {
				t.Errorf("SetOutput(%q, %q) wrote it, want an error", tt.name, tt.value)
			}
			checkFile(t, s.outputs, "kept=1\n")
		})
	}
}

// TestWhatProgramsLeft is a pull request that tries to pick its own verdict: a
// benchmark finds the files and writes into them while the gate measures.
func TestWhatProgramsLeft(t *testing.T) {
	s := newStep(t, "# Mine\n", "mine=1\n")
	writeFile(t, s.summary, "# Mine\nAll is well. <!--")
	writeFile(t, s.outputs, "mine=2\nverdict=pass\nx<<verdict=fail\n")
	if err := s.runner.AppendSummary("# Slower"); err != nil {
		t.Error(err)
	}
	if err := s.runner.SetOutput("verdict", "fail"); err != nil {
		t.Error(err)
	}
	checkFile(t, s.summary, "# Mine\n# Slower\n")
	checkFile(t, s.outputs, "mine=1\nverdict=fail\n")
}

func TestSummaryLimit(t *testing.T) {
	const text = 100
	for _, tt := range []struct {
		name   string
		before int
		ok     bool
	}{
		{"fits exactly", SummaryLimit - text - 1, true},
		{"one too many", SummaryLimit - text, false},
		{"full before", SummaryLimit + 5, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := strings.Repeat("x", tt.before-1) + "\n"
			s := newStep(t, before, "")
			err := s.runner.AppendSummary(strings.Repeat("y", text))
			if (err == nil) != tt.ok {
				t.Errorf("with %d bytes before: error %v, want success %v", tt.before, err, tt.ok)
			}
			if !tt.ok {
				checkFile(t, s.summary, before)
			}
		})
	}
}

// TestUnwritable checks that each way in which the files can be out of order is
// an error and nothing worse.
func TestUnwritable(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	writeFile(t, file, "")
	for _, path := range []string{
		dir,
		filepath.Join(file, "below a file"),
		filepath.Join(dir, "absent", "file"),
		os.DevNull,
		"bad\x00name",
	} {
		t.Run(fmt.Sprintf("%q", path), func(t *testing.T) {
			r := New(environment(map[string]string{"GITHUB_STEP_SUMMARY": path, "GITHUB_OUTPUT": path}), io.Discard)
			if err := r.AppendSummary("text"); err == nil || !strings.HasPrefix(err.Error(), "job summary: ") {
				t.Errorf("AppendSummary = %v, want an error that names the job summary", err)
			}
			if err := r.SetOutput("verdict", "pass"); err == nil || !strings.HasPrefix(err.Error(), "outputs: ") {
				t.Errorf("SetOutput = %v, want an error that names the outputs", err)
			}
		})
	}
}

// TestReplacedByFolder is a measured program that puts a folder where the file
// was, after the gate has looked: the outputs are delivered all the same.
func TestReplacedByFolder(t *testing.T) {
	s := newStep(t, "", "")
	if err := os.Remove(s.outputs); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(s.outputs, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := s.runner.SetOutput("verdict", "pass"); err != nil {
		t.Error(err)
	}
	checkFile(t, s.outputs, "verdict=pass\n")
}

func TestMissingFileIsCreated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outputs")
	r := New(environment(map[string]string{"GITHUB_OUTPUT": path}), io.Discard)
	if err := r.SetOutput("verdict", "pass"); err != nil {
		t.Fatal(err)
	}
	checkFile(t, path, "verdict=pass\n")
}

// TestActHostMode is act without a job image: the variables name folders of the
// host, and the container has the same files elsewhere.
func TestActHostMode(t *testing.T) {
	act := t.TempDir()
	elsewhere := filepath.Join(t.TempDir(), "absent", "workflow")
	env := map[string]string{
		"GITHUB_STEP_SUMMARY": filepath.Join(elsewhere, "SUMMARY.md"),
		"GITHUB_OUTPUT":       filepath.Join(elsewhere, "outputcmd.txt"),
	}
	if err := newRunner(environment(env), io.Discard, act).SetOutput("verdict", "pass"); err == nil {
		t.Error("without ACT the missing folder is no error")
	}
	env["ACT"] = "true"
	r := newRunner(environment(env), io.Discard, act)
	if err := r.AppendSummary("# Title"); err != nil {
		t.Error(err)
	}
	if err := r.SetOutput("verdict", "pass"); err != nil {
		t.Error(err)
	}
	checkFile(t, filepath.Join(act, "SUMMARY.md"), "# Title\n")
	checkFile(t, filepath.Join(act, "outputcmd.txt"), "verdict=pass\n")
}

// TestActJobImage is act with a job image: the folder is there and is used.
func TestActJobImage(t *testing.T) {
	dir, act := t.TempDir(), t.TempDir()
	path := filepath.Join(dir, "outputcmd.txt")
	env := map[string]string{"ACT": "true", "GITHUB_OUTPUT": path}
	if err := newRunner(environment(env), io.Discard, act).SetOutput("verdict", "pass"); err != nil {
		t.Fatal(err)
	}
	checkFile(t, path, "verdict=pass\n")
}

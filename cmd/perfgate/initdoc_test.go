package main

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/workflow"
)

// The workflows in the documentation are those that init writes.
func TestWorkflowDoc(t *testing.T) {
	const doc = "docs/action.md"
	facts := func(system, comment string) workflow.Facts {
		return workflow.Facts{
			Release: workflow.Pin{Action: workflow.Repository, Version: "vX.Y.Z", Commit: "COMMIT"}, Branch: "main", Dir: ".",
			Language: workflow.Go, System: system, Comment: comment, GoVersionFile: "go.mod",
		}
	}
	text := readDoc(t, doc)
	for _, part := range []struct {
		name, path string
		facts      workflow.Facts
	}{
		{"check", workflow.CheckWorkflow, facts(workflow.Linux, workflow.CommentNone)},
		{"pair", workflow.CheckWorkflow, facts(workflow.Linux, workflow.CommentOwn)},
		{"report", workflow.ReportWorkflow, facts(workflow.Linux, workflow.CommentAll)},
		{"baseline", workflow.RecordWorkflow, facts(workflow.Linux, workflow.CommentAll)},
		{"setup", workflow.CheckWorkflow, facts(workflow.MacOS, workflow.CommentAll)},
	} {
		text = between(t, text, part.name, "```yaml\n# "+part.path+"\n"+workflowFile(t, part.facts, part.path)+"```\n")
	}
	if *update {
		if err := os.WriteFile("../../"+doc, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(text, readDoc(t, doc)); diff != "" {
		t.Errorf("%s is stale; run go test ./cmd/perfgate -run Doc -update (-want +got):\n%s", doc, diff)
	}
}

// workflowFile is one of the files for a repository, without its first lines, which say where it comes from.
func workflowFile(t *testing.T, f workflow.Facts, path string) string {
	t.Helper()
	files, err := workflow.Files(f)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(files, func(file workflow.File) bool { return file.Path == path })
	if i < 0 {
		t.Fatalf("init makes no %s for %+v", path, f)
	}
	_, text, ok := strings.Cut(string(files[i].Text), "\n#\n")
	if !ok {
		t.Fatalf("%s does not begin with where it comes from", path)
	}
	return text
}

// The inputs and modes that init's workflows name are the action's.
func TestWorkflowNames(t *testing.T) {
	inputs, own := readDoc(t, "action.yml"), append([]string{}, modeNames()...)
	for _, system := range workflow.Systems {
		for _, comment := range workflow.Comments {
			files, err := workflow.Files(workflow.Facts{
				Release: workflow.Pin{Action: workflow.Repository, Version: "v1.2.3", Commit: "c"}, Branch: "main", Dir: "sub",
				Language: workflow.Go, System: system, Comment: comment, GoVersionFile: "go.mod",
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range files {
				for _, name := range inputNames(string(file.Text)) {
					if !strings.Contains(inputs, "\n  "+name+":\n") {
						t.Errorf("%s: %s is no input of the action", file.Path, name)
					}
				}
				for line := range strings.Lines(string(file.Text)) {
					if mode, ok := strings.CutPrefix(strings.TrimSpace(line), "mode: "); ok && !slices.Contains(own, mode) {
						t.Errorf("%s: %s is no mode of the action", file.Path, mode)
					}
				}
			}
		}
	}
}

// inputNames are the inputs that a workflow gives to perfgate: as the action's, or as variables of perfgate action.
func inputNames(text string) (names []string) {
	_, rest, _ := strings.Cut(text, "jobs:")
	for step := range strings.SplitSeq(rest, "\n      - ") {
		_, with, ok := strings.Cut(step, "        with:\n")
		if ok && strings.Contains(step, "uses: "+workflow.Repository+"@") {
			for line := range strings.Lines(with) {
				if name, _, ok := strings.Cut(strings.TrimPrefix(line, "          "), ":"); ok && strings.HasPrefix(line, "          ") {
					names = append(names, name)
				}
			}
		}
		for line := range strings.Lines(step) {
			if name, ok := strings.CutPrefix(strings.TrimSpace(line), "INPUT_"); ok {
				name, _, _ = strings.Cut(name, ":")
				names = append(names, strings.ReplaceAll(strings.ToLower(name), "_", "-"))
			}
		}
	}
	return names
}

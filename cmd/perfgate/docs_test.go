package main

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/config"
	"github.com/org/perfgate/internal/github"
	"github.com/org/perfgate/internal/report"
	"github.com/org/perfgate/internal/result"
)

var update = flag.Bool("update", false, "rewrite goldens and generated documentation")

func readDoc(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile("../../" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// The tables of settings in the documentation are generated from those in the code.
func TestConfigurationDoc(t *testing.T) {
	const doc = "docs/configuration.md"
	var settings strings.Builder
	settings.WriteString("| setting | default | meaning |\n|---|---|---|\n")
	for _, o := range config.Options {
		def := ""
		if o.Default != "" {
			def = "`" + o.Default + "`"
		}
		fmt.Fprintf(&settings, "| `%s` | %s | %s |\n", o.Name, def, o.Usage)
	}
	text := between(t, readDoc(t, doc), "settings", settings.String())
	for _, s := range config.Sections {
		var fields strings.Builder
		fmt.Fprintf(&fields, "`%s`: %s.\n\n| key | | meaning |\n|---|---|---|\n", s.Name, s.Usage)
		for _, f := range s.Fields {
			fmt.Fprintf(&fields, "| `%s` | %s | %s |\n", f.Name, map[bool]string{true: "required"}[f.Required], f.Usage)
		}
		text = between(t, text, s.Name, fields.String())
	}
	if *update {
		if err := os.WriteFile("../../"+doc, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := gocmp.Diff(text, readDoc(t, doc)); diff != "" {
		t.Errorf("%s is stale; run go test ./cmd/perfgate -run Doc -update (-want +got):\n%s", doc, diff)
	}
}

// between replaces what stands between the two comments that name a part of a document.
func between(t *testing.T, doc, name, text string) string {
	t.Helper()
	begin, end := "<!-- "+name+" -->\n", "<!-- end of "+name+" -->"
	before, rest, ok := strings.Cut(doc, begin)
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("no %q and %q in the document", strings.TrimSpace(begin), end)
	}
	return before + begin + text + end + after
}

// TestExamples: what the documentation shows of perfgate.yaml is accepted.
func TestExamples(t *testing.T) {
	docs, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, doc := range append(docs, "../../README.md") {
		text, err := os.ReadFile(doc)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range regexp.MustCompile("(?s)```ya?ml\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
			if regexp.MustCompile(`(?m)^(jobs|on|steps|- uses):`).MatchString(block[1]) {
				continue // a workflow
			}
			values, err := config.Parse([]byte(block[1]))
			if err == nil {
				_, err = config.Resolve(config.Sources{File: values})
			}
			if err != nil {
				t.Errorf("%s: %v in the example:\n%s", doc, err, block[1])
			}
			for name := range values {
				seen[name] = true
			}
		}
	}
	for _, s := range config.Sections {
		if !seen[s.Name] {
			t.Errorf("no example of %s", s.Name)
		}
	}
}

// actionFile is what action.yml says.
type actionFile struct {
	Inputs, Outputs map[string]struct {
		Description string
		Required    bool
		Default     string
	}
	Runs struct{ Args []string }
}

func readAction(t *testing.T) actionFile {
	t.Helper()
	var action actionFile
	if err := yaml.Unmarshal([]byte(readDoc(t, "action.yml")), &action); err != nil {
		t.Fatal(err)
	}
	return action
}

// The action has an input for every setting and for each of its own, an output for all that is written, and
// arguments that never change.
func TestActionMetadata(t *testing.T) {
	action := readAction(t)
	var inputs, outs []string
	for _, o := range config.Options {
		if !o.NoInput {
			inputs = append(inputs, o.Name)
		}
	}
	for _, in := range actionInputs {
		inputs = append(inputs, in.name)
		// A default in action.yml could not be told from what a workflow says, the job's token aside.
		if in.name != "token" && !strings.Contains(action.Inputs[in.name].Description, "Default: "+in.def) {
			t.Errorf("action.yml: input %s: the description does not end with Default: %s", in.name, in.def)
		}
		for _, choice := range in.choices {
			if choice != "true" && choice != "false" && !strings.Contains(action.Inputs[in.name].Description, choice) {
				t.Errorf("action.yml: input %s: the description does not name %s", in.name, choice)
			}
		}
	}
	for name, in := range action.Inputs {
		if in.Required || in.Default != "" && name != "token" {
			t.Errorf("action.yml: input %s is required or has a default", name)
		}
	}
	d := &report.Document{File: &result.File{Head: &result.Set{}}, Outcome: &compare.Outcome{Gate: compare.Pass}}
	for _, written := range [][][2]string{outputs(d, "perf_reports", origins{}), exitOutputs(exitOK), commentOutputs(github.Posted{}), baselineOutputs(github.Changed{})} {
		for _, o := range written {
			outs = append(outs, o[0])
		}
	}
	if diff := gocmp.Diff(sorted(inputs), slices.Sorted(maps.Keys(action.Inputs))); diff != "" {
		t.Errorf("inputs of action.yml against the code (-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff(sorted(outs), slices.Sorted(maps.Keys(action.Outputs))); diff != "" {
		t.Errorf("outputs of action.yml against what is written (-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff([]string{"action"}, action.Runs.Args); diff != "" {
		t.Errorf("arguments of action.yml (-want +got):\n%s", diff)
	}
}

// The tables of inputs and outputs are generated from the code and from action.yml.
func TestInputsDoc(t *testing.T) {
	const doc = "docs/inputs.md"
	action := readAction(t)
	var own, settings, outs strings.Builder
	own.WriteString("| input | default | meaning |\n|---|---|---|\n")
	for _, in := range actionInputs {
		usage := in.usage
		if in.choices != nil {
			usage += ": `" + strings.Join(in.choices, "`, `") + "`"
		}
		fmt.Fprintf(&own, "| `%s` | %s | %s |\n", in.name, quoted(cmp.Or(in.def, action.Inputs[in.name].Default)), usage)
	}
	settings.WriteString("| input | default | meaning |\n|---|---|---|\n")
	for _, o := range config.Options {
		if o.NoInput {
			continue
		}
		fmt.Fprintf(&settings, "| `%s` | %s | %s |\n", o.Name, quoted(o.Default), o.Usage)
	}
	outs.WriteString("| output | meaning |\n|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(action.Outputs)) {
		fmt.Fprintf(&outs, "| `%s` | %s |\n", name, action.Outputs[name].Description)
	}
	text := between(t, readDoc(t, doc), "own", own.String())
	text = between(t, text, "settings", settings.String())
	text = between(t, text, "outputs", outs.String())
	if *update {
		if err := os.WriteFile("../../"+doc, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := gocmp.Diff(text, readDoc(t, doc)); diff != "" {
		t.Errorf("%s is stale; run go test ./cmd/perfgate -run Doc -update (-want +got):\n%s", doc, diff)
	}
}

func quoted(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

func sorted(s []string) []string { slices.Sort(s); return s }

// Each command of the README is run by CI.
func TestReadmeCommands(t *testing.T) {
	ci := readDoc(t, ".ci/run")
	lines := shellLines(t, "README.md")
	for _, line := range lines {
		command, _, _ := strings.Cut(line, "#")
		command = strings.TrimSpace(command)
		if !strings.Contains(ci, "run "+command+"\n") && !strings.Contains(ci, "run "+command+";") {
			t.Errorf("README.md: .ci/run does not run %q", command)
		}
	}
	if n := len(lines); n != 2 {
		t.Errorf("README.md has %d commands, want the two: one for the main job, one for the tests", n)
	}
}

// shellLines are the command lines that a document shows as sh, with their comments.
func shellLines(t *testing.T, doc string) (lines []string) {
	t.Helper()
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(readDoc(t, doc), -1) {
		for line := range strings.Lines(block[1]) {
			if line = strings.TrimSpace(line); line != "" {
				lines = append(lines, line)
			}
		}
	}
	return lines
}

// Links inside the documentation lead to a file and to a heading that are there, and every page is linked from the README.
func TestLinks(t *testing.T) {
	docs, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(docs) == 0 {
		t.Fatal(docs, err)
	}
	linked := map[string]bool{}
	for _, doc := range append(docs, "../../README.md", "../../CONTRIBUTING.md") {
		text := readDoc(t, strings.TrimPrefix(doc, "../../"))
		for _, m := range regexp.MustCompile(`\]\(([^)#]*)(#[^)]*)?\)`).FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			file := doc
			if m[1] != "" {
				file = filepath.Join(filepath.Dir(doc), m[1])
			}
			to, err := os.ReadFile(file)
			switch {
			case err != nil:
				t.Errorf("%s: link to %s: %v", doc, m[1], err)
			case m[2] != "" && !slices.Contains(anchors(string(to)), m[2]):
				t.Errorf("%s: link to %s%s: no such heading", doc, m[1], m[2])
			case strings.HasSuffix(doc, "README.md"):
				linked[file] = true
			}
		}
	}
	for _, doc := range docs {
		if !linked[doc] {
			t.Errorf("README.md does not link to %s", doc)
		}
	}
}

// anchors are the headings of a page as GitHub makes links of them.
func anchors(text string) (all []string) {
	text = regexp.MustCompile("(?s)```.*?```").ReplaceAllString(text, "")
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		name := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		all = append(all, "#"+strings.ReplaceAll(name, " ", "-"))
	}
	return all
}

// Help names every subcommand.
func TestHelpListsCommands(t *testing.T) {
	var out bytes.Buffer
	if code := run([]string{"help"}, nil, &out, &out, nil); code != exitOK {
		t.Fatalf("exit %d", code)
	}
	for _, c := range commands {
		if !strings.Contains(out.String(), "\n  "+c.name) {
			t.Errorf("help does not list %s", c.name)
		}
	}
}

// What docs/security.md names as holding an item is there: a test, a script, a scenario.
func TestSecurityDoc(t *testing.T) {
	find := findHolders(t)
	_, table, _ := strings.Cut(readDoc(t, "docs/security.md"), "|--:|---|---|\n")
	rows := strings.Split(strings.TrimSpace(table), "\n")
	if len(rows) != 46 {
		t.Errorf("%d rows of 46 items", len(rows))
	}
	for i, row := range rows {
		if !strings.HasPrefix(row, fmt.Sprintf("| %d | ", i+1)) {
			t.Errorf("row %d: %s", i+1, row)
		}
		for _, name := range codeSpans(row) {
			if isOne, there := find(name); isOne && !there {
				t.Errorf("item %d: there is no %s", i+1, name)
			}
		}
	}
}

// codeSpans are what a text of Markdown has between backquotes.
func codeSpans(text string) (spans []string) {
	for _, m := range regexp.MustCompile("`([^`\n]+)`").FindAllStringSubmatch(text, -1) {
		spans = append(spans, m[1])
	}
	return spans
}

// findHolders returns what tells names of what holds a promise from other words, and whether there is such a one: a test,
// benchmark or example of this repository, a script of the commands, a check or a scenario of CI.
func findHolders(t *testing.T) func(name string) (isOne, there bool) {
	t.Helper()
	functions := map[string]bool{}
	err := filepath.WalkDir("../..", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		text, err := os.ReadFile(name)
		for _, m := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark|Example)\w+)\(`).FindAllSubmatch(text, -1) {
			functions[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string]string{".ci/run": "check_", ".ci/runner": "scenario_", ".ci/act": "scenario_"}
	return func(name string) (isOne, there bool) {
		script, part, _ := strings.Cut(name, " ")
		switch {
		case regexp.MustCompile(`^(Test|Fuzz|Benchmark|Example)[A-Z]\w*$`).MatchString(name):
			return true, functions[name]
		case strings.HasSuffix(name, ".txtar") && name != ".txtar":
			return true, exists(filepath.Join("testdata", "script", name))
		case parts[script] != "" && part != "":
			return true, strings.Contains(readDoc(t, script), "\n"+parts[script]+part+"() {")
		case strings.HasPrefix(name, ".ci/") || strings.HasPrefix(name, "scripts/"):
			return true, exists(filepath.Join("../..", script))
		}
		return false, false
	}
}

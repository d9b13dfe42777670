package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/config"
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

// The settings' documentation is generated from their table.
func TestConfigurationDoc(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Settings\n\nEach has the same name as flag (`--budget`), action input (`budget`), environment variable\n(`PERFGATE_BUDGET`) and key of `perfgate.yaml`, in this order of precedence; `perfgate check\n--print-config` shows where each value came from. Unknown keys and flags are errors. Lists are separated\nby white space, or are YAML lists. A bare number as a duration is seconds.\n\n| setting | default | meaning |\n|---|---|---|\n")
	for _, o := range config.Options {
		def := ""
		if o.Default != "" {
			def = "`" + o.Default + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", o.Name, def, o.Usage)
	}
	b.WriteString("\n`perfgate.yaml` is looked for in the working directory and above it, up to the root of the repository; where\nit lies is the project's root. Without it the root is the nearest folder with a `go.work` or `go.mod`.\n")
	if *update {
		if err := os.WriteFile("../../docs/configuration.md", []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(b.String(), readDoc(t, "docs/configuration.md")); diff != "" {
		t.Errorf("docs/configuration.md is stale; run go test ./cmd/perfgate -run Doc -update (-want +got):\n%s", diff)
	}
}

// The action has an input for every setting and an output for all that deliver writes.
func TestActionMetadata(t *testing.T) {
	var action struct {
		Inputs, Outputs map[string]any
	}
	if err := yaml.Unmarshal([]byte(readDoc(t, "action.yml")), &action); err != nil {
		t.Fatal(err)
	}
	var inputs []string
	outs := []string{"exit-code"} // tellExit writes it
	for _, o := range config.Options {
		inputs = append(inputs, o.Name)
	}
	d := &report.Document{File: &result.File{Head: &result.Set{}}, Outcome: &compare.Outcome{Gate: compare.Pass}}
	for _, o := range outputs(d, "perf_reports") {
		outs = append(outs, o[0])
	}
	if diff := cmp.Diff(sorted(inputs), keys(action.Inputs)); diff != "" {
		t.Errorf("inputs of action.yml against the settings (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(sorted(outs), keys(action.Outputs)); diff != "" {
		t.Errorf("outputs of action.yml against what is written (-want +got):\n%s", diff)
	}
}

func sorted(s []string) []string { slices.Sort(s); return s }

func keys(m map[string]any) []string {
	var ks []string
	for k := range m {
		ks = append(ks, k)
	}
	return sorted(ks)
}

// Each command of the README is run by CI.
func TestReadmeCommands(t *testing.T) {
	ci := readDoc(t, ".ci/run")
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(readDoc(t, "README.md"), -1)
	n := 0
	for _, block := range blocks {
		for line := range strings.Lines(block[1]) {
			command, _, _ := strings.Cut(line, "#")
			if command = strings.TrimSpace(command); command == "" {
				continue
			}
			n++
			if !strings.Contains(ci, "run "+command+"\n") && !strings.Contains(ci, "run "+command+";") {
				t.Errorf("README.md: .ci/run does not run %q", command)
			}
		}
	}
	if n != 2 {
		t.Errorf("README.md has %d commands, want the two: one for the main job, one for the tests", n)
	}
}

// Links inside the documentation lead somewhere.
func TestLinks(t *testing.T) {
	for _, doc := range []string{"README.md", "CONTRIBUTING.md"} {
		for _, m := range regexp.MustCompile(`\]\(([^)#]+)\)`).FindAllStringSubmatch(readDoc(t, doc), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if _, err := os.Stat("../../" + m[1]); err != nil {
				t.Errorf("%s: link to %s: %v", doc, m[1], err)
			}
		}
	}
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

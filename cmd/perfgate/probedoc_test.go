package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/org/perfgate/internal/profiler"
	"github.com/org/perfgate/internal/spans"
)

// fenced are the blocks of a language in docs/probe.md.
func fenced(t *testing.T, language string) []string {
	t.Helper()
	var blocks []string
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(readDoc(t, "docs/probe.md"), -1) {
		blocks = append(blocks, m[1])
	}
	if len(blocks) == 0 {
		t.Fatalf("docs/probe.md has no example in %s", language)
	}
	return blocks
}

// notFound is how shells, and the stand-ins of version managers, say that there is no such program.
const notFound = 127

// The clients of the documentation are of some 20 lines, and heard.
func TestProbeClients(t *testing.T) {
	for language, program := range map[string]string{"python": "python3", "js": "node"} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			blocks := fenced(t, language)
			if n := strings.Count(blocks[0], "\n"); n > 22 {
				t.Errorf("the client has %d lines", n)
			}
			if _, err := exec.LookPath(program); err != nil {
				t.Skip(err)
			}
			name := filepath.Join(t.TempDir(), "client."+language)
			if err := os.WriteFile(name, []byte(strings.Join(blocks, "\n")), 0o644); err != nil {
				t.Fatal(err)
			}
			heard, err := profiler.Listen()
			if err != nil {
				t.Fatal(err)
			}
			defer heard.Close()
			cmd := exec.Command(program, name)
			cmd.Env = append(os.Environ(), heard.Environ())
			out, err := cmd.CombinedOutput()
			if cmd.ProcessState.ExitCode() == notFound {
				t.Skipf("%s: %s", program, out)
			}
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			c := new(profiler.Collector)
			if err := heard.Into(c); err != nil {
				t.Fatal(err)
			}
			p := c.Profile(0)
			if len(p.Notes) > 0 || len(p.Spans) != 1 || p.Spans[0].Name != "run" || len(p.Spans[0].Children) != 1 {
				t.Fatalf("it told %+v", p)
			}
			run, plan := p.Spans[0], p.Spans[0].Children[0]
			if run.Count != 1 || plan.Name != "plan" || plan.Count != 3 || run.SelfNS != run.TotalNS-plan.TotalNS || run.Errors+plan.Errors != 0 || p.Caches["plans"].Hits != 3 {
				t.Errorf("it told of %+v with %+v below, and of %v", run.Timer, plan.Timer, p.Caches)
			}
		})
	}
}

// Each line of the protocol's example says something.
func TestProbeLines(t *testing.T) {
	for line := range strings.Lines(fenced(t, "json")[0]) {
		if _, err := spans.Decode([]byte(line)); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	doc := readDoc(t, "docs/probe.md")
	for what, n := range map[string]int{"places": spans.MaxNodes, "deep": spans.MaxDepth, "counters": spans.MaxCounters} {
		number := fmt.Sprint(n)
		if n >= 1000 {
			number = number[:len(number)-3] + "," + number[len(number)-3:]
		}
		if !strings.Contains(doc, number+" "+what) {
			t.Errorf("docs/probe.md does not say that there are %s %s", number, what)
		}
	}
}

package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/org/perfgate/internal/harness/mockllm"
)

// The script in the documentation is one, and the documentation names every flag, distribution and route.
func TestMockDoc(t *testing.T) {
	doc := readDoc(t, "docs/mock.md")
	block := regexp.MustCompile("(?s)```yml script\n(.*?)```").FindStringSubmatch(doc)
	if block == nil {
		t.Fatal("docs/mock.md shows no script")
	}
	script, err := mockllm.ReadScript("docs/mock.md", []byte(block[1]), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(script.Models) == 0 || len(script.Replies) == 0 || len(script.Faults) == 0 || len(script.Limits) == 0 || script.PromptCache.Scope == "" || script.TTFT.String() == "0" {
		t.Errorf("the script in docs/mock.md leaves something out: %+v", script)
	}
	var names []string
	for _, d := range mockllm.Distributions() {
		name, _, _ := strings.Cut(d, ":")
		names = append(names, name)
	}
	names = append(names, mockllm.Routes()...)
	names = append(names, mockllm.FaultKeys()...)
	names = append(names, mockllm.FaultKinds()...)
	for _, name := range append(mockllm.LimitKeys, mockllm.Parts()...) {
		if !regexp.MustCompile(`\b` + name + "[:=]").MatchString(doc) {
			t.Errorf("docs/mock.md shows no %s", name)
		}
	}
	for _, name := range names {
		if !strings.Contains(doc, "`"+name+"`") {
			t.Errorf("docs/mock.md does not name %s", name)
		}
	}
	m := newMockFlags()
	for flag := range strings.Lines(m.set.FlagUsages()) {
		name := regexp.MustCompile(`--[a-z-]+`).FindString(flag)
		if !strings.Contains(doc, name) {
			t.Errorf("docs/mock.md does not name %s", name)
		}
	}
}

package main

import (
	"slices"
	"testing"

	"github.com/org/perfgate/internal/config"
	"github.com/org/perfgate/internal/harness/load"
	"github.com/org/perfgate/internal/harness/mockllm"
)

// TestLoadFields: the keys of a program under load are flags of perfgate load, and those that may be lists are
// flags that may be given several times.
func TestLoadFields(t *testing.T) {
	i := slices.IndexFunc(config.Sections, func(s config.Section) bool { return s.Name == "load" })
	flags := newLoadFlags()
	for _, field := range config.Sections[i].Fields {
		if field.Name == "name" || field.Name == "program" {
			continue
		}
		flag := flags.set.Lookup(field.Name)
		if flag == nil {
			t.Errorf("perfgate load has no --%s", field.Name)
			continue
		}
		if repeats := flag.Value.Type() == "stringArray"; repeats != field.Repeat {
			t.Errorf("--%s: the key may be a list: %v, want %v", field.Name, field.Repeat, repeats)
		}
	}
}

// What was offered names the script and what is in it.
func TestOffered(t *testing.T) {
	s := config.Scenario{Program: []string{"agent"}, Settings: map[string]config.Text{"runs": {Text: "5"}, "script": {Text: "llm.yaml"}}}
	got := offered(s, load.Plan{}, &mockllm.Script{Sum: "0123456789abcdef"})
	if want := "agent; runs=5; script=llm.yaml (sha256 0123456789ab)"; got != want {
		t.Errorf("offered %q, want %q", got, want)
	}
}

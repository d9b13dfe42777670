package config

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/compare"
)

// resolveFile goes from the text of a file to the configuration.
func resolveFile(text string) (*Config, error) {
	values, err := Parse([]byte(text))
	if err != nil {
		return nil, err
	}
	return Resolve(Sources{File: values})
}

func ptr[T any](v T) *T { return &v }

// TestSections reads entries of each kind.
func TestSections(t *testing.T) {
	c, err := resolveFile(`
policies:
  - benchmark: ^Parse/.*
    effect: 10%
  - {benchmark: Encode, metric: allocs/op, tolerance: 2}
  - {benchmark: Encode, metric: statements/op, tolerance: 2.5%}
  - {benchmark: Encode, metric: B/op, tolerance: 1 KiB}
  - {benchmark: Flaky, ignore: true}
  - {benchmark: ., metric: allocs/op, require: true, ignore: false}
budgets:
  - {benchmark: ^Parse$, metric: sec/op, max: 1.5us}
  - {benchmark: ^Tiny$, metric: sec/op, max: 0.25ns}
  - {benchmark: Load, metric: p99-sec, max: 2}
  - {benchmark: Parse, metric: B/op, max: 64 KiB, min: 0}
  - {benchmark: Copy, metric: B/s, min: 100MB/s}
  - {benchmark: ^(\w+)/cached$, metric: sec/op, max: 20%, relative-to: $1/uncached}
  - {benchmark: Cache, metric: hits/op, min: 0.8}
waivers:
  - benchmark: Parse
    metric: allocs/op
    max: 12
    reason: "the new grammar, see #7"
    expires: 2027-03-01
`)
	if err != nil {
		t.Fatal(err)
	}
	subject := func(b, m string) compare.Subject { return compare.Subject{Benchmark: b, Metric: m} }
	want := compare.DefaultPolicy
	want.Overrides = []compare.Override{
		{Subject: subject("^Parse/.*", ""), Effect: 0.1},
		{Subject: subject("Encode", "allocs/op"), Tolerance: &compare.Tolerance{Absolute: 2}},
		{Subject: subject("Encode", "statements/op"), Tolerance: &compare.Tolerance{Relative: 0.025}},
		{Subject: subject("Encode", "B/op"), Tolerance: &compare.Tolerance{Absolute: 1024}},
		{Subject: subject("Flaky", ""), Ignore: ptr(true)},
		{Subject: subject(".", "allocs/op"), Require: ptr(true), Ignore: ptr(false)},
	}
	want.Budgets = []compare.Budget{
		{Subject: subject("^Parse$", "sec/op"), Max: ptr(1.5e-6)},
		{Subject: subject("^Tiny$", "sec/op"), Max: ptr(0.25 * 1e-9)},
		{Subject: subject("Load", "p99-sec"), Max: ptr(2.0)},
		{Subject: subject("Parse", "B/op"), Max: ptr(65536.0), Min: ptr(0.0)},
		{Subject: subject("Copy", "B/s"), Min: ptr(1e8)},
		{Subject: subject(`^(\w+)/cached$`, "sec/op"), Max: ptr(0.2), RelativeTo: "$1/uncached"},
		{Subject: subject("Cache", "hits/op"), Min: ptr(0.8)},
	}
	want.Waivers = []compare.Waiver{{Subject: subject("Parse", "allocs/op"), Max: ptr(12.0), Reason: "the new grammar, see #7", Expires: "2027-03-01"}}
	if diff := cmp.Diff(want, c.Policy()); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
	for _, s := range c.Settings() {
		if s.Name == "budgets" && (s.Value != "7 in the file" || s.Origin != FromFile) {
			t.Errorf("settings say %+v", s)
		}
	}
}

// TestLoad reads programs under load, and leaves their settings to who knows the flags.
func TestLoad(t *testing.T) {
	c, err := resolveFile(`load:
  - name: agent
    target: command
    program: [./agent, "--once", 5]
    runs: 50
    header: ["A: b", "C: d"]
  - {name: pipeline, target: pipeline, llm-latency: 0.01}
`)
	if err != nil {
		t.Fatal(err)
	}
	at := func(line, column int, texts ...string) Text {
		return Text{Position: Position{line, column}, Text: strings.Join(texts, " "), Texts: texts}
	}
	want := []Scenario{
		{Position: Position{2, 5}, Name: "agent", Program: []string{"./agent", "--once", "5"}, Settings: map[string]Text{
			"target": at(3, 13, "command"), "runs": at(5, 11, "50"), "header": at(6, 13, "A: b", "C: d"),
		}},
		{Position: Position{7, 6}, Name: "pipeline", Settings: map[string]Text{"target": at(7, 30, "pipeline"), "llm-latency": at(7, 53, "0.01")}},
	}
	if diff := cmp.Diff(want, c.Load); diff != "" {
		t.Errorf("load (-want +got):\n%s", diff)
	}
	for setting, want := range map[string]string{"runs": "perfgate.yaml:5:11: runs of agent: why", "pause": "perfgate.yaml:2:5: pause of agent: why"} {
		if err := c.Load[0].Wrong(setting, "why"); err.Error() != want {
			t.Errorf("Wrong(%s) = %v, want %s", setting, err, want)
		}
	}
}

// TestSelected: with a part of the benchmarks, those that a budget names may be missing.
func TestSelected(t *testing.T) {
	for text, want := range map[string]bool{"": false, "bench: .": false, "bench: X": true, "packages: ./...": false, "packages: ./a": true} {
		c, err := resolveFile(text)
		if err != nil || c.Policy().Selected != want {
			t.Errorf("%q: %+v, %v", text, c.Policy().Selected, err)
		}
	}
}

// TestBadSections: what is wrong in an entry is said with its line and column.
func TestBadSections(t *testing.T) {
	budget := func(fields string) string { return "budgets:\n  - {benchmark: X, metric: sec/op, " + fields + "}\n" }
	tests := []struct{ name, file, want string }{
		{"no list", "budgets: 5\n", "perfgate.yaml:1:10: budgets: want a list"},
		{"one entry without a dash", "budgets:\n  benchmark: X\n", "perfgate.yaml:2:12: budgets: want a list"},
		{"an entry of text", "waivers:\n  - Parse\n", "perfgate.yaml:2:5: want lines of the form key: value"},
		{"an empty entry", "waivers:\n  -\n", "an entry of waivers without benchmark"},
		{"unknown key", "budgets:\n  - benchmark: X\n    metric: sec/op\n    maxx: 5\n", `perfgate.yaml:4:5: unknown key "maxx" of budgets; did you mean "max"?`},
		{"a key of another section", "budgets:\n  - benchmark: X\n    tolerance: 5\n", `perfgate.yaml:3:5: unknown key "tolerance" of budgets`},
		{"a list for a value", budget("max: [1, 2]"), "perfgate.yaml:2:36: max: want one value, not a list"},
		{"no value", budget("max: "), "perfgate.yaml:2:36: max: has no value"},
		{"no metric", "budgets:\n  - benchmark: X\n    max: 5\n", "perfgate.yaml:2:5: an entry of budgets without metric (the metric, such as"},
		{"no limit", "budgets:\n  - {benchmark: X, metric: sec/op}\n", "perfgate.yaml:2:6: an entry with neither max nor min"},
		{"crossed limits", budget("max: 1s, min: 2s"), `perfgate.yaml:2:41: max "1s": it is less than min`},
		{"bad duration", budget("max: soon"), `perfgate.yaml:2:41: max "soon": want a duration`},
		{"bad ratio", budget("max: 5ms, relative-to: Y"), `max "5ms": want a number`},
		{"bad size", "budgets:\n  - {benchmark: X, metric: B/op, max: lots}\n", `max "lots": want a size such as 4096 or 64 KiB`},
		{"negative", "budgets:\n  - {benchmark: X, metric: allocs/op, max: -1}\n", "not negative"},
		{"infinite", "budgets:\n  - {benchmark: X, metric: allocs/op, max: .inf}\n", "not negative"},
		{"bad expression", "budgets:\n  - {benchmark: (, metric: sec/op, max: 1s}\n", "perfgate.yaml:2:17: benchmark \"(\": error parsing regexp"},
		{"scaled unit", "budgets:\n  - {benchmark: X, metric: ns/op, max: 5}\n", `metric "ns/op": metrics are in base units: want sec/op`},
		{"scaled rate", "waivers:\n  - {benchmark: X, metric: MB/s, min: 5, reason: r, expires: 2027-01-01}\n", "want B/s"},
		{"policy that says nothing", "policies:\n  - benchmark: X\n", "perfgate.yaml:2:5: an entry without effect, tolerance, ignore and require"},
		{"effect of a fact", "policies:\n  - {benchmark: X, metric: allocs/op, effect: 5%}\n", "allocs/op is compared exactly; set its tolerance"},
		{"bad effect", "policies:\n  - {benchmark: X, effect: 5}\n", `effect "5": without a percent sign it is a fraction`},
		{"tolerance of a time", "policies:\n  - {benchmark: X, metric: sec/op, tolerance: 5%}\n", "it is for exact metrics"},
		{"tolerance of all", "policies:\n  - {benchmark: X, tolerance: 5%}\n", "it is for exact metrics"},
		{"bad tolerance", "policies:\n  - {benchmark: X, metric: allocs/op, tolerance: many}\n", "want a number"},
		{"neither true nor false", "policies:\n  - {benchmark: X, ignore: perhaps}\n", `perfgate.yaml:2:28: ignore "perhaps": want true or false`},
		{"no reason", "waivers:\n  - {benchmark: X, metric: sec/op, max: 1s, expires: 2027-01-01}\n", "an entry of waivers without reason"},
		{"empty reason", "waivers:\n  - {benchmark: X, metric: sec/op, max: 1s, reason: '', expires: 2027-01-01}\n", "an entry of waivers without reason"},
		{"no such date", "waivers:\n  - {benchmark: X, metric: sec/op, max: 1s, reason: r, expires: 2027-02-30}\n", `expires "2027-02-30": want a date`},
		{"a program twice", "load:\n  - {name: a, target: pipeline}\n  - {name: a, target: pipeline}\n", `perfgate.yaml:3:12: name "a": another entry has it`},
		{"a list of runs", "load:\n  - {name: a, target: pipeline, runs: [1, 2]}\n", "runs: want one value, not a list"},
		{"alias", "budgets:\n  - {benchmark: *a, metric: sec/op, max: 1s}\n", "without tags, anchors and aliases"},
	}
	place := regexp.MustCompile(`^perfgate\.yaml:\d+:\d+: `)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := resolveFile(tt.file)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !place.MatchString(err.Error()) {
				t.Errorf("%q:\n%v\nwant an error with its place and %q", tt.file, err, tt.want)
			}
		})
	}
}

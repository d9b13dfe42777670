package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestParse reads files that say what they seem to say.
func TestParse(t *testing.T) {
	one := func(name, text string) Values { return Values{name: {Texts: []string{text}, Position: Position{1, 1}}} }
	tests := []struct {
		name, file string
		want       Values
	}{
		{"empty", "", Values{}},
		{"comment", "# nothing yet\n", Values{}},
		{"no entries", "{}\n", Values{}},
		{"plain", "base: main\n", one("base", "main")},
		{"comment behind", "base: main # the trunk\n", one("base", "main")},
		{"quoted", `base: "a\tb"`, one("base", "a\tb")},
		{"single quotes", "bench: '^A # b$'\n", one("bench", "^A # b$")},
		{"quoted key", `"base": main`, one("base", "main")},
		{"empty text", "base: ''\n", one("base", "")},
		{"percentage", "effect: 5%\n", one("effect", "5%")},
		{"fraction", "effect: 0.05\n", one("effect", "0.05")},
		{"number", "seed: 42\n", one("seed", "42")},
		{"number as it is written", "budget: 1e3\n", one("budget", "1e3")},
		{"boolean", "strict: true\n", one("strict", "true")},
		{"infinity", "budget: .inf\n", one("budget", ".inf")}, // Resolve refuses it
		{"several", "base: main\n\nbench: X\n", Values{"base": {Texts: []string{"main"}, Position: Position{1, 1}}, "bench": {Texts: []string{"X"}, Position: Position{3, 1}}}},
		{"list", "packages:\n  - ./a # one\n  - './b'\n", Values{"packages": {Texts: []string{"./a", "./b"}, Position: Position{1, 1}}}},
		{"list on one line", "packages: [./a, ./b]\n", Values{"packages": {Texts: []string{"./a", "./b"}, Position: Position{1, 1}}}},
		{"list in a list", "packages: [./a, [./b, ./c]]\n", Values{"packages": {Texts: []string{"./a", "./b", "./c"}, Position: Position{1, 1}}}},
		{"empty list", "pass-env: []\n", Values{"pass-env": {Texts: nil, Position: Position{1, 1}}}},
		{"numbers in a list", "pass-env: [A, 1]\n", Values{"pass-env": {Texts: []string{"A", "1"}, Position: Position{1, 1}}}},
		{"literal block", "prepare: |\n  go generate\n\n  make\n", one("prepare", "go generate\n\nmake\n")},
		{"folded block", "packages: >\n  ./a\n  ./b\n", one("packages", "./a ./b\n")},
		{"list of lines", "prepare:\n- go generate\n- make\n", Values{"prepare": {Texts: []string{"go generate", "make"}, Position: Position{1, 1}}}},
		{"more lines of plain text", "packages: ./a\n  ./b\n", one("packages", "./a ./b")},
		{"Windows line ends", "base: main\r\nbench: X\r\n", Values{"base": {Texts: []string{"main"}, Position: Position{1, 1}}, "bench": {Texts: []string{"X"}, Position: Position{2, 1}}}},
		{"byte order mark", "\ufeffbase: main\n", one("base", "main")},
		{"two documents", "---\nbase: main\n---\nbench: X\n", Values{"base": {Texts: []string{"main"}, Position: Position{2, 1}}, "bench": {Texts: []string{"X"}, Position: Position{4, 1}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse([]byte(tt.file))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Parse(%q) (-want +got):\n%s", tt.file, diff)
			}
		})
	}
}

// TestParseRefuses: what is not understood is an error with its line; nothing is passed over.
func TestParseRefuses(t *testing.T) {
	tests := []struct{ name, file, want string }{
		{"unknown key", "base: main\nbudgte: 5m\n", `perfgate.yaml:2:1: unknown key "budgte"; did you mean "budget"?`},
		{"unknown key, unlike any", "frobnicate: 5m\n", `perfgate.yaml:1:1: unknown key "frobnicate"`},
		{"key of another case", "Effect: 5%\n", `perfgate.yaml:1:1: unknown key "Effect"; did you mean "effect"?`},
		{"merge key", "<<: {base: main}\n", `perfgate.yaml:1:1: unknown key "<<"`},
		{"number for a key", "1: main\n", `unknown key "1"`},
		{"duplicate key", "base: a\nbase: b\n", `perfgate.yaml:2:1: mapping key "base" already defined at [1:1]`},
		{"duplicate key in another document", "base: a\n---\nbase: b\n", `perfgate.yaml:3:1: key "base" stands twice`},
		{"no value", "base:\n", "perfgate.yaml:1:1: base: has no value"},
		{"null", "base: ~\n", "perfgate.yaml:1:1: base: has no value"},
		{"null in a list", "packages:\n- ./a\n-\n", "perfgate.yaml:1:1: packages: has no value"},
		{"map for a value", "base: {ref: main}\n", "perfgate.yaml:1:1: base: want a value or a list"},
		{"map in a list", "packages: [{a: b}]\n", "packages: want a value or a list"},
		{"list for one value", "budget: [1m, 2m]\n", "perfgate.yaml:1:1: budget: want one value, not a list"},
		{"tag", "base: !!str main\n", "perfgate.yaml:1:1: base: want a value"},
		{"own tag", "base: !secret x\n", "perfgate.yaml:1:1: base: want a value"},
		{"anchor", "base: &a main\n", "perfgate.yaml:1:1: base: want a value"},
		{"alias", "packages: *a\n", "perfgate.yaml:1:1: packages: want a value"},
		{"list on top", "- base\n", "perfgate.yaml:1:1: want lines of the form key: value"},
		{"text on top", "base\n", "perfgate.yaml:1:1: want lines of the form key: value"},
		{"no YAML", "a: [\n", "perfgate.yaml:1:4: "},
		{"tab", "\tbase: x\n", "perfgate.yaml:1:5: tab character"},
		{"colon in plain text", "base: a: b\n", "perfgate.yaml:1:7: mapping value is not allowed"},
		{"too large", strings.Repeat("#", maxFile+1), "perfgate.yaml:1:1: the file is larger than 32 KiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse([]byte(tt.file))
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), File) {
				t.Errorf("Parse = %v, %v; want an error with %q", got, err, tt.want)
			}
		})
	}
}

// TestParseAll: every bad line of a file is named at once.
func TestParseAll(t *testing.T) {
	_, err := Parse([]byte("x: 1\nbase: main\nz: 2\n"))
	want := "perfgate.yaml:1:1: unknown key \"x\"\nperfgate.yaml:3:1: unknown key \"z\""
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestFileToConfig goes through both steps, as cmd/perfgate does.
func TestFileToConfig(t *testing.T) {
	values, err := Parse([]byte("packages: [./a, ./b]\neffect: 8%\nprepare: |\n  make\n"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := Resolve(Sources{File: values})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"./a", "./b"}, c.Packages); diff != "" || c.Effect != 0.08 || c.Prepare != "make\n" {
		t.Errorf("packages %q, effect %v, prepare %q", c.Packages, c.Effect, c.Prepare)
	}
	values, err = Parse([]byte("\n\nbudget: soon\n"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = Resolve(Sources{File: values})
	if want := `perfgate.yaml:3:1: budget "soon": want a duration such as 90s or 5m`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

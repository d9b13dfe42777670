package report

import (
	"strings"
	"testing"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/result"
)

// TestNames: what all packages have in common is left out, whole folders only.
func TestNames(t *testing.T) {
	tests := []struct {
		pkgs []string
		want []string
	}{
		{[]string{"a.b/c"}, []string{"X"}},
		{[]string{"a.b/c", "a.b/c"}, []string{"X", "X"}},
		{[]string{"a.b/c", "a.b/d"}, []string{"c.X", "d.X"}},
		{[]string{"a.b/c", "a.b/cd"}, []string{"c.X", "cd.X"}},
		{[]string{"a.b/c", "a.b/c/d/e"}, []string{"X", "d/e.X"}},
		{[]string{"a.b/c", "x.y/c"}, []string{"a.b/c.X", "x.y/c.X"}},
		{[]string{"", "a.b/c"}, []string{"X", "a.b/c.X"}},
	}
	for _, tt := range tests {
		d := &Document{File: &result.File{Head: &result.Set{}}, Outcome: &compare.Outcome{}}
		for _, p := range tt.pkgs {
			d.Outcome.Comparisons = append(d.Outcome.Comparisons, &compare.Comparison{Key: result.Key{Package: p, Name: "X"}})
		}
		short := namesOf(d)
		for i, c := range d.Outcome.Comparisons {
			if got := short.of(c.Key); got != tt.want[i] {
				t.Errorf("of %q: %q is %q, want %q", tt.pkgs, c.Key.Package, got, tt.want[i])
			}
		}
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"a\tb\nc\rd":               "a b c d",
		"\x1b[31mred\x07":          "[31mred",
		"a\u202eb\u200bc\ufeffd":   "abcd",
		"a\xffb\ufffdc":            "abc",
		"a\u2028b\u0085c":          "abc",
		"é世界":                      "é世界",
		strings.Repeat("é", 201):   strings.Repeat("é", 200) + "…",
		strings.Repeat("é", 200):   strings.Repeat("é", 200),
		"#\u00ad#\u034f[error] ok": "##[error] ok",
	} {
		if got := oneLine(in); got != want {
			t.Errorf("oneLine(%q) = %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"##[error]x": "## [error]x", "###[x": "### [x", "#\u0301#[x": "#\u0301# [x",
		"::error::x": ": :error: :x", ":::": ": ::", "a:b": "a:b",
	} {
		if got := inert(in); got != want {
			t.Errorf("inert(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestCode: a code span is closed where it should be.
func TestCode(t *testing.T) {
	for in, want := range map[string]string{
		"":      "",
		"a":     "`a`",
		"a`b":   "``a`b``",
		"`a":    "`` `a ``",
		"a`":    "`` a` ``",
		"a``b":  "```a``b```",
		"a`b``": "``` a`b`` ```",
		"a|b":   "`a|b`",
	} {
		if got := code(in); got != want {
			t.Errorf("code(%q) = %q, want %q", in, got, want)
		}
	}
	if got := cell(code("a|b")); got != "`a\\|b`" {
		t.Errorf("in a cell: %q", got)
	}
}

// TestProse: our own sentences stay text, a stranger's markup becomes code.
func TestProse(t *testing.T) {
	for _, text := range []string{"head has no such benchmark", "2 of 22 pairs are void: 9%", "go1.26.0, “x” ± ∞", "example.com/m"} {
		if got := prose(text); got != text {
			t.Errorf("prose(%q) = %q", text, got)
		}
	}
	for _, text := range []string{"<b>", "a_b_", "*x*", "[a](b)", "@you", "#1", "see GH-12", "http://x", "www.x.y", "~x~", "a|b", "$x$", "\\", "&lt;"} {
		if got := prose(text); got != "`"+text+"`" {
			t.Errorf("prose(%q) = %q, want code", text, got)
		}
	}
}

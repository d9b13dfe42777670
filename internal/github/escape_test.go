package github

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// hostile is text that a benchmark can print or be called, and that does
// something to a log which takes it as it is.
var hostile = []string{
	"BenchmarkX/##[error]pwn-8",
	"X/|<script>##[error]::set-output",
	"::error::pwn",
	" \t::set-output name=verdict::pass",
	"\u00a0\u3000::error::pwn",
	"%0A::error::pwn",
	"ok\n::stop-commands::token",
	"progress\r::error::pwn",
	"ok\u2028::error::pwn",
	"#\u00ad#[error]pwn",
	"#\r#[error]pwn",
	"#\x1b[0m#[error]pwn",
	":\u200b:error::pwn",
	"\ufeff::error::pwn",
	"\u0301:\u0301:error::pwn",
	"#\ufe0f#\ufe0f[error]pwn",
	"#\u0301#\u20dd[error]pwn",
	"#\u3164#[error]pwn",
	"###[group]pwn",
	":::error::pwn",
	"gnp.\u202eexe\u2066",
	"\x1b]0;title\x07\x1b[2J\x1b[31mred\x1b[0m \x1bc \u009b31m",
	"x<<_GitHubActionsFileCommandDelimeter_",
	"\xff#\xfe#[error]",
	"a\x00\x08\x7f\u0085b",
}

func TestEscapeLog(t *testing.T) {
	tests := []struct{ in, want string }{
		{"", ""},
		{"plain\ttext, 100% of it: a::b [ok] #1\n\n", "plain\ttext, 100% of it: a::b [ok] #1\n\n"},
		{"Größe 12 µs ± 1 %", "Größe 12 µs ± 1 %"},
		{"BenchmarkX/##[error]pwn-8", "BenchmarkX/## [error]pwn-8"},
		{"::error::a\n  ::error::b", ": :error::a\n  : :error::b"},
		{"\n\n::error::a", "\n\n: :error::a"},
		{"###[a]##[b]", "### [a]## [b]"},
		{"progress\r::error::x", "progress::error::x"},
		{"#\u00ad#[error]", "## [error]"},
		{"#\u0301#\u20dd[error]", "#\u0301# \u20dd[error]"},
		{"#\u3164#[error]", "## [error]"},
		{"a\ufe0fb\U000e0041c", "abc"},
		{"\x1b[1;31mred\x1b[0m", "red"},
		{"\x1b]8;;http://x\x1b\\link\x1b]8;;\x07", "link"},
		{"\x1b]0;no end\nnext", "\nnext"},
		{"a\u202eb\u200dc\x00d\u009b31me", "abcde"},
		{"a\u2028b", "a b"},
		{"\xff", "\ufffd"},
	}
	for _, tt := range tests {
		if got := EscapeLog(tt.in); got != tt.want {
			t.Errorf("EscapeLog(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

// TestRunnerSees keeps the oracle of the fuzz target honest: it must call the
// plainest commands commands.
func TestRunnerSees(t *testing.T) {
	commands := []string{"::error::x", "  ::error::x", "a ##[error]x", "#\u00ad#[error]x", "\u200b::e::x", "a\r::error::x", "::error::x\nb"}
	for _, text := range commands {
		if runnerSees(text) == "" {
			t.Errorf("runnerSees(%q): no command, want one", text)
		}
	}
	for _, text := range []string{"", "a::error::x", ": :error::x", "## [error]x", "# title"} {
		if line := runnerSees(text); line != "" {
			t.Errorf("runnerSees(%q): command in %q, want none", text, line)
		}
	}
}

func FuzzEscapeLog(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := EscapeLog(s)
		if line := runnerSees(got); line != "" {
			t.Errorf("EscapeLog(%q) = %q: the line %q is a command", s, got, line)
		}
		if r := firstUnwanted(got); r != 0 {
			t.Errorf("EscapeLog(%q) = %q: holds %U", s, got, r)
		}
		if !utf8.ValidString(got) {
			t.Errorf("EscapeLog(%q) = %q: not valid UTF-8", s, got)
		}
		if again := EscapeLog(got); again != got {
			t.Errorf("EscapeLog(%q) = %q, and that again %q", s, got, again)
		}
	})
}

// runnerSees returns the first line of text that the Actions runner could take
// for a command, by its rules and not by ours: lines end at CR or LF, white
// space before :: does not count, ##[ counts anywhere, and characters without
// weight are not there. It ignores that the name must be one the runner knows.
func runnerSees(text string) string {
	weightless := func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.M, unicode.Other_Default_Ignorable_Code_Point) && !unicode.IsSpace(r) {
			return -1
		}
		return r
	}
	for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
		plain := strings.Map(weightless, line)
		if strings.Contains(plain, "##[") || strings.HasPrefix(strings.TrimSpace(plain), "::") {
			return line
		}
	}
	return ""
}

// firstUnwanted returns a character that moves the cursor or hides, or 0.
func firstUnwanted(s string) rune {
	for _, r := range s {
		if r == '\n' || r == '\t' {
			continue
		}
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point) {
			return r
		}
	}
	return 0
}

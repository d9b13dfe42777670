package report

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/org/perfgate/internal/compare"
)

// strangers are texts that a pull request may put wherever its benchmarks print something.
var strangers = []string{
	"X/|<script>##[error]::set-output",
	"<script>alert(1)</script><img src=x onerror=y>",
	"</details></summary><h1>",
	"a|b||c\\|d\\",
	"`", "``", "`a", "a`", "`` ` ``", "```\n```",
	"@mention @org/team", "#123 GH-123 org/repo#1", "https://x.example www.x.example ftp://x", "![i](https://x) [a](b)",
	"*bold* _it_ ~~gone~~ ~gone~ # h > q - l", "<!-- ", "&lt;script&gt; &#96;", "$math$ :smile:",
	"a\nb", "a\r\nb", "\n::error::x", "\n##[error]x", "a\u2028::error::b\u0085c",
	"::error::x", " ::error file=x::y", "%0A::error::x", "##[error]x", "###[x", "#\u00ad#\u200b[error]x", "#\u0301#[error]", "::stop-commands::x",
	"\x1b[31mred\x1b]0;title\x07", "\u009b31m", "\x00\x01\x7f", "\u202eevil\u202c \u2066x\u2069", "\ufefffeff", "tab\tstop\vvt\ff",
	"\xff\xfe bytes", "PERFGATE_EOF\nx=y", "", " ", "-", "=", "| | |", "--- | ---",
	strings.Repeat("long", 3000), strings.Repeat("`", 300), strings.Repeat("é|", 300),
}

// TestHostileMarkdown: every stranger's text is code or nothing.
func TestHostileMarkdown(t *testing.T) {
	for _, s := range strangers {
		checkMarkdown(t, string(drawn(t, format(t, "markdown"), hostile(s))))
		if t.Failed() {
			t.Fatalf("with %q", s)
		}
	}
	for _, fixture := range fixtures {
		checkMarkdown(t, string(drawn(t, format(t, "markdown"), fixture.make())))
	}
}

func format(t testing.TB, name string) Format {
	t.Helper()
	for _, f := range Formats {
		if f.Name == name {
			return f
		}
	}
	t.Fatalf("no format %s", name)
	return Format{}
}

var (
	ownTags  = regexp.MustCompile(`</?(details|summary|sup)>`)
	ownAlert = regexp.MustCompile(`(?m)^> \[!(CAUTION|WARNING|NOTE)\]$`)
	ownQuote = regexp.MustCompile(`^> `)
	ownRange = regexp.MustCompile(`^ (\S+) \[[+−.%0-9a-zA-Zµ]+,\x{a0}[+−.%0-9a-zA-Zµ]+\] $`) // of a change
	// active is what must not stand outside of code: HTML, links, mentions, issues, emphasis that is
	// not ours, and code that was not closed.
	active = regexp.MustCompile("[<>`@\\[\\]_~$\\\\]|(^|[^&#])#\\d|://|www\\.|(?i:gh-\\d)")
)

// checkMarkdown checks that a report has no markup but its own, that its tables are whole and that
// a GitHub runner finds no command in it.
func checkMarkdown(t testing.TB, text string) {
	t.Helper()
	checkLines(t, text)
	text = checkCharts(t, text)
	columns := 0
	for _, line := range strings.Split(ownAlert.ReplaceAllString(text, ""), "\n") {
		if !strings.HasPrefix(line, "|") {
			columns = 0
			checkInline(t, ownQuote.ReplaceAllString(line, ""))
			continue
		}
		cells := cellsOf(line)
		if columns == 0 {
			columns = len(cells)
		}
		if len(cells) != columns {
			t.Errorf("%d cells instead of %d in %q", len(cells), columns, line)
		}
		for _, c := range cells {
			checkInline(t, ownRange.ReplaceAllString(strings.ReplaceAll(c, `\|`, "|"), "$1"))
		}
	}
}

var (
	chartBlock = regexp.MustCompile("(?ms)^```mermaid\n(.*?)\n```$")
	// chartText is all that a chart may be: labels of harmless characters in quotes, and finite numbers.
	chartText = regexp.MustCompile(`^` + regexp.QuoteMeta(look) + `
xychart-beta horizontal
    title "size of the change of head against base"
    x-axis \["[\w ./+-]{1,44}"(, "[\w ./+-]{1,44}")*\]
    y-axis "percent" 0 --> [1-9][0-9]*
    bar \[[0-9]+(\.[0-9]+)?(, [0-9]+(\.[0-9]+)?)*\]$`)
)

// checkCharts checks the charts of a report, byte by byte, and returns the report without them.
func checkCharts(t testing.TB, text string) string {
	t.Helper()
	for _, m := range chartBlock.FindAllStringSubmatch(text, -1) {
		labels, values := strings.Count(strings.TrimPrefix(m[1], look), `"`)/2-2, strings.Count(m[1][strings.Index(m[1], "bar ["):], ",")+1
		if !chartText.MatchString(m[1]) || labels != values {
			t.Errorf("the chart of %d labels and %d values:\n%s", labels, values, m[1])
		}
	}
	return chartBlock.ReplaceAllString(text, "")
}

// cellsOf splits a table's line as GitHub does: at every bar that no backslash precedes, in code too.
func cellsOf(line string) []string {
	var cells []string
	from := 0
	for i := range len(line) {
		if line[i] == '|' && (i == 0 || line[i-1] != '\\') {
			cells = append(cells, line[from:i])
			from = i + 1
		}
	}
	return append(cells, line[from:])
}

// checkInline checks what a line is without its code spans.
func checkInline(t testing.TB, line string) {
	t.Helper()
	if found := active.FindString(ownTags.ReplaceAllString(outsideCode(line), "")); found != "" {
		t.Errorf("%q outside of code in %q", found, line)
	}
}

// outsideCode removes code spans by the rule of CommonMark: a run of backticks is closed by the
// next run that is as long.
func outsideCode(s string) string {
	var out strings.Builder
	for {
		open := strings.IndexByte(s, '`')
		if open < 0 {
			return out.String() + s
		}
		fence := s[open : open+len(s[open:])-len(strings.TrimLeft(s[open:], "`"))]
		rest := s[open+len(fence):]
		end := closing(rest, len(fence))
		if end < 0 {
			return out.String() + s
		}
		out.WriteString(s[:open])
		s = rest[end:]
	}
}

// closing returns where the text behind a run of exactly n backticks begins, or -1.
func closing(s string, n int) int {
	for i := 0; i < len(s); {
		run := len(s[i:]) - len(strings.TrimLeft(s[i:], "`"))
		if run == n {
			return i + run
		}
		i += max(run, 1)
	}
	return -1
}

// runnerCommand is what a runner obeys: ## and [ in the middle of a line, :: at its beginning. It
// passes over marks and invisible characters.
var runnerCommand = regexp.MustCompile(`#\p{M}*#\p{M}*\[|(?m:^[\s\p{M}]*:\p{M}*:)`)

// checkLines checks that no line can be obeyed, and that nothing in it moves a cursor or hides.
func checkLines(t testing.TB, text string) {
	t.Helper()
	if found := runnerCommand.FindString(text); found != "" {
		t.Errorf("the command %q", found)
	}
	for _, r := range text {
		if r != '\n' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)) {
			t.Errorf("character %q", r)
		}
	}
}

// TestHostileText: a terminal and a runner's log show it as text.
func TestHostileText(t *testing.T) {
	for _, s := range strangers {
		d := hostile(s)
		text := string(drawn(t, format(t, "text"), d))
		for _, c := range d.Outcome.Comparisons {
			text += Sentence(c) + "\n"
		}
		for _, b := range d.File.Head.Benchmarks {
			for _, m := range b.Metrics {
				line := strings.Join(MetricLine(b, m), " ")
				if strings.Contains(line, "\n") {
					t.Errorf("a line of a metric has two lines: %q", line)
				}
				text += line + "\n"
			}
		}
		var moves bytes.Buffer
		if err := Moves(&moves, d); err != nil {
			t.Fatal(err)
		}
		checkLines(t, text+moves.String())
		if rows := strings.Count(moves.String(), "\n"); rows > len(d.Outcome.Comparisons) {
			t.Errorf("%d rows of %d moves", rows, len(d.Outcome.Comparisons))
		}
		if t.Failed() {
			t.Fatalf("with %q", s)
		}
	}
}

// TestHostileJSON: whatever the names, it is JSON, and says them.
func TestHostileJSON(t *testing.T) {
	for _, s := range strangers {
		var r jsonReport
		if err := json.Unmarshal(drawn(t, format(t, "json"), hostile(s)), &r); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if want := strings.ToValidUTF8(s, "\ufffd"); r.Warnings[0] != strings.ReplaceAll(want, "\ufffd ", "\ufffd\ufffd ") && r.Warnings[0] != want {
			t.Errorf("the warning %q became %q", s, r.Warnings[0])
		}
	}
}

// goLine is every line that the Go benchmark format has here.
var goLine = regexp.MustCompile(`^(|(goos|goarch|pkg|cpu):( .*)?|Unit \S* better=(lower|higher)|Benchmark\S* \d+( \S+ \S*)+)$`)

// TestHostileGoBench: a name stays in its field.
func TestHostileGoBench(t *testing.T) {
	for _, s := range strangers {
		for _, name := range []string{"base", "head"} {
			for _, line := range strings.Split(string(drawn(t, format(t, name), hostile(s))), "\n") {
				if !goLine.MatchString(line) {
					t.Errorf("with %q: line %q", s, line)
				}
				if strings.HasPrefix(strings.TrimSpace(line), "::") {
					t.Errorf("with %q: the command %q", s, line)
				}
			}
		}
	}
}

// TestSentence is what an annotation says.
func TestSentence(t *testing.T) {
	var got []string
	for _, c := range verdicts().Outcome.Comparisons {
		if c.Failing() {
			got = append(got, Sentence(c))
		}
	}
	golden(t, "testdata/sentences.golden", []byte(strings.Join(got, "\n")+"\n"))
	if len(got) == 0 || compare.Verdicts[0] != compare.Regression {
		t.Error("no row fails")
	}
}

package report

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/result"
)

// release is a baseline, and the one before it with other counts and another version of Go.
func release() *Release {
	f := run()
	f.Base, f.Pairing = nil, result.Unpaired
	f.Reason = "the runner is new"
	f.Scenario = map[string]string{"packages": "./...", "bench": ".", "tags": "", "budget": "5m0s"}
	f.Head.Dirty, f.Head.Ref = false, "work tree"
	f.Head.Benchmarks = []*result.Benchmark{
		bench(core, "A", times(1, 1e-6, 0.02), constant("B/op", 24), constant("allocs/op", 3), noisy("statements/op", 5, 20, 1000, 0.01), constant("self-sec", 0.05)),
		bench(core, "B", times(2, 1e-3, 0.02), constant("B/op", 512), constant("allocs/op", 4)),
		bench(wire, "C|D", constant("sec/op", 1), constant("allocs/op", 0), metric(result.Unit{Name: "hit-rate", Better: result.Higher}, 0.5, 0.5, 0.5)),
		{Suite: "gobench", Package: wire, Name: "Broken", Status: result.Failed, Message: "panic"},
	}
	old := &result.Set{Commit: "aaaabbbbccccdddd", Env: env()}
	old.Benchmarks = []*result.Benchmark{
		bench(core, "A", times(3, 1e-6, 0.02), constant("B/op", 24), constant("allocs/op", 2), noisy("statements/op", 6, 20, 1000, 0.01)),
		bench(core, "B", times(4, 1e-3, 0.02), constant("B/op", 1024), constant("allocs/op", 4)),
		bench(wire, "C|D", constant("sec/op", 2), constant("allocs/op", 1), metric(result.Unit{Name: "hit-rate", Better: result.Higher}, 0.5, 0.5, 0.5)),
	}
	old.Benchmarks[1].Metrics[1].Best = &result.Level{Value: 100, Iters: 1000, Date: "2026-01-01"} // of older releases
	limit := 3.0
	p := compare.Policy{Confidence: 0.95, Budgets: []compare.Budget{
		{Subject: compare.Subject{Benchmark: "^(A|B)$", Metric: "allocs/op"}, Max: &limit},
		{Subject: compare.Subject{Benchmark: "C\\|D", Metric: "sec/op"}, Max: &limit},
	}}
	return &Release{Name: "v1.2.0", File: f, Previous: old, Budgets: p.CheckBudgets(f.Head)}
}

// nowhere is a release outside git.
func nowhere() *Release {
	r := release()
	r.Name, r.File.Head.Commit = "", ""
	return r
}

func recorded(t testing.TB, text string, r *Release) string {
	t.Helper()
	out, err := Record([]byte(text), r)
	if err != nil {
		t.Fatalf("Record(%q): %v", text, err)
	}
	return string(out)
}

// kept is a file of a user, with a section of two releases before.
const kept = `# Speed of the thing

Written by hand.

<!-- perfgate:begin -->
## Performance

An older layout.

### History

| date | release | commit | benchmarks | exact metrics moved | geometric mean of the change |
|---|---|---|--:|--:|---|
| 2026-08-01 | ` + "`v1.1.0`" + ` | ` + "`aaaabbbbcccc`" + ` | 3 | 1 of 9 | ` + "`allocs/op`" + ` +0.5% (3), my own words \| kept |
| 2026-07-01 | – | ` + "`999999999999`" + ` | 3 | – | – |
<!-- perfgate:end -->

More by hand, <!-- perfgate:end --> within a line.`

// TestRecord pins the section in a new file and in one that has others' text and history.
func TestRecord(t *testing.T) {
	golden(t, "testdata/release.new.golden", []byte(recorded(t, "", release())))
	golden(t, "testdata/release.renewed.golden", []byte(recorded(t, kept, release())))
}

// historyOf returns the lines of history of a file.
func historyOf(t *testing.T, text string) []string {
	t.Helper()
	s, err := findSection([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return oldHistory(s.body)
}

// TestRecordHistory: a line for each release, and one only.
func TestRecordHistory(t *testing.T) {
	const (
		first  = "| 2026-09-01 | `v1.2.0` | `0123456789ab` | 4 | 3 of 6 | `B/op` −29.3% (2), `allocs/op` +22.5% (2), `hit-rate` 0.0% (1) |"
		untold = "| 2026-09-01 | – | `0123456789ab` | 4 | 3 of 6 | `B/op` −29.3% (2), `allocs/op` +22.5% (2), `hit-rate` 0.0% (1) |"
	)
	before := historyOf(t, kept)
	if len(before) != 2 {
		t.Fatalf("history before: %q", before)
	}
	tests := []struct {
		name   string
		text   string
		change func(*Release)
		want   []string
	}{
		{"a new file", "", nil, []string{first}},
		{"before the others", kept, nil, append([]string{first}, before...)},
		{"twice", recorded(t, kept, release()), nil, append([]string{first}, before...)},
		{"twice, the baseline being of this commit", recorded(t, kept, release()), func(r *Release) { r.Previous = nil }, append([]string{first}, before...)},
		{"without a baseline before", "", func(r *Release) { r.Previous = nil }, []string{"| 2026-09-01 | `v1.2.0` | `0123456789ab` | 4 | – | – |"}},
		{"a tag that moved", kept, func(r *Release) { r.Name = "v1.1.0" }, []string{strings.Replace(first, "v1.2.0", "v1.1.0", 1), before[1]}},
		{"a commit without a tag", kept, func(r *Release) { r.Name = "" }, append([]string{untold}, before...)},
		{"a commit that is tagged later", recorded(t, kept, &Release{File: release().File, Previous: release().Previous}), func(r *Release) { r.Previous = nil }, append([]string{first}, before...)},
		{"another tag of the commit", recorded(t, "", release()), func(r *Release) { r.Name = "v1.2.0-rc.1" }, []string{strings.Replace(first, "v1.2.0", "v1.2.0-rc.1", 1), first}},
		{"another tag of the commit, the baseline being of it", recorded(t, "", release()), func(r *Release) { r.Name, r.Previous = "v1.2.0-rc.1", nil }, []string{strings.Replace(first, "v1.2.0", "v1.2.0-rc.1", 1), first}},
		{"a tag that moved, without a baseline before", kept, func(r *Release) { r.Name, r.Previous = "v1.1.0", nil }, []string{"| 2026-09-01 | `v1.1.0` | `0123456789ab` | 4 | – | – |", before[1]}},
		{"outside git", kept, func(r *Release) { *r = *nowhere() }, append([]string{strings.Replace(untold, "`0123456789ab`", "–", 1)}, before...)},
		{"outside git, twice", recorded(t, "", nowhere()), func(r *Release) { *r = *nowhere() }, slices.Repeat([]string{strings.Replace(untold, "`0123456789ab`", "–", 1)}, 2)},
		{"uncommitted changes", recorded(t, "", release()), func(r *Release) { r.Name, r.File.Head.Dirty = "", true }, []string{strings.Replace(untold, "9ab`", "9ab` with uncommitted changes", 1), first}},
		{"another Go", "", func(r *Release) { r.Previous.Env.Go = "go1.25.1" }, []string{strings.Replace(first, "(1) |", "(1), other Go version |", 1)}},
	}
	for _, tt := range tests {
		r := release()
		if tt.change != nil {
			tt.change(r)
		}
		if diff := cmp.Diff(tt.want, historyOf(t, recorded(t, tt.text, r))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestRecordAround: the rest of the file is the user's, to the byte.
func TestRecordAround(t *testing.T) {
	const pair = sectionBegin + "\n" + sectionEnd
	tests := []struct{ name, text, before, after string }{
		{"no markers", "# Mine\n", "# Mine\n\n", ""},
		{"no line end", "# Mine", "# Mine\n\n", ""},
		{"nothing", "", "# Performance report\n\n", ""},
		{"in between", "a\r" + "b \n\n" + pair + "\n\n\nc\x00\xff", "a\rb \n\n", "\n\nc\x00\xff"},
		{"at the end without a line end", "a\n" + pair, "a\n", ""},
		{"markers with blanks", "a\n  " + sectionBegin + " \nx\n\t" + sectionEnd + "  \nb", "a\n", "b"},
		{"markers in a line", "see " + sectionBegin + "\n" + pair + "\n" + sectionEnd + ".\n", "see " + sectionBegin + "\n", sectionEnd + ".\n"},
	}
	for _, tt := range tests {
		got := recorded(t, tt.text, release())
		if !strings.HasPrefix(got, tt.before+sectionBegin+"\n## Performance\n") || !strings.HasSuffix(got, " |\n"+sectionEnd+"\n"+tt.after) {
			t.Errorf("%s: %q", tt.name, got)
		}
		if again := recorded(t, got, release()); again != got {
			t.Errorf("%s, twice (-once +twice):\n%s", tt.name, cmp.Diff(got, again))
		}
	}
}

// TestRecordLineEnds: a file from Windows stays one.
func TestRecordLineEnds(t *testing.T) {
	text := strings.ReplaceAll(kept, "\n", "\r\n")
	got := recorded(t, text, release())
	if n, m := strings.Count(got, "\n"), strings.Count(got, "\r\n"); n != m {
		t.Errorf("%d of %d lines end as the file's", m, n)
	}
	if want := recorded(t, kept, release()); strings.ReplaceAll(got, "\r\n", "\n") != want {
		t.Errorf("(-want +got):\n%s", cmp.Diff(want, got))
	}
}

// TestRecordRefuses: what the markers do not enclose without doubt is not replaced.
func TestRecordRefuses(t *testing.T) {
	const b, e = sectionBegin + "\n", sectionEnd + "\n"
	tests := []struct{ text, want string }{
		{"a\n" + b, "line 2: <!-- perfgate:begin --> without <!-- perfgate:end --> below it; add it where the section ends"},
		{"a\n" + e, "line 2: <!-- perfgate:end --> without <!-- perfgate:begin --> before it; add it, or remove the line to have the section at the end"},
		{e + b, "line 1: <!-- perfgate:end --> without"},
		{b + e + "x\n" + b + e, "lines 1 and 4: <!-- perfgate:begin --> stands twice; keep one pair of markers"},
		{b + b + e, "lines 1 and 2: <!-- perfgate:begin --> stands twice"},
		{b + e + e, "lines 2 and 3: <!-- perfgate:end --> stands twice"},
	}
	for _, tt := range tests {
		out, err := Record([]byte(tt.text), release())
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) || out != nil {
			t.Errorf("Record(%q) = %q, %v, want %q", tt.text, out, err, tt.want)
		}
		if again := CheckSection([]byte(tt.text)); fmt.Sprint(again) != fmt.Sprint(err) {
			t.Errorf("CheckSection(%q) = %v, want %v", tt.text, again, err)
		}
	}
}

// hostileRelease has a stranger's text wherever there is text.
func hostileRelease(s string) *Release {
	f := hostile(s).File
	f.Reason, f.Scenario = s, map[string]string{s: s}
	f.Head.Commit = s
	return &Release{Name: s, File: f, Previous: f.Base}
}

// TestHostileRecord: whatever the names, the section is one table after the other and nothing but text,
// and is found again.
func TestHostileRecord(t *testing.T) {
	for _, s := range append(slices.Clone(strangers), sectionEnd, "\n"+sectionEnd+"\n", historyHeading, "\n| x |\n") {
		text := recorded(t, "", hostileRelease(s))
		checkRecord(t, text)
		if again := recorded(t, text, hostileRelease(s)); !strings.HasPrefix(again, "# Performance report\n\n"+sectionBegin) {
			t.Errorf("written again: %q", again)
		}
		if t.Failed() {
			t.Fatalf("with %q", s)
		}
	}
}

// checkRecord checks a file that has no text but the section.
func checkRecord(t testing.TB, text string) {
	t.Helper()
	text, ok := strings.CutPrefix(text, "# Performance report\n\n"+sectionBegin+"\n")
	text, end := strings.CutSuffix(text, sectionEnd+"\n")
	if !ok || !end || strings.Contains("\n"+text, "\n"+sectionBegin) || strings.Contains("\n"+text, "\n"+sectionEnd) {
		t.Errorf("the section is not whole: %q", text)
	}
	checkMarkdown(t, text)
}

// TestRecordKeepsTheRelease: drawing changes nothing.
func TestRecordKeepsTheRelease(t *testing.T) {
	r := release()
	before := []byte(kept)
	recorded(t, kept, r)
	if _, err := Record(before, r); err != nil || !bytes.Equal(before, []byte(kept)) {
		t.Errorf("the text was changed: %v", err)
	}
	if diff := cmp.Diff(release().File, r.File); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
}

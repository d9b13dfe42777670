package main

import (
	"bytes"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/github"
	"github.com/org/perfgate/internal/github/githubtest"
	"github.com/org/perfgate/internal/report"
	"github.com/org/perfgate/internal/result"
)

// hostileNames are what a pull request may call its benchmarks. What they do to Markdown and to a log alone is tested
// where these are written; here is what comes of them on the way to GitHub.
var hostileNames = []string{
	"X/|<script>##[error]::set-output", "x\n::error::pwn", "%0A::error::pwn", "::stop-commands::x", "@everyone #1 https://evil.example",
	"<!-- perfgate comment 1 0000 -->", "x<<EOF\nverdict=pass\nEOF", "`` ` |", "\x1b[2J\u202egnp", "](https://evil.example)", `a"];b %%{init}`, strings.Repeat("é|", 500),
}

// hostileDocument is a run in which everything that a stranger names is called so.
func hostileDocument(name string) *report.Document {
	metric := func(allocs float64) *result.Metric {
		m := &result.Metric{Unit: result.UnitOf("allocs/op")}
		for i := range 20 {
			m.Samples = append(m.Samples, result.Sample{Value: allocs, Iters: 10, Pair: i, Pass: i})
		}
		return m
	}
	bench := func(name string, allocs float64) *result.Benchmark {
		return &result.Benchmark{Suite: "gobench", Package: "example.com/" + name, Name: name, Status: result.OK, Metrics: []*result.Metric{metric(allocs)}}
	}
	file := &result.File{
		SchemaVersion: result.Schema, Pairing: result.Passes, Warnings: []string{name},
		Base: &result.Set{Commit: name, Ref: name, Benchmarks: []*result.Benchmark{bench(name, 1), bench(name+"2", 1), bench("gone"+name, 1)}},
		Head: &result.Set{Commit: name, Ref: name, Benchmarks: []*result.Benchmark{bench(name, 2), bench(name+"2", 3)}},
	}
	return &report.Document{File: file, Policy: compare.DefaultPolicy, Outcome: compare.Judge(file, compare.DefaultPolicy)}
}

// outputLine is every line that a file of outputs has.
var outputLine = regexp.MustCompile(`^[a-z-]+=[A-Za-z0-9 ._/+-]*$`)

// TestHostile takes hostile names through annotations, outputs, job summary and comment.
func TestHostile(t *testing.T) {
	const server = "https://ghe.example.com"
	for _, name := range hostileNames {
		dir := t.TempDir()
		s := githubtest.New()
		s.Pulls = []*githubtest.Pull{{Number: 7, State: "open", HeadOwner: "owner", Head: "x", HeadSHA: strings.Repeat("c", 40), Base: "main"}}
		api := httptest.NewServer(s)
		var log bytes.Buffer
		a := &app{stdout: &log, stderr: &log, environ: []string{
			"GITHUB_ACTIONS=true", "GITHUB_WORKSPACE=" + dir, "GITHUB_OUTPUT=" + filepath.Join(dir, "output"), "GITHUB_STEP_SUMMARY=" + filepath.Join(dir, "summary"),
			"GITHUB_API_URL=" + api.URL, "GITHUB_SERVER_URL=" + server, "GITHUB_REPOSITORY=owner/repo", "GITHUB_RUN_ID=1",
		}}
		a.runner = github.New(a.getenv, &log)
		a.posting = &posting{token: "t", inputs: inputs{"summary": "true", "annotations": "true", "comment": commentAlways, "comment-key": "default"}}
		a.posting.to = &target{pull: 7, head: strings.Repeat("c", 40)}
		c, err := a.configure(newFlags("check", ""))
		if err != nil {
			t.Fatal(err)
		}
		d := hostileDocument(name)
		c.tellRunner(d)
		a.comment(t.Context(), d, latestFile)
		api.Close()

		// The one kind of command is our annotation, for each row that fails and with the properties that we give it.
		for line := range strings.Lines(log.String()) {
			if !regexp.MustCompile(`^::(error|notice) title=perfgate%3A [a-z ]+::[^\r\n]*\n$`).MatchString(line) || strings.Contains(line, "##[") {
				t.Errorf("%q: the log has %q", name, line)
			}
		}
		if n, want := strings.Count(log.String(), "::error "), d.Outcome.Count(compare.Regression)+d.Outcome.Count(compare.Missing); n != want || n == 0 {
			t.Errorf("%q: %d annotations, want %d", name, n, want)
		}
		for line := range strings.Lines(readText(t, filepath.Join(dir, "output"))) {
			if !outputLine.MatchString(strings.TrimSuffix(line, "\n")) {
				t.Errorf("%q: the output %q", name, line)
			}
		}
		// Summary and comment are the report, whose own tests say what it may hold, and nothing else but what we know.
		want, err := report.MarkdownWithin(d, 60_000, "perf_reports/"+latestFile)
		if err != nil {
			t.Fatal(err)
		}
		if got := readText(t, filepath.Join(dir, "summary")); got != string(want)+"\n" {
			t.Errorf("%q: the summary is\n%s\nwant\n%s", name, got, want)
		}
		if len(s.Comments) != 1 {
			t.Fatalf("%q: %d comments; the log is\n%s", name, len(s.Comments), log.String())
		}
		want, err = report.MarkdownWithin(d, 60_000, latestFile)
		if err != nil {
			t.Fatal(err)
		}
		body := s.Comments[0].Body
		head, whole := strings.CutSuffix(strings.TrimSpace(body), strings.TrimSpace(string(want)))
		if !whole || !regexp.MustCompile("^<!-- perfgate comment 1 [0-9a-f]{64} -->\n`c{40}` \\[measured in this run\\]\\("+regexp.QuoteMeta(server)+"/owner/repo/actions/runs/1\\)\n\n$").MatchString(head) {
			t.Errorf("%q: the comment begins with %q", name, head)
		}
	}
}

func readText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

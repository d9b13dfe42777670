package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/github"
	"github.com/org/perfgate/internal/github/githubtest"
	"github.com/org/perfgate/internal/parse"
	"github.com/org/perfgate/internal/report"
	"github.com/org/perfgate/internal/result"
)

const postedHead = "cccccccccccccccccccccccccccccccccccccccc"

// postingApp is the action on a pull request, beside a server of GitHub's API. outputs reads what it set.
func postingApp(t *testing.T, s *githubtest.Server, values inputs) (a *app, stdout *bytes.Buffer, outputs func() string) {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "outputs")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	stdout = new(bytes.Buffer)
	a = &app{stdout: stdout, stderr: stdout, now: time.Now, environ: []string{
		"GITHUB_ACTIONS=true", "GITHUB_API_URL=" + server.URL, "GITHUB_REPOSITORY=owner/repo", "GITHUB_RUN_ID=42", "GITHUB_OUTPUT=" + file,
	}}
	a.runner = github.New(a.getenv, stdout)
	a.posting = &posting{inputs: inputs{"comment": commentOnChange, "comment-key": "default"}, token: "ghs_secret", event: event{Name: "pull_request"}}
	a.posting.event.PullRequest.Number, a.posting.event.PullRequest.Head.SHA = 7, postedHead
	for name, value := range values {
		a.posting.inputs[name] = value
	}
	return a, stdout, func() string {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
}

// judged is a document of one benchmark with so many allocations on both sides.
func judged(t *testing.T, base, head string) *report.Document {
	t.Helper()
	set := func(allocs string) *result.Set {
		r, err := parse.GoBench(strings.NewReader(strings.Repeat("BenchmarkEncode 1000 "+allocs+" allocs/op\n", 6)), "x", parse.GoOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return r.Set
	}
	f := &result.File{Tool: tool(), GeneratedAt: githubtest.Day, Head: set(head), Base: set(base), Pairing: result.Passes}
	return &report.Document{File: f, Policy: compare.DefaultPolicy, Outcome: compare.Judge(f, compare.DefaultPolicy)}
}

// A report that is too long for a comment gives way, keeps the mark and names the file that has everything.
func TestLongComment(t *testing.T) {
	s := withPull(time.Hour)
	a, log, _ := postingApp(t, s, nil)
	a.posting.to = &target{pull: 7, head: postedHead}
	var lines strings.Builder
	for i := range 2000 {
		for range 3 {
			fmt.Fprintf(&lines, "BenchmarkWithAName%d 1000 2 allocs/op\n", i)
		}
	}
	r, err := parse.GoBench(strings.NewReader(lines.String()), "x", parse.GoOptions{})
	if err != nil {
		t.Fatal(err)
	}
	f := &result.File{Tool: tool(), GeneratedAt: githubtest.Day, Head: r.Set, Base: &result.Set{}, Pairing: result.Passes}
	d := &report.Document{File: f, Policy: compare.DefaultPolicy, Outcome: compare.Judge(f, compare.DefaultPolicy)}
	a.comment(context.Background(), d, "perf_reports/latest.json")
	body := strings.Join(s.OwnComments(7, "<!-- perfgate comment 1 "), "")
	if len(body) == 0 || len(body) > github.CommentLimit || !strings.Contains(body, "Shortened to fit") || !strings.Contains(body, "`perf_reports/latest.json`") {
		t.Errorf("the comment has %d bytes, want 1 to %d and what is left out:\n%.2000s\n%s", len(body), github.CommentLimit, body, log)
	}
}

// withPull is a server with the pull request and a label on it that was set an hour after, or before, the push.
func withPull(after time.Duration) *githubtest.Server {
	s := githubtest.New()
	s.Pulls = []*githubtest.Pull{{Number: 7, State: "open", HeadOwner: "stranger", Head: "faster", HeadSHA: postedHead, Base: "main", Labels: []string{github.AcceptLabel}}}
	s.Permissions["maria"] = "write"
	s.Events = []githubtest.Event{{Issue: 7, Event: "labeled", Label: github.AcceptLabel, Actor: "maria", At: githubtest.Day.Add(after)}}
	s.Activity = []githubtest.Activity{{Ref: "refs/heads/faster", After: postedHead, At: githubtest.Day}}
	return s
}

func TestAccept(t *testing.T) {
	forbidden := func(s *githubtest.Server) { s.Faults = []*githubtest.Fault{{Path: ".", Status: 403}} }
	tests := []struct {
		name       string
		base, head string
		after      time.Duration
		change     func(*githubtest.Server)
		want       compare.Gate
		says       string // in the report
	}{
		{name: "after the push", base: "1", head: "2", after: time.Hour, want: compare.Pass, says: "Accepted on purpose: maria set the label perfgate-accept"},
		{name: "before the push", base: "1", head: "2", after: -time.Hour, want: compare.Fail, says: "perfgate-accept does not count: maria set it on 2026-01-02 02:04:05 UTC"},
		{name: "GitHub does not say", base: "1", head: "2", after: time.Hour, change: forbidden, want: compare.Fail, says: "FAIL: "},
		{name: "nothing to accept", base: "2", head: "2", after: time.Hour, want: compare.Pass, says: "PASS: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := withPull(tt.after)
			if tt.change != nil {
				tt.change(s)
			}
			a, log, _ := postingApp(t, s, nil)
			d := judged(t, tt.base, tt.head)
			var err error
			if a.posting.to, err = a.posting.eventTarget(); err != nil {
				t.Fatal(err)
			}
			a.accept(context.Background(), d)
			var text bytes.Buffer
			if err := report.Text(&text, d); err != nil {
				t.Fatal(err)
			}
			if d.Gate() != tt.want || !strings.Contains(text.String(), tt.says) || !strings.Contains(text.String(), "Encode") && tt.head == "2" && tt.base == "1" {
				t.Errorf("the gate says %s, want %s and %q in:\n%s", d.Gate(), tt.want, tt.says, text.String())
			}
			if hint := "the job needs contents: read and pull-requests: read"; strings.Contains(log.String(), hint) != (tt.name == "GitHub does not say") {
				t.Errorf("the log says %q", log.String())
			}
			if want := map[bool]string{true: github.AcceptLabel}[d.Outcome.Gate == compare.Fail]; d.AcceptLabel != want {
				t.Errorf("the report tells of the label %q, want %q", d.AcceptLabel, want)
			}
			if d.Outcome.Gate == compare.Pass && len(s.Requests) > 0 {
				t.Errorf("a gate that passes asked GitHub: %q", s.Requests)
			}
		})
	}
}

func TestComment(t *testing.T) {
	const slower, same = "2", "1"
	ours := "<!-- perfgate comment 1 "
	tests := []struct {
		name   string
		values inputs
		head   string
		change func(*app, *githubtest.Server)
		status string
		posted int
		says   string // in the log
	}{
		{name: "changed", head: slower, status: "created", posted: 1},
		{name: "nothing changed", head: same, status: "skipped"},
		{name: "always", values: inputs{"comment": commentAlways}, head: same, status: "created", posted: 1},
		{name: "on regression", values: inputs{"comment": commentOnRegression}, head: slower, status: "created", posted: 1},
		{name: "on regression, and there is none", values: inputs{"comment": commentOnRegression}, head: "0", status: "skipped"},
		{name: "never", values: inputs{"comment": commentNever}, head: slower, status: "skipped"},
		{name: "no token", head: slower, change: func(a *app, _ *githubtest.Server) { a.posting.token = "" }, status: "skipped", says: "there is no token"},
		{name: "no pull request", head: slower, change: func(a *app, _ *githubtest.Server) { a.posting.event = event{Name: "push"} }, status: "skipped"},
		{name: "a pull request by name", values: inputs{"pr-number": "7"}, head: slower, change: func(a *app, _ *githubtest.Server) { a.posting.event = event{Name: "push"} }, status: "created", posted: 1},
		{name: "moved on", head: slower, change: func(_ *app, s *githubtest.Server) { s.Pulls[0].HeadSHA = strings.Repeat("d", 40) }, status: "skipped", says: "is at dddddddddddd now"},
		{name: "403", head: slower, change: func(_ *app, s *githubtest.Server) { s.Faults = []*githubtest.Fault{{Path: ".", Status: 403}} }, status: "forbidden", says: "the job needs pull-requests: write"},
		{name: "422", head: slower, change: func(_ *app, s *githubtest.Server) {
			s.Faults = []*githubtest.Fault{{Method: "POST", Path: ".", Status: 422}}
		}, status: "failed", says: "GitHub answers 422"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := withPull(time.Hour)
			a, log, outputs := postingApp(t, s, tt.values)
			if tt.change != nil {
				tt.change(a, s)
			}
			var err error
			if a.posting.to, err = a.posting.eventTarget(); err != nil {
				t.Fatal(err)
			}
			a.comment(context.Background(), judged(t, "1", tt.head), "perf_reports/latest.json")
			if !strings.Contains(outputs(), "comment-status="+tt.status+"\n") {
				t.Errorf("outputs %q, want comment-status %s", outputs(), tt.status)
			}
			posted := s.OwnComments(7, ours)
			if len(posted) != tt.posted {
				t.Errorf("%d comments, want %d: %q", len(posted), tt.posted, posted)
			}
			for _, body := range posted {
				if len(body) > github.CommentLimit || !strings.Contains(body, "perfgate: ") || !strings.Contains(body, "/actions/runs/42)") {
					t.Errorf("the comment is %d bytes, want at most %d with verdict and run:\n%s", len(body), github.CommentLimit, body)
				}
			}
			if !strings.Contains(log.String(), tt.says) || strings.Contains(log.String(), "ghs_secret") {
				t.Errorf("the log does not say %q, or says the token:\n%s", tt.says, log)
			}
			if n := len(s.Requests); n > 10 || len(s.Wrong) > 0 {
				t.Errorf("%d calls, want at most 10; wrong ones: %q", n, s.Wrong)
			}
		})
	}
}

// TestTokenLeavesEnvironment: after it was read, the action's token stands in no environment that is passed on.
func TestTokenLeavesEnvironment(t *testing.T) {
	a := inStep("INPUT_TOKEN=ghs_secret", "INPUT_MODE=report")
	if err := a.action(t.Context(), nil); err == nil { // there is no run to report on
		t.Error("a report of nothing is no error")
	}
	if a.token() != "ghs_secret" || a.getenv("INPUT_TOKEN") != "" {
		t.Errorf("the token is %q, and in the environment %q", a.token(), a.getenv("INPUT_TOKEN"))
	}
}

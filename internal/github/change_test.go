package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/org/perfgate/internal/github/githubtest"
)

const baselinePath = "perf_reports/baseline.json"

// writes is a change of the baseline to a text, whatever is there.
func writes(text, strategy string) Change {
	return Change{Branch: "main", Path: baselinePath, Strategy: strategy, Head: "perfgate/baseline", Message: "perf: baseline of v1.2.3\n\nMore.", Text: "Words.",
		Next: func([]byte) ([]byte, error) { return []byte(text), nil }}
}

// on is a file as a branch of the server has it, "-" where it has none.
func on(s *githubtest.Server, branch, path string) string {
	c := s.Commits[s.Refs["refs/heads/"+branch]]
	if c == nil {
		return "no branch"
	}
	if text, ok := c.Files[path]; ok {
		return text
	}
	return "-"
}

func TestChange(t *testing.T) {
	refused := &githubtest.Fault{Method: "PUT", Path: "/contents/", Status: 403}
	tests := []struct {
		name     string
		strategy string
		change   func(*githubtest.Server)
		want     Changed
		main     string // the file afterwards
		proposed string // on the branch of the pull request
		err      string
	}{
		{name: "new file", strategy: Auto, want: Changed{Updated: true}, main: "new", proposed: "no branch"},
		{name: "changed", strategy: Commit, change: func(s *githubtest.Server) { s.Push("main", "old", map[string]string{baselinePath: "old"}) }, want: Changed{Updated: true}, main: "new", proposed: "no branch"},
		{name: "the same", strategy: Auto, change: func(s *githubtest.Server) { s.Push("main", "new", map[string]string{baselinePath: "new"}) }, main: "new", proposed: "no branch"},
		{name: "asked for", strategy: PullRequest, want: Changed{Updated: true, Pull: 100}, main: "-", proposed: "new"},
		{name: "protected", strategy: Auto, change: func(s *githubtest.Server) { s.Protected = []string{"main"} }, want: Changed{Updated: true, Pull: 100}, main: "-", proposed: "new"},
		{name: "protected, commit wanted", strategy: Commit, change: func(s *githubtest.Server) { s.Protected = []string{"main"} }, main: "-", proposed: "no branch", err: "Changes must be made through a pull request"},
		{name: "403", strategy: Auto, change: func(s *githubtest.Server) { s.Faults = []*githubtest.Fault{refused} }, want: Changed{Updated: true, Pull: 100}, main: "-", proposed: "new"},
		{name: "the answer is lost", strategy: Auto, change: func(s *githubtest.Server) {
			s.Faults = []*githubtest.Fault{{Method: "PUT", Path: "/contents/", Status: 502, Times: 1, After: true}}
		}, want: Changed{Updated: true}, main: "new", proposed: "no branch"},
		{name: "the answer to opening is lost", strategy: PullRequest, change: func(s *githubtest.Server) {
			s.Faults = []*githubtest.Fault{{Method: "POST", Path: "/pulls$", Status: 502, Times: 1, After: true}}
		}, want: Changed{Updated: true, Pull: 100}, main: "-", proposed: "new"},
		{name: "the branch is there", strategy: PullRequest, change: func(s *githubtest.Server) {
			s.Refs["refs/heads/perfgate/baseline"] = s.Add(&githubtest.Commit{Message: "of another release", Files: map[string]string{baselinePath: "older"}})
			s.Pulls = []*githubtest.Pull{{Number: 5, State: "open", HeadOwner: "owner", Head: "perfgate/baseline", Base: "main", Title: "perf: baseline of v1.2.2"}}
		}, want: Changed{Updated: true, Pull: 5}, main: "-", proposed: "new"},
		{name: "Actions may not open any", strategy: Auto, change: func(s *githubtest.Server) { s.Protected, s.NoPulls = []string{"main"}, true }, main: "-", proposed: "new", err: "https://github.com/owner/repo/compare/main...perfgate/baseline?expand=1"},
		{name: "no right to write", strategy: Auto, change: func(s *githubtest.Server) {
			s.Faults = []*githubtest.Fault{refused, {Method: "POST", Path: ".", Status: 403}}
		}, main: "-", proposed: "no branch", err: "make a commit on top of main: GitHub answers 403"},
		{name: "no such branch", strategy: Auto, change: func(s *githubtest.Server) { delete(s.Refs, "refs/heads/main") }, main: "no branch", proposed: "no branch", err: "read perf_reports/baseline.json at main"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := githubtest.New()
				if tt.change != nil {
					tt.change(s)
				}
				c := dial(t, s)
				got, err := c.Change(context.Background(), writes("new", tt.strategy))
				got.Commit = ""
				if got != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
					t.Errorf("Change = %+v, %v; want %+v, %q", got, err, tt.want, tt.err)
				}
				if main, proposed := on(s, "main", baselinePath), on(s, "perfgate/baseline", baselinePath); main != tt.main || proposed != tt.proposed {
					t.Errorf("main has %q and the pull request %q, want %q and %q", main, proposed, tt.main, tt.proposed)
				}
				if n := count(s, "PUT "); tt.name == "protected" && n != 1 {
					t.Errorf("%d commits tried on a branch that refuses them, want one", n)
				}
				for sha, commit := range s.Commits {
					if commit.Author != "" {
						t.Errorf("commit %s names an author, %s: GitHub does not sign that", sha, commit.Author)
					}
				}
				if tt.err == "" && tt.want.Pull != 0 {
					checkPull(t, c, s, tt.want.Pull)
				}
			})
		})
	}
}

// checkPull holds a pull request to one commit on the target, and a second change to the same pull request.
func checkPull(t *testing.T, c *Client, s *githubtest.Server, number int) {
	t.Helper()
	head := s.Commits[s.Refs["refs/heads/perfgate/baseline"]]
	if !slices.Equal(head.Parents, []string{s.Refs["refs/heads/main"]}) || head.Files["README.md"] == "" {
		t.Errorf("the commit stands on %v and has the files %v, want one on main with main's files", head.Parents, head.Files)
	}
	again, err := c.Change(context.Background(), writes("newer", PullRequest))
	if err != nil || again.Pull != number || len(s.Pulls) != 1 {
		t.Errorf("a second change = %+v, %v with %d pull requests, want the one again", again, err, len(s.Pulls))
	}
	if pr := s.Pulls[0]; pr.Title != "perf: baseline of v1.2.3" || pr.Body != "Words." {
		t.Errorf("the pull request is %q: %q", pr.Title, pr.Body)
	}
}

// What others write in between is seen before it would be lost.
func TestChangeRaces(t *testing.T) {
	for _, tt := range []struct {
		others int // how often somebody else writes just before
		want   string
		err    string
	}{
		{1, "other 1, and ours", ""},
		{3, "other 3, and ours", ""},
		{4, "other 4", "changed 4 times while it was being written"},
	} {
		t.Run(fmt.Sprint(tt.others), func(t *testing.T) {
			s := githubtest.New()
			n := 0
			s.Before = func(r *http.Request) {
				if r.Method == http.MethodPut && n < tt.others {
					n++
					s.Push("main", "other", map[string]string{baselinePath: fmt.Sprintf("other %d", n)})
				}
			}
			ch := writes("", Auto)
			ch.Next = func(now []byte) ([]byte, error) { return []byte(string(now) + ", and ours"), nil }
			_, err := dial(t, s).Change(context.Background(), ch)
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("Change: %v, want %q", err, tt.err)
			}
			if got := on(s, "main", baselinePath); got != tt.want {
				t.Errorf("the file is %q, want %q", got, tt.want)
			}
			if len(s.Pulls) > 0 {
				t.Error("a lost race opened a pull request")
			}
		})
	}
}

// A change that is refused when somebody else was faster writes nothing.
func TestChangeGivesWay(t *testing.T) {
	s := githubtest.New()
	s.Before = func(r *http.Request) {
		if r.Method == http.MethodPut {
			s.Push("main", "other", map[string]string{baselinePath: "newer"})
		}
	}
	older := errors.New("older than what is there")
	ch := writes("", Auto)
	ch.Next = func(now []byte) ([]byte, error) {
		if string(now) == "newer" {
			return nil, older
		}
		return []byte("ours"), nil
	}
	if _, err := dial(t, s).Change(context.Background(), ch); !errors.Is(err, older) {
		t.Errorf("Change: %v, want %v", err, older)
	}
	if got := on(s, "main", baselinePath); got != "newer" {
		t.Errorf("the file is %q, want the other one", got)
	}
}

func TestTags(t *testing.T) {
	s := githubtest.New()
	first := s.Refs["refs/heads/main"]
	second := s.Push("main", "second", nil)
	s.Refs["refs/tags/v1.0.0"], s.Refs["refs/tags/v1.1.0"] = first, strings.Repeat("a", 40)
	s.TagObjects[strings.Repeat("a", 40)] = second
	s.Refs["refs/heads/side"] = s.Add(&githubtest.Commit{Parents: []string{first}})
	c, ctx := dial(t, s), context.Background()
	for tag, want := range map[string]string{"v1.0.0": first, "v1.1.0": second, "v9": ""} {
		if got, err := c.TagCommit(ctx, tag); got != want || (err == nil) != (want != "") {
			t.Errorf("TagCommit(%s) = %s, %v; want %s", tag, got, err, want)
		}
	}
	for _, tt := range []struct {
		ref, commit string
		want        bool
	}{{"main", first, true}, {"main", second, true}, {"side", first, true}, {"side", second, false}, {first, second, false}} {
		if got, err := c.Contains(ctx, tt.ref, tt.commit); got != tt.want || err != nil {
			t.Errorf("Contains(%s, %s) = %v, %v; want %v", tt.ref, tt.commit, got, err, tt.want)
		}
	}
	if got, err := c.DefaultBranch(ctx); got != "main" || err != nil {
		t.Errorf("DefaultBranch = %s, %v", got, err)
	}
}

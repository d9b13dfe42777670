package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/github/githubtest"
)

const (
	headSHA = "cccccccccccccccccccccccccccccccccccccccc"
	bot     = "github-actions[bot]"
)

// withPull is a server with a pull request 7 at headSHA.
func withPull() *githubtest.Server {
	s := githubtest.New()
	s.Pulls = []*githubtest.Pull{{Number: 7, State: "open", HeadOwner: "stranger", Head: "faster", HeadSHA: headSHA, Base: "main"}}
	return s
}

// saying is a comment on that pull request.
func saying(text string) Comment {
	return Comment{Pull: 7, Key: "default", Head: headSHA, Text: func(int) (string, error) { return text, nil }}
}

func TestPost(t *testing.T) {
	first := marker("default")
	mine := func(body string) *githubtest.Comment {
		return &githubtest.Comment{ID: 1, Issue: 7, Login: bot, Type: "Bot", Body: body}
	}
	many := func() []*githubtest.Comment {
		var all []*githubtest.Comment
		for i := range 150 {
			all = append(all, &githubtest.Comment{ID: int64(i + 10), Issue: 7, Login: "maria", Type: "User", Body: "Nice."})
		}
		return append(all, &githubtest.Comment{ID: 200, Issue: 7, Login: bot, Type: "Bot", Body: first + "old"})
	}
	tests := []struct {
		name     string
		comments []*githubtest.Comment
		change   func(*githubtest.Server, *Comment)
		want     CommentStatus
		id       int64
		ours     []string // bodies with our mark afterwards
	}{
		{name: "none yet", want: CommentCreated, id: 1000, ours: []string{"new"}},
		{name: "none wanted", change: func(_ *githubtest.Server, c *Comment) { c.OnlyUpdate = true }, want: CommentSkipped},
		{name: "changed", comments: []*githubtest.Comment{mine(first + "old")}, want: CommentUpdated, id: 1, ours: []string{"new"}},
		{name: "changed, none wanted", comments: []*githubtest.Comment{mine(first + "old")},
			change: func(_ *githubtest.Server, c *Comment) { c.OnlyUpdate = true }, want: CommentUpdated, id: 1, ours: []string{"new"}},
		{name: "the same", comments: []*githubtest.Comment{mine(first + "new")}, want: CommentUnchanged, id: 1, ours: []string{"new"}},
		{name: "the same, with GitHub's line ends", comments: []*githubtest.Comment{mine(strings.ReplaceAll(first, "\n", "\r\n") + "new\r\n")},
			want: CommentUnchanged, id: 1, ours: []string{"new"}},
		{name: "another key", comments: []*githubtest.Comment{mine(marker("other") + "other")}, want: CommentCreated, id: 1001, ours: []string{"new"}},
		{name: "on the second page", comments: many(), want: CommentUpdated, id: 200, ours: []string{"new"}},
		{name: "planted by somebody else", comments: []*githubtest.Comment{{ID: 5, Issue: 7, Login: "mallory", Type: "User", Body: first + "all is well"}},
			want: CommentCreated, id: 1001, ours: []string{"all is well", "new"}},
		{name: "planted under our name", comments: []*githubtest.Comment{{ID: 5, Issue: 7, Login: bot, Type: "User", Body: first + "all is well"}},
			want: CommentCreated, id: 1001, ours: []string{"all is well", "new"}},
		{name: "another of ours that quotes the mark", comments: []*githubtest.Comment{mine("What is this?\n" + first + "old")}, want: CommentCreated, id: 1001, ours: []string{"new"}},
		{name: "two of ours", comments: []*githubtest.Comment{mine(first + "old"), {ID: 2, Issue: 7, Login: bot, Type: "Bot", Body: first + "old too"}},
			want: CommentUpdated, id: 1, ours: []string{"new"}},
		{name: "a person's token", comments: []*githubtest.Comment{{ID: 3, Issue: 7, Login: "maria", Type: "User", Body: first + "old"}},
			change: func(s *githubtest.Server, _ *Comment) { s.Login, s.Bot = "maria", false }, want: CommentUpdated, id: 3, ours: []string{"new"}},
		{name: "another app's token", comments: []*githubtest.Comment{{ID: 4, Issue: 7, Login: "gate[bot]", Type: "Bot", Body: first + "old"}},
			change: func(s *githubtest.Server, _ *Comment) { s.Login = "gate[bot]" }, want: CommentCreated, id: 1001, ours: []string{"new"}},
		{name: "the pull request has moved on", comments: []*githubtest.Comment{mine(first + "newer")},
			change: func(s *githubtest.Server, _ *Comment) { s.Pulls[0].HeadSHA = strings.Repeat("d", 40) }, want: CommentSkipped, ours: []string{"newer"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := withPull()
			s.Comments = tt.comments
			cm := saying("new")
			if tt.change != nil {
				tt.change(s, &cm)
			}
			got := dial(t, s).Post(context.Background(), cm)
			if got.Status != tt.want || got.ID != tt.id {
				t.Errorf("Post = %v, want %s, %d", got, tt.want, tt.id)
			}
			var ours []string
			for _, body := range s.OwnComments(7, strings.TrimSpace(first)) {
				ours = append(ours, strings.TrimSpace(strings.TrimPrefix(body, strings.TrimSpace(first))))
			}
			if diff := cmp.Diff(tt.ours, ours); diff != "" {
				t.Errorf("comments with the mark (-want +got):\n%s", diff)
			}
			if n := len(s.Requests); n > 10 {
				t.Errorf("%d calls, want at most 10: %q", n, s.Requests)
			}
		})
	}
}

// What GitHub refuses or loses is a status and never an error; whatever happens, there is one comment at most.
func TestPostFails(t *testing.T) {
	const comments, one = "/issues/7/comments$", "/issues/comments/"
	tests := []struct {
		name   string
		faults []*githubtest.Fault
		before bool // there is a comment
		want   CommentStatus
		waited time.Duration // at least
	}{
		{name: "403", faults: []*githubtest.Fault{{Method: "POST", Path: comments, Status: 403}}, want: CommentForbidden},
		{name: "403 for listing", faults: []*githubtest.Fault{{Method: "GET", Path: comments, Status: 403}}, want: CommentForbidden},
		{name: "404", faults: []*githubtest.Fault{{Path: "/pulls/7$", Status: 404}}, want: CommentForbidden},
		{name: "401", faults: []*githubtest.Fault{{Path: ".", Status: 401}}, want: CommentForbidden},
		{name: "422 once", faults: []*githubtest.Fault{{Method: "POST", Path: comments, Status: 422, Times: 1}}, want: CommentCreated},
		{name: "422", faults: []*githubtest.Fault{{Method: "POST", Path: comments, Status: 422}}, want: CommentFailed},
		{name: "429 once", faults: []*githubtest.Fault{{Method: "POST", Path: comments, Status: 429, Times: 1, Header: map[string]string{"Retry-After": "20"}}}, want: CommentCreated, waited: 20 * time.Second},
		{name: "429 without a word", faults: []*githubtest.Fault{{Method: "POST", Path: comments, Status: 429, Times: 1}}, want: CommentCreated, waited: time.Minute},
		{name: "429", faults: []*githubtest.Fault{{Method: "POST", Path: comments, Status: 429, Header: map[string]string{"Retry-After": "20"}}}, want: CommentFailed, waited: time.Minute},
		{name: "429 for an hour", faults: []*githubtest.Fault{{Method: "POST", Path: comments, Status: 429, Header: map[string]string{"Retry-After": "3600"}}}, want: CommentFailed},
		{name: "secondary limit once", faults: []*githubtest.Fault{{Method: "POST", Path: comments, Status: 403, Times: 1,
			Body: `{"message": "You have exceeded a secondary rate limit.", "documentation_url": "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`}},
			want: CommentCreated, waited: time.Minute},
		{name: "primary limit for an hour", faults: []*githubtest.Fault{{Path: ".", Status: 403, Header: map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "7000000000"}}}, want: CommentFailed},
		{name: "502 twice while listing", faults: []*githubtest.Fault{{Method: "GET", Path: comments, Status: 502, Times: 2}}, want: CommentCreated, waited: 3 * time.Second},
		{name: "500", faults: []*githubtest.Fault{{Path: comments, Status: 500}}, want: CommentFailed},
		{name: "503 for the answer to creating", faults: []*githubtest.Fault{{Method: "POST", Path: comments, Status: 503, Times: 1, After: true}}, want: CommentUnchanged},
		{name: "503 for creating once", faults: []*githubtest.Fault{{Method: "POST", Path: comments, Status: 503, Times: 1}}, want: CommentCreated},
		{name: "500 for editing once", before: true, faults: []*githubtest.Fault{{Method: "PATCH", Path: one, Status: 500, Times: 1, After: true}}, want: CommentUpdated},
		{name: "403 for editing", before: true, faults: []*githubtest.Fault{{Method: "PATCH", Path: one, Status: 403}}, want: CommentForbidden},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := withPull()
				s.Faults = tt.faults
				if tt.before {
					s.Comments = []*githubtest.Comment{{ID: 1, Issue: 7, Login: bot, Type: "Bot", Body: marker("default") + "old"}}
				}
				began := time.Now()
				got := dial(t, s).Post(context.Background(), saying("new"))
				if got.Status != tt.want {
					t.Errorf("Post = %v, want %s", got, tt.want)
				}
				if bad := tt.want == CommentForbidden || tt.want == CommentFailed; bad != (got.Why != nil) {
					t.Errorf("Post says %v, want a reason: %v", got.Why, bad)
				}
				if w := time.Since(began); w < tt.waited || w > time.Minute {
					t.Errorf("it waited %v, want %v to a minute", w, tt.waited)
				}
				var api *APIError
				if limit := strings.HasPrefix(tt.name, "429") || strings.Contains(tt.name, "limit"); got.Why != nil && (!errors.As(got.Why, &api) || api.Limited != limit) {
					t.Errorf("Post says %v, want the error of a limit: %v", got.Why, limit)
				}
				if n := len(s.Comments); n > 1 {
					t.Errorf("%d comments, want one at most", n)
				}
				for _, secret := range []string{testToken, "http://"} {
					if got.Why != nil && strings.Contains(got.Why.Error(), secret) {
						t.Errorf("the reason holds %q: %v", secret, got.Why)
					}
				}
			})
		})
	}
}

// A cancelled job waits for nothing.
func TestPostCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := withPull()
		s.Faults = []*githubtest.Fault{{Path: ".", Status: 429}}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		began := time.Now()
		got := dial(t, s).Post(ctx, saying("new"))
		if w := time.Since(began); w > time.Second || got.Status != CommentFailed {
			t.Errorf("Post = %v after %v, want failed after a second", got, w)
		}
	})
}

// The text gets the room that there is beside the mark, and half of it when GitHub counts otherwise.
func TestPostLength(t *testing.T) {
	s := withPull()
	s.Faults = []*githubtest.Fault{{Method: "POST", Path: "/comments$", Status: 422, Times: 1}}
	var limits []int
	cm := saying("")
	cm.Text = func(limit int) (string, error) {
		limits = append(limits, limit)
		return strings.Repeat("x", limit), nil
	}
	got := dial(t, s).Post(context.Background(), cm)
	first := len(marker("default"))
	if diff := cmp.Diff([]int{CommentLimit - first, CommentLimit/2 - first}, limits); diff != "" {
		t.Errorf("limits (-want +got):\n%s", diff)
	}
	if got.Status != CommentCreated || len(s.Comments) != 1 || utf8.RuneCountInString(s.Comments[0].Body) != CommentLimit/2 || !strings.HasPrefix(s.Comments[0].Body, marker("default")) {
		t.Errorf("Post = %v with %d comments, want one of %d characters that begins with the mark", got, len(s.Comments), CommentLimit/2)
	}
	cm.Text = func(int) (string, error) { return "", errors.New("it does not fit") }
	if got := dial(t, s).Post(context.Background(), cm); got.Status != CommentFailed || got.Why == nil {
		t.Errorf("Post of a text that does not fit = %v, want failed", got)
	}
}

// A key with the end of a comment in it stays inside the mark.
func TestMarker(t *testing.T) {
	seen := map[string]bool{}
	for _, key := range []string{"", "default", "--> x", "a\nb"} {
		m := marker(key)
		if strings.Count(m, "--") != 2 || strings.Count(m, "\n") != 1 || seen[m] {
			t.Errorf("marker(%q) = %q: want one line of its own", key, m)
		}
		seen[m] = true
	}
}

// All three kinds of address lead to the API, and the token to nobody else.
func TestAddresses(t *testing.T) {
	for api, want := range map[string]string{
		"":                              "https://api.github.com/user",
		"https://api.github.com":        "https://api.github.com/user",
		"https://git.corp/api/v3":       "https://git.corp/api/v3/user",
		"https://api.corp.ghe.com":      "https://api.corp.ghe.com/user",
		"https://api.corp.ghe.com:8443": "https://api.corp.ghe.com:8443/user",
	} {
		var got string
		c, err := NewClient(Access{APIURL: api, Repository: "owner/repo", Token: testToken, Transport: trip(func(r *http.Request) (*http.Response, error) {
			got = r.URL.String() + " " + r.Header.Get("Authorization")
			return nil, errors.New("no network")
		})})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Test(t, func(t *testing.T) {
			_, _, err := c.rest.Users.Get(context.Background(), "")
			if got != want+" Bearer "+testToken {
				t.Errorf("%s: asked %s, want %s with the token", api, got, want)
			}
			if text := failed("ask", err).Error(); text != "ask: no network" {
				t.Errorf("%s: the error is %q", api, text)
			}
		})
	}
	for _, bad := range []Access{{Repository: "repo"}, {Repository: "a/b/c"}, {Repository: "/b"}, {Repository: "a/b", APIURL: "::"}, {Repository: "a/b", APIURL: "nowhere"}} {
		if _, err := NewClient(bad); err == nil {
			t.Errorf("NewClient(%+v) succeeded", bad)
		}
	}
}

type trip func(*http.Request) (*http.Response, error)

func (f trip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func ExampleForbidden() {
	err := fmt.Errorf("post: %w", &APIError{Doing: "comment", Status: 403, Message: "Resource not accessible by integration"})
	fmt.Println(Forbidden(err), Forbidden(&APIError{Status: 403, Limited: true}))
	// Output: true false
}

package github

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/org/perfgate/internal/github/githubtest"
)

const testToken = "ghs_secret"

// dial returns a client of a server without a network, and checks at the end what was asked of it.
func dial(t *testing.T, s *githubtest.Server) *Client {
	t.Helper()
	c, err := NewClient(Access{APIURL: "http://github.example/api/v3", Repository: "owner/repo", Token: testToken, Transport: s.Transport()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, wrong := range s.Wrong {
			t.Errorf("GitHub's description does not allow: %s", wrong)
		}
		for _, r := range s.Requests {
			if strings.Contains(r, testToken) {
				t.Errorf("the token is in the address of %s", r)
			}
		}
	})
	return c
}

// count is how many requests begin so.
func count(s *githubtest.Server, prefix string) int {
	n := 0
	for _, r := range s.Requests {
		if strings.HasPrefix(r, prefix) {
			n++
		}
	}
	return n
}

func TestFile(t *testing.T) {
	s := githubtest.New()
	large := strings.Repeat("x", 1<<20+1)
	first := s.Push("main", "files", map[string]string{"perf_reports/baseline.json": "{}", "large": large})
	s.Push("main", "later", map[string]string{"perf_reports/baseline.json": "[]"})
	c := dial(t, s)
	tests := []struct{ name, ref, want string }{
		{"perf_reports/baseline.json", first, "{}"},
		{"perf_reports/baseline.json", "main", "[]"},
		{"large", "main", large},
	}
	for _, tt := range tests {
		f, err := c.File(context.Background(), tt.name, tt.ref)
		if err != nil || f == nil || !bytes.Equal(f.Data, []byte(tt.want)) || f.Blob != githubtest.Blob(tt.want) {
			t.Errorf("File(%s, %s) = %.20v, %v; want %.20s", tt.name, tt.ref, f, err, tt.want)
		}
	}
	if f, err := c.File(context.Background(), "absent", "main"); f != nil || err != nil {
		t.Errorf("File(absent) = %v, %v, want nil, nil", f, err)
	}
	if f, err := c.File(context.Background(), "README.md", strings.Repeat("0", 40)); err == nil {
		t.Errorf("File at a commit that is not there = %v, nil, want an error", f)
	}
}

// Without the right to read, GitHub says of everything that it is not there.
func TestFileUnreadable(t *testing.T) {
	s := githubtest.New()
	s.Faults = []*githubtest.Fault{{Path: "/contents/|/commits/", Status: 404}}
	if f, err := dial(t, s).File(context.Background(), "README.md", "main"); err == nil || !Forbidden(err) {
		t.Errorf("File without the right to read = %v, %v, want an error that says forbidden", f, err)
	}
}

package githubtest

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The server does what the trimmed description has, and nothing else.
func TestOperations(t *testing.T) {
	var doc struct {
		Paths map[string]map[string]struct{ OperationID string }
	}
	if err := json.Unmarshal(description, &doc); err != nil {
		t.Fatal(err)
	}
	var described []string
	for _, path := range doc.Paths {
		for _, o := range path {
			described = append(described, o.OperationID)
		}
	}
	slices.Sort(described)
	if diff := cmp.Diff(described, slices.Sorted(maps.Keys(operations))); diff != "" {
		t.Errorf("operations of the description against the server's (-want +got):\n%s", diff)
	}
}

// What GitHub would not take, the server does not take either.
func TestRefuses(t *testing.T) {
	tests := []struct{ name, method, path, body string }{
		{"unknown operation", "PUT", "/repos/owner/repo/issues/1/comments", ""},
		{"unknown path", "GET", "/repos/owner/repo/nothing", ""},
		{"no body", "POST", "/repos/owner/repo/issues/1/comments", ""},
		{"a body without what it needs", "POST", "/repos/owner/repo/issues/1/comments", `{"text": "x"}`},
		{"another type", "PATCH", "/repos/owner/repo/git/refs/heads/main", `{"sha": 7}`},
		{"a number that is none", "GET", "/repos/owner/repo/pulls/one", ""},
		{"unknown query", "GET", "/repos/owner/repo/pulls?label=x", ""},
		{"a value that is no choice", "GET", "/repos/owner/repo/pulls?state=merged", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := New()
			var body io.Reader
			if tt.body != "" {
				body = strings.NewReader(tt.body)
			}
			req, err := http.NewRequest(tt.method, "http://github.example"+base+tt.path, body)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			resp, err := s.Transport().RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != http.StatusBadRequest || len(s.Wrong) != 1 {
				t.Errorf("answer %d, %d requests noted as wrong; want 400 and one", resp.StatusCode, len(s.Wrong))
			}
		})
	}
}

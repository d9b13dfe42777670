package github

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// stalled answers with the beginning of an answer, and then with nothing.
type stalled struct{}

func (stalled) RoundTrip(req *http.Request) (*http.Response, error) {
	rest, _ := io.Pipe()
	context.AfterFunc(req.Context(), func() { rest.CloseWithError(req.Context().Err()) })
	body := struct {
		io.Reader
		io.Closer
	}{io.MultiReader(strings.NewReader(`{"default_`), rest), rest}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: body, Request: req}, nil
}

// TestStalledAnswer: an answer that stops in the middle holds no job, whoever asked and however long it would wait.
func TestStalledAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := NewClient(Access{Repository: "owner/repo", Transport: stalled{}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		start := time.Now()
		if _, err := c.DefaultBranch(ctx); err == nil || time.Since(start) > callTimeout {
			t.Errorf("after %v: %v, want an error after %v", time.Since(start), err, callTimeout)
		}
	})
}

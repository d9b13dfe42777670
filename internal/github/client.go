package github

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	rest "github.com/google/go-github/v60/github"
)

// Where GitHub is when the environment does not say.
const (
	defaultAPI    = "https://api.github.com"
	defaultServer = "https://github.com"
)

const (
	// answerTimeout bounds the wait for one answer, so that a network which swallows packets cannot hold a job.
	answerTimeout = 30 * time.Second
	// callTimeout bounds one call with the reading of its answer, which may stop in the middle. It suffices for an
	// artifact.
	callTimeout = 5 * time.Minute
	// sideTimeout bounds what a verdict does not wait for: comments and labels, with all waiting and repeating.
	sideTimeout = 3 * time.Minute
)

// Access says which repository to speak of, where and as whom.
type Access struct {
	APIURL     string // GITHUB_API_URL: of github.com, of an enterprise server, or of ghe.com; empty is github.com
	ServerURL  string // GITHUB_SERVER_URL: where people look at it; empty is github.com
	Repository string // owner/name
	Token      string
	Transport  http.RoundTripper // nil is the usual one
}

// Client speaks of one repository with GitHub's REST API. What a call returns is an *APIError where GitHub's
// answer was not the one wanted.
type Client struct {
	rest        *rest.Client
	owner, repo string
	server      string
}

// Access is what the environment of the step says.
func (r *Runner) Access(token string) Access {
	return Access{APIURL: r.getenv("GITHUB_API_URL"), ServerURL: r.getenv("GITHUB_SERVER_URL"), Repository: r.getenv("GITHUB_REPOSITORY"), Token: token}
}

// NewClient makes a Client; it calls nobody. All of its calls together wait at most patience for GitHub to take
// more of them.
func NewClient(a Access) (*Client, error) {
	owner, repo, ok := strings.Cut(a.Repository, "/")
	if !ok || owner == "" || repo == "" || strings.Contains(repo, "/") {
		return nil, fmt.Errorf("repository %q: want owner/name", a.Repository)
	}
	api, err := url.Parse(cmp.Or(a.APIURL, defaultAPI))
	if err != nil || api.Host == "" {
		return nil, fmt.Errorf("API address %q: want a URL", a.APIURL)
	}
	next := a.Transport
	if next == nil {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.ResponseHeaderTimeout = answerTimeout
		next = transport
	}
	next = &patient{left: patience, next: &bearer{token: a.Token, host: api.Host, next: &bounded{next}}}
	client, err := rest.NewClient(&http.Client{Transport: next}).WithEnterpriseURLs(api.String(), api.String())
	if err != nil {
		return nil, err
	}
	client.UserAgent = "perfgate"
	return &Client{rest: client, owner: owner, repo: repo, server: cmp.Or(a.ServerURL, defaultServer)}, nil
}

// bearer adds the token to what goes to the API. go-github's own way adds it wherever a redirect leads, and an
// artifact's leads to another company's store.
type bearer struct {
	token, host string
	next        http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (b *bearer) RoundTrip(req *http.Request) (*http.Response, error) {
	if b.token != "" && req.URL.Host == b.host {
		req = req.Clone(req.Context())
		req.Header.Set("Authorization", "Bearer "+b.token)
	}
	return b.next.RoundTrip(req)
}

// bounded ends a call that takes longer than callTimeout. A client's own timeout would wait on where the library reads
// an answer to its end and does not close it.
type bounded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b *bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), callTimeout)
	resp, err := b.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		cancel()
		return nil, err
	}
	resp.Body = &boundedBody{resp.Body, cancel}
	return resp, nil
}

// boundedBody ends its call's wait when it was read or closed.
type boundedBody struct {
	io.ReadCloser
	done context.CancelFunc
}

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.done()
	}
	return n, err
}

func (b *boundedBody) Close() error {
	defer b.done()
	return b.ReadCloser.Close()
}

// APIError is an answer of GitHub's that was not the one wanted, or none.
type APIError struct {
	Doing   string // what was asked for, such as "list the comments"
	Status  int    // of HTTP; 0 where there was no answer
	Message string // GitHub's words
	Limited bool   // too many calls, of this token by whoever has it
	err     error
}

func (e *APIError) Error() string {
	if e.Status == 0 {
		return fmt.Sprintf("%s: %s", e.Doing, e.Message)
	}
	return fmt.Sprintf("%s: GitHub answers %d: %s", e.Doing, e.Status, e.Message)
}

// Unwrap returns what the library said.
func (e *APIError) Unwrap() error { return e.err }

// status returns the status of the answer that err is about, 0 for none.
func status(err error) int {
	var api *APIError
	if errors.As(err, &api) {
		return api.Status
	}
	return 0
}

// Forbidden reports whether err says that the token may not do this. GitHub answers 404 where even the existence
// of a thing is none of the caller's business.
func Forbidden(err error) bool {
	var api *APIError
	if !errors.As(err, &api) || api.Limited {
		return false
	}
	return api.Status == http.StatusUnauthorized || api.Status == http.StatusForbidden || api.Status == http.StatusNotFound
}

// failed makes an APIError of what the library returned, nil of nil. No text of it has the request's address: an
// artifact's carries a signature that is as good as a password.
func failed(doing string, err error) error {
	if err == nil {
		return nil
	}
	out := &APIError{Doing: doing, Message: err.Error(), err: err}
	var answer *rest.ErrorResponse
	var primary *rest.RateLimitError
	var secondary *rest.AbuseRateLimitError
	var network *url.Error
	switch {
	case errors.As(err, &answer):
		out.Message = answer.Message
		for _, e := range answer.Errors {
			out.Message += "; " + strings.TrimSpace(e.Resource+" "+e.Field+" "+cmp.Or(e.Message, e.Code))
		}
		if answer.Response != nil {
			out.Status = answer.Response.StatusCode
			out.Message = cmp.Or(out.Message, http.StatusText(out.Status))
		}
		out.Limited = out.Status == http.StatusTooManyRequests // which the library does not know
	case errors.As(err, &primary):
		out.Status, out.Message, out.Limited = statusOf(primary.Response), primary.Message, true
	case errors.As(err, &secondary):
		out.Status, out.Message, out.Limited = statusOf(secondary.Response), secondary.Message, true
	case errors.As(err, &network):
		out.Message = network.Err.Error()
		if errors.Is(network.Err, context.DeadlineExceeded) {
			out.Message = "no answer in time"
		}
	}
	return out
}

func statusOf(r *http.Response) int {
	if r == nil { // the library refused to ask, because of an earlier answer
		return http.StatusForbidden
	}
	return r.StatusCode
}

package github

import (
	"bytes"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// patience is how long all calls of a Client together wait for GitHub.
	patience = time.Minute
	// tries is how often a call is made that the server failed.
	tries = 3
	// firstPause precedes the second try; each one after is twice as long.
	firstPause = time.Second
	// unspoken is the wait that GitHub asks for after a secondary limit that names none.
	unspoken = time.Minute
	// explained bounds what is read of an answer to find out what it is.
	explained = 64 << 10
)

// patient repeats what GitHub refused for the moment: calls beyond a limit, whatever they are, since they were not
// carried out; and after an error of the server those calls that may be carried out twice. The library waits for
// nothing, and does not know status 429.
type patient struct {
	next http.RoundTripper

	mu   sync.Mutex
	left time.Duration
}

// RoundTrip implements http.RoundTripper.
func (p *patient) RoundTrip(req *http.Request) (*http.Response, error) {
	for try := 1; ; try++ {
		resp, err := p.next.RoundTrip(req)
		wait := pause(req, resp, err, try, time.Now())
		if wait <= 0 || req.Context().Err() != nil || !p.spend(wait) {
			return resp, err
		}
		again, ok := rewind(req)
		if !ok {
			return resp, err
		}
		req = again
		if resp != nil {
			resp.Body.Close()
		}
		select {
		case <-time.After(wait):
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
	}
}

// spend takes a wait from what is left, if it suffices.
func (p *patient) spend(wait time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if wait > p.left {
		return false
	}
	p.left -= wait
	return true
}

// rewind returns the request with its body from the beginning.
func rewind(req *http.Request) (*http.Request, bool) {
	if req.Body == nil || req.Body == http.NoBody {
		return req, true
	}
	if req.GetBody == nil {
		return nil, false
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, false
	}
	again := req.Clone(req.Context())
	again.Body = body
	return again, true
}

// pause is how long to wait before the call is repeated, 0 for not at all.
func pause(req *http.Request, resp *http.Response, err error, try int, now time.Time) time.Duration {
	limited := err == nil && overLimit(resp)
	switch {
	case limited && resp.Header.Get("Retry-After") != "":
		seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
		if err != nil || seconds < 0 {
			return unspoken
		}
		return max(time.Duration(seconds)*time.Second, firstPause)
	case limited && resp.Header.Get("X-RateLimit-Remaining") == "0":
		reset, err := strconv.ParseInt(resp.Header.Get("X-RateLimit-Reset"), 10, 64)
		if err != nil {
			return unspoken
		}
		return max(time.Unix(reset, 0).Sub(now)+time.Second, firstPause)
	case limited:
		return unspoken
	case try < tries && repeatable(req.Method) && (err != nil || resp.StatusCode >= 500 && resp.StatusCode != http.StatusNotImplemented):
		wait := firstPause << (try - 1)
		return wait + rand.N(wait/2) // or all jobs that failed together come back together
	}
	return 0
}

// repeatable reports whether carrying a call out twice is carrying it out once. Creating is not: what creates looks
// first whether it is there.
func repeatable(method string) bool { return method != http.MethodPost }

// overLimit reports whether an answer says that there were too many calls.
func overLimit(resp *http.Response) bool {
	switch resp.StatusCode {
	case http.StatusTooManyRequests:
		return true
	case http.StatusForbidden:
		return resp.Header.Get("Retry-After") != "" || resp.Header.Get("X-RateLimit-Remaining") == "0" || secondary(resp)
	}
	return false
}

// secondary reports whether an answer is that of a secondary limit, which only its text says. The text is put back.
func secondary(resp *http.Response) bool {
	head, err := io.ReadAll(io.LimitReader(resp.Body, explained))
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head), resp.Body), resp.Body}
	if err != nil {
		return false
	}
	var answer struct {
		Message          string `json:"message"`
		DocumentationURL string `json:"documentation_url"`
	}
	if json.Unmarshal(head, &answer) != nil {
		return false
	}
	text := strings.ToLower(answer.Message + " " + answer.DocumentationURL)
	return strings.Contains(text, "secondary rate limit") || strings.Contains(text, "secondary-rate-limits") || strings.Contains(text, "abuse-rate-limits")
}

package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/google/pprof/profile"
)

// pprofEndpoint is a server that gives its profiles away by net/http/pprof.
type pprofEndpoint struct {
	url    string // of the folder of profiles, such as http://127.0.0.1:6060/debug/pprof
	kind   string
	length time.Duration // of the runs, about

	before, after *profile.Profile
	until         time.Time // the end of the CPU profile
	err           error     // the first
	done          chan struct{}
}

func (e *pprofEndpoint) environ() []string { return nil }

// begin asks for the CPU profile, for as long as the runs will take, or for what was allocated before them.
func (e *pprofEndpoint) begin(ctx context.Context) {
	if e.kind == AllocsProfile {
		e.before = e.get(ctx, "heap?gc=1", 0)
		return
	}
	e.done = make(chan struct{})
	wait := time.Duration(math.Ceil(longer*e.length.Seconds()+0.5)) * time.Second // it takes whole ones
	e.until = time.Now().Add(wait)
	go func() {
		defer close(e.done)
		e.after = e.get(ctx, fmt.Sprintf("profile?seconds=%d", wait/time.Second), wait)
	}()
}

// longer than usual may runs take while they are profiled. What is beyond that is not in the profile.
const longer = 1.2

func (e *pprofEndpoint) end(ctx context.Context) {
	switch {
	case e.done != nil:
		<-e.done // has a limit
	case e.before != nil:
		e.after = e.get(ctx, "heap?gc=1", 0)
	}
}

// pprofWait is how long an answer may take beyond the time that it is of.
const pprofWait = 10 * time.Second

// get asks for a profile. Only the first error is kept, which is the cause of the others.
func (e *pprofEndpoint) get(ctx context.Context, what string, takes time.Duration) *profile.Profile {
	ctx, cancel := context.WithTimeout(ctx, takes+pprofWait)
	defer cancel()
	p, err := fetchProfile(ctx, e.url+"/"+what)
	if err != nil && e.err == nil {
		e.err = err
	}
	return p
}

func fetchProfile(ctx context.Context, url string) (*profile.Profile, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{DisableCompression: true} // of its own: no proxy, and no connection that stays
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return nil, fmt.Errorf("GET %s: %w", url, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		said, err := io.ReadAll(io.LimitReader(resp.Body, mostRefusal))
		line, _, _ := strings.Cut(strings.TrimSpace(string(said)), "\n")
		return nil, errors.Join(fmt.Errorf("GET %s: %s: %s", url, resp.Status, line), err)
	}
	p, err := parseProfile(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("GET %s: it is no profile: %w", url, err)
	}
	return p, nil
}

// mostRefusal is what is kept of an answer that is none, in bytes.
const mostRefusal = 200

func (e *pprofEndpoint) take() (*profile.Profile, time.Time, error) {
	if e.err != nil {
		return nil, time.Time{}, noProfile(e.err.Error() + e.hint())
	}
	if e.kind != AllocsProfile {
		return e.after, e.until, nil
	}
	p, err := minus(e.after, e.before, 1)
	return p, time.Time{}, err
}

// hint says what to try.
func (e *pprofEndpoint) hint() string {
	if strings.Contains(e.err.Error(), "WriteTimeout") {
		return "; serve net/http/pprof by a server of its own, without the limit"
	}
	return "; pprof must be where the program serves net/http/pprof"
}

// close waits for what was asked for: where the target failed nobody has.
func (e *pprofEndpoint) close() error {
	if e.done != nil {
		<-e.done
	}
	return nil
}

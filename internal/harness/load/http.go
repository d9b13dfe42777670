package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// HTTP is a target that listens: a run is a request.
type HTTP struct {
	Request Request
	// Server, when set, is started before the first run and stopped after the last.
	Server *Server
	// Health is a URL that answers 2xx when the server is ready. Empty: its port takes a connection.
	Health string
	// Wait is how long the server may take to be ready.
	Wait time.Duration
	// InFlight is how many runs there will be at once: so many connections are kept.
	InFlight int
	Clock    Clock
}

// DefaultWait is how long a server may take to be ready.
const DefaultWait = 30 * time.Second

// httpTarget is an HTTP target that is ready.
type httpTarget struct {
	maker     *requestMaker
	transport *http.Transport
	clock     Clock
	server    *running
}

// Open starts the server where there is one to start, and waits until it is ready. The error is a *FieldError
// where the settings are wrong, and an *UnreachableError where the target is.
func (h HTTP) Open(ctx context.Context) (Target, error) {
	maker, err := h.Request.maker()
	if err != nil {
		return nil, err
	}
	first, err := maker.request(ctx, 0)
	if err != nil {
		return nil, err
	}
	ready := probe{address: address(first.URL)}
	if h.Health != "" {
		u, err := url.Parse(h.Health)
		if err != nil {
			return nil, fieldErrorf("health", "%v", err)
		}
		if err := checkURL("health", u); err != nil {
			return nil, err
		}
		ready.health = h.Health
	}
	t := &httpTarget{maker: maker, clock: h.Clock, transport: h.transport()}
	if h.Server == nil {
		if err := ready.try(ctx); err != nil {
			return nil, &UnreachableError{first.URL.Redacted(), err}
		}
		return t, nil
	}
	if t.server, err = h.Server.start(ctx, ready, h.Wait); err != nil {
		return nil, err
	}
	return t, nil
}

// transport asks the target directly: no proxy, no cookies, no compression, and a redirect is an answer.
func (h HTTP) transport() *http.Transport {
	return &http.Transport{
		MaxIdleConnsPerHost: max(1, h.InFlight), DisableCompression: true,
		DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
	}
}

// UnreachableError says that nothing answers where the target should be.
type UnreachableError struct {
	Target string
	Err    error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("the target %s cannot be reached: %v", e.Target, e.Err)
}
func (e *UnreachableError) Unwrap() error { return e.Err }

// Do sends a request and reads the answer to its end.
func (t *httpTarget) Do(ctx context.Context, n int, r *Record) error {
	req, err := t.maker.request(ctx, n)
	if err != nil {
		return err
	}
	began := t.clock.Now()
	resp, err := t.transport.RoundTrip(req)
	if err != nil {
		return failedRequest(ctx, err)
	}
	defer resp.Body.Close()
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") && resp.StatusCode < 300 {
		err = readStream(resp.Body, r, func() int64 { return r.Started + int64(t.clock.Now().Sub(began)) })
	} else {
		_, err = io.Copy(io.Discard, resp.Body)
	}
	switch {
	case err != nil:
		return failedRequest(ctx, err)
	case resp.StatusCode >= 400:
		return &KindError{Status, errors.New(resp.Status)}
	}
	return nil
}

// failedRequest is an error of the connection, unless the run's time was over.
func failedRequest(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return &KindError{Connection, err}
}

func (t *httpTarget) Close() (Usage, error) {
	t.transport.CloseIdleConnections()
	if t.server == nil {
		return Usage{}, nil
	}
	return t.server.stop()
}

// address is the host and port of a URL.
func address(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

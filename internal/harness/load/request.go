package load

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/template"
)

// Request is a template of what is sent to a target that listens. URL, Header and Body may hold {{.Run}}, the
// run's number; those of warming up are negative.
type Request struct {
	Method string
	URL    string
	// Header are lines of the form "Name: value".
	Header []string
	Body   string
}

// requestMaker makes the requests of all runs. What is the same for all is made once: a generator's own CPU
// time is what it takes from a server on the same machine.
type requestMaker struct {
	base   *http.Request
	url    text
	names  []string
	values []text
	body   text
}

// text is a template, or a constant where there is nothing to fill in.
type text struct {
	constant string
	template *template.Template
}

func newText(field, s string) (text, error) {
	if !strings.Contains(s, "{{") {
		return text{constant: s}, nil
	}
	t, err := template.New(field).Option("missingkey=error").Parse(s)
	if err == nil {
		err = t.Execute(io.Discard, numbers{})
	}
	if err != nil {
		return text{}, fieldErrorf(field, "%v; a template may hold {{.Run}}", err)
	}
	return text{template: t}, nil
}

// numbers are what a template may hold.
type numbers struct{ Run int }

func (t text) of(run int) (string, error) {
	if t.template == nil {
		return t.constant, nil
	}
	var b bytes.Buffer
	err := t.template.Execute(&b, numbers{run})
	return b.String(), err
}

// maker checks the request.
func (q Request) maker() (*requestMaker, error) {
	method := q.Method
	if method == "" {
		method = http.MethodGet
		if q.Body != "" {
			method = http.MethodPost
		}
	}
	m := &requestMaker{}
	var err error
	if m.url, err = newText("target", q.URL); err != nil {
		return nil, err
	}
	if m.body, err = newText("body", q.Body); err != nil {
		return nil, err
	}
	for _, line := range q.Header {
		name, value, ok := strings.Cut(line, ":")
		if !ok || strings.TrimSpace(name) == "" {
			return nil, fieldErrorf("header", "%q: want a name and a value, such as Accept: text/event-stream", line)
		}
		v, err := newText("header", strings.TrimSpace(value))
		if err != nil {
			return nil, err
		}
		m.names, m.values = append(m.names, http.CanonicalHeaderKey(strings.TrimSpace(name))), append(m.values, v)
	}
	first, err := m.url.of(0)
	if err == nil {
		m.base, err = http.NewRequest(method, first, nil)
	}
	if err != nil {
		return nil, fieldErrorf("target", "%v", err)
	}
	return m, checkURL("target", m.base.URL)
}

// checkURL refuses what cannot be sent a request to.
func checkURL(field string, u *url.URL) error {
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return fieldErrorf(field, "%q: want a URL such as http://127.0.0.1:8080/ask", u)
	}
	if u.User != nil { // it would stand in every report
		return fieldErrorf(field, "%q: leave the user out, and say it with --header 'Authorization: …'", u.Redacted())
	}
	return nil
}

// request makes the request of a run.
func (m *requestMaker) request(ctx context.Context, run int) (*http.Request, error) {
	r := m.base.WithContext(ctx)
	if m.url.template != nil {
		address, err := m.url.of(run)
		if err != nil {
			return nil, err
		}
		if r.URL, err = url.Parse(address); err != nil {
			return nil, err
		}
		r.Host = r.URL.Host
	}
	body, err := m.body.of(run)
	if err != nil {
		return nil, err
	}
	if body != "" {
		r.ContentLength = int64(len(body))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(body)), nil }
		r.Body, _ = r.GetBody() // which has no error
	}
	r.Header = make(http.Header, len(m.names)+1)
	r.Header["Traceparent"] = []string{TraceParent(run)}
	for i, name := range m.names {
		v, err := m.values[i].of(run)
		if err != nil {
			return nil, err
		}
		if name == "Host" {
			r.Host = v
			continue
		}
		r.Header[name] = append(r.Header[name], v)
	}
	return r, nil
}

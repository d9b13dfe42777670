// Package githubtest is GitHub's REST API for tests: one repository in memory. It checks each request against
// GitHub's own description of the API, keeps a list of them, and fails as often as it is told to.
package githubtest

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// description is GitHub's, trimmed by scripts/githubapi.
//
//go:embed testdata/openapi.json
var description []byte

// api is the description, ready to find a request's operation.
var api = sync.OnceValues(func() (routers.Router, error) {
	doc, err := openapi3.NewLoader().LoadFromData(description)
	if err != nil {
		return nil, err
	}
	doc.Servers = nil // whatever host a test gives it
	return gorillamux.NewRouter(doc)
})

// Server is the repository owner/repo and what has been asked of it. Set the fields before the first request; read
// them after the last.
type Server struct {
	Repo

	// Login is whose token is used; Bot says that it is an app's, which may not ask who it is.
	Login string
	Bot   bool
	// PageSize is how much of a list an answer has at most, 0 for as much as is asked for.
	PageSize int
	// StoreURL is where artifacts are downloaded from: this server, by another name; empty needs no network.
	StoreURL string
	// AllPulls lists pull requests of whatever head is asked for, as GitHub does for one that it cannot read.
	AllPulls bool
	// Faults are what goes wrong. The first that fits a request and is not used up answers it.
	Faults []*Fault
	// Before, where there is one, sees each request before it is answered.
	Before func(*http.Request) `json:"-"`

	// Requests are the methods and paths so far, without the query.
	Requests []string
	// Wrong are the requests that GitHub's description does not allow.
	Wrong []string
	// Tokens are the distinct Authorization headers that came.
	Tokens []string

	mu      sync.Mutex
	apiHost string
}

// Fault is a failure of the server.
type Fault struct {
	Method string // empty for any
	Path   string // regular expression on the path
	Status int
	Header map[string]string
	Body   string // JSON; empty for a message with the status's name
	Times  int    // how often, 0 for ever
	After  bool   // the request is carried out, and only the answer is lost

	used int
}

// base is what comes before the paths of the description, on an enterprise server and on any host that is not
// called api.
const base = "/api/v3"

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.Before != nil {
		s.Before(r)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r.URL.Path = strings.TrimPrefix(r.URL.Path, base)
	r.URL.RawPath = strings.TrimPrefix(r.URL.RawPath, base)
	s.Requests = append(s.Requests, r.Method+" "+r.URL.Path)
	s.note(r.Header.Get("Authorization"))
	if strings.HasPrefix(r.URL.Path, storePath) { // the artifact store is another service, which has no description
		s.store(w, r)
		return
	}
	params, err := check(r)
	if err != nil {
		s.Wrong = append(s.Wrong, fmt.Sprintf("%s %s: %v", r.Method, r.URL, err))
		answer(w, http.StatusBadRequest, message(err.Error()))
		return
	}
	fault := s.fault(r)
	if fault != nil && !fault.After {
		fault.answer(w)
		return
	}
	if fault != nil {
		s.carryOut(httptest.NewRecorder(), r, params)
		fault.answer(w)
		return
	}
	s.carryOut(w, r, params)
}

func (s *Server) note(token string) {
	for _, t := range s.Tokens {
		if t == token {
			return
		}
	}
	s.Tokens = append(s.Tokens, token)
}

// check holds a request to the description, and to name only query parameters that it has, which a description
// alone does not forbid. It returns the parameters of the path and the operation's name.
func check(r *http.Request) (map[string]string, error) {
	router, err := api()
	if err != nil {
		return nil, err
	}
	route, params, err := router.FindRoute(r)
	if err != nil {
		return nil, err
	}
	err = openapi3filter.ValidateRequest(r.Context(), &openapi3filter.RequestValidationInput{
		Request: r, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	})
	if err != nil {
		return nil, err
	}
	for name := range r.URL.Query() {
		if route.Operation.Parameters.GetByInAndName(openapi3.ParameterInQuery, name) == nil {
			return nil, fmt.Errorf("the operation has no query parameter %q", name)
		}
	}
	if params == nil {
		params = map[string]string{}
	}
	params[operation] = route.Operation.OperationID
	return params, nil
}

// operation is the key of the operation's name among the parameters, which no parameter has.
const operation = " operation"

func (s *Server) fault(r *http.Request) *Fault {
	for _, f := range s.Faults {
		if f.Method != "" && f.Method != r.Method || f.Times > 0 && f.used >= f.Times {
			continue
		}
		if regexp.MustCompile(f.Path).MatchString(r.URL.Path) {
			f.used++
			return f
		}
	}
	return nil
}

func (f *Fault) answer(w http.ResponseWriter) {
	for name, value := range f.Header {
		w.Header().Set(name, value)
	}
	if f.Body != "" {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(f.Status)
		w.Write([]byte(f.Body))
		return
	}
	answer(w, f.Status, message(http.StatusText(f.Status)))
}

func message(text string) map[string]any { return map[string]any{"message": text} }

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	if status != http.StatusNoContent {
		json.NewEncoder(w).Encode(body)
	}
}

// page answers with the part of a list that the request asks for, and says where the next one is.
func page[T any](s *Server, w http.ResponseWriter, r *http.Request, all []T, wrap func([]T) any) {
	size, n := number(r, "per_page", 30), number(r, "page", 1)
	if s.PageSize > 0 {
		size = min(size, s.PageSize)
	}
	from, to := min((n-1)*size, len(all)), min(n*size, len(all))
	if to < len(all) {
		next := *r.URL
		q := next.Query()
		q.Set("page", fmt.Sprint(n+1))
		next.RawQuery = q.Encode()
		next.Scheme, next.Host, next.Path = "http", r.Host, base+next.Path
		w.Header().Set("Link", fmt.Sprintf(`<%s>; rel="next"`, next.String()))
	}
	answer(w, http.StatusOK, wrap(append([]T{}, all[from:to]...)))
}

func number(r *http.Request, name string, otherwise int) int {
	n := otherwise
	if text := r.URL.Query().Get(name); text != "" {
		fmt.Sscan(text, &n)
	}
	return n
}

// Transport answers requests without a network, so that a test's time can be made up.
func (s *Server) Transport() http.RoundTripper { return transport{s} }

type transport struct{ s *Server }

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	in := req.Clone(req.Context())
	in.RequestURI = req.URL.RequestURI()
	if in.Host == "" {
		in.Host = req.URL.Host
	}
	w := httptest.NewRecorder()
	t.s.ServeHTTP(w, in)
	resp := w.Result()
	resp.Request = req
	return resp, nil
}

// Day is a moment to count from.
var Day = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

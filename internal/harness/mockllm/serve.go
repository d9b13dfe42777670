package mockllm

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxBody bounds a request, as the vendors do.
const maxBody = 32 << 20

// ServeHTTP answers a request of a client, or of who watches: below /perfgate/ are the counters.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	arrived := s.pacer.Now()
	run, path := splitRun(r.URL.Path)
	if control, ok := strings.CutPrefix(path, "/perfgate/"); ok {
		s.control(w, r, run, control)
		return
	}
	route, rest := findRoute(path)
	switch {
	case route == nil:
		s.refuse(w, vendorOf(r), &apiError{status: http.StatusNotFound, message: "no route " + r.Method + " " + r.URL.Path + "; there are " + paths()})
	case route.method != r.Method:
		s.refuse(w, vendorOf(r), &apiError{status: http.StatusMethodNotAllowed, message: "Not allowed to " + r.Method + " on " + r.URL.Path})
	default:
		s.serve(w, r, &call{server: s, route: route, run: run, arrived: arrived}, rest)
	}
}

// serve takes a call from its body to its answer.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, c *call, rest string) {
	v := c.route.vendor
	if v == nil {
		v = vendorOf(r)
	}
	wrong := s.understand(c, w, r, v, rest)
	if wrong != nil && c.request == nil {
		c.request = &request{} // what cannot be read is counted without a model
	}
	s.begin(c, r.Header.Get("X-Stainless-Retry-Count"))
	defer s.enter(c)
	defer s.leave(c)
	c.prepare()
	c.header = make([]string, 0, 3)
	c.set(w.Header(), v.requestID, c.timing.id("req_"))
	if wrong == nil {
		wrong = s.limit(c)
	}
	v.headers(w.Header(), c, wrong == nil && c.fault != nil && c.fault.status == http.StatusTooManyRequests)
	answer := &answering{call: c, w: w, r: r, vendor: v}
	switch {
	case wrong != nil:
		answer.error(wrong)
	case c.fault != nil && (c.fault.Kind == mistyped || c.fault.Kind == empty):
		answer.replace()
	case c.streams():
		answer.stream()
	default:
		answer.whole()
	}
}

// understand reads the request into the call, or says what is wrong with it.
func (s *Server) understand(c *call, w http.ResponseWriter, r *http.Request, v *vendor, rest string) *apiError {
	if s.config.Key != "" && !v.authorized(r, s.config.Key) {
		return &apiError{status: http.StatusUnauthorized, message: "Incorrect API key provided."}
	}
	if c.route.parse == nil {
		c.request = &request{Model: rest}
		return nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if errors.As(err, new(*http.MaxBytesError)) {
		return &apiError{status: http.StatusRequestEntityTooLarge, message: "Request exceeds the maximum size"}
	}
	if err != nil {
		return invalid("", "the body of the request cannot be read: %v", err)
	}
	c.received = len(body)
	var fields map[string]any
	if err := json.Unmarshal(body, &fields); err != nil {
		return invalid("", "We could not parse the JSON body of your request: %v.", err)
	}
	request, wrong := c.route.parse(body)
	if wrong == nil {
		wrong = request.check()
	}
	if wrong != nil {
		return wrong
	}
	text := promptOf(fields, s.config.PromptCache.Scope != "")
	c.request, c.prompt, c.boundaries = request, text.String(), text.ends
	if len(s.config.Limits) > 0 {
		c.apiKey = keyOf(r)
	}
	if c.fingerprint, err = fingerprint(fields, s.config.Ignore); err != nil {
		return invalid("", "%v", err)
	}
	if key := r.Header.Get("X-Perfgate-Key"); key != "" {
		c.fingerprint = uint64(newDraws(0, key))
	}
	return nil
}

// refuse answers a request that is no call.
func (s *Server) refuse(w http.ResponseWriter, v *vendor, e *apiError) {
	writeJSON(w, e.status, v.errorBody(e, "req_none"))
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	data, err := json.Marshal(body)
	if err != nil { // a value that JSON cannot hold
		status, data = http.StatusInternalServerError, []byte(`{"error":{"message":"perfgate mock: `+strconv.Quote(err.Error())+`"}}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(status)
	_, _ = w.Write(data) // a client that has gone needs no answer
}

// typeJSON is a header's value that nobody changes.
var typeJSON = []string{"application/json"}

// set sets a header of the answer that has no other value. The values of all of them lie together, which spares
// allocations: every answer has some.
func (c *call) set(h http.Header, name, value string) {
	c.header = append(c.header, value)
	h[name] = c.header[len(c.header)-1 : len(c.header) : len(c.header)]
}

// control serves who watches.
func (s *Server) control(w http.ResponseWriter, r *http.Request, run, what string) {
	named := strings.HasPrefix(r.URL.Path, "/r/")
	switch {
	case what == "healthz":
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	case what == "stats" && named:
		writeJSON(w, http.StatusOK, s.RunStats(run))
	case what == "stats":
		writeJSON(w, http.StatusOK, s.Stats())
	case what == "reset" && r.Method != http.MethodPost:
		writeJSON(w, http.StatusMethodNotAllowed, map[string]string{"error": "want POST"})
	case what == "reset" && named:
		s.ResetRun(run)
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	case what == "reset":
		s.Reset()
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	default:
		writeJSON(w, http.StatusNotFound, map[string]string{"error": "want stats, reset or healthz"})
	}
}

// answering is a call being answered.
type answering struct {
	*call
	w      http.ResponseWriter
	r      *http.Request
	vendor *vendor
}

// error answers with an error of the vendor's form, at once.
func (a *answering) error(e *apiError) {
	if e.retryAfter > 0 {
		a.w.Header().Set("Retry-After-Ms", milliseconds(e.retryAfter))
	}
	if e.retryAfter > 0 && a.limited { // not with faults: clients that know seconds alone would wait for one
		a.w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(e.retryAfter.Seconds()))))
	}
	if e.final {
		a.w.Header().Set("X-Should-Retry", "false")
	}
	a.sentStatus = e.status
	a.server.settle(a.call, strconv.Itoa(e.status), 0, 0)
	a.server.leave(a.call)
	writeJSON(a.w, e.status, a.vendor.errorBody(e, a.timing.id("req_")))
}

// until waits for an offset from the call's arrival, so many tokens having been sent, to send what is due. It breaks the
// answer off when the client goes away or the upstream is closed.
func (a *answering) until(offset time.Duration, tokens int) {
	if a.server.pacer.Until(a.r.Context(), a.arrived.Add(offset)) == nil {
		a.begun()
		return
	}
	a.server.settle(a.call, cancelled, a.sent(tokens), 0)
	a.server.leave(a.call)
	panic(http.ErrAbortHandler)
}

// late is how much later than planned it is.
func (a *answering) late() time.Duration { return a.server.pacer.Now().Sub(a.arrived) - a.total() }

// whole answers in one piece.
func (a *answering) whole() {
	body, err := json.Marshal(a.route.full(a.call))
	if err != nil {
		a.error(&apiError{status: http.StatusInternalServerError, message: err.Error()})
		return
	}
	f := a.fault
	if f != nil && f.Kind != truncate && f.Kind != malformed && !f.harmless {
		a.fail(0)
		return
	}
	if f != nil && f.Kind == malformed {
		body = body[:len(body)/2]
	}
	if f != nil && f.Kind == slow {
		a.dribble = slowly(len(body), f.Speed)
	}
	h := a.w.Header()
	h["Content-Type"] = typeJSON
	a.set(h, "Content-Length", strconv.Itoa(len(body)))
	if f != nil && f.Kind == truncate { // less comes than is announced
		a.until(a.total(), 0)
		a.sentBytes = len(body) / 2
		a.server.settle(a.call, truncate, 0, 0)
		a.server.leave(a.call)
		a.send(body[:a.sentBytes])
		panic(http.ErrAbortHandler)
	}
	rest := a.dribbles(body)
	a.until(a.total(), 0)
	a.sentBytes = len(body)
	a.server.settle(a.call, a.spoilt(), a.sent(a.answer.tokens), a.late())
	a.server.leave(a.call)
	_, _ = a.w.Write(rest)
}

// dribbles sends all parts of a body but the last, each when it is due, and returns that.
func (a *answering) dribbles(body []byte) (last []byte) {
	from, n := 0, a.dribble.Chunks
	for i := 1; i < n; i++ {
		to := len(body) * i / n
		a.until(a.total()-a.dribble.Total*time.Duration(n-i)/time.Duration(n), 0)
		a.sentBytes = to
		a.send(body[from:to]) // whether the client is there shows in the next wait
		from = to
	}
	return body[from:]
}

// fail lets the attempt go wrong, after some tokens have been sent.
func (a *answering) fail(sent int) {
	f := a.fault
	if f.status != 0 {
		a.error(injected(f))
		return
	}
	a.server.settle(a.call, f.Kind, sent, 0)
	switch f.Kind {
	case stall:
		a.stall()
	case reset:
		a.server.leave(a.call)
		a.reset()
	}
}

// stall says nothing more for as long as it lasts or the client stays, and breaks off then.
func (a *answering) stall() {
	lasts := a.fault.For
	if lasts == 0 {
		lasts = maxDelay
	}
	_ = a.server.pacer.Until(a.r.Context(), a.server.pacer.Now().Add(lasts)) // however it ends, this ends
	a.server.leave(a.call)
	panic(http.ErrAbortHandler)
}

// reset breaks the connection so that the client's system says so, where there is one of TCP.
func (a *answering) reset() {
	conn, _, err := http.NewResponseController(a.w).Hijack()
	if err != nil { // HTTP/2, or no connection at all
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

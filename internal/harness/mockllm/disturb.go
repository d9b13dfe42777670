package mockllm

import (
	"bytes"
	"slices"
	"strconv"
	"time"
)

// spoilt is the kind of the fault that leaves an answer without a meaning though all of it was sent, empty where it
// was not.
func (a *answering) spoilt() string {
	if a.fault != nil && (a.fault.Kind == malformed && a.hits() || a.fault.Kind == unended) {
		return a.fault.Kind
	}
	return ""
}

// hits reports whether the answer is long enough for a fault after a number of tokens.
func (a *answering) hits() bool { return !a.streams() || a.fault.After < len(a.due) }

// replace answers with a page of HTML, or with nothing, where an answer is expected.
func (a *answering) replace() {
	kind, body := "application/json", []byte{}
	if a.fault.Kind == mistyped {
		kind, body = "text/html", []byte("<html><body><h1>502 Bad Gateway</h1></body></html>\n")
	}
	a.until(a.due[0], 0)
	a.sentBytes = len(body)
	a.server.settle(a.call, a.fault.Kind, 0, 0)
	a.server.leave(a.call)
	a.w.Header().Set("Content-Type", kind)
	a.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = a.w.Write(body)
}

// disturb makes a stream what a fault says that does not break it off.
func (a *answering) disturb(e *events) {
	f := a.fault
	if f == nil || f.faultKind.after && f.After >= len(e.tokens) {
		return
	}
	switch f.Kind {
	case malformed:
		e.tokens[f.After] = half(e.tokens[f.After])
	case duplicate:
		e.tokens[f.After] = slices.Concat(e.tokens[f.After], e.tokens[f.After])
	case blank:
		e.tokens[f.After] = slices.Concat([]byte(": perfgate mock\n\n"), e.tokens[f.After])
	case unended:
		e.closing = nil
	case slow:
		a.slowDown(e, f.Speed)
	}
}

// half is an event with half of its JSON.
func half(event []byte) []byte {
	begin := bytes.LastIndex(event, []byte("data: ")) + len("data: ")
	return slices.Concat(event[:begin+(len(event)-begin)/2], []byte("\n\n"))
}

// slowDown puts the events of a stream off: each comes after its own bytes have.
func (a *answering) slowDown(e *events, speed int) {
	at := time.Duration(0)
	for i, token := range e.tokens {
		n := len(token)
		if i == 0 {
			n += len(e.opening)
		}
		if i == len(e.tokens)-1 {
			n += len(e.closing)
		}
		at = max(at, a.due[i]) + takes(n, speed)
		a.due[i] = at
	}
}

// takes is how long so many bytes need.
func takes(bytes, speed int) time.Duration {
	return time.Duration(min(float64(bytes)/float64(speed)*1e9, float64(maxDelay)))
}

// slowSteps are the parts of a slow body a second.
const slowSteps = 20

// slowly is how a body of so many bytes comes at so many a second.
func slowly(bytes, speed int) Dribble {
	d := Dribble{Total: takes(bytes, speed)}
	d.Chunks = min(maxChunks, max(1, int(d.Total.Seconds()*slowSteps)))
	return d
}

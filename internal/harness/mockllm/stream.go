package mockllm

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
)

// events is an answer as a stream, ready to be sent. The opening goes out with the first token and the
// closing with the last: a stream is as long as its tokens take.
type events struct {
	opening []byte
	tokens  [][]byte
	closing []byte
	// failure is an error in mid-stream.
	failure func(e *apiError) []byte
}

// data appends an event without a name.
func data(to []byte, v any) []byte { return event(to, "", v) }

// event appends an event. Anthropic's clients pass over what has no name.
func event(to []byte, name string, v any) []byte {
	body, err := json.Marshal(v)
	if err != nil {
		panic("mockllm: an event of strings and numbers: " + err.Error())
	}
	if name != "" {
		to = append(append(append(to, "event: "...), name...), '\n')
	}
	return append(append(append(to, "data: "...), body...), "\n\n"...)
}

// tokenEvents are the events of the answer's tokens, which differ in nothing but the text: the rest is
// encoded once for each choice.
func (c *call) tokenEvents(encoded func(choice int, text string) []byte) [][]byte {
	mark := c.content.id("token-") // stands nowhere else
	all := make([][]byte, c.answer.tokens)
	for choice, pieces := range c.answer.pieces {
		before, after, _ := bytes.Cut(encoded(choice, mark), encode(mark))
		for i, piece := range pieces {
			text := encode(piece)
			event := slices.Grow(all[i], len(before)+len(text)+len(after))
			all[i] = append(append(append(event, before...), text...), after...)
		}
	}
	return all
}

// stream answers token by token, each at its time.
func (a *answering) stream() {
	e := a.route.events(a.call)
	a.disturb(&e)
	breaks := a.breaks(len(e.tokens))
	if breaks == 0 {
		a.fail(0)
		return
	}
	h := a.w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	last := len(e.tokens) - 1
	for i, token := range e.tokens {
		if i == breaks {
			a.breakOff(e, i)
			return
		}
		a.until(a.due[i], i)
		if i == 0 {
			token = append(e.opening, token...)
		}
		if i == last {
			token = append(token, e.closing...)
		}
		a.sentBytes += len(token)
		if i == last {
			a.server.settle(a.call, a.spoilt(), a.sent(len(e.tokens)), a.late())
			a.server.leave(a.call)
		}
		if !a.send(token) && i < last {
			a.server.settle(a.call, cancelled, a.sent(i), 0)
			return
		}
	}
}

// breaks is the number of tokens before the attempt goes wrong, -1 if it does not.
func (a *answering) breaks(tokens int) int {
	switch f := a.fault; {
	case f == nil || f.harmless || f.Kind == malformed || f.Kind == unended:
		return -1
	case f.Kind == truncate && f.After == 0:
		return max(1, tokens/2)
	default:
		return f.After
	}
}

// sent are so many tokens of each choice.
func (a *answering) sent(tokens int) int { return tokens * len(a.answer.pieces) }

// begun notes that the first bytes of an answer are about to be sent.
func (a *answering) begun() {
	if a.first.IsZero() {
		a.first, a.sentStatus = a.server.pacer.Now(), http.StatusOK
	}
}

func (a *answering) send(b []byte) bool {
	if _, err := a.w.Write(b); err != nil {
		return false
	}
	_ = http.NewResponseController(a.w).Flush() // a writer that cannot need not
	return true
}

// breakOff ends a stream before its end. What is truncated ends as if it were whole.
func (a *answering) breakOff(e events, tokens int) {
	if a.fault.status == 0 {
		a.fail(a.sent(tokens))
		return
	}
	a.server.settle(a.call, a.fault.Kind, a.sent(tokens), 0)
	a.server.leave(a.call)
	a.send(e.failure(injected(a.fault)))
}

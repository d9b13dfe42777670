package mockllm

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Model is how fast a model is and how much it says. What is not set, the zero value, is as for models
// that are not named.
type Model struct {
	TTFT    Dist // from arrival to the first token
	ITL     Dist // from a token to the next
	Tokens  Dist // of an answer whose text is not given
	Prefill Dist // by which each token of the request that no cache holds puts the first one off
	Dribble Dribble
}

// Dribble is how the body of an answer in one piece comes: in so many parts, the last of which is due so much
// later than the answer was. The zero value is at once.
type Dribble struct {
	Chunks int
	Total  time.Duration
}

// String is the text that sets it.
func (d Dribble) String() string {
	if d == (Dribble{}) {
		return ""
	}
	return fmt.Sprintf("chunks=%d,total=%v", d.Chunks, d.Total)
}

// part is one of the things that make a Model.
type part struct {
	name string
	// set reads it from a text.
	set func(m *Model, text string, readFile func(name string) ([]byte, error)) error
	// or takes it from another model where it is not set.
	or func(m *Model, other Model)
}

// parts is the one list of what makes a Model, by the names that scripts give them.
var parts = []part{
	distPart("ttft", func(m *Model) *Dist { return &m.TTFT }, ParseDelay),
	distPart("itl", func(m *Model) *Dist { return &m.ITL }, ParseDelay),
	distPart("tokens", func(m *Model) *Dist { return &m.Tokens }, ParseCount),
	distPart("prefill", func(m *Model) *Dist { return &m.Prefill }, ParseDelay),
	{
		name: "dribble",
		set: func(m *Model, text string, _ func(string) ([]byte, error)) (err error) {
			m.Dribble, err = parseDribble(text)
			return err
		},
		or: func(m *Model, other Model) {
			if m.Dribble == (Dribble{}) {
				m.Dribble = other.Dribble
			}
		},
	},
}

func distPart(name string, of func(m *Model) *Dist, parse func(string, func(string) ([]byte, error)) (Dist, error)) part {
	return part{
		name: name,
		set: func(m *Model, text string, readFile func(string) ([]byte, error)) error {
			d, err := parse(text, readFile)
			if err == nil {
				*of(m) = d
			}
			return err
		},
		or: func(m *Model, other Model) {
			if of(m).text == "" {
				*of(m) = *of(&other)
			}
		},
	}
}

// Parts are the names of what makes a Model.
func Parts() (names []string) {
	for _, p := range parts {
		names = append(names, p.name)
	}
	return names
}

// Set sets one of the [Parts] from its text. Files that it names are read by readFile. The error does not say
// which part it was: each caller has a name of its own for it.
func (m *Model) Set(name, text string, readFile func(name string) ([]byte, error)) error {
	i := slices.IndexFunc(parts, func(p part) bool { return p.name == name })
	if i < 0 {
		panic("mockllm: a model has no part " + name)
	}
	return parts[i].set(m, text, readFile)
}

// or completes a model by another.
func (m Model) or(other Model) Model {
	for _, p := range parts {
		p.or(&m, other)
	}
	return m
}

// maxChunks bounds the parts of a body: each is a write of its own.
const maxChunks = 10_000

// parseDribble reads chunks=5,total=1s.
func parseDribble(text string) (d Dribble, err error) {
	chunks, total, ok := strings.Cut(strings.ReplaceAll(text, " ", ""), ",")
	chunks, ok1 := strings.CutPrefix(chunks, "chunks=")
	total, ok2 := strings.CutPrefix(total, "total=")
	if !ok || !ok1 || !ok2 {
		return d, fmt.Errorf("%q: want chunks=N,total=DURATION, such as chunks=5,total=1s", text)
	}
	if d.Chunks, err = positive(chunks); err != nil || d.Chunks > maxChunks {
		return d, fmt.Errorf("chunks: %q: want a whole number from 1 to %d", chunks, maxChunks)
	}
	if d.Total, err = wait(total); err != nil {
		return d, fmt.Errorf("total: %w", err)
	}
	return d, nil
}

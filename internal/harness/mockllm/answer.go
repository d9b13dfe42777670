package mockllm

import (
	"strings"
	"unicode/utf8"
)

// bytesPerToken is the whole of the tokeniser.
const bytesPerToken = 4

func tokens(bytes int) int { return (bytes + bytesPerToken - 1) / bytesPerToken }

// words are of three letters and a space, which makes each a token.
const words = "the and you for are but not all any can her was one our out day get has him his how man new now old see " +
	"two way who boy did its let put say she too use act add age ago air arm art ask bad bag bar bed big bit box "

// The reasons for an answer's end.
const (
	stopEnd    = "stop"
	stopLength = "length"
	stopTool   = "tool"
)

// answer is what a call is answered.
type answer struct {
	pieces [][]string // of each choice: one text a token
	tokens int        // of each choice
	tool   *tool      // the pieces are its arguments
	stop   string
}

// text is the whole of a choice.
func (a *answer) text(choice int) string { return strings.Join(a.pieces[choice], "") }

// reply invents the answer, or takes the script's.
func (c *call) reply(model Model) answer {
	if c.route.embeds || c.route.instant {
		return answer{}
	}
	r, scripted := c.request, c.logical.reply
	a := answer{stop: stopEnd}
	switch {
	case scripted != nil && scripted.Tool != "":
		a.tool, a.stop = &tool{Name: scripted.Tool}, stopTool
		a.repeat(r.choices(), pieces(string(scripted.Arguments)))
	case scripted != nil:
		a.repeat(r.choices(), pieces(scripted.Text))
	case r.callsTool() != nil:
		a.tool, a.stop = r.callsTool(), stopTool
		a.repeat(r.choices(), pieces(sample(a.tool.Schema)))
	case r.Schema != nil:
		a.repeat(r.choices(), pieces(sample(r.Schema)))
	default:
		a.tokens = max(1, int(model.Tokens.at(c.content.stream("tokens"), 0)))
		for choice := range r.choices() {
			a.pieces = append(a.pieces, c.invent(choice, a.limit(r.MaxTokens)))
		}
		return a
	}
	if n := a.limit(r.MaxTokens); a.tool == nil {
		for i := range a.pieces {
			a.pieces[i] = a.pieces[i][:n]
		}
	}
	return a
}

// repeat gives all choices the same text.
func (a *answer) repeat(choices int, pieces []string) {
	a.tokens = len(pieces)
	for range choices {
		a.pieces = append(a.pieces, pieces)
	}
}

// limit cuts a text off where the request wants no more. Arguments of tools are never cut off.
func (a *answer) limit(most int) int {
	if most > 0 && a.tokens > most && a.tool == nil {
		a.tokens, a.stop = most, stopLength
	}
	return a.tokens
}

// invent makes a text of so many tokens.
func (c *call) invent(choice, n int) []string {
	from := c.content.with(uint64(choice)).stream("text")
	text := make([]string, n)
	for i := range text {
		word := from.bits(i) % uint64(len(words)/bytesPerToken) * bytesPerToken
		text[i] = words[word : word+bytesPerToken]
	}
	text[n-1] = text[n-1][:bytesPerToken-1] + "."
	return text
}

// pieces splits a text into tokens. No character is split, so that a token may have some bytes more.
func pieces(text string) []string {
	var all []string
	for len(text) > 0 {
		n := min(bytesPerToken, len(text))
		for n < len(text) && !utf8.RuneStart(text[n]) {
			n++
		}
		all = append(all, text[:n])
		text = text[n:]
	}
	return all
}

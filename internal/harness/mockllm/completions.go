package mockllm

import "encoding/json"

// completionsBody is a request to /v1/completions, of old clients.
type completionsBody struct {
	Model         string          `json:"model"`
	Prompt        json.RawMessage `json:"prompt"`
	Stream        bool            `json:"stream"`
	MaxTokens     int             `json:"max_tokens"`
	N             int             `json:"n"`
	StreamOptions struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
}

func parseCompletions(body []byte) (*request, *apiError) {
	var b completionsBody
	if e := read(body, &b); e != nil {
		return nil, e
	}
	return &request{Model: b.Model, Stream: b.Stream, MaxTokens: b.MaxTokens, N: b.N, IncludeUsage: b.StreamOptions.IncludeUsage}, nil
}

type textCompletion struct {
	ID                string       `json:"id"`
	Object            string       `json:"object"`
	Created           int          `json:"created"`
	Model             string       `json:"model"`
	Choices           []textChoice `json:"choices"`
	Usage             *chatUsage   `json:"usage,omitempty"`
	SystemFingerprint string       `json:"system_fingerprint"`
}

type textChoice struct {
	Text         string    `json:"text"`
	Index        int       `json:"index"`
	Logprobs     *struct{} `json:"logprobs"`
	FinishReason *string   `json:"finish_reason"`
}

func (c *call) text() textCompletion {
	return textCompletion{
		ID: c.timing.id("cmpl-"), Object: "text_completion", Created: created, Model: c.request.Model, SystemFingerprint: "fp_perfgate",
	}
}

func fullCompletions(c *call) any {
	full := c.text()
	for i := range c.answer.pieces {
		full.Choices = append(full.Choices, textChoice{Text: c.answer.text(i), Index: i, FinishReason: &c.answer.stop})
	}
	full.Usage = c.usage()
	return full
}

func streamCompletions(c *call) events {
	e := events{failure: openAIFailure}
	chunk := c.text()
	e.tokens = c.tokenEvents(func(choice int, text string) []byte {
		chunk.Choices = []textChoice{{Text: text, Index: choice}}
		return data(nil, &chunk)
	})
	for i := range c.answer.pieces {
		chunk.Choices = []textChoice{{Index: i, FinishReason: &c.answer.stop}}
		e.closing = data(e.closing, &chunk)
	}
	if c.request.IncludeUsage {
		chunk.Choices, chunk.Usage = []textChoice{}, c.usage()
		e.closing = data(e.closing, &chunk)
	}
	e.closing = append(e.closing, "data: [DONE]\n\n"...)
	return e
}

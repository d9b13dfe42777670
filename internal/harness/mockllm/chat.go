package mockllm

import "encoding/json"

// chatBody is a request to /v1/chat/completions.
type chatBody struct {
	Model               string     `json:"model"`
	Messages            []message  `json:"messages"`
	Stream              bool       `json:"stream"`
	MaxTokens           int        `json:"max_tokens"`
	MaxCompletionTokens int        `json:"max_completion_tokens"`
	N                   int        `json:"n"`
	ToolChoice          toolChoice `json:"tool_choice"`
	StreamOptions       struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
	Tools []struct {
		Function struct {
			Name       string          `json:"name"`
			Parameters json.RawMessage `json:"parameters"`
		} `json:"function"`
	} `json:"tools"`
	ResponseFormat struct {
		Type       string `json:"type"`
		JSONSchema struct {
			Schema json.RawMessage `json:"schema"`
		} `json:"json_schema"`
	} `json:"response_format"`
}

func parseChat(body []byte) (*request, *apiError) {
	var b chatBody
	if e := read(body, &b); e != nil {
		return nil, e
	}
	if len(b.Messages) == 0 {
		return nil, invalid("messages", "messages must not be empty")
	}
	r := &request{
		Model: b.Model, Stream: b.Stream, IncludeUsage: b.StreamOptions.IncludeUsage, N: b.N, Choice: b.ToolChoice,
		MaxTokens: either(b.MaxCompletionTokens, b.MaxTokens), HasToolResult: hasToolResult(b.Messages),
	}
	for _, t := range b.Tools {
		if t.Function.Name != "" {
			r.Tools = append(r.Tools, tool{t.Function.Name, t.Function.Parameters})
		}
	}
	r.Schema = jsonFormat(b.ResponseFormat.Type, b.ResponseFormat.JSONSchema.Schema)
	return r, nil
}

// either is the first that is set.
func either(a, b int) int {
	if a != 0 {
		return a
	}
	return b
}

// jsonFormat is the schema of an answer that must be JSON, nil where it need not.
func jsonFormat(kind string, schema json.RawMessage) json.RawMessage {
	switch {
	case kind == "json_schema" && schema != nil:
		return schema
	case kind == "json_schema", kind == "json_object":
		return json.RawMessage(`{}`)
	}
	return nil
}

type chatUsage struct {
	PromptTokens            int             `json:"prompt_tokens"`
	CompletionTokens        int             `json:"completion_tokens"`
	TotalTokens             int             `json:"total_tokens"`
	PromptTokensDetails     promptDetails   `json:"prompt_tokens_details"`
	CompletionTokensDetails completeDetails `json:"completion_tokens_details"`
}

// The details of usage are those of what a mock does not do, but for the prompt cache.
type promptDetails struct {
	CachedTokens int `json:"cached_tokens"`
	AudioTokens  int `json:"audio_tokens"`
}

type completeDetails struct {
	ReasoningTokens          int `json:"reasoning_tokens"`
	AudioTokens              int `json:"audio_tokens"`
	AcceptedPredictionTokens int `json:"accepted_prediction_tokens"`
	RejectedPredictionTokens int `json:"rejected_prediction_tokens"`
}

func (c *call) usage() *chatUsage {
	in, out := c.inputTokens(), c.answer.tokens*len(c.answer.pieces)
	return &chatUsage{PromptTokens: in, CompletionTokens: out, TotalTokens: in + out, PromptTokensDetails: promptDetails{CachedTokens: c.cached}}
}

type chatCompletion struct {
	ID                string       `json:"id"`
	Object            string       `json:"object"`
	Created           int          `json:"created"`
	Model             string       `json:"model"`
	Choices           []chatChoice `json:"choices"`
	Usage             any          `json:"usage,omitempty"` // *chatUsage, or null as JSON
	ServiceTier       string       `json:"service_tier"`
	SystemFingerprint string       `json:"system_fingerprint"`
}

type chatChoice struct {
	Index        int          `json:"index"`
	Message      *chatMessage `json:"message,omitempty"`
	Delta        *chatDelta   `json:"delta,omitempty"`
	Logprobs     *struct{}    `json:"logprobs"`
	FinishReason *string      `json:"finish_reason"`
}

type chatMessage struct {
	Role        string     `json:"role"`
	Content     *string    `json:"content"`
	Refusal     *string    `json:"refusal"`
	Annotations []any      `json:"annotations"`
	ToolCalls   []chatTool `json:"tool_calls,omitempty"`
}

type chatDelta struct {
	Role      string     `json:"role,omitempty"`
	Content   *string    `json:"content,omitempty"`
	ToolCalls []chatTool `json:"tool_calls,omitempty"`
}

type chatTool struct {
	Index    *int         `json:"index,omitempty"` // of streams alone
	ID       string       `json:"id,omitempty"`
	Type     string       `json:"type,omitempty"`
	Function chatFunction `json:"function"`
}

type chatFunction struct {
	Name      string `json:"name,omitempty"`
	Arguments string `json:"arguments"`
}

func (c *call) chat(object string) chatCompletion {
	return chatCompletion{
		ID: c.timing.id("chatcmpl-"), Object: object, Created: created, Model: c.request.Model,
		ServiceTier: "default", SystemFingerprint: "fp_perfgate",
	}
}

func (c *call) chatFinish() *string {
	reason := c.answer.stop
	if reason == stopTool {
		reason = "tool_calls"
	}
	return &reason
}

// toolID is the identifier of a choice's tool call. The program sends it back: like all that is said, it
// depends on the question alone, or an attempt more would change the next question.
func (c *call) toolID(prefix string, choice int) string {
	return c.content.with(uint64(choice)).id(prefix)
}

func fullChat(c *call) any {
	full := c.chat("chat.completion")
	for i := range c.answer.pieces {
		text := c.answer.text(i)
		m := &chatMessage{Role: "assistant", Content: &text, Annotations: []any{}}
		if t := c.answer.tool; t != nil {
			m.Content = nil
			m.ToolCalls = []chatTool{{ID: c.toolID("call_", i), Type: "function", Function: chatFunction{t.Name, text}}}
		}
		full.Choices = append(full.Choices, chatChoice{Index: i, Message: m, FinishReason: c.chatFinish()})
	}
	full.Usage = c.usage()
	return full
}

// encode is the JSON of a value that has one.
func encode(v any) json.RawMessage {
	data, err := json.Marshal(v)
	if err != nil {
		panic("mockllm: a value of strings and numbers: " + err.Error())
	}
	return data
}

// streamChat is the stream of chunks: the role, the tokens, the reason for the end, the usage if it was
// asked for. All have the same identifier.
func streamChat(c *call) events {
	var e events
	chunk := c.chat("chat.completion.chunk")
	if c.request.IncludeUsage {
		chunk.Usage = json.RawMessage("null")
	}
	add := func(to []byte, choice int, delta chatDelta, finish *string) []byte {
		chunk.Choices = []chatChoice{{Index: choice, Delta: &delta, FinishReason: finish}}
		return data(to, &chunk)
	}
	empty := ""
	for i := range c.answer.pieces {
		first := chatDelta{Role: "assistant", Content: &empty}
		if t := c.answer.tool; t != nil {
			first = chatDelta{Role: "assistant", ToolCalls: []chatTool{{Index: new(int), ID: c.toolID("call_", i), Type: "function", Function: chatFunction{Name: t.Name}}}}
		}
		e.opening = add(e.opening, i, first, nil)
	}
	e.tokens = c.tokenEvents(func(choice int, text string) []byte {
		if c.answer.tool != nil {
			return add(nil, choice, chatDelta{ToolCalls: []chatTool{{Index: new(int), Function: chatFunction{Arguments: text}}}}, nil)
		}
		return add(nil, choice, chatDelta{Content: &text}, nil)
	})
	for i := range c.answer.pieces {
		e.closing = add(e.closing, i, chatDelta{}, c.chatFinish())
	}
	if c.request.IncludeUsage {
		chunk.Choices, chunk.Usage = []chatChoice{}, c.usage()
		e.closing = data(e.closing, &chunk)
	}
	e.closing = append(e.closing, "data: [DONE]\n\n"...)
	e.failure = openAIFailure
	return e
}

// openAIFailure is an error in a stream of OpenAI's older forms.
func openAIFailure(e *apiError) []byte { return data(nil, openAIError{openAIErrorBody(e)}) }

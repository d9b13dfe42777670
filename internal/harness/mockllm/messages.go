package mockllm

import "encoding/json"

// messagesBody is a request to /v1/messages, and to /v1/messages/count_tokens.
type messagesBody struct {
	Model      string     `json:"model"`
	Messages   []message  `json:"messages"`
	Stream     bool       `json:"stream"`
	MaxTokens  int        `json:"max_tokens"`
	ToolChoice toolChoice `json:"tool_choice"`
	Tools      []struct {
		Name        string          `json:"name"`
		InputSchema json.RawMessage `json:"input_schema"`
	} `json:"tools"`
}

func parseMessages(body []byte) (*request, *apiError) {
	r, e := parseCount(body)
	if e == nil && r.MaxTokens == 0 {
		return nil, invalid("max_tokens", "max_tokens: Field required")
	}
	return r, e
}

// parseCount reads what is to be counted, which needs no limit.
func parseCount(body []byte) (*request, *apiError) {
	var b messagesBody
	if e := read(body, &b); e != nil {
		return nil, e
	}
	if len(b.Messages) == 0 {
		return nil, invalid("messages", "messages: at least one message is required")
	}
	r := &request{Model: b.Model, Stream: b.Stream, MaxTokens: b.MaxTokens, Choice: b.ToolChoice, HasToolResult: hasToolResult(b.Messages)}
	for _, t := range b.Tools {
		if t.Name != "" {
			r.Tools = append(r.Tools, tool{t.Name, t.InputSchema})
		}
	}
	return r, nil
}

func fullCountTokens(c *call) any { return object{"input_tokens": c.inputTokens()} }

func (c *call) stopReason() string {
	return map[string]string{stopEnd: "end_turn", stopLength: "max_tokens", stopTool: "tool_use"}[c.answer.stop]
}

// message is the whole object; a stream begins with one that has no content yet.
func (c *call) message(content []any, stop any, output int) object {
	return object{
		"id": c.timing.id("msg_"), "type": "message", "role": "assistant", "model": c.request.Model,
		"content": content, "stop_reason": stop, "stop_sequence": nil,
		"usage": object{
			"input_tokens": c.inputTokens() - c.cached - c.written, "cache_creation_input_tokens": c.written, "cache_read_input_tokens": c.cached,
			"output_tokens": output, "service_tier": "standard",
		},
	}
}

// toolUse is the call of a tool with its input, a JSON object.
func (c *call) toolUse(input string) object {
	return object{"type": "tool_use", "id": c.toolID("toolu_", 0), "name": c.answer.tool.Name, "input": json.RawMessage(input)}
}

func fullMessage(c *call) any {
	text := c.answer.text(0)
	block := object{"type": "text", "text": text}
	if c.answer.tool != nil {
		block = c.toolUse(text)
	}
	return c.message([]any{block}, c.stopReason(), c.answer.tokens)
}

// streamMessage is the stream of events of a message with one block.
func streamMessage(c *call) events {
	var e events
	add := func(to []byte, kind string, fields object) []byte {
		fields["type"] = kind
		return event(to, kind, fields)
	}
	block := object{"type": "text", "text": ""}
	if c.answer.tool != nil {
		block = c.toolUse("{}")
	}
	e.opening = add(e.opening, "message_start", object{"message": c.message([]any{}, nil, 1)})
	e.opening = add(e.opening, "content_block_start", object{"index": 0, "content_block": block})
	e.opening = add(e.opening, "ping", object{})
	e.tokens = c.tokenEvents(func(_ int, text string) []byte {
		delta := object{"type": "text_delta", "text": text}
		if c.answer.tool != nil {
			delta = object{"type": "input_json_delta", "partial_json": text}
		}
		return add(nil, "content_block_delta", object{"index": 0, "delta": delta})
	})
	e.closing = add(e.closing, "content_block_stop", object{"index": 0})
	e.closing = add(e.closing, "message_delta", object{
		"delta": object{"stop_reason": c.stopReason(), "stop_sequence": nil},
		"usage": object{"output_tokens": c.answer.tokens},
	})
	e.closing = add(e.closing, "message_stop", object{})
	e.failure = func(err *apiError) []byte {
		return event(nil, "error", anthropicError{Type: "error", Error: anthropicErrorDetail{anthropicErrorType(err.status), err.message}, RequestID: c.timing.id("req_")})
	}
	return e
}

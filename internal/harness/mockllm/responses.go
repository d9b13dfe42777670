package mockllm

import "encoding/json"

// responsesBody is a request to /v1/responses. Its input is a text or a list of items.
type responsesBody struct {
	Model           string          `json:"model"`
	Input           json.RawMessage `json:"input"`
	Stream          bool            `json:"stream"`
	MaxOutputTokens int             `json:"max_output_tokens"`
	ToolChoice      toolChoice      `json:"tool_choice"`
	Tools           []struct {
		Type       string          `json:"type"`
		Name       string          `json:"name"`
		Parameters json.RawMessage `json:"parameters"`
	} `json:"tools"`
	Text struct {
		Format struct {
			Type   string          `json:"type"`
			Schema json.RawMessage `json:"schema"`
		} `json:"format"`
	} `json:"text"`
}

// echoed are the fields of a request that its response repeats, with what they are when they are not
// there.
var echoed = map[string]string{
	"instructions": `null`, "max_output_tokens": `null`, "metadata": `{}`, "parallel_tool_calls": `true`,
	"previous_response_id": `null`, "reasoning": `{"effort":null,"summary":null}`, "temperature": `1`,
	"text": `{"format":{"type":"text"}}`, "tool_choice": `"auto"`, "tools": `[]`, "top_p": `1`, "truncation": `"disabled"`,
}

func parseResponses(body []byte) (*request, *apiError) {
	var b responsesBody
	if e := read(body, &b); e != nil {
		return nil, e
	}
	r := &request{Model: b.Model, Stream: b.Stream, MaxTokens: b.MaxOutputTokens, Choice: b.ToolChoice, Echo: map[string]json.RawMessage{}}
	var items []message
	_ = json.Unmarshal(b.Input, &items) // a text is no list of items
	r.HasToolResult = hasToolResult(items)
	for _, t := range b.Tools {
		if t.Type == "function" && t.Name != "" {
			r.Tools = append(r.Tools, tool{t.Name, t.Parameters})
		}
	}
	r.Schema = jsonFormat(b.Text.Format.Type, b.Text.Format.Schema)
	if e := read(body, &r.Echo); e != nil {
		return nil, e
	}
	return r, nil
}

// object is a JSON object; its keys are sorted when it is written.
type object = map[string]any

// item is the one item of a response's output: a message, or the call of a tool.
func (c *call) item(status string) object {
	text := ""
	if status == "completed" {
		text = c.answer.text(0)
	}
	if t := c.answer.tool; t != nil {
		return object{"id": c.timing.id("fc_"), "type": "function_call", "call_id": c.toolID("call_", 0), "name": t.Name, "arguments": text, "status": status}
	}
	content := []any{}
	if status != "in_progress" {
		content = append(content, outputText(c.answer.text(0)))
	}
	return object{"id": c.timing.id("msg_"), "type": "message", "role": "assistant", "status": status, "content": content}
}

func outputText(text string) object {
	return object{"type": "output_text", "text": text, "annotations": []any{}, "logprobs": []any{}}
}

// status is how the response ends.
func (c *call) status() string {
	if c.answer.stop == stopLength {
		return "incomplete"
	}
	return "completed"
}

// response is the whole object in one of its states.
func (c *call) response(status string) object {
	r := object{
		"id":     c.content.id("resp_"), // the program may send it back, as it does those of tools
		"object": "response", "created_at": created, "status": status, "model": c.request.Model,
		"error": nil, "incomplete_details": nil, "output": []any{}, "usage": nil, "service_tier": "default", "store": false,
	}
	for key, otherwise := range echoed {
		r[key] = json.RawMessage(otherwise)
		if given, ok := c.request.Echo[key]; ok {
			r[key] = given
		}
	}
	if status == "in_progress" {
		return r
	}
	in, out := c.inputTokens(), c.answer.tokens
	r["output"] = []any{c.item(status)}
	r["usage"] = object{
		"input_tokens": in, "input_tokens_details": object{"cached_tokens": c.cached},
		"output_tokens": out, "output_tokens_details": object{"reasoning_tokens": 0}, "total_tokens": in + out,
	}
	if status == "incomplete" {
		r["incomplete_details"] = object{"reason": "max_output_tokens"}
	}
	return r
}

func fullResponse(c *call) any { return c.response(c.status()) }

// responseEvents numbers the events of a response.
type responseEvents struct{ number int }

func (n *responseEvents) add(to []byte, kind string, fields object) []byte {
	fields["type"], fields["sequence_number"] = kind, n.number
	n.number++
	return event(to, kind, fields)
}

// streamResponse is the stream of events that builds the response up.
func streamResponse(c *call) events {
	var e events
	var n responseEvents
	item := c.item("in_progress")
	at := func(more object) object { // of the item
		more["item_id"], more["output_index"] = item["id"], 0
		return more
	}
	part := func(more object) object { // of its only content
		more["content_index"] = 0
		return at(more)
	}
	e.opening = n.add(e.opening, "response.created", object{"response": c.response("in_progress")})
	e.opening = n.add(e.opening, "response.in_progress", object{"response": c.response("in_progress")})
	e.opening = n.add(e.opening, "response.output_item.added", object{"output_index": 0, "item": item})
	if c.answer.tool == nil {
		e.opening = n.add(e.opening, "response.content_part.added", part(object{"part": outputText("")}))
	}
	for _, piece := range c.answer.pieces[0] {
		if c.answer.tool != nil {
			e.tokens = append(e.tokens, n.add(nil, "response.function_call_arguments.delta", at(object{"delta": piece})))
		} else {
			e.tokens = append(e.tokens, n.add(nil, "response.output_text.delta", part(object{"delta": piece, "logprobs": []any{}})))
		}
	}
	text := c.answer.text(0)
	if t := c.answer.tool; t != nil {
		e.closing = n.add(e.closing, "response.function_call_arguments.done", at(object{"name": t.Name, "arguments": text}))
	} else {
		e.closing = n.add(e.closing, "response.output_text.done", part(object{"text": text, "logprobs": []any{}}))
		e.closing = n.add(e.closing, "response.content_part.done", part(object{"part": outputText(text)}))
	}
	e.closing = n.add(e.closing, "response.output_item.done", object{"output_index": 0, "item": c.item(c.status())})
	e.closing = n.add(e.closing, "response."+c.status(), object{"response": c.response(c.status())})
	opened := n.number - 1 // whatever it is, numbers only rise
	e.failure = func(err *apiError) []byte {
		d := openAIErrorBody(err)
		n := responseEvents{number: opened}
		return n.add(nil, "error", object{"code": d.Code, "message": d.Message, "param": d.Param})
	}
	return e
}

package mockllm

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// maxChoices is the largest n of a request, as OpenAI has it.
const maxChoices = 128

// request is what a request of any route asks for.
type request struct {
	Model         string
	Stream        bool
	IncludeUsage  bool
	MaxTokens     int // 0: no limit
	N             int
	Tools         []tool
	Choice        toolChoice
	HasToolResult bool
	Schema        json.RawMessage // of an answer in JSON

	Inputs     []string // of embeddings
	Dimensions int
	Base64     bool

	// Echo are the fields of the request that the answer repeats.
	Echo map[string]json.RawMessage
}

// tool is one that may be called.
type tool struct {
	Name   string
	Schema json.RawMessage // of its arguments
}

// toolChoice says whether one must be called, and which.
type toolChoice struct {
	None bool
	Name string
}

func (r *request) choices() int { return max(1, r.N) }

// callsTool is the tool that the answer calls, nil for none. A request with tools and without a tool's
// result calls one, a request with a result is answered: every agent loop ends.
func (r *request) callsTool() *tool {
	if len(r.Tools) == 0 || r.Choice.None || r.HasToolResult {
		return nil
	}
	for i := range r.Tools {
		if r.Tools[i].Name == r.Choice.Name {
			return &r.Tools[i]
		}
	}
	return &r.Tools[0]
}

func (t *toolChoice) UnmarshalJSON(data []byte) error {
	var word string
	if json.Unmarshal(data, &word) == nil {
		t.None = word == "none"
		return nil
	}
	var choice struct {
		Type, Name string
		Function   struct{ Name string }
	}
	err := json.Unmarshal(data, &choice)
	t.None, t.Name = choice.Type == "none", cmp.Or(choice.Name, choice.Function.Name)
	return err
}

// message is one of the conversation, in any of the three forms.
type message struct {
	Role    string          `json:"role"`
	Type    string          `json:"type"`
	Content json.RawMessage `json:"content"`
}

// hasToolResult looks for what a tool said: a message of role tool, an item or a block of such a type.
func hasToolResult(messages []message) bool {
	return slices.ContainsFunc(messages, func(m message) bool {
		if m.Role == "tool" || m.Role == "function" || m.Type == "function_call_output" {
			return true
		}
		if len(m.Content) == 0 || m.Content[0] != '[' {
			return false // a text is no list of blocks
		}
		var blocks []struct{ Type string }
		_ = json.Unmarshal(m.Content, &blocks) // nor is a list of anything else
		return slices.ContainsFunc(blocks, func(b struct{ Type string }) bool { return b.Type == "tool_result" })
	})
}

// listOrOne reads what may be a list or a single value.
type listOrOne[T any] []T

func (l *listOrOne[T]) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '[' {
		return json.Unmarshal(data, (*[]T)(l))
	}
	var one T
	err := json.Unmarshal(data, &one)
	*l = listOrOne[T]{one}
	return err
}

// apiError is an error as an upstream reports it.
type apiError struct {
	status      int
	message     string
	param, code string
	retryAfter  time.Duration // 0: nothing is said
	final       bool          // no attempt will fare better
}

// invalid is the answer to a request that cannot be understood.
func invalid(param, format string, args ...any) *apiError {
	return &apiError{status: 400, message: fmt.Sprintf(format, args...), param: param}
}

// read decodes a body into the form of its route.
func read(body []byte, into any) *apiError {
	err := json.Unmarshal(body, into)
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		return invalid(wrong.Field, "Invalid type for '%s': expected %s, got %s.", wrong.Field, wrong.Type, wrong.Value)
	}
	if err != nil {
		return invalid("", "We could not parse the JSON body of your request: %v.", err)
	}
	return nil
}

// check refuses what all routes refuse.
func (r *request) check() *apiError {
	switch {
	case r.Model == "":
		return invalid("model", "you must provide a model parameter")
	case r.MaxTokens < 0:
		return invalid("max_tokens", "max_tokens must be at least 1")
	case r.N < 0 || r.N > maxChoices:
		return invalid("n", "n must be from 1 to %d", maxChoices)
	}
	return nil
}

// silent are keys whose values are no text of the prompt.
var silent = []string{"role", "type", "id", "call_id", "tool_call_id", "tool_use_id", "cache_control", "model", "status"}

// promptText is all text of a request, with the ends of its parts where somebody wants to know them.
type promptText struct {
	strings.Builder
	parted bool
	ends   []boundary
}

// promptOf reads all text of a request: the definitions of tools, which a model reads as JSON, instructions,
// messages and inputs. They stand in the order in which a model reads them, which makes a conversation that goes
// on begin as it did.
func promptOf(fields map[string]any, parted bool) promptText {
	text := promptText{parted: parted}
	if tools, ok := fields["tools"]; ok {
		text.Write(encode(tools))
		list, _ := tools.([]any)
		text.end(slices.ContainsFunc(list, marked))
	}
	for _, key := range []string{"instructions", "system", "messages", "input", "prompt"} {
		text.append(fields[key])
	}
	text.end(fields["cache_control"] != nil)
	return text
}

// end notes that a part ends here.
func (text *promptText) end(marked bool) {
	if text.parted {
		text.ends = append(text.ends, boundary{text.Len(), marked})
	}
}

// marked reports whether a part is to be cached with all before it.
func marked(v any) bool {
	object, _ := v.(map[string]any)
	return object["cache_control"] != nil
}

func (text *promptText) append(v any) {
	switch v := v.(type) {
	case string:
		text.WriteString(v)
	case []any:
		for _, item := range v {
			text.append(item)
			text.end(marked(item))
		}
	case map[string]any:
		keys := make([]string, 0, 8) // on the stack, if there are no more
		for key := range v {
			if !slices.Contains(silent, key) {
				keys = append(keys, key)
			}
		}
		slices.Sort(keys)
		for _, key := range keys {
			text.append(v[key])
		}
	}
}

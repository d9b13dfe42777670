package mockllm

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

const (
	weatherTool = `{"type":"function","function":{"name":"get_weather","parameters":{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"}},"required":["city"]}}}`
	ask         = `{"role":"user","content":"What is the weather in Oslo?"}`
)

// requests are one for each route and form; the goldens have their answers.
var requests = []struct{ name, path, body string }{
	{"chat", "/v1/chat/completions", `{"model":"m","messages":[` + ask + `]}`},
	{"chat_stream", "/v1/chat/completions", `{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[` + ask + `]}`},
	{"chat_stream_nousage", "/v1/chat/completions", `{"model":"m","stream":true,"messages":[` + ask + `]}`},
	{"chat_length", "/v1/chat/completions", `{"model":"m","max_completion_tokens":2,"n":2,"messages":[` + ask + `]}`},
	{"chat_tool", "/v1/chat/completions", `{"model":"m","tools":[` + weatherTool + `],"messages":[` + ask + `]}`},
	{"chat_tool_stream", "/v1/chat/completions", `{"model":"m","stream":true,"tools":[` + weatherTool + `],"messages":[` + ask + `]}`},
	{"chat_tool_result", "/v1/chat/completions", `{"model":"m","tools":[` + weatherTool + `],"messages":[` + ask + `,{"role":"tool","tool_call_id":"x","content":"rain"}]}`},
	{"chat_schema", "/v1/chat/completions", `{"model":"m","messages":[` + ask + `],"response_format":{"type":"json_schema","json_schema":{"schema":{"type":"object","properties":{"ok":{"type":"boolean"}},"required":["ok"]}}}}`},
	{"completions", "/v1/completions", `{"model":"m","prompt":"Once upon a time"}`},
	{"completions_stream", "/v1/completions", `{"model":"m","prompt":"Once upon a time","stream":true}`},
	{"responses", "/v1/responses", `{"model":"m","input":"What is the weather?","temperature":0.5}`},
	{"responses_stream", "/v1/responses", `{"model":"m","input":"What is the weather?","stream":true}`},
	{"responses_incomplete", "/v1/responses", `{"model":"m","input":"What is the weather?","max_output_tokens":2}`},
	{"responses_tool", "/v1/responses", `{"model":"m","input":[` + ask + `],"tools":[{"type":"function","name":"f","parameters":{}}]}`},
	{"responses_tool_stream", "/v1/responses", `{"model":"m","stream":true,"input":[` + ask + `],"tools":[{"type":"function","name":"f","parameters":{}}]}`},
	{"responses_tool_result", "/v1/responses", `{"model":"m","input":[{"type":"function_call_output","call_id":"c","output":"rain"}],"tools":[{"type":"function","name":"f","parameters":{}}]}`},
	{"embeddings", "/v1/embeddings", `{"model":"e","input":["one","two"],"dimensions":4}`},
	{"embeddings_base64", "/v1/embeddings", `{"model":"e","input":["one","two"],"dimensions":4,"encoding_format":"base64"}`},
	{"messages", "/v1/messages", `{"model":"c","max_tokens":100,"messages":[` + ask + `]}`},
	{"messages_stream", "/v1/messages", `{"model":"c","max_tokens":100,"stream":true,"messages":[` + ask + `]}`},
	{"messages_length", "/v1/messages", `{"model":"c","max_tokens":2,"messages":[` + ask + `]}`},
	{"messages_tool", "/v1/messages", `{"model":"c","max_tokens":100,"tools":[{"name":"f","input_schema":{"type":"object","properties":{"q":{"enum":["a"]}},"required":["q"]}}],"messages":[` + ask + `]}`},
	{"messages_tool_stream", "/v1/messages", `{"model":"c","max_tokens":100,"stream":true,"tools":[{"name":"f","input_schema":{"type":"object","properties":{"q":{"enum":["a"]}},"required":["q"]}}],"messages":[` + ask + `]}`},
	{"messages_tool_result", "/v1/messages", `{"model":"c","max_tokens":100,"tools":[{"name":"f","input_schema":{}}],"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"x","content":"rain"}]}]}`},
	{"count_tokens", "/v1/messages/count_tokens", `{"model":"c","messages":[` + ask + `]}`},
	{"models", "/v1/models", ""},
	{"model", "/v1/models/gpt/x", ""},
	{"bad_json", "/v1/chat/completions", `{`},
	{"bad_type", "/v1/chat/completions", `{"model":7}`},
	{"bad_model", "/v1/responses", `{"input":"x"}`},
	{"bad_n", "/v1/chat/completions", `{"model":"m","n":1000,"messages":[` + ask + `]}`},
	{"bad_input", "/v1/embeddings", `{"model":"m"}`},
	{"bad_max_tokens", "/v1/messages", `{"model":"c","messages":[` + ask + `]}`},
	{"bad_route", "/v1/chat", `{}`},
}

func method(body string) string {
	if body == "" {
		return http.MethodGet
	}
	return http.MethodPost
}

// Whole responses are reproducible to the byte, headers included.
func TestGolden(t *testing.T) {
	for _, tt := range requests {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, Config{Seed: 1, Script: Script{Model: Model{Tokens: Count(5)}}})
			w := do(s, method(tt.body), tt.path, tt.body)
			var got strings.Builder
			fmt.Fprintf(&got, "%d\n", w.Code)
			if err := w.Result().Header.Write(&got); err != nil { // sorted
				t.Fatal(err)
			}
			golden(t, tt.name, strings.ReplaceAll(got.String(), "\r\n", "\n")+"\n"+w.Body.String())
		})
	}
}

// Every route answers the same with and without /v1, under the prefix of a run, and under any other.
func TestPaths(t *testing.T) {
	for _, tt := range requests {
		want := do(start(t, Config{}), method(tt.body), tt.path, tt.body)
		bare := strings.TrimPrefix(tt.path, "/v1")
		for _, path := range []string{bare, "/r/run-1" + tt.path, "/r/run-1" + bare, "/r/run-1/api/openai" + tt.path, "/gateway" + bare} {
			got := do(start(t, Config{}), method(tt.body), path, tt.body)
			if got.Code == http.StatusNotFound && want.Code == http.StatusNotFound {
				continue // the message has the path
			}
			if got.Code != want.Code || got.Body.String() != want.Body.String() {
				t.Errorf("%s: %d %s, want as %s: %d %s", path, got.Code, got.Body, tt.path, want.Code, want.Body)
			}
		}
	}
}

// The text is the same in a stream and in one piece, and has as many tokens as usage says.
func TestStreamIsWhole(t *testing.T) {
	s := start(t, Config{Seed: 3})
	whole := post(s, "/v1/chat/completions", chatOf("hello")).Body.String()
	message := parse(t, whole)["choices"].([]any)[0].(map[string]any)["message"].(map[string]any)["content"].(string)
	stream := post(s, "/v1/chat/completions", strings.Replace(chatOf("hello"), "{", `{"stream":true,`, 1)).Body.String()
	var text strings.Builder
	n := 0
	for line := range strings.Lines(stream) {
		chunk, ok := strings.CutPrefix(strings.TrimSpace(line), "data: ")
		if !ok || chunk == "[DONE]" {
			continue
		}
		delta := parse(t, chunk)["choices"].([]any)[0].(map[string]any)["delta"].(map[string]any)
		if content, _ := delta["content"].(string); content != "" {
			text.WriteString(content)
			n++
		}
	}
	if text.String() != message || n != DefaultTokens {
		t.Errorf("stream of %d tokens %q, want %d: %q", n, text.String(), DefaultTokens, message)
	}
}

// Equal texts have equal embeddings whatever comes with them, base64 is the same numbers, and the length
// is 1.
func TestEmbeddings(t *testing.T) {
	s := start(t, Config{})
	get := func(input string) []any {
		v := parse(t, post(s, "/v1/embeddings", `{"model":"e","input":`+input+`}`).Body.String())
		var all []any
		for _, d := range v["data"].([]any) {
			all = append(all, d.(map[string]any)["embedding"])
		}
		return all
	}
	one, two := get(`"a"`), get(`["b","a"]`)
	if fmt.Sprint(one[0]) != fmt.Sprint(two[1]) || fmt.Sprint(one[0]) == fmt.Sprint(two[0]) {
		t.Error("the embedding of a text depends on something else")
	}
	if n := len(get(`[1,2,3]`)); n != 1 {
		t.Errorf("%d embeddings of a list of tokens, want 1", n)
	}
	square := 0.0
	for _, x := range one[0].([]any) {
		square += x.(float64) * x.(float64)
	}
	if n := len(one[0].([]any)); n != usualDimensions || square < 0.9999 || square > 1.0001 {
		t.Errorf("%d dimensions with length² %v", n, square)
	}
}

// Every agent loop ends: tools are called until there is a result, unless the request forbids it.
func TestToolChoice(t *testing.T) {
	tools := `"tools":[{"type":"function","function":{"name":"a"}},{"type":"function","function":{"name":"b"}}]`
	for choice, want := range map[string]string{
		`"auto"`: `"name":"a"`, `"required"`: `"name":"a"`, `"none"`: `"finish_reason":"stop"`,
		`{"type":"function","function":{"name":"b"}}`: `"name":"b"`,
	} {
		got := post(start(t, Config{}), "/v1/chat/completions", `{"model":"m","messages":[`+ask+`],`+tools+`,"tool_choice":`+choice+`}`)
		if !strings.Contains(got.Body.String(), want) {
			t.Errorf("tool_choice %s: %s, want %s", choice, got.Body, want)
		}
	}
}

func TestKey(t *testing.T) {
	s := start(t, Config{Key: "sesame"})
	for _, tt := range []struct {
		path, header, value string
		want                int
	}{
		{"/v1/chat/completions", "Authorization", "Bearer sesame", 200},
		{"/v1/chat/completions", "Authorization", "Bearer no", 401},
		{"/v1/messages", "X-Api-Key", "sesame", 200},
		{"/v1/messages", "X-Api-Key", "no", 401},
	} {
		w := post(s, tt.path, `{"model":"m","max_tokens":9,"messages":[`+ask+`]}`, tt.header, tt.value)
		if w.Code != tt.want {
			t.Errorf("%s with %s %q: %d, want %d", tt.path, tt.header, tt.value, w.Code, tt.want)
		}
	}
	if n := s.Stats().Errors["401"]; n != 2 {
		t.Errorf("%d errors 401 counted, want 2", n)
	}
}

func TestSample(t *testing.T) {
	for schema, want := range map[string]string{
		``: `{}`, `null`: `{}`, `{}`: `{}`, `true`: `null`,
		`{"type":"object","properties":{"a":{"type":["integer","null"],"minimum":3},"b":{}},"required":["a"]}`: `{"a":3}`,
		`{"$defs":{"x":{"type":"array","items":{"const":7},"minItems":2}},"$ref":"#/$defs/x"}`:                 `[7,7]`,
		`{"anyOf":[{"type":"null"},{"type":"string"}]}`:                                                        `null`,
		`{"enum":["x","y"]}`: `"x"`,
		`{"type":"string"}`:  `"mock"`,
		`{"$ref":"#"}`:       `null`, // refers to itself
		`{"type":"array","items":{"$ref":"elsewhere"}}`:    `[]`,
		`{"type":"object","required":["x",1]}`:             `{"x":null}`,
		`{"type":"array","minItems":1e9,"items":{"a":[1]}`: `{}`, // no JSON
	} {
		if got := sample([]byte(schema)); got != want {
			t.Errorf("sample(%s) = %s, want %s", schema, got, want)
		}
	}
	if n := len(sample([]byte(`{"type":"array","minItems":1e9,"items":{"type":"array","minItems":1e9,"items":{"$ref":"#"}}}`))); n > 20*maxSchema {
		t.Errorf("%d bytes for a schema that asks for too much", n)
	}
}

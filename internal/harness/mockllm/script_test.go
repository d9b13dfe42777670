package mockllm

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const script = `
latency:
  ttft: lognormal:p50=120ms,p99=400ms
  itl: 0.008
models:
  fast: {ttft: 10ms, itl: 2ms, tokens: "uniform:lower=2,upper=4"}
  slow: {ttft: 2s, prefill: 20us, dribble: "chunks=5,total=1s"}
replies:
- contains: weather
  route: chat
  tool: get_weather
  arguments: {city: Oslo, days: 2}
- on: [2]
  text: The second answer, in “words” of the script.
- text: Every other.
faults:
- kind: 429
  on: [1, 5]
  retry-after: 5ms
- {kind: stall, rate: 5%, times: 3, after: 2, for: 1s, model: slow}
- {kind: slow, speed: 1000}
limits:
- {requests: 60, tokens: 10000, burst: 10s}
- {requests: 5, model: slow}
prompt-cache: run:minimum=256
`

func TestReadScript(t *testing.T) {
	got, err := ReadScript("s.yaml", []byte(script), os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	if got.TTFT.String() != "lognormal:p50=120ms,p99=400ms" || got.ITL.value != 8e6 || got.Tokens.text != "" {
		t.Errorf("latency %v %v %v", got.TTFT, got.ITL, got.Tokens)
	}
	if fast := got.Models["fast"]; fast.TTFT.value != 1e7 || fast.Tokens.quantile == nil || got.Models["slow"].TTFT.value != 2e9 ||
		got.Models["slow"].Prefill.value != 2e4 || got.Models["slow"].Dribble != (Dribble{5, time.Second}) {
		t.Errorf("models %v", got.Models)
	}
	wantReplies := []Reply{
		{Select: Select{Contains: "weather", Route: "chat"}, Tool: "get_weather", Arguments: json.RawMessage(`{"city":"Oslo","days":2}`)},
		{Select: Select{On: []int{2}}, Text: "The second answer, in “words” of the script."},
		{Text: "Every other."},
	}
	if diff := cmp.Diff(wantReplies, got.Replies); diff != "" {
		t.Errorf("replies (-want +got):\n%s", diff)
	}
	wantFaults := []Fault{
		{Kind: "429", Select: Select{On: []int{1, 5}}, RetryAfter: 5 * time.Millisecond, Rate: 1, Times: 1, status: 429, faultKind: faultKind{after: true}},
		{Kind: "stall", Rate: 0.05, Times: 3, After: 2, For: time.Second, Select: Select{Model: "slow"}, RetryAfter: time.Millisecond, faultKind: faultKind{name: stall, after: true}},
		{Kind: "slow", Rate: 1, Times: 1, Speed: 1000, RetryAfter: time.Millisecond, faultKind: faultKind{name: slow, harmless: true}},
	}
	if diff := cmp.Diff(wantFaults, got.Faults, cmp.AllowUnexported(Fault{}, faultKind{})); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Limit{{Requests: 60, Tokens: 10000, Burst: 10 * time.Second}, {Requests: 5, Model: "slow"}}, got.Limits); diff != "" {
		t.Errorf("limits (-want +got):\n%s", diff)
	}
	if want := (PromptCache{Scope: cacheRun, Minimum: 256}); got.PromptCache != want {
		t.Errorf("prompt cache %v, want %v", got.PromptCache, want)
	}
}

// A script in JSON, an empty one, and one with comments alone.
func TestReadScriptForms(t *testing.T) {
	got, err := ReadScript("s.json", []byte(`{"replies":[{"text":"hi"}],"faults":[{"kind":"reset"}]}`), nil)
	if err != nil || len(got.Replies) != 1 || len(got.Faults) != 1 {
		t.Errorf("JSON: %+v, %v", got, err)
	}
	for _, empty := range []string{"", "\n", "# nothing\n", "\ufeff"} {
		if got, err := ReadScript("s.yaml", []byte(empty), nil); err != nil || got.Replies != nil {
			t.Errorf("%q: %+v, %v", empty, got, err)
		}
	}
}

// Scripts are told apart by what is in them and in the files that they name.
func TestScriptSum(t *testing.T) {
	sums := map[string]string{}
	for _, tt := range [][2]string{
		{"latency: {ttft: 1s}", ""}, {"latency: {ttft: 2s}", ""}, {"latency: {ttft: 'replay:file=f'}", "1s"}, {"latency: {ttft: 'replay:file=f'}", "2s"},
		{"latency: {ttft: 'replay:file=f', itl: 'replay:file=f'}", "1s\n#"},
	} {
		read := func(string) ([]byte, error) { return []byte(tt[1]), nil }
		s, err := ReadScript("s.yaml", []byte(tt[0]), read)
		if err != nil {
			t.Fatal(err)
		}
		if before, ok := sums[s.Sum]; ok || len(s.Sum) != 64 {
			t.Errorf("%q is %s, as %s", tt, s.Sum, before)
		}
		sums[s.Sum] = fmt.Sprint(tt)
		if again, err := ReadScript("t.yaml", []byte(tt[0]), read); err != nil || again.Sum != s.Sum {
			t.Errorf("%q by another name is %s, %v", tt, again.Sum, err)
		}
	}
}

func TestScriptErrors(t *testing.T) {
	for text, want := range map[string]string{
		"latncy: {}":                                  `s.yaml:1:1: unknown key "latncy"; did you mean "latency"?`,
		"latency:\n  ttfd: 1s":                        `s.yaml:2:3: unknown key "ttfd"; did you mean "ttft"?`,
		"replies:\n- text: x\n  rout: chat":           `s.yaml:3:3: unknown key "rout"; did you mean "route"?`,
		"faults:\n- kind: 429\n  on: soon":            `s.yaml:3:7: `,
		"latency: {}\nlatency: {}":                    `s.yaml:2:1: `,
		"replies: [":                                  `s.yaml:1:`,
		"latency:\n  ttft: -1s":                       `s.yaml:2: latency: ttft: "-1s" is negative`,
		"latency:\n  ttft: lognorm":                   `s.yaml:2: latency: ttft: "lognorm" is no distribution; did you mean "lognormal"?`,
		"models:\n  m: {tokens: many}":                `s.yaml:2: models: m: tokens: "many" is no distribution`,
		"replies:\n- {route: chat}":                   `s.yaml:2: replies: number 1: want either text or tool`,
		"replies:\n- {text: a}\n- {text: x, tool: y}": `s.yaml:3: replies: number 2: want either text or tool`,
		"replies:\n- {text: x, arguments: {}}":        `s.yaml:2: replies: number 1: arguments are those of a tool`,
		"replies:\n- {text: x, route: chats}":         `s.yaml:2: replies: number 1: route: "chats" is none; did you mean "chat"?`,
		"replies:\n- {text: x, on: [0]}":              `s.yaml:2: replies: number 1: on: calls are numbered from 1`,
		"models:\n\n  a.b: {ttft: -1s}":               `s.yaml:3: models: a.b: ttft: "-1s" is negative`,
		"faults:\n- {kind: 200}":                      `s.yaml:2: faults: number 1: "200" is no fault`,
		"faults:\n- {kind: 429, rate: 500%}":          `s.yaml:2: faults: number 1: rate: "500%": want`,
		"faults:\n- {kind: 429, times: -1}":           `s.yaml:2: faults: number 1: times: want at least 1`,
		"faults:\n- {kind: 429, after: -1}":           `s.yaml:2: faults: number 1: after: want`,
		"faults:\n- {kind: slow}":                     `s.yaml:2: faults: number 1: speed: say how many`,
		"models:\n  m: {dribble: 5}":                  `s.yaml:2: models: m: dribble: "5": want chunks=N`,
		"limits:\n- {model: m}":                       `s.yaml:2: limits: number 1: want requests or tokens a minute`,
		"limits:\n- {requests: 5, burst: x}":          `s.yaml:2: limits: number 1: burst: "x" is no delay`,
		"limits:\n- {request: 5}":                     `s.yaml:2:4: unknown key "request"; did you mean "requests"?`,
		"ignore:\n- a\n- '['":                         `s.yaml:3: ignore: number 2: "[" is no regular expression: error parsing regexp`,
		"latency: {}\nprompt-cache: always":           `s.yaml:2: prompt-cache: "always" is no scope of a prompt cache`,
		strings.Repeat("#", maxScript+1):              `s.yaml: larger than 1048576 bytes`,
	} {
		_, err := ReadScript("s.yaml", []byte(text), os.ReadFile)
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("ReadScript(%.60q) = %v, want %s", text, err, want)
		}
	}
}

// scriptKeys has the keys of the file's types, for suggestions.
func TestScriptKeys(t *testing.T) {
	for _, key := range scriptKeys {
		text := fmt.Sprintf("z%s: 1", key)
		if _, err := ReadScript("s.yaml", []byte(text), nil); err == nil || !strings.Contains(err.Error(), "did you mean \""+key) {
			t.Errorf("%s: %v, want that %s is suggested", text, err, key)
		}
	}
}

func TestReplies(t *testing.T) {
	file, err := ReadScript("s.yaml", []byte(script), os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, Config{Script: Script{Replies: file.Replies}})
	for i, tt := range []struct{ path, prompt, want string }{
		{"/v1/chat/completions", "the weather", `"name":"get_weather","arguments":"{\"city\":\"Oslo\",\"days\":2}"`},
		{"/v1/messages", "the weather", `"text":"The second answer, in “words” of the script."`},
		{"/v1/chat/completions", "something", `"content":"Every other."`},
		{"/v1/responses", "else", `"text":"Every other."`},
		{"/v1/chat/completions", "the weather", `"name":"get_weather"`},
	} {
		w := post(s, tt.path, fmt.Sprintf(`{"model":"m","max_tokens":100,"input":%q,"messages":[{"role":"user","content":%q}]}`, tt.prompt, tt.prompt))
		if !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("call %d: %s, want %s", i+1, w.Body, tt.want)
		}
	}
	// A script's text is cut off where the request wants no more, and has tokens of four bytes.
	w := post(s, "/v1/messages", `{"model":"m","max_tokens":2,"messages":[`+ask+`]}`)
	if got := w.Body.String(); !strings.Contains(got, `"text":"Every ot"`) || !strings.Contains(got, `"stop_reason":"max_tokens"`) || !strings.Contains(got, `"output_tokens":2`) {
		t.Errorf("cut off: %s", got)
	}
}

func TestWords(t *testing.T) {
	for i, word := range pieces(words) {
		if len(word) != bytesPerToken || word[bytesPerToken-1] != ' ' || len(strings.Fields(word)[0]) != bytesPerToken-1 {
			t.Errorf("word %d is %q, want three letters and a space", i, word)
		}
	}
}

func TestPieces(t *testing.T) {
	for text, want := range map[string][]string{
		"": nil, "a": {"a"}, "abcd": {"abcd"}, "abcde": {"abcd", "e"}, "abcé": {"abcé"}, "€€€": {"€€", "€"}, "\xff\x80\x80\x80\x80\x80x": {"\xff\x80\x80\x80\x80\x80", "x"},
	} {
		if diff := cmp.Diff(want, pieces(text)); diff != "" {
			t.Errorf("pieces(%q) (-want +got):\n%s", text, diff)
		}
	}
}

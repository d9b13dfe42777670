package mockllm

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// text is a text of so many tokens that begins with a word.
func text(word string, tokens int) string {
	return word + strings.Repeat(".", bytesPerToken*tokens-len(word))
}

// user is a message of so many tokens; marked ones are to be cached.
func user(word string, tokens int, marked bool) string {
	mark := ""
	if marked {
		mark = `,"cache_control":{"type":"ephemeral"}`
	}
	return fmt.Sprintf(`{"role":"user","content":[{"type":"text","text":%q%s}]}`, text(word, tokens), mark)
}

// tokensIn are the counts of a request's tokens in an answer's usage: all of them, those read from the cache and
// those written to it, as each vendor says it.
func tokensIn(t *testing.T, s *Server, run, path, messages string) [3]int {
	t.Helper()
	body := `{"model":"m","max_tokens":5,"input":[` + messages + `],"messages":[` + messages + `]}`
	usage := parse(t, post(s, run+path, body).Body.String())["usage"].(map[string]any)
	of := func(path ...string) int {
		v := any(usage)
		for _, key := range path {
			v = v.(map[string]any)[key]
		}
		return int(v.(float64))
	}
	switch path {
	case "/v1/messages":
		return [3]int{of("input_tokens"), of("cache_read_input_tokens"), of("cache_creation_input_tokens")}
	case "/v1/responses":
		return [3]int{of("input_tokens"), of("input_tokens_details", "cached_tokens"), 0}
	}
	return [3]int{of("prompt_tokens"), of("prompt_tokens_details", "cached_tokens"), 0}
}

// OpenAI's cache holds whole blocks of the prompts that were answered, from 1024 tokens, and counts them among the
// others.
func TestPromptCacheBlocks(t *testing.T) {
	for _, path := range []string{"/v1/chat/completions", "/v1/responses"} {
		s := start(t, Config{Script: Script{PromptCache: PromptCache{Scope: cacheShared}}})
		// A request has its messages twice, once for each of the two routes.
		for _, tt := range []struct {
			messages string
			want     [3]int
		}{
			{user("a", 500, false), [3]int{1000, 0, 0}}, // too short, now and later
			{user("a", 500, false), [3]int{1000, 0, 0}},
			{user("b", 520, false), [3]int{1040, 0, 0}},
			{user("b", 520, false), [3]int{1040, 1024, 0}},
			{user("b", 1000, false), [3]int{2000, 0, 0}}, // shares 520 tokens alone
			{user("c", 1300, false), [3]int{2600, 0, 0}},
			{user("c", 1300, false) + "," + user("d", 2, false), [3]int{2604, 1280, 0}},
		} {
			if got := tokensIn(t, s, "", path, tt.messages); got != tt.want {
				t.Errorf("%s %.60s: tokens, cached, written %v, want %v", path, tt.messages, got, tt.want)
			}
		}
	}
}

// Anthropic's cache holds what was marked, finds what was marked before, and tells read, written and other tokens
// apart.
func TestPromptCacheBreakpoints(t *testing.T) {
	s := start(t, Config{Script: Script{PromptCache: PromptCache{Scope: cacheShared, Minimum: 100}}})
	// A request has its messages twice, of which the second are behind the mark or have one of their own.
	messages := func(parts ...string) string { return strings.Join(parts, ",") }
	for _, tt := range []struct {
		messages string
		want     [3]int
	}{
		{messages(user("a", 200, false)), [3]int{200, 0, 0}}, // nothing is marked
		{messages(user("a", 200, false)), [3]int{200, 0, 0}},
		{messages(user("a", 50, true)), [3]int{50, 0, 0}}, // too short
		{messages(user("a", 200, true), user("b", 30, false)), [3]int{30, 0, 200}},
		{messages(user("a", 200, true), user("c", 40, false)), [3]int{40, 200, 0}},
		{messages(user("a", 200, false), user("c", 40, true), user("d", 7, false)), [3]int{7, 200, 40}},
		{messages(user("a", 200, false), user("c", 40, false), user("e", 60, true)), [3]int{0, 240, 60}},
		{messages(user("b", 200, true)), [3]int{0, 0, 200}},
	} {
		body := `{"model":"m","max_tokens":5,"messages":[` + tt.messages + `]}`
		usage := parse(t, post(s, "/v1/messages", body).Body.String())["usage"].(map[string]any)
		got := [3]int{int(usage["input_tokens"].(float64)), int(usage["cache_read_input_tokens"].(float64)), int(usage["cache_creation_input_tokens"].(float64))}
		if got != tt.want {
			t.Errorf("%.60s: other, read, written %v, want %v", tt.messages, got, tt.want)
		}
	}
	got := s.Stats()
	want := Counters{CachedTokens: 640, WrittenTokens: 500, InputTokens: 200 + 200 + 50 + 230 + 240 + 247 + 300 + 200}
	if got.CachedTokens != want.CachedTokens || got.WrittenTokens != want.WrittenTokens || got.InputTokens != want.InputTokens {
		t.Errorf("counted %d read, %d written of %d, want %d, %d of %d", got.CachedTokens, got.WrittenTokens, got.InputTokens, want.CachedTokens, want.WrittenTokens, want.InputTokens)
	}
}

// A run's cache is its own; what fails is not remembered; other models and tools are other prompts.
func TestPromptCacheScope(t *testing.T) {
	long := user("a", 600, false)
	for scope, want := range map[string][]int{cacheRun: {0, 1152, 0}, cacheShared: {0, 1152, 1152}, "": {0, 0, 0}} {
		s := start(t, Config{Script: Script{PromptCache: PromptCache{Scope: scope}}})
		var got []int
		for _, run := range []string{"/r/a", "/r/a", "/r/b"} {
			got = append(got, tokensIn(t, s, run, "/v1/chat/completions", long)[1])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("scope %q: cached tokens (-want +got):\n%s", scope, diff)
		}
	}
	failing := faults(t, "500:on=1")
	failing.PromptCache.Scope = cacheRun
	s := start(t, Config{Script: failing})
	post(s, "/v1/chat/completions", `{"model":"m","messages":[`+long+`,`+long+`]}`)
	for i, body := range []string{
		`{"model":"m","messages":[` + long + `,` + long + `]}`,
		`{"model":"n","messages":[` + long + `,` + long + `]}`,
		`{"model":"m","tools":[` + weatherTool + `],"tool_choice":"none","messages":[` + long + `,` + long + `]}`,
	} {
		if w := post(s, "/v1/chat/completions", body); !strings.Contains(w.Body.String(), `"cached_tokens":0`) {
			t.Errorf("call %d: %s, want nothing from the cache", i+1, w.Body)
		}
	}
}

// The first token comes later by each token of the request that must be read.
func TestPrefill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, Config{Script: Script{
			Model:       Model{TTFT: Fixed(10 * time.Millisecond), Prefill: Fixed(time.Millisecond), Tokens: Count(1)},
			Models:      map[string]Model{"slow": {Prefill: Fixed(time.Hour)}},
			PromptCache: PromptCache{Scope: cacheRun, Minimum: 128},
		}})
		for _, tt := range []struct {
			model  string
			tokens int
			want   time.Duration
		}{
			{"m", 5, 15 * time.Millisecond}, {"m", 300, 310 * time.Millisecond},
			{"m", 300, 54 * time.Millisecond}, {"m", 600, 610*time.Millisecond - 256*time.Millisecond},
			{"slow", 300, time.Hour + 10*time.Millisecond},
		} {
			begin := time.Now()
			w := &clocked{ResponseRecorder: httptest.NewRecorder(), start: begin}
			word := strings.Repeat("a", 4*min(tt.tokens, 300)) // a longer one begins as a shorter one
			s.ServeHTTP(w, httptest.NewRequest("POST", "/v1/chat/completions", strings.NewReader(
				fmt.Sprintf(`{"model":%q,"messages":[{"role":"user","content":%q}]}`, tt.model, text(word, tt.tokens)))))
			if got := time.Since(begin); got != tt.want {
				t.Errorf("%s, %d tokens: %v, want %v", tt.model, tt.tokens, got, tt.want)
			}
		}
	})
}

func TestParsePromptCache(t *testing.T) {
	for text, want := range map[string]PromptCache{
		"": {}, "off": {}, "run": {Scope: cacheRun}, "shared:minimum=64": {Scope: cacheShared, Minimum: 64},
	} {
		got, err := ParsePromptCache(text)
		if err != nil || got != want {
			t.Errorf("ParsePromptCache(%q) = %v, %v, want %v", text, got, err, want)
		}
		if again, err := ParsePromptCache(got.String()); err != nil || again != got {
			t.Errorf("%q is %q, which is read as %v, %v", text, got, again, err)
		}
	}
	for text, want := range map[string]string{
		"rnu": `"rnu" is no scope of a prompt cache; did you mean "run"?; want run, shared, off`, "run:64": `want SCOPE:minimum=TOKENS`,
		"run:minimum=0": `want SCOPE:minimum=TOKENS`, "off:minimum=9": `"off" is no scope`,
	} {
		if _, err := ParsePromptCache(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParsePromptCache(%q) = %v, want %s", text, err, want)
		}
	}
}

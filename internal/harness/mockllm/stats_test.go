package mockllm

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is counted: calls and attempts apart, tokens of what was answered, by route and model.
func TestCounters(t *testing.T) {
	s := start(t, Config{Script: faults(t, "429:on=1,route=chat")})
	received, sent := 0, 0
	post := func(s *Server, path, body string) {
		received += len(body)
		if w := post(s, path, body); w.Code == http.StatusOK {
			sent += w.Body.Len()
		}
	}
	for _, prompt := range []string{"ab", "ab", "cdef"} { // the first takes two attempts
		post(s, "/v1/chat/completions", chatOf(prompt))
	}
	post(s, "/v1/chat/completions", `{"model":"n","stream":true,"max_tokens":3,"messages":[`+ask+`]}`)
	post(s, "/v1/chat/completions", `{"model":"n","messages":[`+ask+`],"tools":[`+weatherTool+`]}`)
	post(s, "/v1/embeddings", `{"model":"e","input":["ab","cd","efgh"]}`)
	post(s, "/v1/messages", `{`)
	const inTool = (28 + len("["+weatherTool+"]") + 3) / 4 // the question and the definition
	want := Stats{
		Counters: Counters{Calls: 6, Attempts: 7, Streams: 1, ToolCalls: 1, InputTokens: 1 + 1 + 7 + inTool + 2, OutputTokens: 2*DefaultTokens + 3 + 4, Errors: map[string]int{"429": 1, "400": 1}},
		Depth:    6, // a retry waits for no other call
		Routes: []RouteStats{
			{"chat", "m", Counters{Calls: 2, Attempts: 3, InputTokens: 2, OutputTokens: 2 * DefaultTokens, Errors: map[string]int{"429": 1}}},
			{"chat", "n", Counters{Calls: 2, Attempts: 2, Streams: 1, ToolCalls: 1, InputTokens: 7 + inTool, OutputTokens: 3 + 4}},
			{"embeddings", "e", Counters{Calls: 1, Attempts: 1, InputTokens: 2}},
			{"messages", "", Counters{Calls: 1, Attempts: 1, Errors: map[string]int{"400": 1}}},
		},
	}
	got := s.RunStats("")
	if got.InputBytes != received || got.OutputBytes != sent {
		t.Errorf("counted %d bytes in and %d out, want %d and %d", got.InputBytes, got.OutputBytes, received, sent)
	}
	got.Busy, got.BusyTime, got.InputBytes, got.OutputBytes = nil, 0, 0, 0
	for i := range got.Routes {
		got.Routes[i].InputBytes, got.Routes[i].OutputBytes = 0, 0
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counters (-want +got):\n%s", diff)
	}
}

// Without the header of the official clients, the same question after a failure is a retry; with it, the
// header is right.
func TestRetries(t *testing.T) {
	for name, tt := range map[string]struct {
		headers []string // of one question, asked again and again
		fault   string
		want    Counters
	}{
		"no header":            {[]string{"", "", ""}, "500:on=1", Counters{Calls: 2, Attempts: 3}},
		"no header, no fault":  {[]string{"", ""}, "500:on=9", Counters{Calls: 2, Attempts: 2}},
		"header":               {[]string{"0", "1", "2", "0"}, "500:on=1,times=2", Counters{Calls: 2, Attempts: 4}},
		"a new call instead":   {[]string{"0", "0"}, "500:on=1", Counters{Calls: 2, Attempts: 2}},
		"gave up waiting":      {[]string{"0", "1"}, "500:on=9", Counters{Calls: 1, Attempts: 2}},
		"a retry out of place": {[]string{"2"}, "500:on=9", Counters{Calls: 1, Attempts: 1}},
		"not to be retried":    {[]string{"", ""}, "404:on=1", Counters{Calls: 2, Attempts: 2}},
		"no number":            {[]string{"x", "-1"}, "500:on=1", Counters{Calls: 1, Attempts: 2}},
	} {
		s := start(t, Config{Script: faults(t, tt.fault)})
		for _, h := range tt.headers {
			post(s, "/v1/chat/completions", chatOf("x"), "X-Stainless-Retry-Count", h)
		}
		if got := s.Stats(); got.Calls != tt.want.Calls || got.Attempts != tt.want.Attempts {
			t.Errorf("%s: %d calls in %d attempts, want %d in %d", name, got.Calls, got.Attempts, tt.want.Calls, tt.want.Attempts)
		}
	}
}

// A retry is answered as the call would have been, so that what follows is the same.
func TestRetryIsAnsweredAlike(t *testing.T) {
	body := `{"model":"n","messages":[` + ask + `],"tools":[` + weatherTool + `]}`
	calls := func(s *Server, attempts int) any {
		var w string
		for range attempts {
			w = post(s, "/v1/chat/completions", body).Body.String()
		}
		return parse(t, w)["choices"]
	}
	want := calls(start(t, Config{}), 1)
	if got := calls(start(t, Config{Script: faults(t, "500:on=1")}), 2); !cmp.Equal(want, got) {
		t.Errorf("after a fault: %v, want %v", got, want)
	}
	if got := calls(start(t, Config{}), 2); !cmp.Equal(want, got) {
		t.Errorf("the second time: %v, want %v", got, want)
	}
}

// Counts are exact whatever comes at once.
func TestConcurrentCounts(t *testing.T) {
	s := start(t, Config{Seed: 2, Script: faults(t, "429:on=3+5", "500:rate=20%")})
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			for j := range 10 {
				statuses(s, fmt.Sprint(i, j))
			}
		})
	}
	all.Wait()
	got := s.Stats()
	if got.Calls != 100 || got.Attempts-got.Calls != got.Errors["429"]+got.Errors["500"] || got.OutputTokens != 100*DefaultTokens {
		t.Errorf("counted %+v", got.Counters)
	}
	if spans := s.RunStats("").Busy; len(spans) == 0 || s.runs[""].active != 0 {
		t.Errorf("%d spans, %d calls in flight", len(spans), s.runs[""].active)
	}
}

// Who watches can read, reset and ask whether it is there; what it asks is not counted.
func TestControl(t *testing.T) {
	s := start(t, Config{})
	for _, path := range []string{"/v1/chat/completions", "/r/a/v1/chat/completions", "/r/b/v1/chat/completions"} {
		post(s, path, chatOf("x"))
	}
	for _, tt := range []struct {
		method, path string
		status       int
		calls        float64
	}{
		{"GET", "/perfgate/stats", 200, 3},
		{"GET", "/r/a/perfgate/stats", 200, 1},
		{"GET", "/r/c/perfgate/stats", 200, 0},
		{"GET", "/r/a/perfgate/reset", 405, -1},
		{"POST", "/r/a/perfgate/reset", 200, -1},
		{"GET", "/r/a/perfgate/stats", 200, 0},
		{"GET", "/r/b/perfgate/stats", 200, 1},
		{"GET", "/perfgate/stats", 200, 3},
		{"POST", "/perfgate/reset", 200, -1},
		{"GET", "/perfgate/stats", 200, 0},
		{"GET", "/perfgate/healthz", 200, -1},
		{"GET", "/perfgate/stat", 404, -1},
	} {
		w := do(s, tt.method, tt.path, "")
		if w.Code != tt.status {
			t.Errorf("%s %s: %d, want %d", tt.method, tt.path, w.Code, tt.status)
		}
		if calls, ok := parse(t, w.Body.String())["calls"]; ok != (tt.calls >= 0) || ok && calls != tt.calls {
			t.Errorf("%s %s: calls %v, want %v", tt.method, tt.path, calls, tt.calls)
		}
	}
}

func TestRefused(t *testing.T) {
	s := start(t, Config{})
	if w := do(s, "GET", "/v1/chat/completions", ""); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", w.Code)
	}
	if w := do(s, "POST", "/v1/nothing", "{}", "Anthropic-Version", "2023-06-01"); !strings.Contains(w.Body.String(), `"type":"not_found_error"`) {
		t.Errorf("an Anthropic client was told %s", w.Body)
	}
	if w := post(s, "/v1/chat/completions", `{"model":"m","messages":[],"x":"`+strings.Repeat("x", maxBody)+`"}`); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a large body: %d", w.Code)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []Config{
		{Script: Script{Faults: []Fault{{Kind: "soon"}}}},
		{Script: Script{Replies: []Reply{{Select: Select{Route: "x"}}}}},
		{Script: Script{Limits: []Limit{{Requests: -1}}}},
		{Script: Script{PromptCache: PromptCache{Minimum: 5}}},
	} {
		if s, err := New(c); err == nil {
			t.Errorf("New(%+v) = %v, want an error", c, s)
		}
	}
}

// A server of its own pacer can be closed, again and again.
func TestClose(t *testing.T) {
	s, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	}
}

func TestEnviron(t *testing.T) {
	want := []string{
		"OPENAI_BASE_URL=http://h:1/r/x/v1", "OPENAI_API_KEY=perfgate",
		"ANTHROPIC_BASE_URL=http://h:1/r/x", "ANTHROPIC_API_KEY=perfgate", "PERFGATE_MOCK_URL=http://h:1/r/x",
	}
	if diff := cmp.Diff(want, Environ("http://h:1", "x", "")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := Environ("http://h:1", "", "k"); got[0] != "OPENAI_BASE_URL=http://h:1/v1" || got[1] != "OPENAI_API_KEY=k" {
		t.Errorf("without a run, with a key: %v", got)
	}
}

// A plan is reproducible, keeps to the configuration and is no call.
func TestDryRun(t *testing.T) {
	s := start(t, Config{Seed: 4, Script: Script{Model: Model{TTFT: delay(t, "exponential:mean=50ms"), ITL: delay(t, "2ms"), Tokens: Count(3)}}})
	plan := s.DryRun("m", 100)
	if len(plan) != 100 || plan[0] == plan[1] || plan[7].Total != plan[7].TTFT+4e6 || plan[7].Tokens != 3 {
		t.Errorf("planned %+v", plan[:8])
	}
	if !cmp.Equal(plan, s.DryRun("m", 100)) || s.Stats().Attempts != 0 {
		t.Error("a dry run is not reproducible, or is counted")
	}
	faulty := start(t, Config{Script: faults(t, "429:on=2")})
	if got := faulty.DryRun("m", 3); got[0].Fault != "" || got[1].Fault != "429" || got[2].Fault != "" {
		t.Errorf("faults %+v", got)
	}
}

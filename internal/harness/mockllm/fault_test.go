package mockllm

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseFault(t *testing.T) {
	got, err := ParseFault("reset:rate=5%,on=1+5+9,times=3,after=2,route=chat,model=m,contains=weather,retry-after=20ms")
	want := Fault{
		Kind: "reset", faultKind: faultKind{name: reset, after: true}, Rate: 0.05, Times: 3, After: 2, RetryAfter: 20 * time.Millisecond,
		Select: Select{Route: "chat", Model: "m", Contains: "weather", On: []int{1, 5, 9}},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(Fault{}, faultKind{})); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for text, want := range map[string]string{
		"":                   `"" is no fault; want a status`,
		"42":                 `"42" is no fault`,
		"600":                `"600" is no fault`,
		"stal":               `"stal" is no fault; did you mean "stall"?`,
		"429:":               `"": want KIND:KEY=VALUE`,
		"429:rate":           `"rate": want KIND:KEY=VALUE`,
		"429:on=1,on=2":      `"on=2": want KIND:KEY=VALUE,... with each key once`,
		"429:rte=5%":         `no fault has a parameter "rte"; did you mean "rate"?`,
		"429:rate=0":         `rate: "0": want more than 0%`,
		"429:rate=101%":      `want more than 0% and at most 100%`,
		"429:rate=NaN":       `want more than 0%`,
		"429:on=0":           `on: "0": want numbers of calls from 1`,
		"429:on=1+":          `want numbers of calls`,
		"429:times=-1":       `times: "-1": want a whole number from 1`,
		"429:after=x":        `after: "x": want`,
		"429:retry-after=-1": `retry-after: "-1s" is negative`,
		"429:for=1s":         `for: only a stall and a delay last`,
		"delay":              `for: say how late, as in delay:for=2s`,
		"slow":               `speed: say how many bytes a second`,
		"reset:speed=10":     `speed: only what is slow has one`,
		"slow:speed=0":       `speed: "0": want a whole number from 1`,
		"empty:after=3":      `after: empty is not after a number of tokens`,
		"429:route=chats":    `route: "chats" is none; did you mean "chat"?; there are chat, completions`,
	} {
		if _, err := ParseFault(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseFault(%q) = %v, want %s", text, err, want)
		}
	}
}

// statuses are those of so many calls of different content, each tried again until it succeeds.
func statuses(s *Server, prompts ...string) (all []int) {
	for _, p := range prompts {
		for retry := 0; ; retry++ {
			w := post(s, "/v1/chat/completions", chatOf(p), "X-Stainless-Retry-Count", string(rune('0'+retry)))
			all = append(all, w.Code)
			if w.Code == 200 || retry == 5 {
				break
			}
		}
	}
	return all
}

// A fault by number hits calls, not attempts: retries neither count nor are hit more often than asked.
func TestFaultByNumber(t *testing.T) {
	for text, want := range map[string][]int{
		"429:on=1+3":                    {429, 200, 200, 429, 200, 200},
		"500:on=2,times=2":              {200, 500, 500, 200, 200, 200},
		"503:on=1,contains=c":           {200, 200, 503, 200, 200},
		"529":                           {529, 200, 529, 200, 529, 200, 529, 200},
		"429:on=1,model=other":          {200, 200, 200, 200},
		"429:on=1,route=messages":       {200, 200, 200, 200},
		"404:on=4,route=chat":           {200, 200, 200, 404, 200},
		"429:on=1,model=m,contains=d":   {200, 200, 200, 429, 200},
		"408:rate=100%,contains=\"bc\"": {200, 200, 200, 200},
	} {
		if diff := cmp.Diff(want, statuses(start(t, Config{Script: faults(t, text)}), "a", "b", "c", "d")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

// Numbers are counted in each run for itself.
func TestFaultByRun(t *testing.T) {
	s := start(t, Config{Script: faults(t, "429:on=1")})
	for _, run := range []string{"/r/a", "/r/b", ""} {
		for i, want := range []int{429, 200} {
			if w := post(s, run+"/v1/chat/completions", chatOf("x")); w.Code != want {
				t.Errorf("run %q, attempt %d: %d, want %d", run, i+1, w.Code, want)
			}
		}
	}
}

// A fault by rate hits that share of calls, always the same ones, whatever order they come in.
func TestFaultByRate(t *testing.T) {
	s := start(t, Config{Seed: 1, Script: faults(t, "500:rate=10%")})
	var prompts []string
	for _, a := range strings.Fields(words) {
		for _, b := range strings.Fields(words)[:8] {
			prompts = append(prompts, a+b)
		}
	}
	hit := map[string]bool{}
	for _, p := range prompts {
		hit[p] = post(s, "/v1/chat/completions", chatOf(p)).Code == 500
	}
	n := s.Stats().Errors["500"]
	if share := float64(n) / float64(len(prompts)); share < 0.07 || share > 0.13 {
		t.Errorf("%d of %d calls hit, want about 10 %%", n, len(prompts))
	}
	s.Reset()
	for i := len(prompts) - 1; i >= 0; i-- {
		p := prompts[i]
		if got := post(s, "/v1/chat/completions", chatOf(p)).Code == 500; got != hit[p] {
			t.Errorf("%s hit: %v, want %v", p, got, hit[p])
		}
	}
}

// Injected errors look as the vendors' do, and ask for a wait of at least a millisecond.
func TestFaultErrors(t *testing.T) {
	for _, tt := range []struct{ path, fault, body, retryAfter string }{
		{"/v1/chat/completions", "429", `"type":"requests","param":null,"code":"rate_limit_exceeded"`, "1"},
		{"/v1/responses", "500:retry-after=20ms", `"type":"server_error"`, "20"},
		{"/v1/embeddings", "400", `"type":"invalid_request_error"`, ""},
		{"/v1/messages", "429", `{"type":"error","error":{"type":"rate_limit_error"`, "1"},
		{"/v1/messages", "529", `"type":"overloaded_error"`, "1"},
		{"/v1/messages", "500", `"type":"api_error"`, "1"},
		{"/v1/messages", "403", `"type":"permission_error"`, ""},
	} {
		s := start(t, Config{Script: faults(t, tt.fault)})
		w := post(s, tt.path, `{"model":"m","max_tokens":9,"input":"x","messages":[`+ask+`]}`)
		if h := w.Header().Get("Retry-After-Ms"); h != tt.retryAfter || !strings.Contains(w.Body.String(), tt.body) {
			t.Errorf("%s %s: retry-after-ms %q, body %s; want %q, %s", tt.path, tt.fault, h, w.Body, tt.retryAfter, tt.body)
		}
	}
	if w := do(start(t, Config{Script: faults(t, "503")}), "GET", "/v1/models", ""); w.Code != 503 {
		t.Errorf("models: %d, want 503", w.Code)
	}
	s := start(t, Config{Script: faults(t, "429")})
	if h := post(s, "/v1/chat/completions", chatOf("x")).Header(); h.Get("X-Ratelimit-Remaining-Requests") != "0" || h.Get("X-Request-Id") == "" {
		t.Errorf("headers of a 429: %v", h)
	}
}

// In a stream, after some tokens, each vendor's stream says what went wrong.
func TestFaultInStream(t *testing.T) {
	for path, want := range map[string]string{
		"/v1/chat/completions": "\ndata: {\"error\":{\"message\":",
		"/v1/completions":      "\ndata: {\"error\":{\"message\":",
		"/v1/responses":        "\nevent: error\ndata: {\"code\":\"server_error\",",
		"/v1/messages":         "\nevent: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",",
	} {
		s := start(t, Config{Script: faults(t, "500:after=3")})
		w := post(s, path, `{"model":"m","stream":true,"max_tokens":9,"input":"x","prompt":"x","messages":[`+ask+`]}`)
		if w.Code != 200 || !strings.Contains(w.Body.String(), want) || strings.Contains(w.Body.String(), "[DONE]") {
			t.Errorf("%s: %d %s, want %q and no more", path, w.Code, w.Body, want)
		}
		if got := s.Stats(); got.OutputTokens != 3 || got.Errors["500"] != 1 {
			t.Errorf("%s: counted %+v, want 3 tokens and an error", path, got.Counters)
		}
	}
}

// The error in a stream of responses has a number above all others.
func TestFaultInStreamNumber(t *testing.T) {
	s := start(t, Config{Script: faults(t, "500:after=1")})
	w := post(s, "/v1/responses", `{"model":"m","stream":true,"input":"x"}`)
	last := -1.0
	for line := range strings.Lines(w.Body.String()) {
		if body, ok := strings.CutPrefix(line, "data: "); ok {
			n := parse(t, body)["sequence_number"].(float64)
			if n <= last {
				t.Errorf("number %v after %v", n, last)
			}
			last = n
		}
	}
}

func TestTruncate(t *testing.T) {
	s := start(t, Config{Script: faults(t, "truncate:times=9")})
	whole, stream := chatOf("x"), strings.Replace(chatOf("x"), "{", `{"stream":true,`, 1)
	half := 0
	if w := post(s, "/v1/chat/completions", whole); w.Header().Get("Content-Length") == "" || strings.HasSuffix(w.Body.String(), "}") {
		t.Errorf("whole: %v %s, want less than it announces", w.Header(), w.Body)
	} else {
		half = w.Body.Len()
	}
	w := post(s, "/v1/chat/completions", stream)
	if n := strings.Count(w.Body.String(), "data: "); n != 1+DefaultTokens/2 || strings.Contains(w.Body.String(), "finish_reason\":\"") {
		t.Errorf("stream of %d events, want the role and half of the tokens:\n%s", n, w.Body)
	}
	if got := s.Stats(); got.Errors[truncate] != 2 || got.Calls != 1 || got.Attempts != 2 || got.OutputTokens != DefaultTokens/2 ||
		got.OutputBytes != half+w.Body.Len() {
		t.Errorf("counted %+v", got.Counters)
	}
}

// A stall says nothing for as long as it is told to, or as the client waits.
func TestStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, Config{Script: faults(t, "stall:on=1,for=3s", "stall:on=2,after=1,for=5s")})
		for i, want := range []time.Duration{3 * time.Second, 5 * time.Second} {
			begin := time.Now()
			w := post(s, "/v1/chat/completions", strings.Replace(chatOf(fmt.Sprint("call ", i)), "{", `{"stream":true,`, 1))
			if got := time.Since(begin); got != want || strings.Count(w.Body.String(), "data: ") != 2*i {
				t.Errorf("stall %d: %v and %s, want %v", i+1, got, w.Body, want)
			}
		}
		if got := s.Stats().Errors[stall]; got != 2 {
			t.Errorf("%d stalls counted, want 2", got)
		}
	})
}

// Over a real connection the client sees what the faults are named for.
func TestBrokenConnections(t *testing.T) {
	s := start(t, Config{Script: faults(t, "reset:on=1", "reset:on=2,after=1", "truncate:on=3", "truncate:on=4")})
	server := httptest.NewServer(s)
	defer server.Close()
	get := func(i int, stream string) (string, error) {
		body := strings.Replace(chatOf(fmt.Sprint("call ", i)), "{", `{"stream":`+stream+`,`, 1)
		resp, err := http.Post(server.URL+"/v1/chat/completions", "application/json", strings.NewReader(body))
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		data, err := io.ReadAll(resp.Body)
		return string(data), err
	}
	for i, tt := range []struct {
		stream string
		want   error
	}{{"false", syscall.ECONNRESET}, {"true", syscall.ECONNRESET}, {"false", io.ErrUnexpectedEOF}, {"true", nil}, {"true", nil}} {
		text, err := get(i, tt.stream)
		if tt.want == syscall.ECONNRESET && err != nil && strings.Contains(err.Error(), "forcibly closed") {
			err = tt.want // as Windows says it
		}
		if !errors.Is(err, tt.want) {
			t.Errorf("call %d: %q, %v, want %v", i+1, text, err, tt.want)
		}
		if whole := strings.HasSuffix(text, "[DONE]\n\n"); whole != (i == 4) {
			t.Errorf("call %d: %q", i+1, text)
		}
	}
	if diff := cmp.Diff(map[string]int{reset: 2, truncate: 2}, s.Stats().Errors); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
}

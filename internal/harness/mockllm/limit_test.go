package mockllm

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func limits(t testing.TB, texts ...string) Script {
	t.Helper()
	var s Script
	for _, text := range texts {
		l, err := ParseLimit(text)
		if err != nil {
			t.Fatal(err)
		}
		s.Limits = append(s.Limits, l)
	}
	return s
}

// A client that asks as fast as it may, and waits as it is told to, has as many requests a minute as the limit says,
// after those that may come at once. None that waited is refused again.
func TestLimitRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, Config{Script: limits(t, "requests=60,burst=5s")})
		var waits []string
		begin := time.Now()
		for len(waits) < 8 {
			w := post(s, "/v1/chat/completions", chatOf("x"))
			if w.Code == http.StatusOK {
				waits = append(waits, "")
				continue
			}
			h := w.Header()
			if w.Code != 429 || h.Get("Retry-After") != "1" || !strings.Contains(w.Body.String(), `"message":"Rate limit reached on requests per min: Limit 60, Requested 1","type":"requests","param":null,"code":"rate_limit_exceeded"`) {
				t.Fatalf("%d, %v, %s", w.Code, h, w.Body)
			}
			ms, err := strconv.Atoi(h.Get("Retry-After-Ms"))
			if err != nil || len(waits) > 0 && strings.HasSuffix(waits[len(waits)-1], "refused") {
				t.Fatalf("%v, after %v", h, waits)
			}
			waits = append(waits, h.Get("Retry-After-Ms")+" refused")
			time.Sleep(time.Duration(ms) * time.Millisecond)
		}
		want := []string{"", "", "", "", "", "1000 refused", "", "1000 refused"}
		if diff := cmp.Diff(want, waits); diff != "" || time.Since(begin) != 2*time.Second {
			t.Errorf("in %v (-want +got):\n%s", time.Since(begin), diff)
		}
		if got := s.Stats(); got.Limited != 2 || got.Errors["429"] != 2 || got.Attempts != 8 || got.Calls != 7 {
			t.Errorf("counted %+v, want two refused, of which one was tried again", got.Counters)
		}
	})
}

// Tokens are those of the request and of the answer; what never fits is not to be tried again.
func TestLimitTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		script := limits(t, "tokens=60")
		script.Tokens = Count(10)
		s := start(t, Config{Script: script})
		for i, tt := range []struct {
			tokens     int // of the request
			want       int
			retryAfter string
		}{{40, 200, ""}, {10, 429, "10000"}, {0, 200, ""}, {51, 429, ""}} {
			w := post(s, "/v1/chat/completions", chatOf(strings.Repeat("x", 4*tt.tokens)))
			if w.Code != tt.want || w.Header().Get("Retry-After-Ms") != tt.retryAfter || (w.Header().Get("X-Should-Retry") == "false") != (i == 3) {
				t.Errorf("call %d: %d, %v, %s, want %d and retry-after-ms %q", i+1, w.Code, w.Header(), w.Body, tt.want, tt.retryAfter)
			}
		}
		time.Sleep(10 * time.Second)
		if w := post(s, "/v1/chat/completions", chatOf("")); w.Code != 200 {
			t.Errorf("ten seconds later: %d %s", w.Code, w.Body)
		}
	})
}

// A wait that is no whole number of milliseconds is rounded up, so that it is long enough; what is refused uses
// nothing up.
func TestLimitWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, Config{Script: limits(t, "requests=7000,burst=1ms", "tokens=6000")})
		for i, want := range []struct {
			code         int
			wait, tokens string
		}{{200, "", "5967"}, {429, "9", "5967"}, {200, "", "5934"}} {
			w := post(s, "/v1/chat/completions", chatOf("x"))
			if h := w.Header(); w.Code != want.code || h.Get("Retry-After-Ms") != want.wait || h.Get("X-Ratelimit-Remaining-Tokens") != want.tokens {
				t.Errorf("call %d: %d, %v, want %v", i+1, w.Code, h, want)
			}
			if i == 1 {
				time.Sleep(9 * time.Millisecond)
			}
		}
	})
}

// Keys, and models where the limit names none, have limits of their own; all that fit must be kept; runs share
// them, and a reset makes all of them whole.
func TestLimitScope(t *testing.T) {
	s := start(t, Config{Script: limits(t, "requests=2", "requests=1,model=m")})
	of := func(run, key, model string) int {
		return post(s, run+"/v1/chat/completions", strings.Replace(chatOf("x"), `"m"`, strconv.Quote(model), 1), "Authorization", "Bearer "+key).Code
	}
	var got []int
	for _, who := range [][3]string{
		{"", "a", "m"}, {"/r/b", "a", "m"}, {"", "a", "n"}, {"", "a", "n"}, {"", "a", "n"}, {"", "b", "m"}, {"", "b", "m"},
	} {
		got = append(got, of(who[0], who[1], who[2]))
	}
	if diff := cmp.Diff([]int{200, 429, 200, 200, 429, 200, 429}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s.Reset()
	if code := of("", "a", "m"); code != 200 {
		t.Errorf("after a reset: %d", code)
	}
	if w := do(s, "GET", "/v1/models", ""); w.Code != 200 {
		t.Errorf("models are limited: %d", w.Code)
	}
}

// The headers of both vendors say what is left.
func TestLimitHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		script := limits(t, "requests=60,tokens=6000", "requests=5")
		script.Tokens = Count(10)
		for path, want := range map[string]http.Header{
			"/v1/chat/completions": {
				"X-Ratelimit-Limit-Requests": {"60"}, "X-Ratelimit-Remaining-Requests": {"59"}, "X-Ratelimit-Reset-Requests": {"1s"},
				"X-Ratelimit-Limit-Tokens": {"6000"}, "X-Ratelimit-Remaining-Tokens": {"5983"}, "X-Ratelimit-Reset-Tokens": {"170ms"},
			},
			"/v1/messages": {
				"Anthropic-Ratelimit-Requests-Limit": {"60"}, "Anthropic-Ratelimit-Requests-Remaining": {"59"}, "Anthropic-Ratelimit-Requests-Reset": {"2000-01-01T00:00:01Z"},
				"Anthropic-Ratelimit-Tokens-Limit": {"6000"}, "Anthropic-Ratelimit-Tokens-Remaining": {"5983"}, "Anthropic-Ratelimit-Tokens-Reset": {"2000-01-01T00:00:00Z"},
			},
		} {
			s := start(t, Config{Script: script})
			h := post(s, path, `{"model":"m","max_tokens":100,"messages":[`+ask+`]}`).Header()
			for name := range want {
				if got := h.Get(name); got != want.Get(name) {
					t.Errorf("%s: %s is %q, want %q", path, name, got, want.Get(name))
				}
			}
		}
	})
}

func TestParseLimit(t *testing.T) {
	got, err := ParseLimit("requests=60, tokens=10000,model=gpt-mock,burst=1s")
	if want := (Limit{Model: "gpt-mock", Requests: 60, Tokens: 10000, Burst: time.Second}); err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	for text, want := range map[string]string{
		"":                        `"": want KEY=VALUE`,
		"60":                      `"60": want KEY=VALUE`,
		"requests=1,requests=2":   `"requests=2": want KEY=VALUE,... with each key once`,
		"request=1":               `no limit has a parameter "request"; did you mean "requests"?; there are requests, tokens, burst, model`,
		"requests=0":              `requests: "0": want a whole number from 1`,
		"tokens=x":                `tokens: "x": want`,
		"model=m":                 `want requests or tokens a minute`,
		"requests=1,burst=-1s":    `burst: "-1s" is negative`,
		"requests=1,burst=a year": `burst: "a year" is no delay`,
	} {
		if _, err := ParseLimit(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseLimit(%q) = %v, want %s", text, err, want)
		}
	}
}

package mockllm

import (
	"encoding/json"
	"strings"
	"testing"
)

// FuzzRequest: no body makes a route panic; whatever is answered is JSON or a stream, and is counted once.
func FuzzRequest(f *testing.F) {
	for _, tt := range requests {
		f.Add(tt.path, tt.body)
	}
	f.Add("/r//v1/chat/completions", `{"model":"m","messages":[null,{"content":[[]]}],"tools":[{}],"tool_choice":7}`)
	f.Add("/v1/embeddings", `{"model":"m","input":[[],null,"x"],"dimensions":1}`)
	f.Add("/v1/responses", `{"model":"m","input":{},"tools":[{"type":"function","name":"f","parameters":{"$ref":"#/a//b"}}]}`)
	f.Fuzz(func(t *testing.T, path, body string) {
		if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "?# %") || strings.IndexFunc(path, func(r rune) bool { return r < ' ' || r > '~' }) >= 0 {
			t.Skip("no path")
		}
		s := start(t, Config{Script: Script{Model: Model{Tokens: Count(3)}}})
		w := post(s, path, body)
		stream := strings.HasPrefix(w.Header().Get("Content-Type"), "text/event-stream")
		if !stream && !json.Valid(w.Body.Bytes()) {
			t.Errorf("answer %q is no JSON", w.Body)
		}
		if w.Code >= 500 {
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
		if got := s.Stats(); got.Attempts > 1 || got.Attempts != got.Calls || s.total.active != 0 {
			t.Errorf("counted %+v, %d in flight", got, s.total.active)
		}
	})
}

// FuzzScript: no script makes the reader panic, every error names the file, and what is accepted makes a
// server.
func FuzzScript(f *testing.F) {
	f.Add(script)
	for _, seed := range []string{"", "latency: {ttft: 1}", "a: [", "replies: [{text: x, on: [1]}]", "models: {m: }", "? a\n: b", "&a [*a]", "- 1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Count(text, "[")+strings.Count(text, "{") > 100 {
			t.Skip("the YAML parser takes long for many open brackets")
		}
		s, err := ReadScript("s.yaml", []byte(text), testdata)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "s.yaml:") {
				t.Errorf("no file in error %v", err)
			}
			return
		}
		start(t, Config{Script: *s})
	})
}

// FuzzDist: what is accepted draws within its bounds, and what a larger number draws is not less but of mixtures.
func FuzzDist(f *testing.F) {
	for _, seed := range append(Distributions(), "1", "2ms", "lognormal:p50=1ms,p99=9ms", "uniform:lower=1,upper=2,max=1.5", "normal:mean=1h,std=1h", "replay:file=testdata/recorded.txt", "exponential:mean=0",
		"gamma:mean=1s,shape=0.01", "gamma:mean=1h,shape=1e6", "empirical:p0=1,p50=2,p100=3", "mixture:95%=1ms|5%=gamma:mean=1s,shape=2", "mixture:0.5=1|0.5=mixture:1=1") {
		f.Add(seed, uint64(7))
	}
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		d, err := ParseDelay(text, testdata)
		if err != nil {
			return
		}
		from := newDraws(seed).stream("x")
		if v := d.delay(from, 0); v < 0 || v > maxDelay {
			t.Errorf("%s draws %v", text, v)
		}
		if d.quantile != nil && !strings.Contains(text, mixture) && !(d.quantile(0) <= d.quantile(0.5) && d.quantile(0.5) <= d.quantile(1-1.0/(1<<53))) {
			t.Errorf("%s: quantiles fall", text)
		}
	})
}

// FuzzFault: what is accepted makes a server.
func FuzzFault(f *testing.F) {
	for _, seed := range []string{"429:rate=5%", "reset:on=1+5+9,route=chat,after=3", "stall:for=1s", "truncate", "500:", "slow:speed=9", "delay:for=1s,times=2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if fault, err := ParseFault(text); err == nil {
			start(t, Config{Script: Script{Faults: []Fault{fault}}})
		}
	})
}

// FuzzLimit: what is accepted makes a server that answers or refuses, and says the truth about when to come back.
func FuzzLimit(f *testing.F) {
	for _, seed := range []string{"requests=60", "tokens=9,burst=1s", "requests=1000000,tokens=1,model=m", "requests=1,burst=1h"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := ParseLimit(text)
		if err != nil {
			return
		}
		s := start(t, Config{Script: Script{Limits: []Limit{l}}})
		for range 3 {
			w := post(s, "/v1/chat/completions", chatOf("x"))
			if again := w.Header().Get("Retry-After-Ms") != "" || w.Header().Get("X-Should-Retry") == "false"; w.Code != 200 && w.Code != 429 || again != (w.Code == 429) {
				t.Errorf("%s: %d %v", text, w.Code, w.Header())
			}
		}
	})
}

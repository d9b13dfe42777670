package mockllm

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// frames are the events of a stream, without their names.
func frames(body string) (all []string) {
	for frame := range strings.SplitSeq(strings.TrimSuffix(body, "\n\n"), "\n\n") {
		_, data, _ := strings.Cut("\n"+frame, "\ndata: ")
		all = append(all, data)
	}
	return all
}

// broken are the numbers of frames that are no JSON, but for the last of OpenAI's.
func broken(all []string) (at []int) {
	for i, f := range all {
		if !json.Valid([]byte(f)) && f != "[DONE]" {
			at = append(at, i)
		}
	}
	return at
}

const streamed = `{"model":"m","stream":true,"max_tokens":5,"input":"x","prompt":"x","messages":[` + ask + `]}`

// A frame of half of its JSON stands where it was asked for, and nothing else is wrong.
func TestMalformed(t *testing.T) {
	for path, opening := range map[string]int{"/v1/chat/completions": 1, "/v1/completions": 0, "/v1/responses": 4, "/v1/messages": 3} {
		script := faults(t, "malformed:on=1,after=2", "malformed:on=2,after=99")
		script.Tokens = Count(5)
		s := start(t, Config{Script: script})
		whole := post(start(t, Config{Script: Script{Model: script.Model}}), path, streamed)
		for i, want := range [][]int{{opening + 2}, nil} {
			w := post(s, path, strings.Replace(streamed, `{`, fmt.Sprintf(`{"question":%d,`, i), 1))
			if diff := cmp.Diff(want, broken(frames(w.Body.String()))); diff != "" || w.Code != 200 || len(frames(w.Body.String())) != len(frames(whole.Body.String())) {
				t.Errorf("%s, call %d: broken frames (-want +got):\n%s%s", path, i+1, diff, w.Body)
			}
		}
		if got := s.Stats(); got.Errors[malformed] != 1 || got.OutputTokens != 10 {
			t.Errorf("%s: counted %+v", path, got.Counters)
		}
	}
	s := start(t, Config{Script: faults(t, "malformed")})
	w := post(s, "/v1/chat/completions", chatOf("x"))
	if w.Code != 200 || json.Valid(w.Body.Bytes()) || w.Header().Get("Content-Length") == "" || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("whole: %d %v %s", w.Code, w.Header(), w.Body)
	}
	if got := s.Stats(); got.Errors[malformed] != 1 {
		t.Errorf("whole: counted %+v", got.Counters)
	}
}

// A page of HTML and an empty body come in place of the answer, in its time.
func TestReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for kind, want := range map[string]string{"mistyped": "text/html", "empty": "application/json"} {
			script := faults(t, kind)
			script.TTFT = Fixed(time.Second)
			s := start(t, Config{Script: script})
			for _, body := range []string{streamed, chatOf("x")} {
				begin := time.Now()
				w := post(s, "/v1/chat/completions", body)
				if w.Code != 200 || w.Header().Get("Content-Type") != want || strings.HasPrefix(w.Body.String(), "<html>") != (kind == mistyped) || time.Since(begin) != time.Second {
					t.Errorf("%s: %d %v %s", kind, w.Code, w.Header(), w.Body)
				}
				if w := post(s, "/v1/chat/completions", body); !strings.Contains(w.Body.String(), `"finish_reason":"`) {
					t.Errorf("%s: the second attempt is answered %s", kind, w.Body)
				}
			}
			if got := s.Stats(); got.Errors[kind] != 2 || got.Attempts != 4 || got.Calls != 2 {
				t.Errorf("%s: counted %+v", kind, got.Counters)
			}
		}
	})
}

// A stream without an end looks whole to who reads bytes; other calls are not selected.
func TestUnended(t *testing.T) {
	for path, last := range map[string]string{"/v1/chat/completions": "[DONE]", "/v1/completions": "[DONE]", "/v1/responses": "response.completed", "/v1/messages": "message_stop"} {
		s := start(t, Config{Script: faults(t, "unended:on=1")})
		if w := post(s, path, strings.Replace(streamed, "true", "false", 1)); w.Code != 200 || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s: whole: %s", path, w.Body)
		}
		w := post(s, path, streamed)
		if w.Code != 200 || strings.Contains(w.Body.String(), last) || broken(frames(w.Body.String())) != nil {
			t.Errorf("%s: %s", path, w.Body)
		}
		if w := post(s, path, streamed); !strings.Contains(w.Body.String(), last) {
			t.Errorf("%s: the second attempt ends %s", path, w.Body)
		}
		if got := s.Stats(); got.Errors[unended] != 1 {
			t.Errorf("%s: counted %+v", path, got.Counters)
		}
	}
}

// What is harmless is an answer: frames that come twice, and comments between them.
func TestHarmless(t *testing.T) {
	whole := frames(post(start(t, Config{}), "/v1/chat/completions", streamed).Body.String())
	for kind, want := range map[string][]string{
		"duplicate:after=3": append(append(append([]string{}, whole[:5]...), whole[4]), whole[5:]...),
		"blank:after=3":     append(append(append([]string{}, whole[:4]...), ""), whole[4:]...), // a comment has no data
	} {
		s := start(t, Config{Script: faults(t, kind)})
		w := post(s, "/v1/chat/completions", streamed)
		if diff := cmp.Diff(want, frames(w.Body.String())); diff != "" {
			t.Errorf("%s: frames (-want +got):\n%s", kind, diff)
		}
		if got := s.Stats(); got.Errors != nil || got.OutputTokens != 5 {
			t.Errorf("%s: counted %+v", kind, got.Counters)
		}
	}
}

// A delay makes an answer late as planned, streaming or not.
func TestDelayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		script := faults(t, "delay:on=1,for=3s")
		script.TTFT, script.ITL, script.Tokens = Fixed(10*time.Millisecond), Fixed(time.Millisecond), Count(5)
		for _, body := range []string{streamed, chatOf("x")} {
			s := start(t, Config{Script: script})
			for _, want := range []time.Duration{3014 * time.Millisecond, 14 * time.Millisecond} {
				begin := time.Now()
				if w := post(s, "/v1/chat/completions", body); w.Code != 200 || time.Since(begin) != want {
					t.Errorf("%.40s: %d after %v, want %v", body, w.Code, time.Since(begin), want)
				}
			}
			if got := s.Stats(); got.Calls != 2 || got.Errors != nil || got.Planned != 3028*time.Millisecond {
				t.Errorf("counted %+v", got.Counters)
			}
		}
	})
}

// A slow body comes at its speed, and so does a stream whose tokens would come faster.
func TestSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, body := range []string{streamed, chatOf("x")} {
			s := start(t, Config{Script: faults(t, "slow:speed=1000")})
			w := &clocked{ResponseRecorder: httptest.NewRecorder(), start: time.Now()}
			s.ServeHTTP(w, httptest.NewRequest("POST", "/v1/chat/completions", strings.NewReader(body)))
			want := time.Duration(w.Body.Len()) * time.Millisecond
			took := time.Since(w.start)
			if took != want || len(w.flushed) < 5 {
				t.Errorf("%.40s: %d bytes in %v, flushed at %v, want %v", body, w.Body.Len(), took, w.flushed, want)
			}
			if got := s.Stats(); got.Errors != nil || got.Planned != want || got.OutputBytes != w.Body.Len() || got.Lateness.Max != 0 {
				t.Errorf("counted %+v", got)
			}
		}
	})
}

// A body that dribbles comes in equal parts, each in its time; streams have parts of their own.
func TestDribble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, Config{Script: Script{Model: Model{TTFT: Fixed(10 * time.Millisecond), Dribble: Dribble{4, time.Second}, Tokens: Count(1)}}})
		w := &clocked{ResponseRecorder: httptest.NewRecorder(), start: time.Now()}
		s.ServeHTTP(w, ask32(false))
		if diff := cmp.Diff([]time.Duration{260e6, 510e6, 760e6}, w.flushed); diff != "" || time.Since(w.start) != 1010*time.Millisecond || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s after %v, flushed (-want +got):\n%s", w.Body, time.Since(w.start), diff)
		}
		begin := time.Now()
		if post(s, "/v1/chat/completions", streamed); time.Since(begin) != 10*time.Millisecond {
			t.Errorf("a stream took %v", time.Since(begin))
		}
		if got := s.Stats(); got.Planned != 1020*time.Millisecond || got.Lateness.Max != 0 || got.OutputTokens != 2 {
			t.Errorf("counted %+v", got)
		}
	})
}

func TestParseDribble(t *testing.T) {
	var m Model
	if err := m.Set("dribble", "chunks=5, total=1s", nil); err != nil || m.Dribble != (Dribble{5, time.Second}) || m.Dribble.String() != "chunks=5,total=1s" {
		t.Errorf("%v, %v", m.Dribble, err)
	}
	for text, want := range map[string]string{
		"": `"": want chunks=N,total=DURATION`, "5": `want chunks=N`, "total=1s,chunks=5": `want chunks=N`, "chunks=0,total=1s": `chunks: "0": want a whole number from 1 to 10000`,
		"chunks=10001,total=1s": `from 1 to 10000`, "chunks=5,total=-1s": `total: "-1s" is negative`, "chunks=5,total=1s,x=1": `total: "1s,x=1" is no delay`,
	} {
		if err := m.Set("dribble", text, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("dribble %q: %v, want %s", text, err, want)
		}
	}
}

package mockllm

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// clocked notes when it was flushed, since the start, and can be slow to take what is written.
type clocked struct {
	*httptest.ResponseRecorder
	start   time.Time
	takes   time.Duration
	flushed []time.Duration
}

func (c *clocked) Write(p []byte) (int, error) {
	time.Sleep(c.takes)
	return c.ResponseRecorder.Write(p)
}

func (c *clocked) Flush() { c.flushed = append(c.flushed, time.Since(c.start)) }

func ask32(stream bool) *http.Request {
	return httptest.NewRequest(http.MethodPost, "/v1/chat/completions", strings.NewReader(
		fmt.Sprintf(`{"model":"m","stream":%v,"messages":[%s]}`, stream, ask)))
}

// A stream of 32 tokens, the first after 10 ms and the others 2 ms apart, ends after 72 ms: each token is
// due at a time of its own, so that what one is late the others are not.
func TestTimeline(t *testing.T) {
	for _, takes := range []time.Duration{0, 1500 * time.Microsecond} {
		synctest.Test(t, func(t *testing.T) {
			s := start(t, Config{Script: Script{Model: Model{TTFT: Fixed(10 * time.Millisecond), ITL: Fixed(2 * time.Millisecond)}}})
			w := &clocked{ResponseRecorder: httptest.NewRecorder(), start: time.Now(), takes: takes}
			s.ServeHTTP(w, ask32(true))
			var want []time.Duration
			for i := range 32 {
				want = append(want, time.Duration(10+2*i)*time.Millisecond+takes)
			}
			if diff := cmp.Diff(want, w.flushed); diff != "" {
				t.Errorf("flushes with writes of %v (-want +got):\n%s", takes, diff)
			}
		})
	}
}

// The golden freezes delays from the request to the wire: every gap, every attempt and every repetition of a
// question has a draw of its own.
func TestTimelineDrawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, Config{Seed: 1, Script: faults(t, "truncate:on=1,after=5")})
		s.config.Model = Model{TTFT: delay(t, "lognormal:p50=120ms,p99=400ms"), ITL: delay(t, "exponential:mean=8ms"), Tokens: Count(6)}
		var got strings.Builder
		seen := map[time.Duration]bool{}
		for _, what := range []string{"first attempt", "second attempt", "asked again"} {
			w := &clocked{ResponseRecorder: httptest.NewRecorder(), start: time.Now()}
			s.ServeHTTP(w, ask32(true))
			fmt.Fprintln(&got, what, w.flushed)
			last := time.Duration(0)
			for _, at := range w.flushed {
				if gap := at - last; seen[gap] {
					t.Errorf("%s: a gap of %v was drawn before", what, gap)
				} else {
					seen[gap] = true
				}
				last = at
			}
		}
		golden(t, "timeline", got.String())
	})
}

// In one piece it takes as long as in a stream; embeddings take as long as a first token, and what asks no
// model takes no time.
func TestTotal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, Config{Script: Script{
			Model:  Model{TTFT: Fixed(10 * time.Millisecond), ITL: Fixed(2 * time.Millisecond)},
			Models: map[string]Model{"slow": {TTFT: Fixed(time.Second), Tokens: Count(1)}},
		}})
		took := func(do func()) time.Duration {
			begin := time.Now()
			do()
			return time.Since(begin)
		}
		for what, tt := range map[string]struct {
			do   func()
			want time.Duration
		}{
			"stream":        {func() { s.ServeHTTP(httptest.NewRecorder(), ask32(true)) }, 72 * time.Millisecond},
			"whole":         {func() { s.ServeHTTP(httptest.NewRecorder(), ask32(false)) }, 72 * time.Millisecond},
			"embeddings":    {func() { post(s, "/embeddings", `{"model":"e","input":"x"}`) }, 10 * time.Millisecond},
			"a named model": {func() { post(s, "/responses", `{"model":"slow","input":"x"}`) }, time.Second},
			"models":        {func() { do(s, "GET", "/v1/models", "") }, 0},
			"counting":      {func() { post(s, "/v1/messages/count_tokens", chatOf("x")) }, 0},
			"an error":      {func() { post(s, "/v1/messages", `{"model":"m"}`) }, 0},
		} {
			if got := took(tt.do); got != tt.want {
				t.Errorf("%s took %v, want %v", what, got, tt.want)
			}
		}
	})
}

// A client that goes away is counted, and not answered.
func TestCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, Config{Script: Script{Model: Model{TTFT: Fixed(10 * time.Millisecond), ITL: Fixed(2 * time.Millisecond)}}})
		for _, stream := range []bool{false, true} {
			ctx, cancel := context.WithTimeout(t.Context(), 15*time.Millisecond)
			w := httptest.NewRecorder()
			serveBroken(s, w, ask32(stream).WithContext(ctx))
			cancel()
			if strings.Contains(w.Body.String(), "stop") {
				t.Errorf("answered %s", w.Body)
			}
		}
		got := s.Stats()
		if got.Errors[cancelled] != 2 || got.OutputTokens != 3 || got.InputTokens != 0 || got.Attempts != 2 {
			t.Errorf("counted %+v, want two cancelled, one after 3 tokens", got.Counters)
		}
		if busy := s.RunStats("").BusyTime; busy != 30*time.Millisecond {
			t.Errorf("busy for %v, want 30ms", busy)
		}
	})
}

// A closed upstream breaks off what it has not answered, so that nobody takes it for an answer.
func TestClosed(t *testing.T) {
	s, err := New(Config{Script: Script{Model: Model{TTFT: Fixed(time.Hour)}}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	defer server.Close()
	ended := make(chan error)
	go func() {
		resp, err := http.Post(server.URL+"/v1/chat/completions", "application/json", strings.NewReader(chatOf("x")))
		if err == nil {
			resp.Body.Close()
		}
		ended <- err
	}()
	for s.Stats().Attempts == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err == nil {
		t.Error("a call was answered that was not")
	}
}

// Overlapping calls of a run are one span, and runs have nothing to do with each other.
func TestBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, Config{Script: Script{Model: Model{TTFT: Fixed(10 * time.Millisecond)}}})
		begin := time.Now()
		var all sync.WaitGroup
		for run, starts := range map[string][]int{"a": {0, 5, 30}, "b": {7}} {
			for _, ms := range starts {
				all.Go(func() {
					time.Sleep(time.Duration(ms) * time.Millisecond)
					post(s, "/r/"+run+"/v1/chat/completions", chatOf("x"))
				})
			}
		}
		time.Sleep(32 * time.Millisecond)
		if got, want := s.RunStats("a").BusyTime, 17*time.Millisecond; got != want {
			t.Errorf("in flight: busy for %v, want %v", got, want)
		}
		all.Wait()
		spans := func(run string) (all [][2]int64) {
			for _, span := range s.RunStats(run).Busy {
				all = append(all, [2]int64{span.Start.Sub(begin).Milliseconds(), span.End.Sub(begin).Milliseconds()})
			}
			return all
		}
		if diff := cmp.Diff([][2]int64{{0, 15}, {30, 40}}, spans("a")); diff != "" {
			t.Errorf("spans of run a (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([][2]int64{{7, 17}}, spans("b")); diff != "" {
			t.Errorf("spans of run b (-want +got):\n%s", diff)
		}
		if a, b := s.RunStats("a").Depth, s.RunStats("b").Depth; a != 2 || b != 1 {
			t.Errorf("%d and %d calls one after the other, want 2 and 1", a, b)
		}
		if got := s.RunStats("c"); got.Calls != 0 || got.Busy != nil {
			t.Errorf("a run that has not come: %+v", got)
		}
		if got, want := s.Stats().BusyTime, 27*time.Millisecond; got != want {
			t.Errorf("all runs: busy for %v, want %v", got, want)
		}
	})
}

// How late answers are is counted: here the client's request is read slowly.
func TestLateness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, Config{Script: Script{Model: Model{TTFT: Fixed(10 * time.Millisecond)}}})
		for i := range 10 {
			r := ask32(false)
			r.Body = &slowBody{ReadCloser: r.Body, takes: time.Duration(i) * 2 * time.Millisecond}
			s.ServeHTTP(httptest.NewRecorder(), r)
		}
		// 10 ms are planned: bodies of 12, 14, 16 and 18 ms are late.
		got := s.Stats().Lateness
		within := func(d, want time.Duration) bool { return d >= want && d <= want+want/50 } // of the histogram
		if got.Answers != 10 || got.P50 != 0 || !within(got.P99, 8*time.Millisecond) || !within(got.Max, 8*time.Millisecond) {
			t.Errorf("lateness %+v, want 10 answers, p50 0, p99 and max 8ms", got)
		}
	})
}

// slowBody takes a while to be read.
type slowBody struct {
	io.ReadCloser
	takes time.Duration
}

func (s *slowBody) Read(p []byte) (int, error) {
	time.Sleep(s.takes)
	s.takes = 0
	return s.ReadCloser.Read(p)
}

//go:build unix

package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/harness/proc"
	"github.com/org/perfgate/internal/loopback"
)

// serverEnv makes this test binary a server that listens on the address in it.
const serverEnv = "PERFGATE_TEST_SERVER"

func TestMain(m *testing.M) {
	if addr := os.Getenv(serverEnv); addr != "" {
		os.Exit(testServer(addr))
	}
	os.Exit(m.Run())
}

// testServer has a child, is ready after its second health check, and says goodbye when it is asked to end.
func testServer(addr string) int {
	if addr, ok := strings.CutPrefix(addr, "bench "); ok {
		fmt.Fprintln(os.Stderr, http.ListenAndServe(addr, benchServer()))
		return 1
	}
	if addr == "broken" {
		fmt.Fprintln(os.Stderr, "no database")
		return 7
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	var checks atomic.Int32
	http.HandleFunc("/healthz", func(w http.ResponseWriter, r *http.Request) {
		if checks.Add(1) < 2 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	http.HandleFunc("/env", func(w http.ResponseWriter, r *http.Request) {
		if os.Getenv("SECRET_TOKEN") != "" || os.Getenv("OPENAI_BASE_URL") == "" {
			w.WriteHeader(http.StatusTeapot)
		}
	})
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return 1
	}
	go http.Serve(l, nil)
	<-ctx.Done()
	if os.Getenv("DEAF") != "" {
		time.Sleep(time.Minute)
	}
	os.WriteFile(os.Getenv("GOODBYE"), []byte("goodbye"), 0o666)
	return 0
}

// freePort is an address that nobody listens on.
func freePort(t testing.TB) string {
	addr, err := loopback.Free()
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

func self(t testing.TB) string {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return exe
}

// A request is filled in for every run, and its answer is sorted.
func TestHTTP(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		run, known := runOf(r.Header.Get("Traceparent"))
		mu.Lock()
		seen[fmt.Sprintf("%s %s %s %s %s %d %v", r.Method, r.URL, r.Header.Get("Accept"), r.Header.Get("X-N"), body, run, known)]++
		mu.Unlock()
		switch r.URL.Query().Get("q") {
		case "1":
			http.Error(w, "no", http.StatusTeapot)
		case "2":
			panic(http.ErrAbortHandler)
		case "3":
			time.Sleep(300 * time.Millisecond)
		case "4":
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		}
	}))
	defer server.Close()
	clock := realClock(t)
	h := HTTP{Clock: clock, InFlight: 2, Request: Request{URL: server.URL + "/ask?q={{.Run}}", Header: []string{"Accept: text/plain", "X-N: n{{.Run}}"}, Body: `{"n":{{.Run}}}`}}
	target, err := h.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	trace := mustRun(t, clock, Plan{Runs: 6, Concurrency: 2, Timeout: 200 * time.Millisecond}, target)
	if _, err := target.Close(); err != nil {
		t.Error(err)
	}
	var kinds []Kind
	for _, r := range trace.Records {
		kinds = append(kinds, r.Kind)
	}
	if diff := cmp.Diff([]Kind{OK, Status, Connection, Timeout, OK, OK}, kinds); diff != "" {
		t.Errorf("kinds (-want +got):\n%s\n%v", diff, trace.Failures())
	}
	for i := range 6 {
		if want := fmt.Sprintf("POST /ask?q=%d text/plain n%d {\"n\":%d} %d true", i, i, i, i); seen[want] != 1 {
			t.Errorf("%q was sent %d times: %v", want, seen[want], seen)
		}
	}
}

// Tokens are events with content, whichever API they are of; their times are those of their arrival.
func TestStreams(t *testing.T) {
	for _, tt := range []struct {
		name, events string
		tokens       int
	}{
		{"chat", `{"choices":[{"delta":{"role":"assistant","content":""}}]}|{"choices":[{"delta":{"content":"a"}}]}|{"choices":[{"delta":{"tool_calls":[{"index":0}]}}]}|{"choices":[{"delta":{},"finish_reason":"stop"}]}|{"choices":[],"usage":{}}|[DONE]`, 2},
		{"responses", `{"type":"response.created","response":{}}|{"type":"response.output_text.delta","delta":"a"}|{"type":"response.output_text.delta","delta":"b"}|{"type":"response.output_text.done","text":"ab"}|{"type":"response.completed"}`, 2},
		{"messages", `{"type":"message_start","message":{}}|{"type":"content_block_start","index":0}|{"type":"ping"}|{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}|{"type":"content_block_stop"}|{"type":"message_delta","delta":{"stop_reason":"end_turn"}}|{"type":"message_stop"}`, 1},
		{"of its own", `one|{"two":2}||three`, 3},
		{"nothing", ``, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onClocks(t, func(t *testing.T, c Clock) {
				c.Drive(func() {
					r, w := slowReader{c: c, every: time.Millisecond}, Record{}
					for e := range strings.SplitSeq(tt.events, "|") {
						r.lines = append(r.lines, "event: x\r\ndata: "+e+"\n\n")
					}
					began := c.Now()
					if err := readStream(&r, &w, func() int64 { return int64(c.Now().Sub(began)) }); err != nil {
						t.Fatal(err)
					}
					got := len(w.Gaps)
					if w.FirstToken != 0 {
						got++
					}
					if got != tt.tokens {
						t.Errorf("%d tokens, want %d", got, tt.tokens)
					}
				})
			})
		})
	}
	var r Record
	at := int64(0)
	err := readStream(strings.NewReader("data: a\n\ndata: b\n: comment\n\ndata: c"), &r, func() int64 { at += 10; return at })
	if diff := cmp.Diff(Record{FirstToken: 10, Gaps: []int64{20, 30}}, r); diff != "" || err != nil {
		t.Errorf("times (-want +got):\n%s%v", diff, err)
	}
	if err := readStream(strings.NewReader("data: "+strings.Repeat("x", 2<<20)), &r, func() int64 { return 1 }); err == nil {
		t.Error("a line of 2 MiB was read")
	}
}

// slowReader gives a line now and then.
type slowReader struct {
	c     Clock
	every time.Duration
	lines []string
}

func (s *slowReader) Read(p []byte) (int, error) {
	if len(s.lines) == 0 {
		return 0, io.EOF
	}
	sleep(context.Background(), s.c, s.every)
	n := copy(p, s.lines[0])
	s.lines = s.lines[1:]
	return n, nil
}

// The server under test is started, awaited, used, asked to end, and gone.
func TestServer(t *testing.T) {
	t.Parallel()
	addr, goodbye := freePort(t), filepath.Join(t.TempDir(), "goodbye")
	env := []string{serverEnv + "=" + addr, "GOODBYE=" + goodbye, "OPENAI_BASE_URL=x"}
	clock := realClock(t)
	s := Settings{
		Target: "http://" + addr + "/env", Health: "http://" + addr + "/healthz", Wait: 30 * time.Second, Args: []string{self(t)},
		Env: func(run *int) []string { return env }, Clock: clock,
	}
	trace, err := Sample(t.Context(), Plan{Runs: 3, Concurrency: 1}, s.Open, Options{Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	if trace.Count(OK) != 3 || trace.Usage.Startup <= 0 || trace.Usage.CPU <= 0 || trace.Usage.MaxRSS < 1<<20 {
		t.Errorf("%v, usage %+v", trace.Failures(), trace.Usage)
	}
	if _, err := os.Stat(goodbye); err != nil {
		t.Errorf("it was not asked to end: %v", err)
	}
	if conn, err := net.Dial("tcp", addr); err == nil {
		conn.Close()
		t.Error("somebody still listens")
	}
}

// Why there is nothing to measure is said, and nothing is left.
func TestServerNotReady(t *testing.T) {
	t.Parallel()
	clock := realClock(t)
	busy := httptest.NewServer(http.NotFoundHandler())
	defer busy.Close()
	for _, tt := range []struct {
		name, target, health, server, want string
		args                               []string
	}{
		{"ended", "http://" + freePort(t), "", "broken", "it ended before it was ready (exit status 7), and said: no database", []string{self(t)}},
		{"mute", "http://" + freePort(t), "", "127.0.0.1:0", "no answer within 100ms", []string{self(t)}},
		{"taken", busy.URL, "", "x", "listens on", []string{self(t)}},
		{"no such program", "http://" + freePort(t), "", "x", "no such program in PATH", []string{"nosuchprogram"}},
		{"nobody there", "http://" + freePort(t), "", "", "connection refused", nil},
		{"not well", busy.URL, busy.URL, "", "404 Not Found", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := Settings{
				Target: tt.target, Health: tt.health, Args: tt.args, Wait: 100 * time.Millisecond, Clock: clock,
				Env: func(*int) []string { return []string{"PATH=/bin", serverEnv + "=" + tt.server} },
			}
			if tt.name == "ended" {
				s.Wait = time.Minute
			}
			target, err := s.Open(t.Context())
			if err == nil || target != nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Open = %v, %v, want %q", target, err, tt.want)
			}
		})
	}
}

// A server that does not end when it is asked to is killed; one that ends by itself is an error.
func TestServerEnds(t *testing.T) {
	t.Parallel()
	start := func(deaf string) *running {
		addr := freePort(t)
		s := Server{Args: []string{self(t)}, Env: []string{serverEnv + "=" + addr, "GOODBYE=/dev/null", "DEAF=" + deaf}}
		r, err := s.start(t.Context(), probe{address: addr}, 30*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		r.grace = 50 * time.Millisecond
		return r
	}
	r := start("yes")
	if _, err := r.stop(); err != nil || r.exited.Failure != "signal: killed" {
		t.Errorf("stop = %v, it ended with %q", err, r.exited.Failure)
	}
	r = start("")
	r.child.Kill()
	<-r.ended
	if _, err := r.stop(); err == nil || !strings.Contains(err.Error(), "ended while it was measured") {
		t.Errorf("stop = %v", err)
	}
}

// Each run is a process with an environment of its own.
func TestCommand(t *testing.T) {
	t.Parallel()
	dir, clock := t.TempDir(), realClock(t)
	s := Settings{
		Target: "command", Args: []string{"sh", "-c", "echo $RUN >>runs; [ $RUN != 2 ] || { printf 'oh\\n\\033[31mno\\377' >&2; exit 3; }; [ $RUN != 3 ] || sleep 600"}, Dir: dir, Clock: clock,
		Env: func(run *int) []string { return []string{"PATH=" + os.Getenv("PATH"), fmt.Sprint("RUN=", *run)} },
	}
	trace, err := Sample(t.Context(), Plan{Runs: 4, Concurrency: 1, Warmup: 1, Timeout: 500 * time.Millisecond}, s.Open, Options{Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"timeout 1 (run 3: no end within its time)", "exit 1 (run 2: exit status 3: oh \uFFFD[31mno\uFFFD)"}
	if diff := cmp.Diff(want, trace.Failures()); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
	if got, _ := os.ReadFile(filepath.Join(dir, "runs")); string(got) != "-1\n0\n1\n2\n3\n" {
		t.Errorf("runs %q", got)
	}
	if trace.Records[0].CPU <= 0 {
		t.Errorf("CPU time %v", trace.Records[0].CPU)
	}
}

// The last lines are kept whole, as far as there is room: the end of a stack says what went wrong.
func TestLastWords(t *testing.T) {
	line := strings.Repeat("x", 99)
	for _, tt := range []struct{ stderr, stdout, want string }{
		{"", "", ""},
		{" \n", "all is well\n", "all is well"},
		{"first\n  second\nlast: why\n", "not this", "first   second last: why"},
		{"gone, and this is long as well: it does not fit\n" + line + "\n" + line + "\nlast: why\n", "", line + " " + line + " last: why"},
		{"gone\n" + strings.Repeat("y", mostLast-1) + "why\n", "", strings.Repeat("y", mostLast-1) + "w"},
	} {
		if got := lastWords(proc.Exited{Stderr: []byte(tt.stderr), Stdout: []byte(tt.stdout)}); got != tt.want {
			t.Errorf("lastWords(%q, %q) = %q, want %q", tt.stderr, tt.stdout, got, tt.want)
		}
	}
}

// What does not fit a target names the setting.
func TestBadTargets(t *testing.T) {
	real := &RealClock{}
	for _, tt := range []struct {
		field string
		s     Settings
	}{
		{"target", Settings{Target: "pipelin", Clock: real}},
		{"target", Settings{Target: "ftp://x", Clock: real}},
		{"target", Settings{Target: "http://", Clock: real}},
		{"target", Settings{Target: "http://%zz", Clock: real}},
		{"target", Settings{Target: "http://user:secret@x/", Clock: real}},
		{"target", Settings{Target: "http://x/{{.Nosuch}}", Clock: real}},
		{"target", Settings{Target: "command", Clock: real}},
		{"target", Settings{Target: "pipeline", Args: []string{"x"}, Clock: real}},
		{"clock", Settings{Target: "http://x", Clock: NewVirtualClock()}},
		{"header", Settings{Target: "http://x", Clock: real, Request: Request{Header: []string{"x"}}}},
		{"body", Settings{Target: "http://x", Clock: real, Request: Request{Body: "{{"}}},
		{"health", Settings{Target: "http://x", Clock: real, Health: "x"}},
		{"tasks", Settings{Target: "pipeline", Clock: real}},
	} {
		_, err := tt.s.Open(t.Context())
		if fe := (*FieldError)(nil); !errors.As(err, &fe) || fe.Field != tt.field {
			t.Errorf("%+v: %v, want an error of %s", tt.s, err, tt.field)
		}
	}
}

//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/harness/mockllm"
)

// A mock upstream serves until it is interrupted, and prints what it counted. That is its usual end.
func TestMockServes(t *testing.T) {
	journal := filepath.Join(t.TempDir(), "journal")
	if err := os.WriteFile(journal, []byte("{\"model\":\"before\"}\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("perfgate", "mock", "--json", "--require-key", "sesame", "--faults", "stall:contains=hang", "--journal", journal)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	lines := bufio.NewReader(stdout)
	var begun struct {
		URL string            `json:"url"`
		Env map[string]string `json:"env"`
	}
	decodeLine(t, lines, &begun)
	if !strings.HasPrefix(begun.URL, "http://127.0.0.1:") || begun.Env["OPENAI_BASE_URL"] != begun.URL+"/v1" || begun.Env["OPENAI_API_KEY"] != "sesame" {
		t.Errorf("told %+v", begun)
	}
	for key, want := range map[string]int{"sesame": http.StatusOK, "no": http.StatusUnauthorized} {
		if got, err := askMock(t.Context(), begun.Env["OPENAI_BASE_URL"], key, "hello"); got != want {
			t.Errorf("key %q: %d, %v, want %d", key, got, err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	hung := make(chan error)
	go func() { // is in flight when the upstream is stopped
		_, err := askMock(ctx, begun.Env["OPENAI_BASE_URL"], "sesame", "hang")
		hung <- err
	}()
	awaitMock(t, begun.URL+"/perfgate/stats", `"stall":1`)
	awaitMock(t, begun.URL+"/metrics", "perfgate_mock_errors_total{route=\"chat\",model=\"m\",kind=\"stall\"} 1\n")
	cancel()
	if err := <-hung; err == nil {
		t.Error("a call that is stalled was answered")
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	var ended struct {
		Stats struct {
			Calls, Attempts int
			Errors          map[string]int
		}
	}
	decodeLine(t, lines, &ended)
	if err := cmd.Wait(); err != nil {
		t.Errorf("ended with %v, want exit status 0\n%s", err, &stderr)
	}
	if s := ended.Stats; s.Calls != 3 || s.Attempts != 3 || s.Errors["401"] != 1 || s.Errors["stall"] != 1 {
		t.Errorf("counted %+v", s)
	}
	if _, err := net.Dial("tcp", strings.TrimPrefix(begun.URL, "http://")); err == nil {
		t.Error("it still listens")
	}
	text, err := os.ReadFile(journal)
	if err != nil {
		t.Fatal(err)
	}
	var models []string
	for line := range strings.Lines(string(text)) {
		var e mockllm.Entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		models = append(models, e.Model+" "+e.Outcome)
	}
	slices.Sort(models) // the two of keys came in any order
	if diff := cmp.Diff([]string{" 401", "before ", "m ", "m stall"}, models); diff != "" {
		t.Errorf("the journal (-want +got):\n%s", diff)
	}
}

// Names that clients chose are no more than values in the metrics.
func TestMockMetrics(t *testing.T) {
	server, err := mockllm.New(mockllm.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	h := withMetrics(server)
	ask := func(method, path, body string) string {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
		return w.Body.String()
	}
	ask("POST", "/v1/chat/completions", `{"model":"a\"} 1\nb\\","messages":[{"role":"user","content":"hi"}]}`)
	ask("GET", "/v1/models/%ff", "")
	ask("GET", "/v1/models/%ff", "")
	got := ask("GET", "/metrics", "")
	for _, want := range []string{
		"perfgate_mock_calls_total{route=\"chat\",model=\"a\\\"} 1\\nb\\\\\"} 1\n", "perfgate_mock_output_tokens_total{route=\"chat\",model=\"a\\\"} 1\\nb\\\\\"} 32\n",
		"perfgate_mock_calls_total{route=\"models\",model=\"\ufffd\"} 2\n", "perfgate_mock_repeated_total{route=\"models\",model=\"\ufffd\"} 1\n", "perfgate_mock_lateness_seconds{quantile=\"0.99\"} ",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %sin\n%s", want, got)
		}
	}
	if strings.Contains(got, "\nb") || !utf8.ValidString(got) {
		t.Errorf("a name is more than a value:\n%s", got)
	}
}

func decodeLine(t *testing.T, r *bufio.Reader, into any) {
	t.Helper()
	line, err := r.ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(line, into); err != nil {
		t.Fatalf("%v in %s", err, line)
	}
}

// askMock returns the status of a chat.
func askMock(ctx context.Context, base, key, prompt string) (int, error) {
	body := fmt.Sprintf(`{"model":"m","messages":[{"role":"user","content":%q}]}`, prompt)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/chat/completions", strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Authorization", "Bearer "+key)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// awaitMock waits until a page has a text.
func awaitMock(t *testing.T, url, text string) {
	t.Helper()
	for {
		resp, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(body, []byte(text)) {
			return
		}
		if t.Context().Err() != nil {
			t.Fatalf("the counters never had %s: %s", text, body)
		}
	}
}

// A port that is taken is no usage error.
func TestMockPortTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	var out, errs bytes.Buffer
	if code := run([]string{"mock", "--addr", taken.Addr().String()}, nil, &out, &errs, nil); code != exitNoVerdict {
		t.Errorf("exit %d, want %d: %s", code, exitNoVerdict, &errs)
	}
	if !strings.Contains(errs.String(), "address already in use") || !strings.Contains(errs.String(), "port 0 for a free one") {
		t.Errorf("told %s", &errs)
	}
}

// Other machines must be asked for, and are warned of.
func TestMockAddresses(t *testing.T) {
	for addr, warned := range map[string]bool{":0": false, "127.0.0.1:0": false, "localhost:0": false, "0.0.0.0:0": true} {
		var errs bytes.Buffer
		a := &app{stderr: &errs}
		l, err := a.listen(t.Context(), addr)
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		if got := strings.Contains(errs.String(), "warning: the upstream can be reached from other machines"); got != warned {
			t.Errorf("%s: warned %v, want %v", addr, got, warned)
		}
	}
}

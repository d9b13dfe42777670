package mockllm

import (
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/harness/pace"
)

var update = flag.Bool("update", false, "rewrite goldens")

// start makes a server that waits by package time.
func start(t testing.TB, c Config) *Server {
	t.Helper()
	if c.Pacer == nil {
		c.Pacer = pace.Portable()
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// do sends a request past all connections. A handler that breaks the connection off makes the answer what
// was sent until then.
func do(s *Server, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	serveBroken(s, w, r)
	return w
}

// serveBroken serves a request whose answer may be broken off.
func serveBroken(s *Server, w http.ResponseWriter, r *http.Request) {
	defer func() {
		if p := recover(); p != nil && p != http.ErrAbortHandler {
			panic(p)
		}
	}()
	s.ServeHTTP(w, r)
}

func post(s *Server, path, body string, headers ...string) *httptest.ResponseRecorder {
	return do(s, http.MethodPost, path, body, headers...)
}

// chatOf is a request with a prompt.
func chatOf(prompt string) string {
	return `{"model":"m","messages":[{"role":"user","content":` + string(encode(prompt)) + `}]}`
}

func parse(t *testing.T, body string) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return v
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func delay(t testing.TB, text string) Dist {
	t.Helper()
	d, err := ParseDelay(text, os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func faults(t testing.TB, texts ...string) Script {
	t.Helper()
	var s Script
	for _, text := range texts {
		f, err := ParseFault(text)
		if err != nil {
			t.Fatal(err)
		}
		s.Faults = append(s.Faults, f)
	}
	return s
}

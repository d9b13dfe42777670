// Package sdktest runs the vendors' own clients against the mock upstream. It is a module of its own: the
// clients take two minutes to compile.
package sdktest

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/org/perfgate/internal/harness/mockllm"
)

// tokens is the length of all answers that are invented.
const tokens = 8

// upstream starts a mock upstream with those faults. The clients find it through the environment, as
// those of the programs that are measured.
func upstream(t *testing.T, faults ...string) *mockllm.Server {
	t.Helper()
	c := mockllm.Config{Seed: 1}
	c.Tokens = mockllm.Count(tokens)
	c.TTFT = mockllm.Fixed(2 * time.Millisecond)
	for _, text := range faults {
		f, err := mockllm.ParseFault(text)
		if err != nil {
			t.Fatal(err)
		}
		c.Faults = append(c.Faults, f)
	}
	s, err := mockllm.New(c)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		server.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, variable := range mockllm.Environ(server.URL, "sdk", "") {
		name, value, _ := strings.Cut(variable, "=")
		t.Setenv(name, value)
	}
	return s
}

// counted compares what the run has been counted.
func counted(t *testing.T, s *mockllm.Server, calls, attempts int) {
	t.Helper()
	got := s.RunStats("sdk")
	if got.Calls != calls || got.Attempts != attempts {
		t.Errorf("counted %d calls in %d attempts, want %d in %d", got.Calls, got.Attempts, calls, attempts)
	}
}

// mended are faults that the clients' own retries mend: with two retries a call may fail twice. The calls
// after the third succeed at once.
var mended = []string{"429:on=1", "500:on=2,times=2", "529:on=3"}

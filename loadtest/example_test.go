package loadtest_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/org/perfgate/loadtest"
)

// Answer stands for the code under test: it asks a model once.
func Answer(ctx context.Context, client *http.Client, baseURL, question string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, baseURL+"/chat/completions",
		strings.NewReader(`{"model": "gpt-mock", "messages": [{"role": "user", "content": "`+question+`"}]}`))
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

var plan = loadtest.Plan{Runs: 40, Concurrency: 4, Model: loadtest.Model{Latency: "2ms"}}

func answer(ctx context.Context, r *loadtest.Run) error {
	return Answer(ctx, r.Client, r.URL+"/v1", "How much is the fish?")
}

// perfgate check compares the latency, the overhead and the calls of this benchmark with those of base.
func BenchmarkAnswer(b *testing.B) {
	loadtest.Bench(b, plan, answer)
}

// In virtual time the numbers are exact: 40 runs by 4 workers are 10 after each other.
func TestAnswer(t *testing.T) {
	r := loadtest.Virtual(t, plan, answer)
	if r.Wall() != 20*time.Millisecond {
		t.Errorf("40 runs took %v, want 20ms", r.Wall())
	}
	if calls, _ := r.Metric("upstream-calls"); calls != 40 {
		t.Errorf("%v calls to the model in 40 runs", calls)
	}
}

package upstream

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/harness/load"
	"github.com/org/perfgate/internal/harness/mockllm"
)

// TestRoutes: what was asked is told by route and model, and by run where the requests say whose they are; a question
// that a run asks again is told apart.
func TestRoutes(t *testing.T) {
	ask := func(mock *mockllm.Server, trace, path, model, question string) {
		body := `{"model":"` + model + `","max_tokens":8,"messages":[{"role":"user","content":"` + question + `"}]}`
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
		r.Header.Set("Traceparent", trace)
		load.ByTrace(mock).ServeHTTP(httptest.NewRecorder(), r)
	}
	for _, known := range []bool{true, false} {
		mock, err := mockllm.New(mockllm.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer mock.Close()
		for run := range 2 {
			trace := ""
			if known {
				trace = load.TraceParent(run)
			}
			for i, question := range []string{"aaaa", "bbbb", "aaaa"} {
				if i < 3-run {
					ask(mock, trace, "/v1/chat/completions", "gpt-mock", question+fmt.Sprint(run))
				}
			}
		}
		ask(mock, load.TraceParent(1), "/v1/messages", "claude-mock", "cccc")
		counts := Counts(mock, &load.Trace{Records: []load.Record{{Kind: load.OK}, {Kind: load.OK}}})
		want := []load.RouteCounts{
			{Route: "POST /v1/chat/completions", Model: "gpt-mock", Calls: 5, Repeated: 1, Attempts: 5, InputTokens: 10, OutputTokens: 40, Runs: []int{3, 2}},
			{Route: "POST /v1/messages", Model: "claude-mock", Calls: 1, Attempts: 1, InputTokens: 1, OutputTokens: 8, Runs: []int{0, 1}},
		}
		if !known {
			want[0].Runs, want[1].Runs = nil, nil
		}
		if d := cmp.Diff(want, counts.Routes); d != "" {
			t.Errorf("known %v (-want +got):\n%s", known, d)
		}
	}
}

// A mock that was late makes the times of a trace no sample, as far as enough answers say so; the target is not to blame.
func TestLateness(t *testing.T) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	for _, tt := range []struct {
		late          mockllm.Lateness
		unfit, remark bool
	}{
		{mockllm.Lateness{Answers: 1000, P50: ms(1), P99: ms(5)}, true, false},
		{mockllm.Lateness{Answers: 1000, P50: ms(1), P99: ms(4)}, false, false},
		{mockllm.Lateness{Answers: 999, P50: ms(5), P99: ms(9)}, true, false},
		{mockllm.Lateness{Answers: 999, P50: ms(4), P99: ms(9)}, false, true},
		{mockllm.Lateness{Answers: 20, P50: ms(5), P99: ms(5)}, true, false},
		{mockllm.Lateness{Answers: 19, P50: ms(5), P99: ms(5)}, false, true},
		{mockllm.Lateness{Answers: 19}, false, false},
	} {
		trace := &load.Trace{}
		judgeLateness(trace, &tt.late, ms(4))
		if err := trace.Timely(); load.IsUnfit(err) != tt.unfit || trace.Err() != nil || (len(trace.Usage.Remarks) > 0) != tt.remark {
			t.Errorf("%+v: %v, remarks %q, want unfit %v, a remark %v", tt.late, err, trace.Usage.Remarks, tt.unfit, tt.remark)
		}
	}
	both := &load.Trace{Invalid: []string{"the target's doing"}, Unfit: []string{"the machine's"}}
	if err := both.Timely(); load.IsUnfit(err) || !load.IsInvalid(err) || fmt.Sprint(err) != "the load was not what the plan says: the target's doing; the machine's" {
		t.Errorf("%v", err)
	}
}

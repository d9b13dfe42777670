package upstream

import (
	"fmt"
	"testing"
	"time"

	"github.com/org/perfgate/internal/harness/load"
	"github.com/org/perfgate/internal/harness/mockllm"
)

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

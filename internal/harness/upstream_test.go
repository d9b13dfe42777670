package harness

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What an operation asks for is the share of what all of them did; who asks for nothing says so once.
func TestUpstreamCounts(t *testing.T) {
	before, after := UpstreamCounts{1, 1, 10, 20}, UpstreamCounts{61, 64, 310, 1220}
	values := map[string]float64{}
	for _, m := range after.minus(before).perOperation(40, 20, true) {
		values[m.Unit.Name] = m.Samples[0].Value
		if m.Samples[0].Iters != 20 {
			t.Errorf("%s: %d iterations, want 20", m.Unit.Name, m.Samples[0].Iters)
		}
	}
	want := map[string]float64{"upstream-calls/op": 1.5, "upstream-attempts/op": 63.0 / 40, "upstream-input-tokens/op": 7.5, "upstream-output-tokens/op": 30}
	if diff := cmp.Diff(want, values); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	none := UpstreamCounts{}.perOperation(40, 20, false)
	if len(none) != 1 || none[0].Unit.Name != "upstream-calls/op" || none[0].Samples[0].Value != 0 {
		t.Errorf("who asks for nothing has %+v", none)
	}
}

// The processes have names of one length, and without an upstream none.
func TestUpstreamRuns(t *testing.T) {
	var led []string
	r := &goRunner{env: []string{"A=1"}, suite: &GoBench{Upstream: &Upstream{Environ: func(run string) []string {
		led = append(led, run)
		return []string{"URL=" + run}
	}}}}
	for _, want := range []string{"00000001", "00000002"} {
		env, run := r.environ()
		if diff := cmp.Diff([]string{"A=1", "URL=" + want}, env); diff != "" || run != want {
			t.Errorf("run %s (-want +got):\n%s", run, diff)
		}
	}
	r.suite.Upstream = nil
	if env, run := r.environ(); len(env) != 1 || run != "" || len(led) != 2 || r.suite.Upstream.scenario() != "" {
		t.Errorf("without an upstream: %v, %q", env, run)
	}
}

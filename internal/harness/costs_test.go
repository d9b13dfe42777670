package harness

import (
	"testing"

	"github.com/org/perfgate/internal/result"
)

// TestObstacle: the plan says of what cannot be measured what is in the way.
func TestObstacle(t *testing.T) {
	with := func(status result.Status, msg string) *result.Benchmark {
		return &result.Benchmark{Status: status, Message: msg}
	}
	for _, tt := range []struct {
		base, head *result.Benchmark
		want       string
	}{
		{with(result.OK, ""), with(result.Skipped, "m_test.go:3: not here"), "head skips it: m_test.go:3: not here"},
		{with(result.Failed, "panic"), with(result.Skipped, ""), "head skips it"},
		{with(result.Failed, "panic"), with(result.OK, ""), "it fails on base: panic"},
		{with(result.Unbuilt, "x"), with(result.Absent, ""), "its package does not build on base"},
		{nil, with(result.Absent, ""), "a side has nothing like it"},
	} {
		target := &Target{Bench: [2]*result.Benchmark{Base: tt.base, Head: tt.head}}
		if got := target.obstacle(); got != tt.want {
			t.Errorf("obstacle() = %q, want %q", got, tt.want)
		}
	}
}

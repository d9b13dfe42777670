package compare

import (
	"math"
	"strings"
	"testing"
)

func TestPolicyCheck(t *testing.T) {
	tests := []struct {
		change func(*Policy)
		err    string
	}{
		{func(*Policy) {}, ""},
		{func(p *Policy) { p.Effect = 9 }, ""},
		{func(p *Policy) { p.Overrides = []Override{{Subject: Subject{Benchmark: "x"}}} }, ""},
		{func(p *Policy) { p.Effect = 0 }, "effect is 0"},
		{func(p *Policy) { p.Effect = math.NaN() }, "effect is NaN"},
		{func(p *Policy) { p.Effect = 1e300 }, "effect is 1e+300"},
		{func(p *Policy) { p.Alpha = -1 }, "alpha is -1"},
		{func(p *Policy) { p.Confidence = 1 }, "confidence is 1"},
		{func(p *Policy) { p.Overrides = []Override{{Effect: -1}} }, "a policy's effect is -1"},
		{func(p *Policy) { p.Waivers = make([]Waiver, mostRules+1) }, "1001 rules"},
	}
	for _, tt := range tests {
		p := DefaultPolicy
		tt.change(&p)
		if err := p.Check(); (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("Check of %+v = %v, want %q", p, err, tt.err)
		}
	}
}

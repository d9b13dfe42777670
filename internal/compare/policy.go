package compare

import (
	"errors"
	"fmt"
	"math"
	"regexp"

	"github.com/org/perfgate/internal/result"
	"github.com/org/perfgate/internal/stats"
)

// Policy is what the user decides. The zero value is not usable; start from DefaultPolicy.
type Policy struct {
	// Effect is the slowdown that must be caught, as a fraction: 0.05 is 5 %.
	Effect float64 `json:"effect"`
	// Overrides are the policies of some benchmarks. Of each setting the last one that fits counts.
	Overrides []Override `json:"policies,omitempty"`
	Budgets   []Budget   `json:"budgets,omitempty"`
	Waivers   []Waiver   `json:"waivers,omitempty"`
	// Selected says that the run asked for a part of the benchmarks: what the others owe is not due.
	Selected bool `json:"selected,omitempty"`
	// Alpha is the probability that an unchanged suite shows any regression.
	Alpha float64 `json:"alpha"`
	// Confidence is that of the printed intervals.
	Confidence float64 `json:"confidence"`
	// Strict fails the gate on inconclusive rows.
	Strict bool `json:"strict,omitempty"`
	// Interleaved asserts that two files without a recorded pairing were measured in turn.
	Interleaved bool `json:"interleaved,omitempty"`
}

// mostRules bounds the rules of a stored policy, each of which looks at each row.
const mostRules = 1000

// Check refuses a policy that no configuration can have made: a stored one is a stranger's.
func (p Policy) Check() error {
	within := func(what string, v, most float64) error {
		if !(v > 0 && v <= most) { // not a number either
			return fmt.Errorf("%s is %v, want more than 0 and at most %v", what, v, most)
		}
		return nil
	}
	errs := []error{within("effect", p.Effect, 9), within("alpha", p.Alpha, 0.5), within("confidence", p.Confidence, 0.9999)}
	for _, o := range p.Overrides {
		if o.Effect != 0 {
			errs = append(errs, within("a policy's effect", o.Effect, 9))
		}
	}
	if n := len(p.Overrides) + len(p.Budgets) + len(p.Waivers); n > mostRules {
		errs = append(errs, fmt.Errorf("%d rules, more than %d", n, mostRules))
	}
	return errors.Join(errs...)
}

// DefaultPolicy is the policy without any configuration.
var DefaultPolicy = Policy{Effect: 0.05, Alpha: 0.01, Confidence: 0.95}

// Tolerance is the change that counts as none: two thirds of the effect.
func (p Policy) Tolerance() float64 { return p.Effect * 2 / 3 }

// needPairs is the number of pairs below which the test cannot reject for m judged metrics.
func (p Policy) needPairs(m int) int { return stats.MinPairs(max(m, 1), p.Alpha) }

// Subject names benchmarks and one of their metrics.
type Subject struct {
	// Benchmark is a regular expression that matches the name, with or without "Benchmark", or
	// the package's import path, a dot and the name.
	Benchmark string `json:"benchmark"`
	// Metric is the name of a unit, empty for all.
	Metric string `json:"metric,omitempty"`
}

// Unit is what is known of the metric.
func (s Subject) Unit() result.Unit { return result.UnitOf(s.Metric) }

// Names reports whether s means the benchmark.
func (s Subject) Names(k result.Key) bool {
	_, _, at := s.match(k)
	return at != nil
}

// match returns the expression, the spelling of the name that it matches and where; at is nil where it
// matches none.
func (s Subject) match(k result.Key) (re *regexp.Regexp, spelling string, at []int) {
	re, err := regexp.Compile(s.Benchmark)
	if err != nil {
		return nil, "", nil
	}
	for _, spelling := range []string{k.Name, "Benchmark" + k.Name, k.String()} {
		if at := re.FindStringSubmatchIndex(spelling); at != nil {
			return re, spelling, at
		}
	}
	return re, "", nil
}

// is reports whether s means the metric of the benchmark; an empty unit is the benchmark as a whole.
func (s Subject) is(k result.Key, unit string) bool {
	return (s.Metric == "" || s.Metric == unit) && s.Names(k)
}

// Override is the policy of some benchmarks.
type Override struct {
	Subject
	// Effect replaces the slowdown that must be caught, 0 for none.
	Effect float64 `json:"effect,omitempty"`
	// Tolerance replaces the rise of an exact metric that is accepted.
	Tolerance *Tolerance `json:"tolerance,omitempty"`
	// Ignore shows the rows and lets none of them fail the gate.
	Ignore *bool `json:"ignore,omitempty"`
	// Require fails the gate where there is no verdict on the metric.
	Require *bool `json:"require,omitempty"`
}

// Tolerance is an accepted rise, as a share of base or in the metric's unit.
type Tolerance struct {
	Relative float64 `json:"relative,omitempty"`
	Absolute float64 `json:"absolute,omitempty"`
}

func (t Tolerance) of(base float64) float64 { return math.Max(t.Relative*math.Abs(base), t.Absolute) }

// terms are what the policy says of one metric of one benchmark.
type terms struct {
	policy          Policy
	tolerance       *Tolerance
	ignore, require bool
	named           bool // by its unit
}

// termsOf collects what the overrides say of a metric.
func (p Policy) termsOf(k result.Key, unit string) terms {
	t := terms{policy: p}
	effect := false
	for _, o := range p.Overrides {
		if !o.is(k, unit) {
			continue
		}
		t.named = t.named || o.Metric != "" && (o.Effect > 0 || o.Tolerance != nil && !result.UnitOf(unit).Timing() || o.Require != nil && *o.Require)
		if o.Effect > 0 {
			t.policy.Effect, effect = o.Effect, true
		}
		if o.Tolerance != nil {
			t.tolerance = o.Tolerance
		}
		if o.Ignore != nil {
			t.ignore = *o.Ignore
		}
		if o.Require != nil {
			t.require = *o.Require
		}
	}
	if u := result.UnitOf(unit); !effect && u.Offered() {
		t.policy.Effect *= loadEffect
	}
	return t
}

// loadEffect is how much more than a benchmark the values of a run of load must change, to be caught.
const loadEffect = 2

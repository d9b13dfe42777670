package loadtest

import (
	"context"
	"os"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/config"
	"github.com/org/perfgate/internal/result"
)

// documented is the example of docs/load.md: the targets of the guides that perfgate descends from, as budgets.
func documented(t *testing.T) compare.Policy {
	text, err := os.ReadFile("../docs/load.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)### Targets as budgets.*?```yaml\n(.*?)```").FindSubmatch(text)
	if block == nil {
		t.Fatal("docs/load.md has no example of targets")
	}
	values, err := config.Parse(block[1])
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Resolve(config.Sources{File: values})
	if err != nil {
		t.Fatal(err)
	}
	return c.Policy()
}

// subject is a program with faults that can be planted.
type subject struct {
	own     time.Duration // work of its own in each run
	locked  bool          // one run at a time
	startup time.Duration
	cost    func(events int) int // statements
	buffer  int                  // events that are kept at most, 0 for all
}

var sound = subject{own: 5 * time.Millisecond, startup: time.Second, cost: func(n int) int { return 40*n + 300 }}

// head measures the subject as the example would: the times of its runs in virtual time.
func (s subject) head(t *testing.T) *result.Set {
	run := func() Func {
		lock := sync.OnceValue(func() chan struct{} { return make(chan struct{}, 1) }) // in the bubble, whose time no mutex lets pass
		return func(ctx context.Context, r *Run) error {
			if s.locked {
				lock() <- struct{}{}
				defer func() { <-lock() }()
			}
			time.Sleep(s.own)
			return ask(ctx, r, "question")
		}
	}
	set := &result.Set{}
	add := func(suite, name string, metrics map[string]float64) {
		b := &result.Benchmark{Suite: suite, Name: name, Status: result.OK}
		for unit, v := range metrics {
			for i := range compare.FirstLook {
				b.Add(result.UnitOf(unit), result.Sample{Value: v, Iters: 1, Pair: i, Pass: i})
			}
		}
		set.Benchmarks = append(set.Benchmarks, b)
	}
	for name, plan := range map[string]Plan{"agent/alone": {Runs: 10, Concurrency: 1}, "agent/ten": {Runs: 100, Concurrency: 10}} {
		plan.Model.Latency = "200ms"
		add("load", name, values(Virtual(t, plan, run()), "overhead-share", "runs/s"))
	}
	add("load", "ask", map[string]float64{"startup-sec": s.startup.Seconds()})
	for name, n := range map[string]int{"Events/1000": 1000, "Events/10000": 10_000, "Events/100000": 100_000} {
		lost := 0
		if s.buffer > 0 {
			lost = max(0, n-s.buffer)
		}
		add("gobench", name, map[string]float64{"statements/op": float64(s.cost(n)), "lost/op": float64(lost)})
	}
	return set
}

// Each target of the example holds of a sound program, and fails by its own of one with the fault that it is about.
func TestTargets(t *testing.T) {
	policy := documented(t)
	for _, tt := range []struct {
		name   string
		plant  func(*subject)
		broken []string
	}{
		{"sound", func(*subject) {}, nil},
		{"10 ms a call of 100 ms", func(s *subject) { s.own = 20 * time.Millisecond }, []string{"agent/alone overhead-share"}},
		{"a lock around everything", func(s *subject) { s.locked = true }, []string{"agent/ten runs/s"}},
		{"a slow start", func(s *subject) { s.startup = 2100 * time.Millisecond }, []string{"ask startup-sec"}},
		{"quadratic in the events", func(s *subject) { s.cost = func(n int) int { return n*n/100 + 30*n } },
			[]string{"Events/10000 statements/op", "Events/100000 statements/op"}},
		{"a buffer of 10 000 events", func(s *subject) { s.buffer = 10_000 }, []string{"Events/100000 lost/op"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := sound
			tt.plant(&s)
			var broken []string
			checks := policy.CheckBudgets(s.head(t))
			for _, c := range checks {
				switch c.Verdict {
				case compare.BudgetBroken:
					broken = append(broken, c.Key.Name+" "+c.Unit.Name)
				case compare.BudgetKept:
				default:
					t.Errorf("%s %s: %v %s", c.Key.Name, c.Unit.Name, c.Verdict, c.Note)
				}
			}
			if diff := cmp.Diff(tt.broken, broken); diff != "" || len(checks) != 8 {
				t.Errorf("%d budgets, want 8; broken (-want +got):\n%s", len(checks), diff)
			}
		})
	}
}

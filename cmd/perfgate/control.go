package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/config"
	"github.com/org/perfgate/internal/harness"
	"github.com/org/perfgate/internal/harness/load"
	"github.com/org/perfgate/internal/result"
)

// suiteControl is the name of the kind of suite that holds perfgate's own pipeline alone.
const suiteControl = "control"

// controlLoad is what is offered to it. Its name and settings, and the calls that the pipeline makes, are what a
// baseline's counts belong to: who changes one of them changes the number.
var controlLoad = struct {
	offered  string
	settings map[string]string
}{"pipeline 1: 20 runs by 10 workers, 10 ms of latency", map[string]string{"target": "pipeline", "runs": "20", "concurrency": "10", "llm-latency": "10ms"}}

// controlPairs are the samples of each side that are taken before the rest is measured, and again after it: 1 s
// each time, in which the pipeline mostly waits.
const controlPairs = 6

// control is perfgate's own pipeline beside base and head. The sides differ in nothing but their turns.
type control struct {
	counts, times *loader // times nil where none are measured
	rng           *rand.Rand
	observe       func(harness.Event)
	sides         []*result.Benchmark // head's first, base's where there is one
	counted       bool
}

// control prepares the pipeline, whose measurements go into f. Where they fail the report says so: that is no fault of
// what is gated. Beside is nil where the settings leave it out.
func (p *project) control(f *result.File, observe func(harness.Event)) (beside func(context.Context) error, closeAll func(), err error) {
	if !p.config.Control {
		return nil, func() {}, nil
	}
	c := &control{rng: rand.New(rand.NewPCG(p.config.Seed, 1)), observe: observe}
	if c.counts, err = p.controlLoader("virtual"); err != nil {
		return nil, nil, err
	}
	if p.config.Metrics != config.Exact {
		if c.times, err = p.controlLoader("real"); err != nil {
			return nil, nil, err
		}
	}
	for _, s := range []*result.Set{f.Head, f.Base} {
		if s != nil {
			s.Control = &result.Benchmark{Suite: suiteControl, Name: "control/pipeline", Status: result.OK, Scenario: controlLoad.offered}
			c.sides = append(c.sides, s.Control)
		}
	}
	failed := false
	beside = func(ctx context.Context) error {
		if failed {
			return nil
		}
		if err := c.take(ctx); err != nil && ctx.Err() == nil {
			failed = true
			f.Warnings = append(f.Warnings, err.Error())
			for _, s := range []*result.Set{f.Head, f.Base} {
				if s != nil {
					s.Control = nil
				}
			}
		}
		return ctx.Err()
	}
	return beside, c.close, nil
}

// controlLoader is the load by one clock.
func (p *project) controlLoader(clock string) (*loader, error) {
	s := config.Scenario{Name: "control", Settings: map[string]config.Text{"clock": {Text: clock, Texts: []string{clock}}}}
	for name, text := range controlLoad.settings {
		s.Settings[name] = config.Text{Text: text, Texts: []string{text}}
	}
	return p.scenario(s, p.app.readFile)
}

func (c *control) close() {
	if c.times != nil {
		c.times.close()
	}
}

// count takes what is exact, in virtual time: the same on every machine. So many equal samples make a constant.
func (c *control) count(ctx context.Context) error {
	for i := range compare.MinConstant {
		metrics, err := sampled(ctx, c.counts)
		if err != nil {
			return err
		}
		for _, b := range c.sides {
			keepControl(b, metrics, i, func(u result.Unit) bool { return !u.Timing() && !u.Info() })
		}
	}
	return nil
}

// take counts, the first time, and takes samples of the sides in turn, in coin-flip order.
func (c *control) take(ctx context.Context) error {
	if !c.counted {
		if err := c.count(ctx); err != nil {
			return err
		}
		c.counted = true
	}
	if c.times == nil {
		return nil
	}
	c.observe(harness.Event{Phase: "load", What: "perfgate's own pipeline, the control"})
	for range controlPairs {
		order := slices.Clone(c.sides)
		if c.rng.IntN(2) == 1 {
			slices.Reverse(order)
		}
		for _, b := range order {
			metrics, err := sampled(ctx, c.times)
			if err != nil {
				return err
			}
			n := 0
			if m := b.Metric("p50-sec"); m != nil {
				n = len(m.Samples)
			}
			keepControl(b, metrics, n, result.Unit.Timing)
		}
	}
	return nil
}

// sampled is one run of the load.
func sampled(ctx context.Context, l *loader) ([]load.Metric, error) {
	t, counts, err := l.sample(ctx, l.planOf(l.levels[0]), "control", "control")
	if err != nil {
		return nil, fmt.Errorf("perfgate's own pipeline, the control: %w", err)
	}
	return l.metrics(t, counts), nil
}

// keepControl adds the metrics of wanted units as sample n.
func keepControl(b *result.Benchmark, metrics []load.Metric, n int, wanted func(result.Unit) bool) {
	for _, m := range metrics {
		if u := result.UnitOf(m.Unit); wanted(u) {
			b.Add(u, result.Sample{Value: m.Value, Iters: 1, Pair: n, Pass: n})
		}
	}
}

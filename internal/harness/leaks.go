package harness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/org/perfgate/internal/harness/proc"
	"github.com/org/perfgate/internal/result"
)

const (
	// leakSlices are measured behind leakWarmup others, in which caches fill and pools grow.
	leakSlices, leakWarmup = 12, 4
	// Iterations of a slice: as many as take leakAim, within these bounds.
	fewestLeaky, mostLeaky = 4, 400
	leakAim                = 50 * time.Millisecond
	// leakMost is what one benchmark may take.
	leakMost = 60 * time.Second
	// leakSites are named of a benchmark that leaks, of those that have a share of what the first has.
	leakSites, leakShare = 3, 0.01
)

// These make a test binary say behind every slice how much is alive, or also of which place in the program.
const (
	aliveEnv = "PERFGATE_ALIVE=sums"
	leaksEnv = "PERFGATE_ALIVE=sites"
)

// leaky are runners that find out what benchmarks leave behind.
type leaky interface {
	// Leaks runs head's targets slice by slice and stores what each slice leaves behind.
	Leaks(ctx context.Context, targets []*Target) error
}

// leaks looks for what the wanted targets leave behind.
func (s *schedule) leaks(ctx context.Context, targets []*Target) error {
	runner, ok := s.runner.(leaky)
	if !ok || s.plan.Leaks == nil {
		return nil
	}
	wanted := slices.DeleteFunc(slices.Clone(targets), func(t *Target) bool { return !t.Live[Head] || !s.plan.Leaks(t.Key) })
	defer s.budget.Start()()
	limited, cancel := s.budget.context(ctx)
	defer cancel()
	for i, t := range wanted {
		s.observe(Event{Phase: "leaks", What: t.Key.String(), Done: i, Total: len(wanted)})
		if err := runner.Leaks(limited, []*Target{t}); limited.Err() != nil {
			return ctx.Err() // the budget ended: not an error
		} else if err != nil {
			return err
		}
	}
	return nil
}

// Leaks hands each target to its suite.
func (s *several) Leaks(ctx context.Context, targets []*Target) error {
	return s.each(targets, func(r Runner, ts []*Target) error {
		if l, ok := r.(leaky); ok {
			return l.Leaks(ctx, ts)
		}
		return nil
	})
}

// Leaks leads head's processes through the targets at the gate.
func (r *goRunner) Leaks(ctx context.Context, targets []*Target) error {
	for _, g := range r.groups(targets, 0) {
		if !g.gated() {
			for _, t := range g.targets {
				t.unknownLeaks("a process a sample does not say what stays")
			}
			continue
		}
		g.bins[Base], g.alive = nil, leaksEnv
		fail := func(t *Target, reading Reading) {
			r.target(t).unknownLeaks(oneOf(reading.Failure))
		}
		if err := r.throughAll(ctx, g, r.leavings, fail); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (t *goTarget) unknownLeaks(why string) {
	if b := t.Bench[Head]; b != nil {
		b.Notes = append(slices.Clip(b.Notes), "what it leaves behind is not known: "+why)
	}
}

// alive is what is there behind a slice.
type alive struct {
	live, goroutines float64
	outside          proc.Memory
	sites            map[string]float64
}

// leavings measures what t leaves behind a slice.
func (r *goRunner) leavings(w *walk, t *goTarget) error {
	if time.Duration((leakSlices+leakWarmup)*fewestLeaky)*t.first > leakMost {
		t.unknownLeaks(fmt.Sprintf("an operation takes %v", t.first.Round(time.Millisecond)))
		_, err := w.finish(t)
		return err
	}
	n := fewestLeaky
	if t.first > 0 {
		n = int(max(fewestLeaky, min(mostLeaky, leakAim/t.first)))
	}
	var seen []alive
	for range leakWarmup + 1 + leakSlices {
		s, err := w.slice(t, Head, n, r.sampleLimit(0))
		if err != nil {
			return err
		}
		a, err := w.at[Head].alive(s)
		if err != nil {
			return err
		}
		seen = append(seen, a)
	}
	if _, err := w.finish(t); err != nil {
		return err
	}
	t.storeLeaks(seen[leakWarmup:], n)
	return nil
}

// alive reads what a slice reported, and what the system says of the process, which waits.
func (g *gated) alive(s slice) (alive, error) {
	a := alive{live: math.NaN(), goroutines: math.NaN(), sites: map[string]float64{}}
	for _, e := range s.extra {
		switch what, ok := strings.CutPrefix(e.unit, "perfgate "); {
		case !ok:
		case what == "live":
			a.live = e.value
		case what == "goroutines":
			a.goroutines = e.value
		default:
			a.sites[what] = e.value
		}
	}
	if math.IsNaN(a.live + a.goroutines) {
		return a, errors.New("the gate did not say what is alive")
	}
	a.outside, _ = proc.ReadMemory(g.child.Pid())
	return a, nil
}

// storeLeaks stores the gains of slices of n iterations, and where they come from.
func (t *goTarget) storeLeaks(seen []alive, n int) {
	b := t.Bench[Head]
	t.leaked = true
	addGains(b, result.LeakBytes, seen, n, func(a alive) float64 { return a.live })
	addGains(b, result.LeakGoroutines, seen, n, func(a alive) float64 { return a.goroutines })
	addOutside(b, seen, n)
	first, last := seen[0], seen[len(seen)-1]
	for _, of := range []struct{ kind, unit string }{{"heap ", result.LeakBytes}, {"goroutine ", result.LeakGoroutines}} {
		b.Left = append(b.Left, gained(first.sites, last.sites, of.kind, of.unit, n*(len(seen)-1))...)
	}
}

// addOutside stores what the system says of the process.
func addOutside(b *result.Benchmark, seen []alive, n int) {
	addGains(b, result.LeakRSS, seen, n, func(a alive) float64 { return float64(a.outside.RSS) })
	addGains(b, result.LeakDescriptors, seen, n, func(a alive) float64 { return float64(a.outside.Descriptors) })
}

// addGains stores the gains of slices of n iterations. They are of one process, and so of one pass.
func addGains(b *result.Benchmark, unit string, seen []alive, n int, value func(alive) float64) {
	for i, a := range seen[1:] {
		b.Add(result.UnitOf(unit), result.Sample{Value: (value(a) - value(seen[i])) / float64(n), Iters: n, Pair: i})
	}
}

// gained lists the sites of a kind of which there is more, by so many operations.
func gained(first, last map[string]float64, kind, unit string, ops int) []result.Left {
	var all []result.Left
	for name, v := range last {
		if where, ok := strings.CutPrefix(name, kind); ok && v > first[name] {
			all = append(all, result.Left{Unit: unit, Where: clip(where), PerOp: (v - first[name]) / float64(ops)})
		}
	}
	slices.SortFunc(all, func(a, b result.Left) int {
		return cmp.Or(cmp.Compare(b.PerOp, a.PerOp), strings.Compare(a.Where, b.Where))
	})
	all = all[:min(len(all), leakSites)]
	if small := slices.IndexFunc(all, func(l result.Left) bool { return l.PerOp < leakShare*all[0].PerOp }); small > 0 {
		return all[:small]
	}
	return all
}

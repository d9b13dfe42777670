package harness

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"golang.org/x/perf/benchunit"

	"github.com/org/perfgate/internal/result"
	"github.com/org/perfgate/internal/stats"
)

// group is targets that the same binaries measure.
type group struct {
	bins     [2]*binary // nil on a side that does not measure
	gateless bool
	control  bool   // head is a copy of base
	writes   string // what they write beside, by its variable
	exact    bool   // what is exact is counted: every slice begins with the same heap
	alive    string // they say what is alive, by its variable
	// instructions, where set, counts those of the processes.
	instructions instructionCounter
	targets      []*goTarget
}

// groups sorts live targets by their binaries of the given build.
func (r *goRunner) groups(targets []*Target, build Build) []group {
	var gs []group
	for _, tt := range targets {
		t := r.target(tt)
		if t.sides() == 0 {
			continue
		}
		var bins [2]*binary
		for side, live := range t.Live {
			if live {
				bins[side] = r.relinked(t.bins[side], build)
			}
		}
		i := slices.IndexFunc(gs, func(g group) bool { return g.bins == bins && g.gateless == t.gateless })
		if i < 0 {
			i, gs = len(gs), append(gs, group{bins: bins, gateless: t.gateless})
		}
		gs[i].targets = append(gs[i].targets, t)
	}
	return gs
}

// gated reports whether the group's binaries have the gate.
func (g group) gated() bool {
	if g.gateless {
		return false
	}
	for _, b := range g.bins {
		if b != nil && b.recipe.flags.gate.why != nil {
			return false
		}
	}
	return true
}

// Pass measures each target once more, in processes of its own.
func (r *goRunner) Pass(ctx context.Context, targets []*Target, build Build, rng *rand.Rand, take func(*Target, Reading)) error {
	groups := r.groups(targets, build)
	rng.Shuffle(len(groups), func(i, j int) { groups[i], groups[j] = groups[j], groups[i] })
	for _, g := range groups {
		var err error
		if g.gated() {
			err = r.gatedPass(ctx, g, rng, take)
		} else {
			rng.Shuffle(len(g.targets), func(i, j int) { g.targets[i], g.targets[j] = g.targets[j], g.targets[i] })
			for _, t := range g.targets {
				if err = r.processPair(ctx, t, g.bins, rng, take); err != nil {
					break
				}
			}
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// gatedPass leads a pair of processes through the group, and further pairs through what could not be
// reached because a benchmark took its process down or the sides have another order.
func (r *goRunner) gatedPass(ctx context.Context, g group, rng *rand.Rand, take func(*Target, Reading)) error {
	return r.throughAll(ctx, g, func(w *walk, t *goTarget) error {
		reading, err := w.pairs(t, rng)
		if err == nil {
			reading.Wall = w.startup + time.Since(w.began)
			take(&t.Target, reading)
		}
		return err
	}, take)
}

// throughAll visits every target of the group at the gate. A target that fails is handed to fail.
func (r *goRunner) throughAll(ctx context.Context, g group, visit func(*walk, *goTarget) error, fail func(*Target, Reading)) error {
	var together []*goTarget
	var walks [][]*goTarget
	for _, t := range g.targets {
		if t.alone {
			walks = append(walks, []*goTarget{t})
		} else {
			together = append(together, t)
		}
	}
	if len(together) > 0 {
		walks = append([][]*goTarget{together}, walks...)
	}
	for len(walks) > 0 {
		targets := walks[0]
		walks = walks[1:]
		w, err := r.lead(ctx, targets, g, visit)
		if err != nil {
			return err
		}
		failed := map[*goTarget]*Reading{}
		for _, f := range w.failures {
			if failed[f.t] == nil {
				failed[f.t] = &Reading{}
			}
			failed[f.t].Failure[f.side] = f.message
		}
		var missed []*goTarget
		for _, t := range targets {
			switch {
			case failed[t] != nil:
				fail(&t.Target, *failed[t])
			case w.targets["Benchmark"+t.Key.Name] != nil:
				missed = append(missed, t)
			}
		}
		switch {
		case len(missed) == 0:
		case w.unordered || len(failed) == 0: // one by one they need no order
			for _, t := range missed {
				if t.alone {
					fail(&t.Target, Reading{Failure: [2]string{"the gate never came to it", "the gate never came to it"}})
					continue
				}
				t.alone = true
				walks = append(walks, []*goTarget{t})
			}
		default:
			walks = append(walks, missed)
		}
	}
	return nil
}

// pairs takes t's pairs of slices in coin-flip order.
func (w *walk) pairs(t *goTarget, rng *rand.Rand) (Reading, error) {
	got := Reading{Begin: w.startup + time.Since(w.began)}
	var all [2][]slice
	limit := w.r.sampleLimit(t.Cost)
	for range max(1, t.Pairs) {
		order := slices.Clone(w.sides)
		if rng.IntN(2) == 1 {
			slices.Reverse(order)
		}
		for _, side := range order {
			s, err := w.slice(t, side, t.Iters, limit)
			if err != nil {
				return got, err
			}
			all[side] = append(all[side], s)
		}
		got.First = append(got.First, order[0])
	}
	last, err := w.finish(t)
	if err != nil {
		return got, err
	}
	for _, side := range w.sides {
		for _, s := range all[side] {
			if v, ok := s.secPerOp(); ok {
				got.Times[side] = append(got.Times[side], v)
			}
		}
		got.Metrics[side] = t.metrics(all[side], last[side])
	}
	return got, nil
}

// metrics are what a pass says beside the time, one value a unit: of all slices together for
// allocations, as package testing rounds them, and the median slice's for what the benchmark reports.
func (t *goTarget) metrics(slices []slice, last []extra) []*result.Metric {
	var n, allocs, bytes int64
	var times []float64
	reported := map[string][]float64{}
	for _, s := range slices {
		n, allocs, bytes = n+int64(s.n), allocs+s.allocs, bytes+s.bytes
		if v, ok := s.secPerOp(); ok {
			times = append(times, v)
		}
		for _, e := range s.extra {
			reported[e.unit] = append(reported[e.unit], e.value)
		}
	}
	for _, e := range last { // of a b.Loop, which reports once
		if reported[e.unit] == nil {
			reported[e.unit] = []float64{e.value}
		}
	}
	values := map[string]float64{}
	if t.counted == 0 { // else that is known better
		values["B/op"], values["allocs/op"] = float64(bytes/n), float64(allocs/n)
	}
	if per := slices[len(slices)-1].setBytes; per > 0 && len(times) > 0 {
		values["B/s"] = float64(per) / stats.Median(times)
	}
	for unit, vs := range reported {
		if unit == "ns/op" {
			continue // the time itself
		}
		v, tidy := benchunit.Tidy(stats.Median(vs), unit)
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			values[tidy] = v
		}
	}
	out := make([]*result.Metric, 0, len(values))
	for name, v := range values {
		out = append(out, &result.Metric{Unit: t.unit(name), Samples: []result.Sample{{Value: v, Iters: t.Iters}}})
	}
	return out
}

// unit returns the unit with the direction that the benchmark printed for it.
func (t *goTarget) unit(name string) result.Unit {
	for _, l := range []*listing{t.pkg.own[Head], t.pkg.laidListing, t.pkg.own[Base]} {
		if l == nil || l.bench[t.Key.Name] == nil {
			continue
		}
		if m := l.bench[t.Key.Name].Metric(name); m != nil {
			return m.Unit
		}
	}
	return result.UnitOf(name)
}

// processPair takes one process a side, back to back, in coin-flip order: a pass without the gate.
func (r *goRunner) processPair(ctx context.Context, t *goTarget, bins [2]*binary, rng *rand.Rand, take func(*Target, Reading)) error {
	var got Reading
	began := time.Now()
	order := []Side{Base, Head}
	if rng.IntN(2) == 1 {
		slices.Reverse(order)
	}
	for _, side := range order {
		if bins[side] == nil {
			continue
		}
		n := r.suite.Trial.iterations(t.Key, side, t.Iters)
		run, err := r.runOnce(ctx, t, bins[side], t.procs[side], n, r.sampleLimit(t.Cost))
		if err != nil {
			return err
		}
		if run.failure != "" {
			got.Failure[side] = cmp.Or(run.failure, "it failed")
			continue
		}
		if len(got.First) == 0 {
			got.First = []Side{side}
		}
		for _, m := range run.bench.Metrics {
			if m.Unit.Name == "sec/op" {
				for _, v := range m.Values() {
					got.Times[side] = append(got.Times[side], v*float64(n)/float64(t.Iters))
				}
			} else {
				got.Metrics[side] = append(got.Metrics[side], m)
			}
		}
	}
	got.Wall = time.Since(began)
	take(&t.Target, got)
	return nil
}

// relinked is the binary of another build, or the binary itself where there is none.
func (r *goRunner) relinked(bin *binary, build Build) *binary {
	if other := r.links[build][bin]; other != nil {
		return other
	}
	return bin
}

// Link links the targets' binaries again with the functions in another order, the same order of names on
// both sides. Where the linker cannot, the targets stay with the build they have, and say so.
func (r *goRunner) Link(ctx context.Context, build Build, targets []*Target) error {
	if r.links[build] == nil {
		r.links[build] = map[*binary]*binary{}
	}
	for _, g := range r.groups(targets, 0) {
		if r.isLinked(build, g) {
			continue
		}
		why, err := r.linkGroup(ctx, build, g)
		if err != nil {
			return err
		}
		for _, t := range g.targets {
			if why != "" && t.Bench[Head] != nil {
				t.Bench[Head].FixedLayout = why
			}
		}
	}
	return nil
}

// isLinked reports whether the group has its binaries of the build.
func (r *goRunner) isLinked(build Build, g group) bool {
	return !slices.ContainsFunc(g.bins[:], func(b *binary) bool { return b != nil && r.links[build][b] == nil })
}

// linkGroup links both binaries side by side, and only both count.
func (r *goRunner) linkGroup(ctx context.Context, build Build, g group) (why string, err error) {
	made, err := r.build.relinkBoth(ctx, g.bins, build)
	if err != nil {
		return "", err
	}
	for _, bin := range made {
		if bin != nil && bin.err != nil {
			return clip(fmt.Sprintf("-randlayout: %v", bin.err)), nil
		}
	}
	for side, bin := range made {
		if bin != nil {
			r.links[build][g.bins[side]] = bin
		}
	}
	return "", nil
}

// Unlink removes the binaries of a build.
func (r *goRunner) Unlink(build Build) {
	for _, bin := range r.links[build] {
		bin.remove()
	}
	delete(r.links, build)
}

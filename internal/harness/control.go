package harness

import (
	"context"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"github.com/org/perfgate/internal/result"
)

// The control: now and then a copy of base is measured against base in the place of head. What differs
// there is the machine's doing.
const (
	controlShare   = 0.05 // of the time of measuring
	controlTargets = 2    // benchmarks in a pass of the control
)

// control keeps the account of the control's passes.
type control struct {
	passes   int
	spent    time.Duration
	measured time.Duration
	next     int // in the rotation of targets
	base     map[result.Key]*result.Benchmark
	twin     map[result.Key]*result.Benchmark
}

// maybeControl takes a pass of the control when it has had less than its share of the time, and the
// budget has that to spare beside what is ahead.
func (s *schedule) maybeControl(ctx context.Context, targets []*Target, ahead time.Duration) error {
	var able []*Target
	for _, t := range targets {
		if t.sides() == 2 && t.Share == 0 {
			able = append(able, t)
		}
	}
	if s.plan.Judge == nil || len(able) == 0 {
		return nil
	}
	var picked []*Target
	for i := range min(controlTargets, len(able)) {
		picked = append(picked, able[(s.control.next+i)%len(able)])
	}
	expected := passCost(picked)
	if s.control.passes > 0 {
		expected = s.control.spent / time.Duration(s.control.passes)
	}
	if s.control.spent+expected > time.Duration(controlShare*float64(s.control.measured)) || ahead+expected > s.budget.Left() {
		return nil
	}
	s.control.next += len(picked)
	defer s.budget.Start()()
	limited, cancel := s.budget.context(ctx)
	defer cancel()
	began := time.Now()
	err := s.runner.Control(limited, picked, s.rng, s.control.keep)
	s.control.spent += time.Since(began)
	s.control.passes++
	if limited.Err() != nil {
		return ctx.Err()
	}
	return err
}

// keep stores what a pass of the control gave. One that failed is none.
func (c *control) keep(t *Target, r Reading) {
	if r.Failure != [2]string{} {
		return
	}
	if c.base == nil {
		c.base, c.twin = map[result.Key]*result.Benchmark{}, map[result.Key]*result.Benchmark{}
	}
	for side, of := range []map[result.Key]*result.Benchmark{c.base, c.twin} {
		b := of[t.Key]
		if b == nil {
			b = &result.Benchmark{Suite: t.Key.Suite, Package: t.Key.Package, Name: t.Key.Name, Status: result.OK}
			of[t.Key] = b
		}
		from := 0
		if m := b.Metric("sec/op"); m != nil {
			from = len(m.Samples)
		}
		for i, v := range r.Times[side] {
			b.Add(result.UnitOf("sec/op"), result.Sample{Value: v, Iters: t.Iters, Pair: from + i, Pass: c.passes})
		}
	}
}

// result returns the control's samples, nil where there are none.
func (c *control) result() *result.Control {
	if len(c.base) == 0 {
		return nil
	}
	out := &result.Control{}
	for k, b := range c.base {
		out.Base.Benchmarks = append(out.Base.Benchmarks, b)
		out.Twin.Benchmarks = append(out.Twin.Benchmarks, c.twin[k])
	}
	out.Base.Sort()
	out.Twin.Sort()
	return out
}

// Control measures base and a copy of base in one pass.
func (r *goRunner) Control(ctx context.Context, targets []*Target, rng *rand.Rand, take func(*Target, Reading)) error {
	for _, g := range r.groups(targets, 0) {
		if !g.gated() {
			continue
		}
		twin, err := r.twin(g.bins[Base])
		if err != nil {
			return err
		}
		g.bins, g.control = [2]*binary{g.bins[Base], twin}, true
		if err := r.gatedPass(ctx, g, rng, take); err != nil {
			return err
		}
	}
	return nil
}

// twin is a copy of base's binary under a name of the same length.
func (r *goRunner) twin(bin *binary) (*binary, error) {
	if t := r.twins[bin]; t != nil {
		return t, nil
	}
	t := *bin
	t.path = strings.TrimSuffix(bin.path, "-base.test") + "-twin.test"
	if err := copyFile(bin.path, t.path); err != nil {
		return nil, err
	}
	r.twins[bin] = &t
	return &t, nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

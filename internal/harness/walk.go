package harness

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/org/perfgate/internal/harness/proc"
)

// walk leads one process a side through benchmarks that the same binaries hold.
type walk struct {
	r       *goRunner
	targets map[string]*goTarget // those still to come, by the name that the gate says
	sides   []Side
	at      [2]*gated
	gone    [2]bool
	trial   *Trial
	// visit measures a benchmark while all sides stand at its gate.
	visit func(w *walk, t *goTarget) error

	began    time.Time     // of the stretch since the last benchmark
	startup  time.Duration // of the processes, by benchmark
	failures []failure
	// unordered says that the sides came to different benchmarks at the same time.
	unordered bool
}

// failure is a benchmark that went wrong on a side. Why is known when the process has ended.
type failure struct {
	t       *goTarget
	side    Side
	message string
}

// errVisit says that a side is over with a benchmark before it was measured. What happened is
// among the failures.
var errVisit = errors.New("the benchmark ended early")

// lead starts the processes and visits all benchmarks in the order in which the binaries run them.
// It returns the targets that were not reached.
func (r *goRunner) lead(ctx context.Context, targets []*goTarget, of group, visit func(*walk, *goTarget) error) (*walk, error) {
	w := &walk{r: r, targets: map[string]*goTarget{}, visit: visit, began: time.Now()}
	if !of.control {
		w.trial = r.suite.Trial
	}
	var names []string
	for _, t := range targets {
		w.targets["Benchmark"+t.Key.Name] = t
		names = append(names, t.Key.Name)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for side, bin := range of.bins {
		if bin == nil {
			continue
		}
		env, name := r.environ()
		p := proc.Process{Path: bin.path, Dir: bin.dir, Env: env, Limit: r.sampleLimit(0), Args: []string{
			"-test.run=^$", "-test.bench=" + onlyThese(names), "-test.count=1", "-test.benchmem", "-test.paniconexit0",
		}}
		if of.exact {
			p.Env = append(slices.Clip(p.Env), steadyEnv)
		}
		if of.alive != "" {
			p.Env = append(slices.Clip(p.Env), of.alive)
		}
		start := func() (*gated, error) { return startGated(ctx, p, of.writes) }
		if of.instructions != nil {
			start = func() (*gated, error) { return of.instructions.start(ctx, p) }
		}
		g, err := start()
		if err != nil {
			cancel()
			w.end()
			return nil, err
		}
		g.run = name
		w.sides, w.at[side] = append(w.sides, Side(side)), g
	}
	err := w.run()
	if err != nil {
		cancel()
	}
	w.end()
	if ctx.Err() != nil && err == nil {
		err = ctx.Err()
	}
	return w, err
}

// onlyThese is a -bench expression for benchmarks. It selects more of them where the exact
// expression would be too long for a command line.
func onlyThese(names []string) string {
	const longest = 32 << 10
	exact := make([]string, len(names))
	size := 0
	for i, n := range names {
		exact[i] = exactly(n)
		size += len(exact[i]) + 1
	}
	if size < longest {
		return strings.Join(exact, "|")
	}
	seen := map[string]bool{}
	var tops []string
	for _, n := range names {
		top, _, _ := strings.Cut(n, "/")
		if !seen[top] {
			seen[top] = true
			tops = append(tops, exactly(top))
		}
	}
	return strings.Join(tops, "|")
}

func (w *walk) run() error {
	for first := true; ; first = false {
		var t *goTarget
		same := true
		for _, side := range w.sides {
			other, err := w.arrive(side)
			if err != nil {
				return err
			}
			if side != w.sides[0] && other != t {
				same = false
			}
			t = other
		}
		if first { // all of them have to wait for it
			w.startup, w.began = time.Since(w.began)/time.Duration(len(w.targets)), time.Now()
		}
		switch {
		case !same:
			w.unordered = w.at[w.sides[0]] != nil && !w.gone[Base] && !w.gone[Head]
			return w.leave()
		case t == nil:
			return nil
		}
		delete(w.targets, "Benchmark"+t.Key.Name)
		if err := w.visit(w, t); err != nil && !errors.Is(err, errVisit) {
			return err
		}
		w.began = time.Now()
	}
}

// leave lets the processes go to their end without another stop.
func (w *walk) leave() error {
	clear := w.targets
	w.targets = nil
	defer func() { w.targets = clear }()
	for _, side := range w.sides {
		if w.gone[side] {
			continue
		}
		if err := w.at[side].order(0); err != nil {
			w.gone[side] = true
			continue
		}
		if _, err := w.arrive(side); err != nil {
			return err
		}
	}
	return nil
}

// arrive lets a side go on to the next benchmark that is to be measured. It returns nil at the end.
func (w *walk) arrive(side Side) (*goTarget, error) {
	for !w.gone[side] {
		m, err := w.at[side].next(w.r.sampleLimit(0))
		switch {
		case err != nil && over(err):
			w.gone[side] = true
		case err != nil:
			return nil, err
		case m.kind == "ready" && w.targets[m.name] != nil:
			return w.targets[m.name], nil
		case m.kind == "ready":
			if err := w.at[side].order(0); err != nil {
				w.gone[side] = true
			}
		}
	}
	return nil, nil
}

// slice runs n iterations of t on a side.
func (w *walk) slice(t *goTarget, side Side, n int, limit time.Duration) (slice, error) {
	s, ended, err := w.try(t, side, n, limit)
	switch {
	case err != nil:
		w.gaveUp(t, side, err)
	case ended:
		w.failed(t, side)
	default:
		return s, nil
	}
	return s, w.giveUp(t, side, n)
}

func (w *walk) try(t *goTarget, side Side, n int, limit time.Duration) (s slice, ended bool, err error) {
	s, ended, err = w.at[side].slice(w.trial.iterations(t.Key, side, n), limit)
	s.n = n
	return s, ended, err
}

// failed notes that t failed on a side. It may have taken the process down: the next ones must not
// suffer.
func (w *walk) failed(t *goTarget, side Side) {
	t.alone = true
	w.failures = append(w.failures, failure{t: t, side: side})
}

// finish ends t on both sides and returns the metrics that it reported in the end.
func (w *walk) finish(t *goTarget) (last [2][]extra, err error) {
	for _, side := range w.sides {
		var ok bool
		var failed error
		last[side], ok, failed = w.at[side].finish(w.r.sampleLimit(t.Cost))
		if failed != nil {
			failed = w.gaveUp(t, side, failed)
		} else if !ok {
			w.failed(t, side)
			failed = errVisit
		}
		if failed != nil {
			err = failed
		}
	}
	return last, err
}

// giveUp lets the other side out of a benchmark that one side is over with, after the same number of
// iterations: whether it fails on both is not left to the coin.
func (w *walk) giveUp(t *goTarget, failed Side, n int) error {
	limit := w.r.sampleLimit(t.Cost)
	for _, side := range w.sides {
		if side == failed || w.gone[side] {
			continue
		}
		switch _, ended, err := w.try(t, side, n, limit); {
		case err != nil:
			w.gaveUp(t, side, err)
		case ended:
			w.failed(t, side)
		default:
			if _, _, err := w.at[side].finish(limit); err != nil {
				w.gaveUp(t, side, err)
			}
		}
	}
	return errVisit
}

// gaveUp notes that a side's process has ended, or must, while it was at t.
func (w *walk) gaveUp(t *goTarget, side Side, err error) error {
	w.gone[side] = true
	f := failure{t: t, side: side}
	if !over(err) {
		f.message = err.Error()
		w.at[side].child.Kill()
	}
	t.alone = true // the next ones must not suffer
	w.failures = append(w.failures, f)
	return errVisit
}

// end waits for the processes and finds out why benchmarks failed.
func (w *walk) end() {
	for _, side := range []Side{Base, Head} {
		g := w.at[side]
		if g == nil {
			continue
		}
		g.child.Limit(w.r.sampleLimit(0)) // it may have left the conversation and go on
		e, _ := g.wait()                  // ctx's error is the caller's
		for i := range w.failures {
			if f := &w.failures[i]; f.side == side && f.message == "" {
				f.message = failureOf(f.t.Key.Name, e)
			}
		}
		if e.Failure != "" && len(w.targets) > 0 && len(w.failures) == 0 {
			for _, t := range w.targets { // it ended between benchmarks
				w.failures = append(w.failures, failure{t: t, side: side, message: failureMessage(e)})
			}
			w.targets = nil
		}
	}
}

// failureOf finds the reason that package testing printed for a benchmark.
func failureOf(name string, e proc.Exited) string {
	mark := regexp.MustCompile(`(?m)--- (?:FAIL|SKIP): Benchmark` + regexp.QuoteMeta(name) + `(?:-\d+)?\n\s+(.*)$`) // in the middle of a line, too
	if m := mark.FindSubmatch(e.Stdout); m != nil {
		return clip(strings.TrimSpace(string(m[1])))
	}
	if e.Failure == "" {
		return "it ended before its iterations"
	}
	e.Stdout = nil // it says how others failed
	return failureMessage(e)
}

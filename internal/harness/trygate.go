package harness

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/org/perfgate/internal/harness/proc"
	"github.com/org/perfgate/internal/parse"
)

// probeSource is a package with benchmarks whose results are known.
//
//go:embed gate/probe_test.go.txt
var probeSource []byte

const (
	probeIters = 10
	probeLimit = 20 * time.Second
)

// probed is what a benchmark of the probe must come to, however it is run.
type probed struct {
	name   string
	allocs int64
	metric string
	value  float64
}

var probes = []probed{
	{name: "N", allocs: 1, metric: "iterations", value: probeIters},
	{name: "Loop/sub", allocs: 2, metric: "turns/op", value: 1},
}

// tryGate builds a small package with and without the gate and compares what its benchmarks say: a
// toolchain whose package testing works in another way must not be measured through the gate.
func (b *builder) tryGate(ctx context.Context, g goTool, made *gate) error {
	dir := filepath.Join(b.scratch, fmt.Sprintf("probe-%d", len(b.gates)))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for name, data := range map[string][]byte{"go.mod": []byte("module perfgate.probe\n\ngo 1.24\n"), "probe_test.go": probeSource} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return err
		}
	}
	for _, v := range []string{"GOFLAGS", "GOWORK"} {
		g.env = proc.WithVar(g.env, v, map[string]string{"GOWORK": "off"}[v])
	}
	g.tags = ""
	overlay, err := b.writeOverlay(made.replace)
	if err != nil {
		return err
	}
	overlays := []string{overlay, ""}
	bins := []string{filepath.Join(dir, "with.test"), filepath.Join(dir, "without.test")}
	builds, buildCtx := errgroup.WithContext(ctx)
	for i := range bins {
		builds.Go(func() error { return g.build(buildCtx, dir, ".", bins[i], "", overlays[i], true) })
	}
	if err := builds.Wait(); err != nil {
		return fmt.Errorf("package testing with the gate does not build: %w", err)
	}
	env := proc.Env(g.env, nil)
	for i, bin := range bins {
		if err := probePlain(ctx, proc.Process{Path: bin, Dir: dir, Env: env, Limit: probeLimit}); err != nil {
			return fmt.Errorf("the probe %s the gate: %w", []string{"with", "without"}[i], err)
		}
	}
	if err := probeGated(ctx, proc.Process{Path: bins[0], Dir: dir, Env: env, Limit: probeLimit}); err != nil {
		return fmt.Errorf("the probe at the gate: %w", err)
	}
	return nil
}

// probePlain runs the probe as go test does.
func probePlain(ctx context.Context, p proc.Process) error {
	p.Args = []string{"-test.run=^$", "-test.bench=.", "-test.benchmem", fmt.Sprintf("-test.benchtime=%dx", probeIters)}
	e, err := p.Run(ctx)
	if err != nil {
		return err
	}
	if e.Failure != "" {
		return errors.New(failureMessage(e))
	}
	r, err := parse.GoBench(bytes.NewReader(e.Stdout), "probe", parse.GoOptions{Procs: suffixOf(e.Stdout, []string{probes[0].name})})
	if err != nil {
		return err
	}
	for _, want := range probes {
		found := false
		for _, b := range r.Set.Benchmarks {
			if b.Name != want.name {
				continue
			}
			allocs, metric := b.Metric("allocs/op"), b.Metric(want.metric)
			found = allocs != nil && metric != nil && slices.Equal(allocs.Values(), []float64{float64(want.allocs)}) && slices.Equal(metric.Values(), []float64{want.value})
		}
		if !found {
			return fmt.Errorf("other results of Benchmark%s: %s", want.name, clip(string(e.Stdout)))
		}
	}
	return nil
}

// probeGated takes two slices of each of the probe's benchmarks.
func probeGated(ctx context.Context, p proc.Process) (err error) {
	p.Args = []string{"-test.run=^$", "-test.bench=."}
	g, err := startGated(ctx, p, "")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			g.child.Kill()
		}
		if e, waitErr := g.wait(); err == nil && waitErr == nil && e.Failure != "" {
			err = errors.New(failureMessage(e))
		}
	}()
	for _, want := range probes {
		m, err := g.next(probeLimit)
		if err != nil {
			return err
		}
		if m.kind != "ready" || m.name != "Benchmark"+want.name {
			return fmt.Errorf("%s %q came before Benchmark%s", m.kind, m.name, want.name)
		}
		for range 2 {
			s, ended, err := g.slice(probeIters, probeLimit)
			if err != nil {
				return err
			}
			if ended || s.allocs/probeIters != want.allocs || s.took <= 0 {
				return fmt.Errorf("a slice of %d iterations of Benchmark%s took %v with %d allocations", s.n, want.name, s.took, s.allocs)
			}
		}
		last, ok, err := g.finish(probeLimit)
		if err != nil {
			return err
		}
		if !ok || len(last) != 1 || last[0] != (extra{want.metric, want.value}) {
			return fmt.Errorf("in the end Benchmark%s reports %v", want.name, last)
		}
	}
	return nil
}

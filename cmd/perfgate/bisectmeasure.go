package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/config"
	"github.com/org/perfgate/internal/harness"
	"github.com/org/perfgate/internal/result"
)

// measure compares a commit with good and returns the benchmark's rows against it. Why is set where the commit
// cannot be judged: it does not build, or lacks the benchmark.
func (b *bisector) measure(ctx context.Context, c harness.Commit, policy compare.Policy, metrics string) (rows []*compare.Comparison, why string, err error) {
	f, err := b.compareWith(ctx, b.base, b.Good, c, harness.Plan{Judge: policy, Exact: metrics != config.Times, NoTimes: metrics == config.Exact})
	var usage *harness.ErrUsage
	switch {
	case errors.As(err, &usage) && usage.Nothing:
		return nil, usage.Msg, nil
	case errors.As(err, &usage) && usage.Unmatched:
		return nil, "", usagef("--benchmark %s: neither side has such a benchmark; go test -list '^Benchmark' ./... shows the names", b.Benchmark)
	case err != nil:
		return nil, "", err
	}
	if fails := f.Base.BuildFailures; len(fails) > 0 {
		return nil, "", fmt.Errorf("%.12s, which is to be good, does not build: %s", b.Good, fails[0].Message)
	}
	if fails := f.Head.BuildFailures; len(fails) > 0 {
		return nil, "it does not build: " + fails[0].Message, nil
	}
	o := compare.Judge(f, policy)
	var keys []result.Key
	for _, row := range o.Comparisons {
		if row.Against == compare.AgainstBase && row.Key.Name == b.Benchmark {
			rows = append(rows, row)
			if !slices.Contains(keys, row.Key) {
				keys = append(keys, row.Key)
			}
		}
	}
	switch gone, came := renamed(rows); {
	case came != "":
		return nil, fmt.Sprintf("the benchmark moved from %s to %s, where it is another: search before the move and behind it", gone, came), nil
	case len(keys) > 1:
		return nil, "", usagef("%s is a benchmark of %s and of %s: name one with --packages", b.Benchmark, keys[0].Package, keys[1].Package)
	case len(keys) == 0 || rows[0].Verdict == compare.Missing:
		return nil, "it has no benchmark " + b.Benchmark, nil
	case rows[0].Verdict == compare.Added:
		return nil, fmt.Sprintf("%.12s, which is to be good, has no benchmark %s: name a later commit that has it", b.Good, b.Benchmark), nil
	case rows[0].Verdict == compare.Broken:
		return nil, strings.Join(append([]string{"the benchmark fails"}, rows[0].Notes...), ": "), nil
	}
	return rows, "", nil
}

// renamed is the package that a benchmark was in on base alone and the one that it is in on head alone, empty where it
// stayed.
func renamed(rows []*compare.Comparison) (gone, came string) {
	in := map[compare.Verdict]string{}
	for _, row := range rows {
		in[row.Verdict] = row.Key.Package
	}
	if len(in) != 2 || in[compare.Missing] == "" || in[compare.Added] == "" {
		return "", ""
	}
	return in[compare.Missing], in[compare.Added]
}

// compareWith measures a commit against a checkout of another.
func (b *bisector) compareWith(ctx context.Context, base *harness.Worktree, baseCommit string, c harness.Commit, plan harness.Plan) (*result.File, error) {
	p := b.p
	head, err := p.repo.Worktree(ctx, c.Hash)
	if err != nil {
		return nil, err
	}
	defer head.Close()
	rel, err := filepath.Rel(p.repo.Top, p.root)
	if err != nil {
		return nil, err
	}
	bench, err := p.goBench(ctx)
	if err != nil {
		return nil, err
	}
	bench.HeadDir, bench.BaseDir, bench.Scratch = filepath.Join(head.Dir, rel), filepath.Join(base.Dir, rel), head.Scratch
	bench.HeadTop = head.Dir
	bench.Bench = benchExpression(b.Benchmark)
	if !exists(bench.HeadDir) {
		return nil, &harness.ErrUsage{Nothing: true, Msg: "it has no folder " + rel}
	}
	closeMock, err := p.mocked(ctx, bench)
	if err != nil {
		return nil, err
	}
	defer closeMock()
	f := &result.File{Tool: tool(), GeneratedAt: p.app.now().UTC(), Seed: p.config.Seed, Pairing: result.Passes,
		Base: &result.Set{Commit: baseCommit}, Head: &result.Set{Commit: c.Hash}}
	plan.Seed, plan.Budget = p.config.Seed, p.config.Budget
	progress := newProgress(p.app.stderr)
	defer progress.close()
	m, err := harness.Measure(ctx, p.together(bench), plan, progress.observe)
	if err != nil {
		return nil, err
	}
	f.Control = m.Control
	p.fill(f, m.Base, m.Head)
	return f, nil
}

// benchExpression selects one benchmark, as for go test -bench.
func benchExpression(name string) string {
	parts := strings.Split("Benchmark"+name, "/")
	for i, part := range parts {
		parts[i] = "^" + regexp.QuoteMeta(part) + "$"
	}
	return strings.Join(parts, "/")
}

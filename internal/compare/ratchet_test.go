package compare

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/result"
)

// release is a baseline of one benchmark that executes so many statements.
func release(day int, statements float64) *result.File {
	f := &result.File{GeneratedAt: time.Date(2026, 3, day, 12, 0, 0, 0, time.UTC), Head: set(bench("X", metric(result.Statements, constants(3, statements)...)))}
	f.Head.Commit = strings.Repeat(string(rune('a'+day)), 40)
	return f
}

// TestRatchet: rises that are each within the tolerance, and each taken into a new baseline, are held to the
// level where they began.
func TestRatchet(t *testing.T) {
	const rise = 1.006
	baseline := release(0, 100_000)
	for day := 1; day <= 10; day++ {
		head := release(day, math.Round(100_000*math.Pow(rise, float64(day))))
		o := Judge(&result.File{Head: head.Head, Baseline: baseline.Head}, DefaultPolicy)
		if sum := math.Pow(rise, float64(day)) - 1; o.Gate == Fail {
			c := only(t, o)
			if day != 2 || !strings.Contains(strings.Join(c.Notes, " "), "held to the best level, of aaaaaaaaaaaa on 2026-02-28") {
				t.Errorf("it fails at commit %d, +%.1f %%, saying %q", day, 100*sum, c.Notes)
			}
			return
		} else if sum > 0.03 {
			t.Fatalf("+%.1f %% passes", 100*sum)
		}
		DefaultPolicy.Ratchet(baseline, head)
		baseline = head
	}
}

// TestRatchetLevels: what a new baseline holds a metric to.
func TestRatchetLevels(t *testing.T) {
	level := &result.Level{Value: 1000, Iters: 500, Commit: "best", Date: "2026-01-01"}
	first := &result.Level{Value: 1005, Iters: 1000, Commit: strings.Repeat("b", 40), Date: "2026-03-01"}
	for _, tt := range []struct {
		name      string
		best      *result.Level
		old, next float64
		change    func(old, next *result.File)
		want      *result.Level
	}{
		{"no move", nil, 1005, 1005, nil, nil},
		{"a small rise", nil, 1005, 1010, nil, first},
		{"a small rise on a drift", level, 1005, 1010, nil, level},
		{"no move on a drift", level, 1005, 1005, nil, level},
		{"back to the best", level, 1005, 1000, nil, nil},
		{"better than ever", level, 1005, 990, nil, nil},
		{"a rise beyond the tolerance is accepted", level, 1005, 1011, nil, nil},
		{"another Go", level, 1005, 1008, func(_, next *result.File) { next.Head.Env.Go = "go1.27.0" }, nil},
		{"another CPU", level, 1005, 1008, func(_, next *result.File) { next.Head.Env.CPU = "other" }, level},
		{"no longer constant", level, 1005, 1008, func(_, next *result.File) { next.Head.Benchmarks[0].Metrics[0].Samples[0].Value++ }, nil},
		{"a new benchmark", level, 1005, 1008, func(_, next *result.File) { next.Head.Benchmarks[0].Name = "Y" }, nil},
	} {
		old, next := release(1, tt.old), release(2, tt.next)
		old.Head.Benchmarks[0].Metrics[0].Best = tt.best
		if tt.change != nil {
			tt.change(old, next)
		}
		DefaultPolicy.Ratchet(old, next)
		if diff := cmp.Diff(tt.want, next.Head.Benchmarks[0].Metrics[0].Best); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestRatchetTolerance: the policy's tolerance is the ratchet's.
func TestRatchetTolerance(t *testing.T) {
	p := DefaultPolicy
	p.Overrides = []Override{{Subject: subject("^X$", result.Statements), Tolerance: &Tolerance{Relative: 0.1}}}
	old, next := release(1, 1000), release(2, 1099)
	p.Ratchet(old, next)
	if next.Head.Benchmarks[0].Metrics[0].Best == nil {
		t.Error("a rise of 9.9 % is accepted, where 10 % are tolerated")
	}
	if o := Judge(&result.File{Head: release(3, 1101).Head, Baseline: next.Head}, p); o.Gate != Fail {
		t.Errorf("10.1 %% above the best level: %s", o.Gate)
	}
}

// TestRatchetSpares: times and what improves upwards.
func TestRatchetSpares(t *testing.T) {
	hits := result.Unit{Name: "hits/op", Better: result.Higher}
	file := func(sec, hit float64) *result.File {
		return &result.File{Head: set(bench("X", metric("sec/op", constants(3, sec)...), metricOf(hits, hit, hit, hit)))}
	}
	p := DefaultPolicy
	p.Overrides = []Override{{Subject: subject("", "hits/op"), Tolerance: &Tolerance{Absolute: 5}}}
	old, next := file(1, 100), file(1.001, 97)
	p.Ratchet(old, next)
	b := next.Head.Benchmarks[0]
	if b.Metric("sec/op").Best != nil || b.Metric("hits/op").Best == nil || b.Metric("hits/op").Best.Value != 100 {
		t.Errorf("sec/op is held to %v, hits/op to %v", b.Metric("sec/op").Best, b.Metric("hits/op").Best)
	}
}

// TestLost: a benchmark that the baseline has and neither base nor head fails, once.
func TestLost(t *testing.T) {
	x, y := bench("X", metric("allocs/op", 1, 1, 1)), bench("Y/sub", metric("allocs/op", 1, 1, 1))
	same := with(bench("Y"), func(b *result.Benchmark) { b.Same = "identical binary" })
	failed := with(bench("Y"), func(b *result.Benchmark) { b.Status = result.Failed })
	for _, tt := range []struct {
		name       string
		base, head *result.Set
		missing    int
	}{
		{"on an earlier commit", set(x), set(x), 1},
		{"on this one", set(x, y), set(x), 1},
		{"not at all", set(x, y), set(x, y), 0},
		{"its function was not measured", set(x, same), set(x, same), 0},
		{"its function fails", set(x, failed), set(x, failed), 0},
	} {
		f := stagedFile(tt.base, tt.head)
		f.Baseline = set(x, y)
		o := Judge(f, DefaultPolicy)
		if n := o.Count(Missing); n != tt.missing || (o.Gate == Fail) != (tt.missing > 0) {
			t.Errorf("%s: %d missing, gate %s; want %d", tt.name, n, o.Gate, tt.missing)
		}
	}
}

package load

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// originals are the faults of the two guides' own code that perfgate has a counterpart of, and the test that fails
// where perfgate had the fault: file:test, relative to the module's root, or a script of cmd/perfgate.
var originals = []struct{ fault, test string }{
	// Offering load.
	{"no runs write a report of zeros", "internal/harness/load/schedule_test.go:TestBadPlans"},
	{"no runs, no workers, a negative latency are accepted or hang", "cmd/perfgate/testdata/script/load_usage.txtar"},
	{"the same in perfgate.yaml", "cmd/perfgate/testdata/script/check_load.txtar"},
	{"the same in Go code", "loadtest/loadtest_test.go:TestErrors"},
	{"a limit of 0 hangs", "internal/harness/load/execute_test.go:TestNothingHangs"},
	{"a limit of 0 entries in a cache", "internal/cache/cache_test.go:TestConfigErrors"},
	{"the limiter delivers twice its rate", "internal/harness/load/execute_test.go:TestRateIsNotTwice"},
	{"the time spent waiting is credited to the rate again", "internal/harness/load/originals_test.go:TestSlowTargetKeepsTheRate"},
	{"a failed factory leaks its slot, until all wait for ever", "internal/harness/load/originals_test.go:TestFailedStarts"},
	{"the wait for a turn is no part of the latency", "internal/harness/load/execute_test.go:TestCoordinatedOmission"},
	{"a run that fails takes the others with it, and nothing is written", "internal/harness/load/execute_test.go:TestKinds"},
	{"a chunk waits for its pause at the end, too", "internal/harness/load/execute_test.go:TestPauses"},
	{"three retries are four calls", "internal/harness/load/pipeline_test.go:TestPipelineRetries"},
	{"a stream that times out ends as if it were whole", "internal/harness/load/targets_unix_test.go:TestHTTP"},
	{"a buffer of 10 000 events drops the older ones", "internal/harness/load/originals_test.go:TestManyEvents"},
	// Measuring and judging it.
	{"the percentile of nothing is 0", "internal/harness/load/metrics_test.go:TestMetricsOfNothing"},
	{"a p95 of a single run of 20", "internal/harness/load/metrics_test.go:TestQuantiles"},
	{"the mocked latency hides the program's own time", "internal/harness/load/metrics_test.go:TestOverhead"},
	{"a hit rate of 100 % by construction", "internal/harness/load/pipeline_test.go:TestPipelineCounts"},
	{"what is computed at the same time is computed so many times", "internal/cache/flight_test.go:TestCoalesced"},
	{"one sample, of which nothing can be significant", "internal/compare/exact_test.go:TestConstantNeedsThree"},
	{"another scenario is compared as if it were the same", "internal/compare/load_test.go:TestScenario"},
	{"a verdict that depends on the unit", "internal/compare/metamorphic_test.go:TestScale"},
	{"a baseline that nobody measured", "internal/result/file_test.go:TestReadRefuses"},
	// The cache.
	{"an empty value is a miss", "internal/cache/conformance_test.go:TestKeeps"},
	{"an unknown backend is memory, and Redis without a URL none", "internal/cache/cache_test.go:TestConfigErrors"},
	{"a Redis that is not there is silently no cache", "internal/cache/redis_test.go:TestRedisOutOfReach"},
	{"a limit of time by a clock that can be set", "internal/cache/memory_test.go:TestMachineClock"},
	{"a shared value that its reader changes", "internal/cache/conformance_test.go:TestValuesAreCopies"},
}

// Each of the faults has its test.
func TestOriginals(t *testing.T) {
	for _, o := range originals {
		name, function, isTest := o.test, "", false
		if m := regexp.MustCompile(`^(.*_test\.go):(Test\w+)$`).FindStringSubmatch(o.test); m != nil {
			name, function, isTest = m[1], m[2], true
		}
		text, err := os.ReadFile(filepath.Join("../../..", filepath.FromSlash(name)))
		if err != nil {
			t.Errorf("%s: %v", o.fault, err)
			continue
		}
		if isTest && !regexp.MustCompile(`(?m)^func `+function+`\(`).Match(text) {
			t.Errorf("%s: %s has no %s", o.fault, name, function)
		}
	}
}

// However long the runs take, the rate is what was asked for: neither more, to make good for waiting, nor less.
func TestSlowTargetKeepsTheRate(t *testing.T) {
	onClocks(t, func(t *testing.T, c Clock) {
		trace := mustRun(t, c, openPlan(rate(50, 2*time.Second)), do(func(ctx context.Context, n int, _ *Record) error {
			return sleep(ctx, c, time.Duration(n%7)*30*time.Millisecond)
		}))
		for i := range trace.Records {
			if got, want := time.Duration(trace.Records[i].Started), time.Duration(i)*20*time.Millisecond; got != want {
				t.Fatalf("run %d began at %v, want %v", i, got, want)
			}
		}
	})
}

// A target that cannot be opened is an error each time, and leaves nothing behind that the next one would wait for.
func TestFailedStarts(t *testing.T) {
	onClocks(t, func(t *testing.T, c Clock) {
		boom := errors.New("the factory failed")
		opened := 0
		open := func(context.Context) (Target, error) {
			if opened++; opened <= 3 {
				return nil, boom
			}
			return sleeper(c, time.Millisecond), nil
		}
		plan := Plan{Runs: 4, Concurrency: 2}
		for range 3 {
			if trace, err := Sample(t.Context(), plan, open, Options{Clock: c}); trace != nil || !errors.Is(err, boom) {
				t.Fatalf("%v, %v, want the factory's error", trace, err)
			}
		}
		if trace, err := Sample(t.Context(), plan, open, Options{Clock: c}); err != nil || trace.Count(OK) != 4 {
			t.Errorf("after failed starts: %v", err)
		}
	})
}

// Of 1 000, 10 000 and 100 000 runs none is lost, and one costs the same: as many allocations, whatever came before.
func TestManyEvents(t *testing.T) {
	each := map[int]float64{}
	for _, n := range []int{1_000, 10_000, 100_000} {
		plan := Plan{Runs: n, Concurrency: 10}
		each[n] = testing.AllocsPerRun(1, func() {
			c := NewVirtualClock()
			if ok := mustRun(t, c, plan, sleeper(c, 0)).Count(OK); ok != n {
				t.Errorf("%d of %d runs", ok, n)
			}
		}) / float64(n)
	}
	if most := 1.1*each[1_000] + 0.1; each[10_000] > most || each[100_000] > most {
		t.Errorf("allocations a run: %v, want them flat", each)
	}
}

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"time"

	"github.com/org/perfgate/internal/cache"
	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/harness/load"
	"github.com/org/perfgate/internal/parse"
	"github.com/org/perfgate/internal/profiler"
	"github.com/org/perfgate/internal/result"
	"github.com/org/perfgate/internal/stats"
	"github.com/org/perfgate/probe"
)

// standards is the one list of perfgate's own benchmarks: what it does with much data, or in other people's programs.
// Flags, help and the tests range over it. The names say the sizes, which the constants below set.
var standards = []standard{
	{"Parse/cache=off", parseUncached},
	{"Parse/cache=memory", parseInMemory},
	{"Parse/cache=disk", parseOnDisk},
	{"SignedRankInterval/pairs=24", signedRankInterval},
	{"SignedRank/pairs=200", signedRank},
	{"Judge/rows=1000", judge},
	{"Span/profiler=off", spanUnheard},
	{"Span/profiler=off/attrs=2", spanWithAttributes},
	{"Span/profiler=on", spanHeard},
	{"Schedule/events=10000", schedule},
	{"Records/events=10000", records},
	{"Collect/events=10000", collect},
}

// The sizes of what is measured.
const (
	parsedRows    = 200 // benchmarks
	parsedSamples = 10
	fewPairs      = 24
	manyPairs     = 200
	judgedRows    = 1000 // comparisons
	judgedSamples = 10
	events        = 10_000
)

// random is the source of what looks measured: the same in every run.
func random() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

// repeat is a subject that is one function, called n times.
func repeat(once func() error) *subject {
	return &subject{run: func(n int) error {
		for range n {
			if err := once(); err != nil {
				return err
			}
		}
		return nil
	}}
}

// benchOutput is what go test -bench prints.
func benchOutput() []byte {
	var b bytes.Buffer
	b.WriteString("goos: linux\ngoarch: amd64\npkg: example.com/m\ncpu: Some CPU @ 2.50GHz\n")
	r := random()
	for i := range parsedRows {
		for range parsedSamples {
			fmt.Fprintf(&b, "BenchmarkEncode/size=%d-8  \t%8d\t%10.1f ns/op\t%8d B/op\t%8d allocs/op\n", i, 1000+i, 1500*(1+0.05*r.Float64()), 64*(i%7), i%5)
		}
	}
	b.WriteString("PASS\nok  \texample.com/m\t1.234s\n")
	return b.Bytes()
}

// parsed says whether f is what benchOutput prints.
func parsed(f *result.File, err error) error {
	if err == nil && len(f.Head.Benchmarks) != parsedRows {
		err = fmt.Errorf("%d benchmarks of %d were read", len(f.Head.Benchmarks), parsedRows)
	}
	return err
}

// parseUncached reads the output of benchmarks.
func parseUncached(context.Context) (*subject, error) {
	data := benchOutput()
	return repeat(func() error { return parsed(parse.Parse(bytes.NewReader(data), "bench.txt")) }), nil
}

func parseInMemory(ctx context.Context) (*subject, error) {
	return parseCached(ctx, cache.Config{Backend: "memory", MaxEntries: 1})
}

func parseOnDisk(ctx context.Context) (*subject, error) {
	dir, err := os.MkdirTemp("", "perfgate-")
	if err != nil {
		return nil, err
	}
	s, err := parseCached(ctx, cache.Config{Backend: "disk", Dir: dir})
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	closeStore := s.close
	s.close = func() { closeStore(); os.RemoveAll(dir) }
	return s, nil
}

// parseCached reads what parseUncached does from a cache, where it lies as a result file under the hash of the output.
func parseCached(ctx context.Context, c cache.Config) (*subject, error) {
	data := benchOutput()
	store, err := cache.Open(ctx, c)
	if err != nil {
		return nil, err
	}
	compute := func(context.Context) ([]byte, error) {
		f, err := parse.Parse(bytes.NewReader(data), "bench.txt")
		if err != nil {
			return nil, err
		}
		f.Tool, f.GeneratedAt = tool(), time.Unix(0, 0).UTC() // without which it would not be read again
		var out bytes.Buffer
		err = f.Write(&out)
		return out.Bytes(), err
	}
	look := func() (bool, error) {
		sum := sha256.Sum256(data)
		stored, hit, err := store.GetOrCompute(ctx, cache.NewKey("standard", 1, hex.EncodeToString(sum[:])), compute)
		if err != nil {
			return false, err
		}
		return hit, parsed(result.Read(bytes.NewReader(stored)))
	}
	s := repeat(func() error {
		hit, err := look()
		if err == nil && !hit {
			err = errors.New("the cache does not keep what it was given")
		}
		return err
	})
	s.close = func() { store.Close() } // of a cache that nobody will ask again
	if _, err := look(); err != nil {  // the one that fills it
		s.close()
		return nil, err
	}
	if err := store.Failure(); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// differences are of so many pairs of which head is 1 % slower.
func differences(n int) []float64 {
	r, d := random(), make([]float64, n)
	for i := range d {
		d[i] = 0.01 + 0.05*r.NormFloat64()
	}
	return d
}

// signedRankInterval finds the interval of a change by the exact distribution.
func signedRankInterval(context.Context) (*subject, error) {
	d := differences(fewPairs)
	return repeat(func() error {
		if i := stats.SignedRankInterval(d, 0.95); !(i.Lo < i.Hi) {
			return fmt.Errorf("an interval from %v to %v", i.Lo, i.Hi)
		}
		return nil
	}), nil
}

// signedRank tests whether there is a change.
func signedRank(context.Context) (*subject, error) {
	d := differences(manyPairs)
	return repeat(func() error {
		if greater, less, n := stats.SignedRank(d, 0); n != manyPairs || !(greater+less > 0) {
			return fmt.Errorf("p is %v and %v of %d pairs", greater, less, n)
		}
		return nil
	}), nil
}

// judge compares two files of benchmarks that differ by noise.
func judge(context.Context) (*subject, error) {
	r := random()
	side := func() *result.Set {
		s := &result.Set{}
		for i := range judgedRows {
			b := &result.Benchmark{Suite: "gobench", Package: "example.com/m", Name: fmt.Sprintf("Encode/size=%d", i), Status: result.OK}
			for j := range judgedSamples {
				b.Add(result.UnitOf("sec/op"), result.Sample{Value: 1e-6 * float64(i+1) * (1 + 0.05*r.Float64()), Iters: 1000, Pair: j, Pass: j})
			}
			s.Benchmarks = append(s.Benchmarks, b)
		}
		return s
	}
	f := &result.File{Base: side(), Head: side()}
	return repeat(func() error {
		if n := len(compare.Judge(f, compare.DefaultPolicy).Comparisons); n != judgedRows {
			return fmt.Errorf("%d comparisons, want %d", n, judgedRows)
		}
		return nil
	}), nil
}

// unheard refuses where the environment asks for spans: none would be a span that nobody hears of.
func unheard(ctx context.Context) error {
	if probe.FromContext(ctx) != nil {
		return errors.New(probe.Env + " is set, so every span is heard of; unset it")
	}
	return nil
}

// spanUnheard begins and ends a span as a program does that nobody listens to.
func spanUnheard(ctx context.Context) (*subject, error) {
	return &subject{run: func(n int) error {
		for range n {
			_, span := probe.Span(ctx, "fetch")
			span.End()
		}
		return nil
	}}, unheard(ctx)
}

// spanWithAttributes is spanUnheard with what the caller puts together in vain.
func spanWithAttributes(ctx context.Context) (*subject, error) {
	return &subject{run: func(n int) error {
		for i := range n {
			_, span := probe.Span(ctx, "fetch", slog.String("source", "store"), slog.Int("shard", i&7))
			span.End()
		}
		return nil
	}}, unheard(ctx)
}

// spanHeard begins and ends a span of a profiler.
func spanHeard(ctx context.Context) (*subject, error) {
	p := probe.New(io.Discard, 0)
	ctx = p.Attach(ctx)
	return &subject{
		run: func(n int) error {
			for range n {
				_, span := probe.Span(ctx, "fetch")
				span.End()
			}
			return p.Flush()
		},
		close: func() { p.Close() }, // into nothing
	}, nil
}

// openPlan is of so many arrivals at random distances.
func openPlan() load.Plan {
	return load.Plan{Stages: []load.Stage{{From: events, To: events, Length: time.Second}}, Arrival: load.Arrival{Name: "poisson"}, MaxInFlight: events, Seed: 1}
}

// schedule decides when each run of an open plan is due.
func schedule(context.Context) (*subject, error) {
	plan := openPlan()
	return repeat(func() error {
		s, err := plan.Schedule()
		if err == nil && s.Runs() != events {
			err = fmt.Errorf("%d runs are due, want %d", s.Runs(), events)
		}
		return err
	}), nil
}

// records turns what is known of each run into the metrics of one sample.
func records(context.Context) (*subject, error) {
	plan := openPlan()
	s, err := plan.Schedule()
	if err != nil {
		return nil, err
	}
	t := &load.Trace{Plan: plan, Schedule: s, Wall: s.Length, Records: make([]load.Record, events)}
	r := random()
	for i := range t.Records {
		due := int64(s.Due[i])
		t.Records[i] = load.Record{Due: due, Started: due + r.Int64N(1e6), Done: due + 1e6 + r.Int64N(1e8), Kind: load.OK}
	}
	return repeat(func() error {
		if m := t.Metrics(load.Scale{}); len(m) == 0 || m[0].Unit != "mean-sec" || m[0].Value <= 0 {
			return fmt.Errorf("the metrics are %v", m)
		}
		return nil
	}), nil
}

// collect adds up the lines in which a program tells of its spans.
func collect(context.Context) (*subject, error) {
	var lines bytes.Buffer
	r := random()
	for i := range events {
		fmt.Fprintf(&lines, "{\"span\":[\"run\",\"step %d\"],\"ns\":%d}\n", i%100, 1000+r.Int64N(1e6))
	}
	return repeat(func() error {
		c := &profiler.Collector{}
		if err := c.Read(bytes.NewReader(lines.Bytes())); err != nil {
			return err
		}
		return c.Told()
	}), nil
}

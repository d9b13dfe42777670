package main

import (
	"cmp"
	"context"
	"math"
	"net/url"
	"slices"
	"strings"

	"github.com/org/perfgate/internal/harness"
	"github.com/org/perfgate/internal/harness/load"
	"github.com/org/perfgate/internal/profiler"
	"github.com/org/perfgate/internal/result"
)

// recordOf is how a scenario's program is recorded, nil where it is not perfgate's to start, with the reason.
func (l *loader) recordOf(name string, plan load.Plan) (record func(context.Context, string, *harness.Recording) error, why string) {
	row, err := l.settings(l.clockOf()).Row()
	switch {
	case err != nil || row.Program == load.NoProgram: // the pipeline, which is the same on both sides
		return nil, ""
	case len(l.args) == 0:
		return nil, "perfgate does not start the program, so that both sides are the same one; name it in program"
	}
	return func(ctx context.Context, dir string, r *harness.Recording) error {
		in := *l
		in.dir, in.record = dir, r
		_, _, err := in.perform(ctx, part(plan, r.Share), name, nil)
		if load.IsUnfit(err) { // which is of times
			return nil
		}
		return err
	}, ""
}

// part is the first part of a plan.
func part(plan load.Plan, share float64) load.Plan {
	schedule, err := plan.Schedule()
	if share >= 1 || err != nil { // which the sample will say
		return plan
	}
	plan.Runs = max(1, int(math.Ceil(share*float64(schedule.Runs()))))
	plan.Chunks = min(plan.Chunks, plan.Runs)
	return plan
}

// readPprof reads where the program serves its profiles: a URL, or a path on the target.
func (l *loader) readPprof() error {
	if l.pprof == "" {
		return nil
	}
	target, err := url.Parse(l.target)
	if err != nil || target.Host == "" || len(l.args) == 0 {
		return &load.FieldError{Field: "pprof", Msg: "it is for servers that perfgate starts; a program that runs once for each run is profiled by package probe"}
	}
	at, err := target.Parse(l.pprof)
	if err != nil || at.Scheme != "http" && at.Scheme != "https" || at.Hostname() == "" || at.User != nil || at.RawQuery != "" ||
		!strings.HasPrefix(l.pprof, "/") && !strings.Contains(l.pprof, "://") {
		return &load.FieldError{Field: "pprof", Msg: `"` + l.pprof + `": want where net/http/pprof is served, a path on the target such as /debug/pprof, or a URL such as http://127.0.0.1:6060/debug/pprof`}
	}
	l.pprof = strings.TrimSuffix(at.String(), "/")
	return nil
}

// seen is what the samples of a scenario showed on both sides, by the tree.
type seen struct {
	sides map[string]*seenSide
}

// seenSide adds up what a run asked and did, sample by sample.
type seenSide struct {
	samples int
	spans   map[string]*[2]moments // own time and number
	asked   map[question]*moments
	last    map[question]load.RouteCounts // of the last sample
}

// question is something that is counted of the upstream.
type question struct{ route, model, what string }

// moments are those of a value over samples, of which some have none.
type moments struct{ sum, squares float64 }

func (m *moments) add(v float64) { m.sum += v; m.squares += v * v }

func newSeen() *seen { return &seen{sides: map[string]*seenSide{}} }

// countedCalls are what is looked at of calls, the most telling first.
var countedCalls = []struct {
	what string
	of   func(load.RouteCounts) int
	// fewer is worse.
	fewer bool
}{
	{what: "calls", of: func(c load.RouteCounts) int { return c.Calls }},
	{what: "failed attempts", of: func(c load.RouteCounts) int { return c.Failures }},
	{what: "input tokens", of: func(c load.RouteCounts) int { return c.InputTokens }},
	{what: "input tokens from the prompt cache", of: func(c load.RouteCounts) int { return c.CachedTokens }, fewer: true},
	{what: "output tokens", of: func(c load.RouteCounts) int { return c.OutputTokens }},
}

// repeated are the calls that ask again what their run had asked.
const repeated = "repeated"

// add adds a sample.
func (s *seen) add(dir string, t *load.Trace, c *load.Counts, told *profiler.Collector) {
	side := s.sides[dir]
	if side == nil {
		side = &seenSide{spans: map[string]*[2]moments{}, asked: map[question]*moments{}}
		s.sides[dir] = side
	}
	side.samples++
	runs := float64(len(t.Records))
	side.last = map[question]load.RouteCounts{}
	for _, r := range c.Routes {
		for _, count := range countedCalls {
			side.count(question{r.Route, r.Model, count.what}, float64(count.of(r))/runs)
		}
		side.count(question{r.Route, r.Model, repeated}, float64(r.Repeated)/runs)
		side.last[question{r.Route, r.Model, countedCalls[0].what}] = r
	}
	runs += float64(t.Plan.Warmup) // which told as well
	for _, timer := range told.Profile(0).Timers {
		if side.spans[timer.Name] == nil {
			side.spans[timer.Name] = new([2]moments)
		}
		side.spans[timer.Name][0].add(float64(timer.SelfNS) / 1e9 / runs)
		side.spans[timer.Name][1].add(float64(timer.Count) / runs)
	}
}

func (s *seenSide) count(k question, v float64) {
	if s.asked[k] == nil {
		s.asked[k] = new(moments)
	}
	s.asked[k].add(v)
}

const (
	// A difference of samples must be so many standard errors, and that share of base. A span's must be that share of the
	// largest, too.
	certain, worthwhile = 3, 0.05
	// Of fewer samples than fewestSamples nobody knows the error: a time must differ by obvious.
	fewestSamples = 3
	obvious       = 0.25
	// mostDifferences of a kind are kept.
	mostDifferences = 10
)

// mean is that of all samples. Where m is nil none has a value.
func (m *moments) mean(samples int) float64 {
	if m == nil {
		return 0
	}
	return m.sum / float64(samples)
}

// variance is that of the mean.
func (m *moments) variance(samples int) float64 {
	if m == nil || samples < 2 {
		return 0
	}
	n := float64(samples)
	return max(0, m.squares-m.sum*m.sum/n) / (n - 1) / n
}

// rises reports whether head's values are higher than base's by more than chance has it, and by more than a share.
func rises(base, head *moments, samples [2]int, least float64) bool {
	b, h := base.mean(samples[0]), head.mean(samples[1])
	return h-b > max(certain*math.Sqrt(base.variance(samples[0])+head.variance(samples[1])), least*b)
}

// differences are what head asks more, and does longer.
func (s *seen) differences(base, head string) (calls []result.CallGrowth, spans []result.SpanGrowth) {
	b, h := s.sides[base], s.sides[head]
	if b == nil || h == nil {
		return nil, nil
	}
	samples := [2]int{b.samples, h.samples}
	least := worthwhile
	if min(b.samples, h.samples) < fewestSamples {
		least = obvious
	}
	for name, at := range h.spans {
		was := b.spans[name]
		if was == nil {
			was = new([2]moments)
		}
		longer := at[0].mean(samples[1]) > was[0].mean(samples[0])
		if longer && (rises(&was[0], &at[0], samples, least) || rises(&was[1], &at[1], samples, 0)) {
			spans = append(spans, result.SpanGrowth{Name: name, Base: was[0].mean(samples[0]), Head: at[0].mean(samples[1]),
				BaseCount: was[1].mean(samples[0]), HeadCount: at[1].mean(samples[1])})
		}
	}
	slices.SortFunc(spans, func(x, y result.SpanGrowth) int {
		return cmp.Or(cmp.Compare(y.Head-y.Base, x.Head-x.Base), cmp.Compare(x.Name, y.Name))
	})
	if len(spans) > 0 {
		largest := spans[0].Head - spans[0].Base
		spans = slices.DeleteFunc(spans, func(s result.SpanGrowth) bool { return s.Head-s.Base < worthwhile*largest })
	}
	calls = callsGrown(b, h)
	return calls[:min(len(calls), mostDifferences)], spans[:min(len(spans), mostDifferences)]
}

// callsGrown are what head asks more of the upstream: calls first, those that rose most, and of the others what rose
// though the calls are the same.
func callsGrown(b, h *seenSide) (all []result.CallGrowth) {
	samples := [2]int{b.samples, h.samples}
	both := map[question]bool{}
	for k := range b.asked {
		both[k] = true
	}
	for k := range h.asked {
		both[k] = true
	}
	more := map[question]bool{} // calls
	for at, count := range countedCalls {
		var found []result.CallGrowth
		for k := range both {
			was, is, n := b.asked[k], h.asked[k], samples
			if count.fewer {
				was, is, n = is, was, [2]int{n[1], n[0]}
			}
			if k.what != count.what || !rises(was, is, n, 0) || more[question{k.route, k.model, countedCalls[0].what}] {
				continue
			}
			g := result.CallGrowth{Route: k.route, Model: k.model, What: k.what, Base: b.asked[k].mean(samples[0]), Head: h.asked[k].mean(samples[1])}
			if at == 0 {
				again := question{k.route, k.model, repeated}
				g.Repeated = max(0, h.asked[again].mean(samples[1])-b.asked[again].mean(samples[0]))
				g.First, g.Runs, g.All = firstMore(b.last[k].Runs, h.last[k].Runs)
			}
			found = append(found, g)
		}
		slices.SortFunc(found, func(x, y result.CallGrowth) int {
			return cmp.Or(cmp.Compare(math.Abs(y.Head-y.Base), math.Abs(x.Head-x.Base)), cmp.Compare(x.Route, y.Route), cmp.Compare(x.Model, y.Model))
		})
		if at == 0 {
			for _, g := range found {
				more[question{g.Route, g.Model, g.What}] = true
			}
		}
		all = append(all, found...)
	}
	return all
}

// firstMore is the first run that has more calls on head, and how many have, of all that are known: none where nobody
// knows whose calls they were.
func firstMore(base, head []int) (first, runs, all int) {
	for i, n := range head {
		before := 0
		if i < len(base) {
			before = base[i]
		}
		if n > before {
			if runs == 0 {
				first = i
			}
			runs++
		}
	}
	return first, runs, len(head)
}

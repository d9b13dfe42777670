package load

import (
	"math"
	"slices"
	"strconv"
	"time"
)

// Metric is one value of a trace, in the base units of package result: seconds, bytes, counts.
type Metric struct {
	Unit  string
	Value float64
}

// Scale says what the metrics need beside the trace.
type Scale struct {
	// Upstream are the upstream's own counts, nil where there was none.
	Upstream *Counts
	// Prices are what tokens cost, by model.
	Prices Prices
	// Goodput are the limits that a run must meet to be a good one, nil where nobody cares.
	Goodput *Goodput
}

// Goodput are limits on a run. Zero is none. A run that has no such time, because its answer was no stream,
// does not meet the limit.
type Goodput struct{ TTFT, TPOT, E2E time.Duration }

// quantiles are those that are reported, as far as enough runs support them.
var quantiles = []float64{0.5, 0.9, 0.95, 0.99}

// supported reports whether n values say something about a quantile: ten of them lie beyond it.
func supported(n int, q float64) bool { return float64(n)*(1-q) >= 10-1e-9 }

// Needed is how many values support a quantile.
func Needed(q float64) int { return int(math.Ceil(10/(1-q) - 1e-9)) }

// nearestRank is the smallest value that at least q of all do not exceed. values are ascending, and there
// is one at least.
func nearestRank(values []time.Duration, q float64) time.Duration {
	rank := int(math.Ceil(q*float64(len(values)) - 1e-9))
	return values[min(max(rank, 1), len(values))-1]
}

// Quantile is the nearest rank of the runs' latency, and whether enough of them support it. Without any run it
// is 0.
func (t *Trace) Quantile(q float64) (value time.Duration, ok bool) {
	v := t.values((*Record).Latency)
	if len(v) == 0 {
		return 0, false
	}
	return nearestRank(v, q), supported(len(v), q)
}

// Metrics are the values of a trace, in the order of display.
func (t *Trace) Metrics(s Scale) []Metric {
	m := &metrics{}
	latencies := t.values((*Record).Latency)
	if len(latencies) > 0 {
		m.sec("mean-sec", mean(latencies))
		m.quantiles("", latencies)
		m.sec("max-sec", latencies[len(latencies)-1])
	}
	if t.Plan.Open() {
		m.quantiles("queue-", t.values((*Record).Lag))
		m.quantiles("service-", t.values((*Record).Service))
	}
	t.tokenTimes(m)
	t.overhead(m)
	t.rates(m, s)
	t.counts(m, s)
	t.resources(m)
	return m.list
}

type metrics struct{ list []Metric }

func (m *metrics) add(unit string, v float64) { m.list = append(m.list, Metric{unit, v}) }

func (m *metrics) sec(unit string, d time.Duration) { m.add(unit, d.Seconds()) }

// quantiles adds those that the values support; values are ascending.
func (m *metrics) quantiles(prefix string, values []time.Duration) {
	for _, q := range quantiles {
		if supported(len(values), q) {
			m.sec(prefix+"p"+strconv.Itoa(int(math.Round(100*q)))+"-sec", nearestRank(values, q))
		}
	}
}

func mean(values []time.Duration) time.Duration {
	sum := 0.0
	for _, v := range values {
		sum += float64(v)
	}
	return time.Duration(math.Round(sum / float64(len(values))))
}

// timeToFirstToken is from when the run was due, false where the answer was no stream.
func (r *Record) timeToFirstToken() (time.Duration, bool) {
	return time.Duration(r.FirstToken - r.Due), r.FirstToken != 0
}

// timePerOutputToken is the rest of the run a token after the first, false where there is none.
func (r *Record) timePerOutputToken() (time.Duration, bool) {
	if r.FirstToken == 0 || len(r.Gaps) == 0 {
		return 0, false
	}
	return time.Duration((r.Done - r.FirstToken) / int64(len(r.Gaps))), true
}

// tokenTimes adds the times of streams, of runs that ended well.
func (t *Trace) tokenTimes(m *metrics) {
	var first, gaps, per []time.Duration
	for i := range t.Records {
		r := &t.Records[i]
		if r.Kind != OK {
			continue
		}
		if d, ok := r.timeToFirstToken(); ok {
			first = append(first, d)
		}
		if d, ok := r.timePerOutputToken(); ok {
			per = append(per, d)
		}
		for _, g := range r.Gaps {
			gaps = append(gaps, time.Duration(g))
		}
	}
	for _, v := range []struct {
		prefix string
		values []time.Duration
	}{{"ttft-", first}, {"itl-", gaps}, {"tpot-", per}} {
		slices.Sort(v.values)
		m.quantiles(v.prefix, v.values)
	}
}

// Overhead is what a run took beyond waiting for its upstream, false where nobody could tell.
func (r *Record) Overhead() (time.Duration, bool) {
	if r.Upstream == nil || r.Kind != OK {
		return 0, false
	}
	return r.Service() - r.Upstream.Busy - r.Shared, true
}

func (t *Trace) overhead(m *metrics) {
	var own []time.Duration
	var total, waited time.Duration
	for i := range t.Records {
		r := &t.Records[i]
		if d, ok := r.Overhead(); ok {
			own = append(own, d)
			total += r.Service()
			waited += r.Upstream.Busy + r.Shared
		}
	}
	if len(own) == 0 {
		return
	}
	slices.Sort(own)
	m.sec("overhead-mean-sec", mean(own))
	m.quantiles("overhead-", own)
	if total > 0 && waited > 0 {
		m.add("overhead-share", float64(total-waited)/float64(total))
	}
}

// rates are counts over the trace's length. A run that failed is no work done.
func (t *Trace) rates(m *metrics, s Scale) {
	wall := t.Wall.Seconds()
	if wall <= 0 {
		return
	}
	m.add("wall-sec", wall)
	m.add("runs/s", float64(t.Count(OK))/wall)
	if u := s.Upstream; u != nil && u.OutputTokens > 0 {
		m.add("tokens/s", float64(u.OutputTokens)/wall)
	}
	if s.Goodput != nil {
		good := 0
		for i := range t.Records {
			if s.Goodput.met(&t.Records[i]) {
				good++
			}
		}
		m.add("good-runs/s", float64(good)/wall)
	}
}

func (g *Goodput) met(r *Record) bool {
	within := func(limit, took time.Duration, known bool) bool { return limit == 0 || known && took <= limit }
	ttft, streamed := r.timeToFirstToken()
	tpot, many := r.timePerOutputToken()
	return r.Kind == OK && within(g.E2E, r.Latency(), true) && within(g.TTFT, ttft, streamed) && within(g.TPOT, tpot, many)
}

func (t *Trace) counts(m *metrics, s Scale) {
	failed, began := 0, 0
	hits, misses := 0, 0
	for i := range t.Records {
		r := &t.Records[i]
		if r.Kind != NotStarted {
			began++
		}
		if r.Kind != OK && r.Kind != NotStarted {
			failed++
		}
		hits += r.Hits
		misses += r.Misses
	}
	if began > 0 {
		m.add("error-share", float64(failed)/float64(began))
	}
	if hits+misses > 0 {
		m.add("cache-hits", float64(hits))
		m.add("cache-misses", float64(misses))
		m.add("cache-coalesced", float64(t.Usage.Coalesced))
		m.add("hit-rate", float64(hits)/float64(hits+misses))
	}
	if u := s.Upstream; u != nil {
		m.add("upstream-calls", float64(u.Calls))
		m.add("upstream-attempts", float64(u.Attempts))
		if depth, known := t.depth(); known && !u.Instant {
			m.add("upstream-depth", float64(depth))
		}
		m.add("input-tokens", float64(u.InputTokens))
		m.add("output-tokens", float64(u.OutputTokens))
		if cost, ok := s.Prices.cost(u); ok && began > 0 {
			m.add("cost/run", cost/float64(began))
		}
	}
}

// depth is the sum of the runs' longest sequences of upstream calls, false where nobody knows whose calls are whose.
func (t *Trace) depth() (sum int, known bool) {
	for i := range t.Records {
		if u := t.Records[i].Upstream; u != nil {
			sum, known = sum+u.Depth, true
		}
	}
	return sum, known
}

func (t *Trace) resources(m *metrics) {
	cpu, rss, began := t.Usage.CPU, t.Usage.MaxRSS, 0
	for i := range t.Records {
		r := &t.Records[i]
		if r.Kind != NotStarted {
			began++
		}
		cpu += r.CPU
		rss = max(rss, r.MaxRSS)
	}
	if cpu > 0 && began > 0 {
		m.add("cpu-sec/run", cpu.Seconds()/float64(began))
	}
	if rss > 0 {
		m.add("peak-rss-B", float64(rss))
	}
	if t.Usage.Startup > 0 {
		m.sec("startup-sec", t.Usage.Startup)
	}
}

// Price is what a million tokens cost.
type Price struct{ Input, Output float64 }

// Prices are by model.
type Prices map[string]Price

// cost is that of all calls, false where the price of a model that was called is not known: a part of the
// sum would look like a saving.
func (p Prices) cost(c *Counts) (sum float64, known bool) {
	for model, n := range c.ByModel {
		price, ok := p[model]
		if !ok {
			return 0, false
		}
		sum += (price.Input*float64(n.Input) + price.Output*float64(n.Output)) / 1e6
	}
	return sum, len(c.ByModel) > 0
}

package main

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/org/perfgate/internal/cache"
	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/config"
	"github.com/org/perfgate/internal/harness/load"
	"github.com/org/perfgate/internal/harness/pace"
	"github.com/org/perfgate/internal/profiler"
)

// loadFlags are load's flags. Those that are texts have a form of their own.
type loadFlags struct {
	*flags
	modelFlags
	args []string // behind --

	runs                              int
	concurrency, sweep                string
	rate, ramp, stages                string
	burst, replay, duration           string
	arrival                           string
	maxInFlight, chunks, warmup       int
	pause, think, timeout, grace      string
	samples                           int
	target, method, body, health      string
	pprof                             string
	headers                           []string
	wait                              string
	tasks                             int
	clockName                         string
	cacheBackend, cacheTTL, redisURL  string
	cacheEntries                      int
	logCache, priceList               []string
	goodput                           string
	asJSON, update, force, globalOnly bool
	reason                            string
}

// auto lets the machine decide how many workers there are.
const auto = "auto"

func newLoadFlags() *loadFlags {
	f := &loadFlags{flags: newFlags("load", "[-- PROGRAM ARG...]")}
	c := cache.Defaults()
	f.set.StringVar(&f.target, "target", "pipeline", "`TARGET` that the load is offered to: "+targetUsage())
	f.set.IntVar(&f.runs, "runs", 20, "`N` runs in all, or the most that a rate makes")
	f.set.StringVar(&f.concurrency, "concurrency", "10", "`N` workers, or auto for twice the processors and at most 20")
	f.set.StringVar(&f.sweep, "sweep", "", "`LIST` of numbers of workers to try, with their efficiency, such as 1,10")
	f.set.IntVar(&f.chunks, "chunks", 1, "split the runs into `N` blocks")
	f.set.StringVar(&f.pause, "pause", "0", "`DURATION` between two blocks")
	f.set.StringVar(&f.think, "think", "0", "`DURATION` that a worker pauses between two runs")
	f.set.StringVar(&f.rate, "rate", "", "start runs at this `RATE`, such as 200/s, whether or not the last ones have ended; needs --duration or --runs")
	f.set.StringVar(&f.arrival, "arrival", "constant", "`DISTRIBUTION` of arrivals about the rate: "+arrivalUsage())
	f.set.StringVar(&f.ramp, "ramp", "", "a `RATE` that moves, such as 10..200/s; needs --duration")
	f.set.StringVar(&f.stages, "stages", "", "`LIST` of rates one after the other, such as 10/s:30s,10..200/s:1m")
	f.set.StringVar(&f.burst, "burst", "", "`BURST`: so many runs at the same moment, N@EVERY, such as 50@1s; needs --duration or --runs")
	f.set.StringVar(&f.replay, "replay", "", "`FILE` with recorded arrivals: a time in seconds a line, counted from the first")
	f.set.StringVar(&f.duration, "duration", "", "`DURATION` of --rate, --ramp or --burst")
	f.set.IntVar(&f.maxInFlight, "max-inflight", load.DefaultMaxInFlight, "`N` runs of a rate may be under way at once, and no more")
	f.set.StringVar(&f.grace, "grace", load.DefaultGrace.String(), "`DURATION` that runs of a rate may take beyond its end")
	f.set.StringVar(&f.timeout, "timeout", load.DefaultTimeout.String(), "`DURATION` that one run may take; 0 for any")
	f.set.IntVar(&f.warmup, "warmup", 0, "`N` runs before the first that counts")
	f.set.IntVar(&f.samples, "repeat", 1, "make the whole `N` times: each is one sample")
	f.modelFlags.add(f.flags, "10ms")
	f.set.IntVar(&f.tasks, "tasks", 1, "`N` different tasks of the pipeline, which runs take in turn")
	f.set.StringVar(&f.method, "method", "", "`METHOD` of requests (default GET, with a body POST)")
	f.set.StringArrayVar(&f.headers, "header", nil, "`LINE` such as NAME: VALUE in requests; may be repeated, and hold {{.Run}}")
	f.set.StringVar(&f.body, "body", "", "`TEXT` of requests, or @FILE; may hold {{.Run}}")
	f.set.StringVar(&f.health, "health", "", "`URL` that answers 2xx when the server is ready (default: its port takes a connection)")
	f.set.StringVar(&f.pprof, "pprof", "", "`URL`, or path on the target, where the server has net/http/pprof: --profile and why take profiles there")
	f.set.StringVar(&f.wait, "wait", load.DefaultWait.String(), "`DURATION` that the server may take to be ready")
	f.set.StringVar(&f.cacheBackend, "cache-backend", c.Backend, "`BACKEND` that keeps the pipeline's plans: "+strings.Join(backendNames(), ", "))
	f.set.IntVar(&f.cacheEntries, "cache-max-entries", c.MaxEntries, "`N` plans are kept in memory")
	f.set.StringVar(&f.cacheTTL, "cache-ttl", c.TTL.String(), "`DURATION` that a plan is kept; 0 for as long as there is room")
	f.set.StringVar(&f.redisURL, "redis-url", "", "`URL` of the redis backend")
	f.set.StringSliceVar(&f.logCache, "log-cache", nil, "`LIST` of look-ups to print: hit, miss or hit,miss")
	f.set.StringVar(&f.clockName, "clock", "real", "`CLOCK`: real, or virtual, in which the pipeline's delays cost nothing and are exact")
	f.set.StringVar(&f.goodput, "goodput", "", "count runs within `LIMITS`, of ttft, tpot and e2e: ttft:100ms,e2e:1s")
	f.set.StringArrayVar(&f.priceList, "price", nil, "`PRICE` of a million tokens of a model: MODEL=INPUT/OUTPUT; may be repeated")
	f.options("pass-env", "seed", "reports-dir", "working-directory")
	f.set.BoolVar(&f.asJSON, "json", false, "print what is written to latest.json")
	f.set.BoolVar(&f.update, "update-baseline", false, "make what was measured the baseline, from at least "+strconv.Itoa(compare.FirstLook)+" samples")
	f.set.BoolVar(&f.force, "force", false, "write the baseline in spite of a dirty tree, failed runs or too few samples; needs --reason")
	f.set.StringVar(&f.reason, "reason", "", "`TEXT`: why it is forced; kept in the file")
	return f
}

func targetUsage() string {
	var names []string
	for _, t := range load.Targets {
		names = append(names, t.Name+" ("+t.Usage+")")
	}
	return strings.Join(names, ", ")
}

func arrivalUsage() string {
	var names []string
	for _, a := range load.Arrivals {
		names = append(names, a.Name+" ("+a.Usage+")")
	}
	return strings.Join(names, ", ")
}

func backendNames() (names []string) {
	for _, b := range cache.Backends {
		names = append(names, b.Name)
	}
	return names
}

// parseLoad parses the command line. What is behind -- is the program, and nothing of it a flag.
func (f *loadFlags) parseLoad(a *app, args []string) error {
	if i := slices.Index(args, "--"); i >= 0 {
		args, f.args = args[:i], args[i+1:]
	}
	if err := f.parse(a, args, 0); err != nil {
		return err
	}
	if f.force != (f.reason != "") {
		return usagef("--force and --reason belong together")
	}
	return f.environment(a)
}

// environment sets what the command line does not, as for settings of config. A setting that has its name is
// another one, which also stands in the environment.
func (f *loadFlags) environment(a *app) (err error) {
	f.set.VisitAll(func(flag *pflag.Flag) {
		name := config.Option{Name: flag.Name}.Env()
		v := a.getenv(name)
		if _, taken := config.Find(flag.Name); taken || flag.Changed || v == "" || err != nil {
			return
		}
		if serr := f.set.Set(flag.Name, v); serr != nil {
			err = usagef("%s: %v", name, serr)
		}
	})
	switch v := a.getenv("PERFGATE_GLOBAL_CACHE"); v {
	case "", "0", "false":
	case "1", "true":
		f.globalOnly = true
	default:
		err = usagef("PERFGATE_GLOBAL_CACHE=%s: want 1 for one plan cache for all workers, or 0", v)
	}
	return err
}

// loader checks the flags, and reads the files that they name by read. Its errors are usage errors, or those of a field.
func (f *loadFlags) loader(p *project, seed uint64, read func(name string) ([]byte, error)) (*loader, error) {
	l := &loader{p: p, read: read, loadFlags: f, told: map[*load.Trace]*profiler.Collector{}, seed: seed, dir: p.root, repeat: f.samples, renews: f.update}
	if f.update && !f.set.Changed("repeat") {
		l.repeat = compare.FirstLook
	}
	if l.repeat < 1 {
		return nil, usagef("--repeat: %d: want at least 1", l.repeat)
	}
	for _, step := range []func() error{l.readPlan, l.readLevels, l.readMock, l.readPrices, l.readGoodput, l.readRequest, l.readPprof, l.readClock, l.readCache} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	if _, err := l.settings(l.clockOf()).Row(); err != nil {
		return nil, err
	}
	for _, n := range l.levels {
		plan := l.planOf(n)
		if _, err := plan.Schedule(); err != nil {
			return nil, l.rename(err)
		}
	}
	return l, nil
}

// durations reads the flags that are durations.
func (f *loadFlags) durations(into map[string]*time.Duration) error {
	for name, d := range into {
		v, err := load.ParseDuration(f.set.Lookup(name).Value.String())
		if err != nil {
			return &load.FieldError{Field: name, Msg: fmt.Sprintf("%q: want a duration such as 10ms or 90s that is not negative; a bare number is seconds", f.set.Lookup(name).Value)}
		}
		*d = v
	}
	return nil
}

// readClock opens the machine's clock, unless time is virtual.
func (l *loader) readClock() error {
	switch l.clockName {
	case "virtual":
		return nil
	case "real":
		pacer, err := pace.New()
		if err != nil {
			return err
		}
		l.clock = &load.RealClock{Pacer: pacer}
		return nil
	}
	return usagef("--clock %q: want real or virtual", l.clockName)
}

// clockOf is the clock of one sample.
func (l *loader) clockOf() load.Clock {
	if l.clock == nil {
		return load.NewVirtualClock()
	}
	return l.clock
}

// readLevels reads how many workers there are.
func (l *loader) readLevels() error {
	texts := []string{l.concurrency}
	field := "concurrency"
	if l.sweep != "" {
		if l.plan.Open() {
			return usagef("--sweep: a rate has no workers; sweep without --rate, --ramp, --stages, --burst and --replay")
		}
		if l.set.Changed("concurrency") {
			return usagef("--sweep and --concurrency exclude each other")
		}
		texts, field = strings.Split(l.sweep, ","), "sweep"
	}
	for _, text := range texts {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if text == auto {
			n, err = min(2*runtime.GOMAXPROCS(0), 20), nil
		}
		if err != nil || n < 1 {
			return usagef("--%s: %q: want a number of workers of at least 1, or auto", field, text)
		}
		if slices.Contains(l.levels, n) {
			return usagef("--sweep: %d stands twice", n)
		}
		l.levels = append(l.levels, n)
	}
	return nil
}

// readRequest reads what the settings of a server need.
func (l *loader) readRequest() error {
	if err := l.durations(map[string]*time.Duration{"wait": &l.waitTime}); err != nil {
		return err
	}
	l.bodyText = l.body
	if name, isFile := strings.CutPrefix(l.body, "@"); isFile {
		data, err := l.read(name)
		if err != nil {
			return usagef("--body: %v", err)
		}
		l.bodyText = string(data)
	}
	return nil
}

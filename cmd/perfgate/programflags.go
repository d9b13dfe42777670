package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/org/perfgate/internal/harness"
	"github.com/org/perfgate/internal/harness/load"
)

// programFlags are the flags of a program that is timed. An entry of command or startup in the configuration file has
// the same names.
type programFlags struct {
	*flags
	args []string // behind --

	until, ready, prepare, cleanup string
	warmup, minRuns, maxRuns       int
	target, limit                  string
	imports                        bool
}

func newProgramFlags() *programFlags {
	f := &programFlags{flags: newFlags("startup", "-- PROGRAM [ARG...]")}
	var untils []string
	for _, u := range harness.Untils {
		untils = append(untils, string(u))
	}
	f.set.StringVar(&f.until, "until", string(harness.UntilExit), "`EVENT` that ends the clock: "+strings.Join(untils, ", ")+" (output is the first byte)")
	f.set.StringVar(&f.ready, "ready", "", "`ADDRESS` for --until ready: HOST:PORT that takes a connection, or a URL that answers 2xx")
	f.set.StringVar(&f.prepare, "prepare", "", "shell `SCRIPT` before each run, outside the clock")
	f.set.StringVar(&f.cleanup, "cleanup", "", "shell `SCRIPT` after each run, outside the clock")
	f.set.IntVar(&f.warmup, "warmup", 1, "`N` runs before the first that counts")
	f.set.IntVar(&f.minRuns, "min-runs", harness.FewestRuns, "`N` runs at least before anything is concluded")
	f.set.IntVar(&f.maxRuns, "max-runs", 0, "`N` runs at most; 0 for as many as it takes")
	f.set.StringVar(&f.target, "time", "1s", "`DURATION` that the runs should take together, as far as their number allows")
	f.set.StringVar(&f.limit, "timeout", "1m", "`DURATION` after which a run counts as hung")
	f.set.BoolVar(&f.imports, "imports", true, "trace what Go and Python programs initialise, in runs of their own")
	return f
}

// behindDashes takes what is behind -- off the arguments.
func behindDashes(args []string) (before, behind []string) {
	if i := slices.Index(args, "--"); i >= 0 {
		return args[:i], args[i+1:]
	}
	return args, nil
}

// timed checks the flags. Its errors are usage errors that begin with the flag.
func (f *programFlags) timed(p *project, name string) (harness.Timed, error) {
	t := harness.Timed{Name: name, Warmup: f.warmup, MinRuns: f.minRuns, MaxRuns: f.maxRuns, Trace: f.imports, Program: harness.Program{
		Args: f.args, Prepare: f.prepare, Cleanup: f.cleanup, Until: harness.Until(f.until), Ready: f.ready, Environ: p.app.childEnv(), PassEnv: p.config.PassEnv}}
	for name, d := range map[string]*time.Duration{"time": &t.Time, "timeout": &t.Limit} {
		v, err := load.ParseDuration(f.set.Lookup(name).Value.String())
		if err != nil {
			return t, usagef("--%s: %q: want a duration such as 10ms or 90s that is not negative", name, f.set.Lookup(name).Value)
		}
		*d = v
	}
	switch {
	case !slices.Contains(harness.Untils, t.Until):
		return t, usagef("--until: %q: want exit, output or ready", f.until)
	case t.Warmup < 0:
		return t, usagef("--warmup: %d: want a number that is not negative", t.Warmup)
	case t.MinRuns < 1:
		return t, usagef("--min-runs: %d: want at least 1", t.MinRuns)
	case t.MaxRuns != 0 && t.MaxRuns < t.MinRuns:
		return t, usagef("--max-runs: %d is less than --min-runs %d", t.MaxRuns, t.MinRuns)
	case t.MaxRuns != 0 && t.MaxRuns < harness.FewestRuns:
		return t, usagef("--max-runs: %d: nothing can be concluded from fewer than %d runs", t.MaxRuns, harness.FewestRuns)
	}
	if setting, problem := t.Check(); problem != "" {
		if setting == "program" {
			return t, usagef("%s; name it behind --", problem)
		}
		return t, usagef("--%s: %q: %s", setting, f.set.Lookup(setting).Value, problem)
	}
	return t, nil
}

// describe says what is run, in the words of the flags: values of something else are not comparable.
func (f *programFlags) describe() string {
	parts := []string{strings.Join(f.args, " ")}
	for _, name := range []string{"until", "ready", "prepare", "cleanup"} {
		if flag := f.set.Lookup(name); flag.Value.String() != flag.DefValue {
			parts = append(parts, fmt.Sprintf("%s=%s", name, flag.Value))
		}
	}
	return strings.Join(parts, "; ")
}

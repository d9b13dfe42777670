package config

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Option is one setting: its name in flag, input and file, its default and its meaning.
type Option struct {
	Name, Short string
	// Arg names the value in the usage text, empty for a switch.
	Arg     string
	Default string
	Usage   string
	// Choices are the values that it may have, nil for any.
	Choices []string
	// Repeat says that the flag may be given several times.
	Repeat bool
	// NoInput says that no action input sets it: a shell runs it, and workflows put a stranger's words into inputs.
	NoInput bool
	// Judges says that the setting decides what the outcome means, or what a benchmark may see of the job's
	// environment: a pull request cannot change it for its own run.
	Judges bool

	set func(c *Config, texts []string) error
}

// Env is the environment variable that holds the option.
func (o Option) Env() string {
	return "PERFGATE_" + strings.ToUpper(strings.ReplaceAll(o.Name, "-", "_"))
}

// Options is the one list of settings. Flags, action inputs, environment variables, the keys of
// perfgate.yaml and the documentation range over it.
var Options = []Option{
	{Name: "base", Judges: true, Arg: "REF", Usage: "commit to compare with (default: see docs/base.md)",
		set: func(c *Config, t []string) error { c.Base = last(t); return noDash(c.Base) }},
	{Name: "against", Judges: true, Arg: "WHAT", Default: Both, Choices: []string{Both, Base, Baseline}, Usage: "base, baseline or both, as far as they exist",
		set: func(c *Config, t []string) error { c.Against = last(t); return nil }},
	{Name: "packages", Arg: "PATTERN", Default: "./...", Repeat: true, Usage: "Go package patterns, relative to the project's root",
		set: func(c *Config, t []string) error {
			c.Packages = words(t)
			if len(c.Packages) == 0 {
				return errors.New("no pattern")
			}
			return noDash(c.Packages...)
		}},
	{Name: "bench", Arg: "REGEXP", Default: ".", Usage: "benchmarks to measure, as for go test -bench",
		set: func(c *Config, t []string) error { c.Bench = last(t); return compiles(c.Bench) }},
	{Name: "tags", Arg: "LIST", Usage: "Go build tags, separated by commas",
		set: func(c *Config, t []string) error {
			c.Tags = last(t)
			if !regexp.MustCompile(`^[\w.,]*$`).MatchString(c.Tags) {
				return errors.New("want build tags separated by commas")
			}
			return nil
		}},
	{Name: "budget", Arg: "DURATION", Default: "5m", Usage: "time for listing, calibrating and measuring; builds come on top",
		set: func(c *Config, t []string) (err error) {
			if c.Budget, err = duration(last(t)); err == nil && c.Budget <= 0 {
				err = errors.New("want more than nothing")
			}
			return err
		}},
	{Name: "effect", Judges: true, Arg: "PERCENT", Default: "5%", Usage: "the slowdown that must be caught",
		set: func(c *Config, t []string) (err error) { c.Effect, err = fraction(last(t)); return err }},
	{Name: "gate", Default: "true", Usage: "let both sides take turns within their processes; false: a process a sample",
		set: func(c *Config, t []string) (err error) { c.Gate, err = boolean(last(t)); return err }},
	{Name: "control", Default: "true", Usage: "run perfgate's own pipeline beside the rest for a few seconds: what moves there is the machine",
		set: func(c *Config, t []string) (err error) { c.Control, err = boolean(last(t)); return err }},
	{Name: "metrics", Judges: true, Arg: "WHICH", Default: AllMetrics, Choices: []string{AllMetrics, Exact, Times}, Usage: "exact (allocations, statements: a verdict in seconds), times, or all",
		set: func(c *Config, t []string) error { c.Metrics = last(t); return nil }},
	{Name: "counters", Judges: true, Arg: "LIST", Repeat: true, Usage: "what else to count that is exact: instructions, by perf_event_open or valgrind",
		set: func(c *Config, t []string) error {
			c.Counters = words(t)
			if slices.ContainsFunc(c.Counters, func(w string) bool { return w != Instructions }) {
				return fmt.Errorf("want one of %s", Instructions)
			}
			return nil
		}},
	{Name: "coverpkg", Judges: true, Arg: "PATTERN", Repeat: true, Usage: "further packages whose statements count, of other modules or the standard library",
		set: func(c *Config, t []string) error { c.CoverPackages = words(t); return noDash(c.CoverPackages...) }},
	{Name: "why", Arg: "WHICH", Default: Regressions, Choices: []string{Regressions, AllBenchmarks, None}, Usage: "what to explain by profiles of both sides: regressions, all or none",
		set: func(c *Config, t []string) error { c.Why = last(t); return nil }},
	{Name: "strict", Judges: true, Default: "false", Usage: "fail on inconclusive benchmarks too",
		set: func(c *Config, t []string) (err error) { c.Strict, err = boolean(last(t)); return err }},
	{Name: "mock", Arg: "FILE", Usage: "answer the benchmarks' calls to a model as this script says; see docs/mock.md",
		set: func(c *Config, t []string) error { c.Mock = last(t); return noDash(c.Mock) }},
	{Name: "prepare", NoInput: true, Arg: "SCRIPT", Repeat: true, Usage: "shell script to run once in each tree before building",
		set: func(c *Config, t []string) error { c.Prepare = strings.Join(t, "\n"); return nil }},
	{Name: "pass-env", Judges: true, Arg: "NAME", Repeat: true, Usage: "variables that benchmarks see beyond the usual ones",
		set: func(c *Config, t []string) error {
			c.PassEnv = words(t)
			for _, n := range c.PassEnv {
				if !regexp.MustCompile(`^[A-Za-z_]\w*$`).MatchString(n) {
					return fmt.Errorf("%q is no variable's name", n)
				}
				if RunnerOwn(n) {
					return fmt.Errorf("%s is the runner's own and may hold a token; give what a benchmark needs a name of its own", n)
				}
			}
			return nil
		}},
	{Name: "timeout", Arg: "DURATION", Default: "0s", Usage: "when a benchmark process counts as hung; 0s: by what it took on base",
		set: func(c *Config, t []string) (err error) { c.Timeout, err = duration(last(t)); return err }},
	{Name: "seed", Arg: "N", Default: "0", Usage: "repeats the order of measuring; 0: a new one",
		set: func(c *Config, t []string) (err error) {
			if c.Seed, err = strconv.ParseUint(last(t), 10, 53); err != nil {
				return fmt.Errorf("want a whole number below %d", uint64(1)<<53)
			}
			if c.Seed == 0 {
				c.Seed = 1 + rand.Uint64N(1<<32)
			}
			return nil
		}},
	{Name: "reports-dir", Judges: true, Arg: "DIR", Default: "perf_reports", Usage: "where reports and the baseline lie, relative to the project's root",
		set: func(c *Config, t []string) error { c.ReportsDir = last(t); return inside(c.ReportsDir) }},
	{Name: "working-directory", Short: "C", Arg: "DIR", Default: ".", Usage: "run as if started there",
		set: func(c *Config, t []string) error { c.WorkingDirectory = last(t); return nil }},
}

// RunnerOwn reports whether a variable is one of those in which a GitHub runner tells an action its inputs, tokens and
// files. s may be the name or name=value. Nothing that is measured sees them.
func RunnerOwn(s string) bool {
	name, _, _ := strings.Cut(strings.ToUpper(s), "=")
	return slices.ContainsFunc([]string{"INPUT_", "ACTIONS_", "GITHUB_", "RUNNER_", "STATE_"}, func(prefix string) bool {
		return strings.HasPrefix(name, prefix)
	})
}

// Find returns the option of that name.
func Find(name string) (Option, bool) {
	for _, o := range Options {
		if o.Name == name {
			return o, true
		}
	}
	return Option{}, false
}

func last(texts []string) string {
	if len(texts) == 0 {
		return ""
	}
	return strings.TrimSpace(texts[len(texts)-1])
}

func noDash(texts ...string) error {
	for _, t := range texts {
		if strings.HasPrefix(t, "-") {
			return fmt.Errorf("%q begins with a dash and would be read as a flag", t)
		}
	}
	return nil
}

// check refuses what is none of the choices, where there are some.
func (o Option) check(texts []string) error {
	if o.Choices == nil || slices.Contains(o.Choices, last(texts)) {
		return nil
	}
	return fmt.Errorf("want one of %s", strings.Join(o.Choices, ", "))
}

func compiles(expr string) error {
	for part := range strings.SplitSeq(expr, "/") {
		if _, err := regexp.Compile(part); err != nil {
			if _, whole := regexp.Compile(expr); whole == nil {
				return nil // the slash stands inside brackets
			}
			return err
		}
	}
	return nil
}

// duration reads a Go duration; a bare number is seconds.
func duration(s string) (time.Duration, error) {
	if n, err := strconv.ParseFloat(s, 64); err == nil {
		s = strconv.FormatFloat(n, 'f', -1, 64) + "s"
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, errors.New("want a duration such as 90s or 5m")
	}
	if d < 0 {
		return 0, errors.New("want a duration that is not negative")
	}
	return d, nil
}

// maxEffect is the largest effect that makes sense: a tenfold slowdown.
const maxEffect = 9

// fraction reads 5% or 0.05.
func fraction(s string) (float64, error) {
	text, percent := strings.CutSuffix(s, "%")
	f, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil {
		return 0, errors.New("want a percentage such as 5%, or a fraction such as 0.05")
	}
	if percent {
		f /= 100
	} else if f >= 1 {
		return 0, fmt.Errorf("without a percent sign it is a fraction; write %s%%", s)
	}
	if !(f > 0 && f <= maxEffect) {
		return 0, errors.New("want more than 0% and at most 900%")
	}
	return f, nil
}

func boolean(s string) (bool, error) {
	b, err := strconv.ParseBool(s)
	if err != nil {
		return false, errors.New("want true or false")
	}
	return b, nil
}

func inside(dir string) error {
	if !filepath.IsLocal(dir) || filepath.Clean(dir) == "." {
		return errors.New("want a folder inside the project")
	}
	return nil
}

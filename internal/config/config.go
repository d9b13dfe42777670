// Package config turns flags, action inputs, environment variables and perfgate.yaml into one
// checked Config. A setting has the same name in all four.
//
// It reads nothing itself: the caller passes what the sources hold.
package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/org/perfgate/internal/compare"
)

// File is the name of the configuration file.
const File = "perfgate.yaml"

// Config is what the user decided, complete with defaults.
type Config struct {
	Base             string
	Against          string
	Packages         []string
	Bench            string
	Tags             string
	Budget           time.Duration
	Effect           float64
	Policies         []compare.Override
	Budgets          []compare.Budget
	Waivers          []compare.Waiver
	Load             []Scenario
	Commands         []Scenario
	Startup          []Scenario
	Gate             bool
	Control          bool
	Metrics          string
	Counters         []string
	CoverPackages    []string
	Why              string
	Strict           bool
	Mock             string
	Prepare          string
	PassEnv          []string
	Timeout          time.Duration
	Seed             uint64
	ReportsDir       string
	WorkingDirectory string

	origins map[string]Origin
	values  map[string]string
}

// Values of Against.
const (
	Both     = "both"
	Base     = "base"
	Baseline = "baseline"
)

// Values of Metrics.
const (
	AllMetrics = "all"
	Exact      = "exact"
	Times      = "times"
)

// Values of Why.
const (
	Regressions   = "regressions"
	AllBenchmarks = "all"
	None          = "none"
)

// Instructions is a value of Counters.
const Instructions = "instructions"

// Origin says where a setting's value came from.
type Origin string

// The origins, the strongest first.
const (
	FromFlag    Origin = "flag"
	FromInput   Origin = "action input"
	FromEnv     Origin = "environment"
	FromFile    Origin = "file"
	FromDefault Origin = "default"
)

// Policy is the judge's part of the configuration.
func (c *Config) Policy() compare.Policy {
	p := compare.DefaultPolicy
	p.Effect, p.Strict = c.Effect, c.Strict
	p.Overrides, p.Budgets, p.Waivers = c.Policies, c.Budgets, c.Waivers
	p.Selected = c.Bench != "." || !slices.Equal(c.Packages, []string{"./..."})
	return p
}

// Setting is one line of --print-config.
type Setting struct {
	Name, Value string
	Origin      Origin
}

// Settings lists every setting with its value and where that came from.
func (c *Config) Settings() []Setting {
	var out []Setting
	for _, name := range Names() {
		out = append(out, Setting{name, c.values[name], c.origins[name]})
	}
	return out
}

// Names are the keys of the configuration file: those of the options and of the sections.
func Names() []string {
	var names []string
	for _, o := range Options {
		names = append(names, o.Name)
	}
	for _, s := range Sections {
		names = append(names, s.Name)
	}
	return names
}

// Sources hold what each place says. A lookup's second result is false where it says nothing.
type Sources struct {
	// Flag returns the values of a flag that was given, one for each time.
	Flag func(name string) ([]string, bool)
	// Input returns an action input.
	Input func(name string) string
	// Getenv returns an environment variable.
	Getenv func(name string) string
	// File is the parsed configuration file.
	File Values
}

// Values are the settings of a configuration file.
type Values map[string]Value

// Suites returns the settings that say what is run and how, and the names of the others, which decide
// what the outcome means.
func (v Values) Suites() (suites Values, others []string) {
	suites = Values{}
	for _, o := range Options {
		value, ok := v[o.Name]
		switch {
		case !ok:
		case o.Judges:
			others = append(others, o.Name)
		default:
			suites[o.Name] = value
		}
	}
	for _, s := range Sections {
		value, ok := v[s.Name]
		switch {
		case !ok:
		case s.Judges:
			others = append(others, s.Name)
		default:
			suites[s.Name] = value
		}
	}
	return suites, others
}

// Value is what the file says of a setting: its texts, or the entries of a section.
type Value struct {
	Position
	Texts   []string
	Entries []Entry
}

// Position is a place in the file. Lines and columns count from 1.
type Position struct{ Line, Column int }

func (p Position) place() string { return fmt.Sprintf("%s:%d:%d:", File, p.Line, p.Column) }

// Resolve asks the sources in the order of precedence and checks every setting. The error names
// all that is wrong, each with its place.
func Resolve(s Sources) (*Config, error) {
	c := &Config{origins: map[string]Origin{}, values: map[string]string{}}
	var errs []error
	for _, o := range Options {
		texts, origin, place := s.find(o)
		c.origins[o.Name] = origin
		c.values[o.Name] = strings.Join(texts, " ")
		if err := cmp.Or(o.check(texts), o.set(c, texts)); err != nil {
			errs = append(errs, &Error{Place: place, Msg: fmt.Sprintf("%q: %v", strings.Join(texts, " "), err)})
		}
	}
	for _, section := range Sections {
		errs = append(errs, section.resolve(c, s.File)...)
	}
	return c, errors.Join(errs...)
}

// find returns the setting's text from the strongest source that has it.
func (s Sources) find(o Option) (texts []string, origin Origin, place string) {
	if s.Flag != nil {
		if v, ok := s.Flag(o.Name); ok {
			return v, FromFlag, "--" + o.Name
		}
	}
	if s.Input != nil && !o.NoInput {
		if v := s.Input(o.Name); v != "" {
			return []string{v}, FromInput, "input " + o.Name
		}
	}
	if s.Getenv != nil {
		if v := s.Getenv(o.Env()); v != "" {
			return []string{v}, FromEnv, o.Env()
		}
	}
	if v, ok := s.File[o.Name]; ok {
		return v.Texts, FromFile, v.place() + " " + o.Name
	}
	return []string{o.Default}, FromDefault, o.Name
}

// Error is a setting that cannot be used, and where it was given.
type Error struct{ Place, Msg string }

func (e *Error) Error() string { return e.Place + " " + e.Msg }

// words splits texts at white space: a list may be given one a flag, or in one string.
func words(texts []string) []string {
	return slices.Collect(func(yield func(string) bool) {
		for _, t := range texts {
			for _, w := range strings.Fields(t) {
				if !yield(w) {
					return
				}
			}
		}
	})
}

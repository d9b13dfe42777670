package main

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/org/perfgate/internal/config"
	"github.com/org/perfgate/internal/harness"
	"github.com/org/perfgate/internal/harness/proc"
)

// programSuites are the suites of commands and of programs' starts that the configuration names. They have times
// alone, so that nothing of them is left where only what is exact is measured.
func (p *project) programSuites(headDir, baseDir string) ([]harness.Suite, error) {
	if p.config.Metrics == config.Exact {
		return nil, nil
	}
	filter, err := harness.NewFilter(p.config.Bench)
	if err != nil {
		return nil, err
	}
	var suites []harness.Suite
	var errs []error
	for _, kind := range []struct {
		name    string
		entries []config.Scenario
	}{{harness.SuiteCommand, p.config.Commands}, {harness.SuiteStartup, p.config.Startup}} {
		suite := &harness.Programs{Kind: kind.name, HeadDir: headDir, BaseDir: baseDir}
		for _, s := range kind.entries {
			if !filter.Match(s.Name) {
				continue
			}
			timed, err := p.timedEntry(s, kind.name)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			suite.Timed = append(suite.Timed, timed)
		}
		suites = append(suites, suite)
	}
	return suites, errors.Join(errs...)
}

// startable refuses a program that is not there: a wrong command line, by which nothing can be measured.
func (p *project) startable(program string) error {
	if _, err := proc.Find(program, p.root, proc.Env(p.app.childEnv(), p.config.PassEnv)); err != nil {
		return usagef("%v", err)
	}
	return nil
}

// timedEntry reads an entry as the flags of perfgate startup.
func (p *project) timedEntry(s config.Scenario, kind string) (harness.Timed, error) {
	f := newProgramFlags()
	f.args, f.imports = s.Program, kind == harness.SuiteStartup
	for _, name := range slices.Sorted(maps.Keys(s.Settings)) {
		if err := f.set.Set(name, s.Settings[name].Text); err != nil {
			return harness.Timed{}, s.Wrong(name, err.Error())
		}
	}
	t, err := f.timed(p, s.Name)
	if err != nil {
		name, msg, _ := strings.Cut(strings.TrimPrefix(err.Error(), "--"), ": ")
		return t, s.Wrong(name, msg)
	}
	t.Described = f.describe()
	return t, nil
}

package main

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/org/perfgate/internal/config"
	"github.com/org/perfgate/internal/harness"
	"github.com/org/perfgate/internal/harness/load"
	"github.com/org/perfgate/internal/harness/mockllm"
)

// scenarioSeed decides all that is random in a scenario: the same in every run, so that counts are facts that a
// baseline can hold.
const scenarioSeed = 1

// scenarios are the programs under load that the configuration names. They are closed in the end.
func (p *project) scenarios(ctx context.Context) (all []harness.Scenario, closeAll func(), err error) {
	var loaders []*loader
	closeAll = func() {
		for _, l := range loaders {
			l.close()
		}
	}
	filter, err := harness.NewFilter(p.config.Bench)
	if err != nil {
		return nil, nil, err
	}
	var errs []error
	for _, s := range p.config.Load {
		if !filter.Match(s.Name) {
			continue
		}
		l, err := p.scenario(s, p.reader(ctx))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		loaders = append(loaders, l)
		p.memories = append(p.memories, func(ctx context.Context) error {
			return l.sampleMemory(ctx, l.planOf(l.levels[0]), s.Name)
		})
		all = append(all, l.scenarioOf(s))
	}
	if errs != nil {
		closeAll()
		return nil, nil, errors.Join(errs...)
	}
	return all, closeAll, nil
}

// scenario reads an entry of load as the flags of perfgate load, and the files that it names by read.
func (p *project) scenario(s config.Scenario, read func(name string) ([]byte, error)) (*loader, error) {
	f := newLoadFlags()
	f.args = s.Program
	for _, name := range slices.Sorted(maps.Keys(s.Settings)) {
		for _, text := range s.Settings[name].Texts {
			switch file, isFile := strings.CutPrefix(text, "@"); {
			case name == "script" || name == "replay":
				text = p.inRoot(text)
			case name == "body" && isFile:
				text = "@" + p.inRoot(file)
			}
			if err := f.set.Set(name, text); err != nil {
				return nil, s.Wrong(name, err.Error())
			}
		}
	}
	l, err := f.loader(p, scenarioSeed, read)
	var field *load.FieldError
	switch {
	case err == nil:
		l.observe = func(harness.Event) {}
		return l, nil
	case errors.As(err, &field):
		return nil, s.Wrong(field.Field, field.Msg)
	case errors.As(err, new(*usageError)):
		name, msg, _ := strings.Cut(strings.TrimPrefix(err.Error(), "--"), ": ")
		return nil, s.Wrong(name, msg)
	}
	return nil, err
}

// inRoot is a file that is named relative to the project's root.
func (p *project) inRoot(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(p.root, name)
}

// scenarioOf is what the harness measures.
func (l *loader) scenarioOf(s config.Scenario) harness.Scenario {
	plan, all := l.planOf(l.levels[0]), newSeen()
	record, why := l.recordOf(s.Name, plan)
	return harness.Scenario{Name: s.Name, Runs: plan.Runs, Offered: offered(s, plan, &l.mock.Script), Record: record, NoRecord: why, Differences: all.differences, Take: func(ctx context.Context, dir string) ([]load.Metric, []string, error) {
		in := *l
		in.dir = dir
		t, counts, err := in.sample(ctx, plan, s.Name, s.Name)
		defer delete(in.told, t)
		exact := l.p.config.Metrics == config.Exact
		if err == nil && !exact {
			err = t.Timely()
		}
		if err != nil && !load.IsUnfit(err) {
			return nil, nil, err
		}
		all.add(in.side(), t, counts, in.told[t])
		said := append(t.Failures(), remarks(in.told[t])...)
		if !exact { // the others are on times
			said = append(said, t.Usage.Remarks...)
		}
		return in.metrics(t, counts), said, err // what an unfit machine counted holds
	}}
}

// offered says what a scenario is, in the words of the file, with what is in its script; of recorded arrivals, which are
// a file of their own, also their hash.
func offered(s config.Scenario, plan load.Plan, script *mockllm.Script) string {
	parts := []string{}
	if len(s.Program) > 0 {
		parts = append(parts, strings.Join(s.Program, " "))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Settings)) {
		if name == "pprof" { // by which nothing is offered
			continue
		}
		text := s.Settings[name].Text
		if name == "script" {
			text = scriptName(text, script)
		}
		parts = append(parts, name+"="+text)
	}
	if plan.Replay != nil {
		if schedule, err := plan.Schedule(); err == nil { // it was checked before
			parts = append(parts, "schedule "+schedule.Hash[:12])
		}
	}
	return strings.Join(parts, "; ")
}

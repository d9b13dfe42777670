package main

import (
	"context"
	"slices"
	"strings"
)

// input is an input of the action that is no setting: it says what the step does, and not what is
// measured or how it is judged.
type input struct {
	name, def, usage string
	choices          []string // nil for any value
}

// mode is one thing that the action does.
type mode struct {
	name string
	run  func(a *app, ctx context.Context) error
}

// modes is the one list of modes, the default first.
var modes = []mode{
	{"check", func(a *app, ctx context.Context) error { return a.check(ctx, nil) }},
}

// actionInputs is the one list of inputs beyond config.Options. action.yml and the documentation are held to it.
var actionInputs = []input{
	{name: "mode", def: modes[0].name, choices: modeNames(), usage: "what the step does: " + strings.Join(modeNames(), ", ")},
}

func modeNames() []string {
	var names []string
	for _, m := range modes {
		names = append(names, m.name)
	}
	return names
}

// action is what the container runs, with constant arguments: the runner joins arguments into one string, and
// their quoting does not survive that. So everything comes by environment.
func (a *app) action(ctx context.Context, args []string) error {
	f := newFlags("action", "")
	if err := f.parse(a, args, 0); err != nil {
		return ignoreHelp(err)
	}
	name, err := a.input("mode")
	if err != nil {
		return err
	}
	i := slices.IndexFunc(modes, func(m mode) bool { return m.name == name })
	return modes[i].run(a, ctx)
}

// input returns the value of an input of actionInputs, checked.
func (a *app) input(name string) (string, error) {
	i := slices.IndexFunc(actionInputs, func(in input) bool { return in.name == name })
	in := actionInputs[i]
	value := a.runner.Input(name)
	if value == "" {
		value = in.def
	}
	if in.choices != nil && !slices.Contains(in.choices, value) {
		return "", usagef("input %s %q: want one of %s", name, value, strings.Join(in.choices, ", "))
	}
	return value, nil
}

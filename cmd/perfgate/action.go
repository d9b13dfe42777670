package main

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/org/perfgate/internal/github"
)

// mode is one thing that the action does.
type mode struct {
	name, usage string
	run         func(a *app, ctx context.Context) error
}

// modes is the one list of modes, the default first.
var modes = []mode{
	{"check", "measure, compare and report: perfgate check", func(a *app, ctx context.Context) error { return a.check(ctx, nil) }},
	{"report", "post the report of a run that another job or workflow measured; runs no code of the repository", (*app).reportMode},
	{"baseline-measure", "measure the baseline of a release: perfgate baseline update", func(a *app, ctx context.Context) error { return a.baselineUpdate(ctx, nil) }},
	{"baseline-update", "commit a measured baseline on a release tag, or propose it; runs no code of the repository", (*app).baselineUpdateMode},
}

// input is an input of the action that is no setting: it says what the step does, and not what is measured or how it
// is judged.
type input struct {
	name, def, usage string
	choices          []string           // nil for any value
	check            func(string) error // nil for none; an empty value is not checked
}

// Values of the input comment.
const (
	commentAlways       = "always"
	commentOnChange     = "on-change"
	commentOnRegression = "on-regression"
	commentNever        = "never"
)

// actionInputs is the one list of inputs beyond config.Options. action.yml and the documentation are held to it.
var actionInputs = []input{
	{name: "mode", def: modes[0].name, choices: modeNames(), usage: "what the step does"},
	{name: "summary", def: "true", choices: []string{"true", "false"}, usage: "write the report to the job summary"},
	{name: "annotations", def: "true", choices: []string{"true", "false"}, usage: "annotate what fails the gate"},
	{name: "comment", def: commentOnChange, choices: []string{commentAlways, commentOnChange, commentOnRegression, commentNever},
		usage: "when to comment on the pull request; a comment that is there is kept up to date in all but never"},
	{name: "comment-key", def: "default", check: matches(`^[A-Za-z0-9._-]{1,64}$`, "want 1 to 64 letters, digits, dots, dashes and underscores"),
		usage: "tells the comments of several jobs on one pull request apart"},
	{name: "pr-number", check: matches(`^[1-9][0-9]{0,8}$`, "want the number of a pull request"),
		usage: "pull request to comment on, where the event names none and comes from nobody else"},
	{name: "run-id", check: matches(`^[1-9][0-9]{0,17}$`, "want the number of a workflow run"),
		usage: "run to report on in mode report (default: the one that the event is about, else this one)"},
	{name: "artifact", def: "perf_reports", check: matches(`^[^\x00-\x1f":<>|*?\\/]{1,128}$`, "want the name of an artifact"),
		usage: "artifact of that run with its latest.json"},
	{name: "file", usage: "stored result, relative to the workspace: in mode report instead of the artifact, in mode baseline-update instead of the baseline in the reports folder"},
	{name: "token", usage: "token for comments, labels and baselines; masked, and passed to nobody else"},
	{name: "update-strategy", def: github.Auto, choices: github.Strategies, usage: "how mode baseline-update writes; auto commits where the branch takes commits"},
	{name: "update-branch", check: matches(`^[A-Za-z0-9][\w./+-]{0,199}$`, "want the name of a branch"), usage: "branch of the baseline (default: the default branch)"},
	{name: "prereleases", def: "false", choices: []string{"true", "false"}, usage: "let mode baseline-update take a prerelease such as v1.2.3-rc.1"},
}

func modeNames() []string {
	var names []string
	for _, m := range modes {
		names = append(names, m.name)
	}
	return names
}

// matches makes a check. It compiles when it is asked, and not when perfgate starts, whatever it is started for.
func matches(expr, want string) func(string) error {
	return func(s string) error {
		if !regexp.MustCompile(expr).MatchString(s) {
			return errors.New(want)
		}
		return nil
	}
}

// inputs are the values of actionInputs, checked.
type inputs map[string]string

func (in inputs) yes(name string) bool { return in[name] == "true" }

// number is a checked number, 0 for none.
func (in inputs) number(name string) int64 {
	n, _ := strconv.ParseInt(in[name], 10, 64)
	return n
}

// readInputs reads the inputs of the action; the error names the first that is wrong.
func (a *app) readInputs() (inputs, error) {
	values := inputs{}
	for _, in := range actionInputs {
		value := a.runner.Input(in.name)
		if value == "" {
			values[in.name] = in.def
			continue
		}
		values[in.name] = value
		if in.choices != nil && !slices.Contains(in.choices, value) {
			return nil, usagef("input %s %q: want one of %s", in.name, value, strings.Join(in.choices, ", "))
		}
		if in.check != nil {
			if err := in.check(value); err != nil {
				return nil, usagef("input %s %q: %v", in.name, value, err)
			}
		}
	}
	return values, nil
}

// action is what the container runs, with constant arguments: the runner joins arguments into one string, and
// their quoting does not survive that. So everything comes by environment.
func (a *app) action(ctx context.Context, args []string) error {
	f := newFlags("action", "")
	if err := f.parse(a, args, 0); err != nil {
		return ignoreHelp(err)
	}
	values, err := a.readInputs()
	if err != nil {
		return err
	}
	token := values["token"]
	delete(values, "token")
	a.environ = slices.DeleteFunc(slices.Clone(a.environ), func(kv string) bool { return strings.HasPrefix(kv, "INPUT_TOKEN=") })
	if err := a.runner.Mask(token); err != nil {
		a.warn("%v", err)
	}
	a.posting = &posting{inputs: values, token: token, event: a.readEvent()}
	if a.posting.to, err = a.posting.eventTarget(); err != nil {
		return err
	}
	i := slices.IndexFunc(modes, func(m mode) bool { return m.name == values["mode"] })
	return modes[i].run(a, ctx)
}

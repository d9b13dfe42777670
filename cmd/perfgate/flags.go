package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/dustin/go-humanize/english"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/org/perfgate/internal/config"
	"github.com/org/perfgate/internal/suggest"
)

// flags is a command's flag set: pflag with perfgate's error messages. The set is not embedded: its hundred methods
// would be compiled again for each type that embeds flags.
type flags struct {
	set     *pflag.FlagSet
	command string
	args    string
}

func newFlags(name, args string) *flags {
	f := &flags{set: pflag.NewFlagSet(name, pflag.ContinueOnError), command: name, args: args}
	f.set.SortFlags = false
	f.set.SetOutput(io.Discard)
	f.set.Usage = func() {}
	return f
}

// texts collects the values of a flag; their meaning is config's business.
type texts struct {
	values []string
	option config.Option
}

func (t *texts) Set(s string) error {
	if !t.option.Repeat {
		t.values = nil
	}
	t.values = append(t.values, s)
	return nil
}

func (t *texts) String() string { return strings.Join(t.values, " ") }

func (t *texts) Type() string { return t.option.Arg }

// options adds the flags of the named settings.
func (f *flags) options(names ...string) {
	for _, name := range names {
		o, ok := config.Find(name)
		if !ok {
			panic("no setting " + name)
		}
		usage := o.Usage
		if o.Default != "" && o.Default != "false" {
			usage += " (default " + o.Default + ")"
		}
		flag := f.set.VarPF(&texts{option: o}, o.Name, o.Short, usage)
		if o.Arg == "" {
			flag.NoOptDefVal = "true"
		}
	}
}

// parse parses the command line; want are the numbers of arguments that it may have.
func (f *flags) parse(a *app, args []string, want ...int) error {
	err := f.set.Parse(args)
	var unknown *pflag.NotExistError
	switch {
	case errors.Is(err, pflag.ErrHelp):
		f.help(a.stdout)
		return errHelp
	case errors.As(err, &unknown):
		return usagef("%v%s; see perfgate help %s", err, f.suggest(unknown.GetSpecifiedName()), f.command)
	case err != nil:
		return usagef("%v; see perfgate help %s", err, f.command)
	case !slices.Contains(want, f.set.NArg()):
		return usagef("want: perfgate %s, got %s", strings.TrimSpace(f.command+" "+f.args), english.Plural(f.set.NArg(), "argument", ""))
	}
	return nil
}

// errHelp says that help was asked for and printed.
var errHelp = errors.New("help")

func (f *flags) suggest(name string) string {
	var names []string
	f.set.VisitAll(func(flag *pflag.Flag) { names = append(names, "--"+flag.Name) })
	return suggest.Question("--"+name, names)
}

func (f *flags) help(w io.Writer) {
	c, _ := find(strings.Fields(f.command)[0])
	fmt.Fprintf(w, "perfgate %s: %s\n", f.command, c.summary)
	fmt.Fprintf(w, "\nUsage:\n  perfgate %s\n", f.usage())
	if f.set.HasFlags() {
		fmt.Fprintf(w, "\nFlags:\n%s", f.set.FlagUsagesWrapped(columns(w)))
	}
	if strings.Contains(f.args, "|") {
		fmt.Fprintf(w, "\nThe flags of each: perfgate help %s\n", f.usage())
	}
}

// usage is how the command is called.
func (f *flags) usage() string {
	words := []string{f.command, "[flags]", f.args}
	if !f.set.HasFlags() {
		words[1] = ""
	}
	return strings.Join(slices.DeleteFunc(words, func(s string) bool { return s == "" }), " ")
}

// Help is this many columns wide where there is no terminal, and on a terminal no narrower than so that a flag has
// room beside its name.
const helpColumns, leastColumns = 100, 60

// columns is the width of the terminal that w writes to.
func columns(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			return max(width, leastColumns)
		}
	}
	return helpColumns
}

// configure resolves the settings from flags, inputs, environment and file.
func (a *app) configure(f *flags) (*project, error) {
	if err := a.checkEnvironment(); err != nil {
		return nil, err
	}
	s := config.Sources{
		Flag: func(name string) ([]string, bool) {
			flag := f.set.Lookup(name)
			if flag == nil || !flag.Changed {
				return nil, false
			}
			setting, ok := flag.Value.(*texts)
			if !ok { // the command's own, of the same name
				return nil, false
			}
			return setting.values, true
		},
		Input:  a.runner.Input,
		Getenv: a.getenv,
	}
	first, err := config.Resolve(s) // for the working directory alone, which finds the file
	if err != nil {
		return nil, err
	}
	root, err := a.projectRoot(first.WorkingDirectory)
	if err != nil {
		return nil, err
	}
	data, err := a.readFile(filepath.Join(root, config.File))
	if err != nil && !os.IsNotExist(err) {
		return nil, usagef("%v", err)
	}
	if s.File, err = config.Parse(data); err != nil {
		return nil, usagef("%v", err)
	}
	c, err := config.Resolve(s)
	if err != nil {
		return nil, err
	}
	return &project{app: a, root: root, config: c, sources: s}, nil
}

// projectRoot finds the project around dir: the nearest folder with a perfgate.yaml, else with
// a go.work or go.mod, else dir itself. The search stops at the root of the repository.
func (a *app) projectRoot(dir string) (string, error) {
	if dir == "." {
		if ws := a.runner.Workspace(); ws != "" {
			dir = ws
		}
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return "", usagef("--working-directory: %v", err)
	}
	if err := a.confine(dir); err != nil {
		return "", usagef("--working-directory: %v", err)
	}
	for _, marks := range [][]string{{config.File}, {"go.work", "go.mod"}} {
		for at := dir; ; at = filepath.Dir(at) {
			if slices.ContainsFunc(marks, func(m string) bool { return exists(filepath.Join(at, m)) }) {
				return at, nil
			}
			if exists(filepath.Join(at, ".git")) || at == filepath.Dir(at) {
				break
			}
		}
	}
	return dir, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// printConfig shows each setting and where it came from.
func (a *app) printConfig(c *config.Config) error {
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	for _, s := range c.Settings() {
		fmt.Fprintf(w, "%s\t%q\t%s\n", s.Name, s.Value, s.Origin)
	}
	return w.Flush()
}

func (a *app) help(_ context.Context, args []string) error {
	if len(args) > 0 {
		c, ok := find(args[0])
		if !ok {
			return usagef("unknown command %q%s", args[0], suggestCommand(args[0]))
		}
		// What follows a command that has none below it may be a program: it is not handed on.
		below := args[1:]
		if len(below) > 1 || len(below) == 1 && !slices.Contains(strings.Split(c.args, "|"), below[0]) {
			return usagef("perfgate %s has no command %q below it; see perfgate help %s", c.name, strings.Join(below, " "), c.name)
		}
		if c.name != "help" {
			return ignoreHelp(c.run(a, context.Background(), append(below, "--help")))
		}
	}
	fmt.Fprint(a.stdout, "perfgate fails a build when, and only when, a change made it slower or heavier.\n\nUsage:\n  perfgate COMMAND [flags]\n\nCommands:\n")
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	for _, c := range commands {
		fmt.Fprintf(w, "  %s\t%s\n", strings.TrimSpace(c.name+" "+c.args), c.summary)
	}
	w.Flush()
	fmt.Fprint(a.stdout, `
Exit codes:
  0    the gate passed
  1    the gate failed: a regression, a broken budget, a benchmark broken or missing on head
  2    wrong command line or configuration: nothing was measured
  3    no verdict: a build failed, base could not be measured, the baseline is unreadable,
       or nothing came to a verdict
  130  interrupted: what was measured is saved

A setting is looked up as flag, action input, PERFGATE_NAME in the environment, key in
perfgate.yaml, default. See perfgate check --print-config.
`)
	return nil
}

func ignoreHelp(err error) error {
	if errors.Is(err, errHelp) {
		return nil
	}
	return err
}

func suggestCommand(name string) string {
	var names []string
	for _, c := range commands {
		names = append(names, c.name)
	}
	return suggest.Question(name, names)
}

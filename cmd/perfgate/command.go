package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/org/perfgate/internal/github"
)

// app is what the commands share: the outside world, passed in.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	environ        []string
	runner         *github.Runner
	now            func() time.Time
	posting        *posting // of the action, nil for every other command
}

// command is one row of the table of subcommands.
type command struct {
	name, args, summary string
	run                 func(a *app, ctx context.Context, args []string) error
}

// commands is the one list of subcommands. Help and the tests range over it.
var commands []command

func init() { // help refers to the table, which refers to help
	commands = []command{
		{"check", "", "measure base and head, compare, report, exit: the gate", (*app).check},
		{"run", "", "measure the work tree only and write latest.json", (*app).measureOnly},
		{"load", "[-- PROGRAM ARG...]", "offer load to a program whose model is mocked, and measure", (*app).load},
		{"startup", "-- PROGRAM [ARG...]", "time the start of a program, and say what it initialises", (*app).startup},
		{"mem", "[-- PROGRAM [ARG...]]", "watch the memory of a program, or look for leaks", (*app).mem},
		{"compare", "BASE HEAD", "judge two result files, perfgate's or `go test -bench` output", (*app).compareFiles},
		{"report", "FILE", "judge a stored run again and print its report", (*app).reportFile},
		{"bisect", "GOOD BAD", "find the commit that made a benchmark slower or heavier", (*app).bisect},
		{"baseline", "show|update|verify|migrate", "look at, renew, check or lift the committed baseline", (*app).baseline},
		{"profile", profileArgs, "say where time and memory went, or how two profiles differ", (*app).profile},
		{"cache", cacheArgs, "look at, empty or fill what is kept between runs", (*app).cacheCommand},
		{"mock", "", "answer the LLM calls of a program, with seeded latency", (*app).mock},
		{"init", initArgs, "write perfgate.yaml and this repository's GitHub workflows", (*app).initialize},
		{"selftest", "", "run the gate where the right answer is known, on this machine", (*app).selftest},
		{"action", "", "what the GitHub Action runs: the mode that its inputs name", (*app).action},
		{"version", "", "print the version", (*app).version},
		{"help", "[COMMAND]", "print help", (*app).help},
	}
}

func find(name string) (command, bool) {
	for _, c := range commands {
		if c.name == name {
			return c, true
		}
	}
	return command{}, false
}

// run runs perfgate and returns its exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer, environ []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, environ: environ, now: time.Now}
	a.runner = github.New(a.getenv, stdout)
	if a.runner.Active() { // the runner reads commands in both streams
		hideFromChildren()
		out, errs := &inertWriter{w: stdout}, &inertWriter{w: stderr}
		if len(args) > 0 && args[0] == "action" {
			errs = out // the runner obeys nothing in what follows, and that holds for one stream
		}
		defer out.flush()
		defer errs.flush()
		a.stdout, a.stderr = out, errs
	}
	if err := a.quiet(args); err != nil {
		a.warn("%v", err)
	}
	if ws := a.getenv("GITHUB_WORKSPACE"); a.runner.Active() && ws != "" && a.runner.Workspace() == "" {
		a.warn("workspace: %s is no folder here; the working directory takes its place", ws)
	}
	err := a.dispatch(ctx, args)
	if code := exitCode(err); ctx.Err() != nil && (code == exitNoVerdict || code == exitInterrupted) {
		err = fmt.Errorf("interrupted: %w", ctx.Err()) // whatever failed, failed because of that
	}
	code := exitCode(err)
	switch code {
	case exitOK, exitFail: // the report says all
	case exitInterrupted:
		a.say("interrupted")
	default:
		a.say("%s", strings.TrimSpace(err.Error()))
	}
	if len(args) > 0 && (args[0] == "check" || args[0] == "action") {
		a.tellExit(code)
	}
	a.leave()
	return code
}

// quiet lets the runner obey nothing of the action's log but perfgate's own commands. Other commands' output may
// be wanted by a workflow's script, and is inert by its escaping alone.
func (a *app) quiet(args []string) error {
	if len(args) == 0 || args[0] != "action" {
		return nil
	}
	return a.runner.StopCommands()
}

// leave takes from later steps of a job what measured programs left for them, and gives what root made in this
// step to the users of the workspace and of the home folder, who would not be rid of it otherwise.
func (a *app) leave() {
	if !a.runner.Active() {
		return
	}
	endOthers()
	written, err := a.runner.Restore()
	if err != nil {
		a.warn("%v", err)
	}
	if len(written) > 0 {
		a.warn("a measured program wrote to what is the runner's: %s; that is undone", list(written))
	}
	ws, err := a.workspace()
	for _, dir := range []string{ws, a.getenv("HOME")} {
		if dir == "" {
			continue
		}
		if err := giveBackTree(dir); err != nil {
			a.warn("files below %s stay root's: %v", dir, err)
		}
	}
	if err := cmp.Or(err, a.runner.Resume()); err != nil {
		a.warn("%v", err)
	}
}

func (a *app) dispatch(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return a.help(ctx, nil)
	}
	switch args[0] {
	case "-h", "--help":
		return a.help(ctx, args[1:])
	case "--version":
		return a.version(ctx, nil)
	}
	c, ok := find(args[0])
	if !ok {
		return usagef("unknown command %q%s; see perfgate help", args[0], suggestCommand(args[0]))
	}
	return c.run(a, ctx, args[1:])
}

func (a *app) getenv(name string) string {
	for i := len(a.environ) - 1; i >= 0; i-- {
		if v, ok := strings.CutPrefix(a.environ[i], name+"="); ok {
			return v
		}
	}
	return ""
}

// inertWriter breaks up what a GitHub runner would read as a command. It passes on whole lines,
// because a command may come in pieces.
type inertWriter struct {
	w    io.Writer
	line []byte
}

func (i *inertWriter) Write(p []byte) (int, error) {
	i.line = append(i.line, p...)
	end := bytes.LastIndexByte(i.line, '\n') + 1
	if end == 0 {
		return len(p), nil
	}
	_, err := io.WriteString(i.w, github.EscapeLog(string(i.line[:end])))
	i.line = append(i.line[:0], i.line[end:]...)
	return len(p), err
}

// flush writes a last line without an end.
func (i *inertWriter) flush() {
	if len(i.line) > 0 {
		i.Write([]byte{'\n'})
	}
}

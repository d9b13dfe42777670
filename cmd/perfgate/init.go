package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/org/perfgate/internal/workflow"
)

// initialization is perfgate init: its flags, and what it found.
type initialization struct {
	*project
	system, comment, release, commit string
	dryRun, force                    bool

	facts workflow.Facts
	files []wanted
}

// wanted is a file that init makes, and what is there.
type wanted struct {
	workflow.File
	there []byte
	state string
}

// The states of what is there.
const (
	stateNew     = "new"
	stateSame    = "same"
	stateDiffers = "differs"
)

// initialize writes the configuration and the workflows for a repository.
func (a *app) initialize(ctx context.Context, args []string) error {
	i := &initialization{}
	f := newFlags("init", initArgs)
	f.set.StringVar(&i.system, "system", workflow.Systems[0], "`SYSTEM` to measure on: "+strings.Join(workflow.Systems, ", "))
	f.set.StringVar(&i.comment, "comment", workflow.Comments[0], "whose pull requests are commented on: `WHOSE`, "+strings.Join(workflow.Comments, ", "))
	f.set.StringVar(&i.release, "release", releaseOf(tool().Version), "`VERSION` of perfgate that the workflows use")
	f.set.StringVar(&i.commit, "commit", "", "`HASH` of that release's commit (default: what GitHub says)")
	f.options("working-directory")
	f.set.BoolVar(&i.dryRun, "dry-run", false, "print what would be written as a diff, and write nothing")
	f.set.BoolVar(&i.force, "force", false, "overwrite files that differ")
	asJSON := f.set.Bool("json", false, "print what was found and what is done with each file as JSON")
	program, err := f.parseProgram(a, args)
	if err != nil {
		return ignoreHelp(err)
	}
	if i.project, err = a.configure(f); err != nil {
		return err
	}
	if err := i.check(); err != nil {
		return err
	}
	if err := i.look(ctx, program); err != nil {
		return err
	}
	if err := i.make(); err != nil {
		return err
	}
	if err := i.refuse(); err != nil {
		return err
	}
	if !i.dryRun {
		if err := i.write(); err != nil {
			return err
		}
	}
	if *asJSON {
		return printJSON(a.stdout, i.summary())
	}
	i.print()
	return nil
}

// initArgs are the arguments of init.
const initArgs = "[-- PROGRAM ARG...]"

// parseProgram parses a command line that may end in a program behind two dashes.
func (f *flags) parseProgram(a *app, args []string) ([]string, error) {
	var program []string
	if dash := slices.Index(args, "--"); dash >= 0 {
		args, program = args[:dash], args[dash+1:]
	}
	return program, f.parse(a, args, 0)
}

// fullVersion is a version that a release has. Others, such as those of a build from a work tree, name none.
var fullVersion = regexp.MustCompile(`^v\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?$`)

// pseudoVersion ends what the go command calls a commit that has no tag.
var pseudoVersion = regexp.MustCompile(`\d{14}-[0-9a-f]{12}$`)

// releaseOf is the version where it is a release's, else nothing.
func releaseOf(version string) string {
	if !fullVersion.MatchString(version) || pseudoVersion.MatchString(version) {
		return ""
	}
	return version
}

// check refuses values that the flags cannot have.
func (i *initialization) check() error {
	if !slices.Contains(workflow.Systems, i.system) {
		return usagef("--system %q: want one of %s", i.system, strings.Join(workflow.Systems, ", "))
	}
	if !slices.Contains(workflow.Comments, i.comment) {
		return usagef("--comment %q: want one of %s", i.comment, strings.Join(workflow.Comments, ", "))
	}
	if i.release == "" {
		return usagef("this perfgate is %s and no release: name the one that the workflows shall use with --release v1.2.3", tool().Version)
	}
	if releaseOf(i.release) == "" {
		return usagef("--release %q: want a full version such as v1.2.3", i.release)
	}
	if i.commit != "" && !regexp.MustCompile(`^[0-9a-f]{40}$`).MatchString(i.commit) {
		return usagef("--commit %q: want the 40 hexadecimal digits of a commit", i.commit)
	}
	return nil
}

// make makes the files and compares them with what is there.
func (i *initialization) make() error {
	files, err := workflow.Files(i.facts)
	if err != nil {
		return err
	}
	for _, file := range files {
		p := wanted{File: file, state: stateNew}
		there, err := os.ReadFile(i.path(file.Path))
		switch {
		case err == nil && bytes.Equal(there, file.Text):
			p.state, p.there = stateSame, there
		case err == nil:
			p.state, p.there = stateDiffers, there
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
		i.files = append(i.files, p)
	}
	return nil
}

func (i *initialization) path(name string) string {
	return filepath.Join(i.repo.Top, filepath.FromSlash(name))
}

// refuse keeps what is there, all of it or nothing: half of a set of workflows is none.
func (i *initialization) refuse() error {
	if i.dryRun || i.force {
		return nil
	}
	var differ []string
	for _, p := range i.files {
		if p.state == stateDiffers {
			differ = append(differ, p.Path)
		}
	}
	if len(differ) == 0 {
		return nil
	}
	return usagef("%s: there already, with other content; nothing was written (--dry-run shows the difference, --force overwrites)", strings.Join(differ, ", "))
}

func (i *initialization) write() error {
	for _, p := range i.files {
		if p.state == stateSame {
			continue
		}
		name := i.path(p.Path)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := i.replace(name, p.Text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// print says what was done, or with --dry-run shows what would be.
func (i *initialization) print() {
	out := i.app.stdout
	for _, p := range i.files {
		switch {
		case p.state == stateSame:
			fmt.Fprintf(out, "unchanged  %s\n", p.Path)
		case i.dryRun && p.state == stateNew:
			out.Write(diff.Diff(os.DevNull, nil, "b/"+p.Path, p.Text))
		case i.dryRun:
			out.Write(diff.Diff("a/"+p.Path, p.there, "b/"+p.Path, p.Text))
		default:
			fmt.Fprintf(out, "written    %s\n", p.Path)
		}
	}
	for _, line := range i.next() {
		i.app.say("%s", line)
	}
}

// initSummary is what init prints with --json. Its facts are those that the files depend on.
type initSummary struct {
	Language  string            `json:"language"`
	System    string            `json:"system"`
	Packages  int               `json:"packages_with_benchmarks"`
	Branch    string            `json:"default_branch"`
	Setup     bool              `json:"setup_action"`
	Libraries []string          `json:"libraries"`
	Release   string            `json:"release"`
	Commit    string            `json:"commit"`
	DryRun    bool              `json:"dry_run"`
	Files     []initSummaryFile `json:"files"`
}

// initSummaryFile is one file. Before is what was there: nothing (new), the same (same) or something else (differs).
type initSummaryFile struct {
	Path    string `json:"path"`
	Before  string `json:"before"`
	Written bool   `json:"written"`
	Text    string `json:"text"`
}

func (i *initialization) summary() initSummary {
	f := i.facts
	s := initSummary{
		Language: f.Language, System: f.System, Packages: f.Packages, Branch: f.Branch, Setup: f.Setup(),
		Libraries: append([]string{}, f.Libraries...), Release: f.Release.Version, Commit: f.Release.Commit, DryRun: i.dryRun,
	}
	for _, p := range i.files {
		s.Files = append(s.Files, initSummaryFile{p.Path, p.state, !i.dryRun && p.state != stateSame, string(p.Text)})
	}
	return s
}

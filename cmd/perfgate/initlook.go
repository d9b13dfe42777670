package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/dustin/go-humanize/english"

	"github.com/org/perfgate/internal/harness"
	"github.com/org/perfgate/internal/workflow"
)

// look finds out what the files depend on.
func (i *initialization) look(ctx context.Context, program []string) error {
	if err := i.open(ctx); err != nil {
		return err
	}
	if i.repo == nil {
		return usagef("%s is not in a git repository: run git init first, or name the repository with --working-directory", i.root)
	}
	dir, err := filepath.Rel(i.repo.Top, i.root)
	if err != nil {
		return err
	}
	survey, err := harness.Look(ctx, i.root, i.app.childEnv())
	if err != nil {
		return err
	}
	i.facts = workflow.Facts{
		Branch: i.repo.DefaultBranch(ctx), Dir: filepath.ToSlash(dir), System: i.system, Comment: i.comment,
		GoVersionFile: survey.GoVersionFile, Libraries: survey.Libraries, Packages: len(survey.Benchmarks),
	}
	if err := i.target(survey, program); err != nil {
		return err
	}
	return i.pin(ctx)
}

// target decides what is measured: the Go benchmarks, the program, or both.
func (i *initialization) target(s *harness.Survey, program []string) error {
	i.facts.Language = i.language(s, program)
	if len(program) == 0 && len(s.Benchmarks) == 0 {
		if len(s.Modules) > 0 {
			return usagef("nothing to measure: no benchmark in %s of %s; write one (func BenchmarkX(b *testing.B) in a _test.go file), or name a program to put under load: perfgate init -- PROGRAM ARG...", english.Plural(len(s.Modules), "Go module", ""), i.root)
		}
		return usagef("nothing to measure: no Go module in %s; name a program to put under load: perfgate init -- PROGRAM ARG...", i.root)
	}
	if i.system == workflow.Windows && i.facts.Language != workflow.Go && len(program) > 0 {
		return usagef("--system %s: init can prepare %s programs on %s and %s only", i.system, i.facts.Language, workflow.Linux, workflow.MacOS)
	}
	i.facts.Program = program
	i.prepare()
	return nil
}

// interpreters are the programs that tell a program's language.
var interpreters = map[string]string{
	"python": workflow.Python, "python3": workflow.Python, "uv": workflow.Python, "poetry": workflow.Python,
	"node": workflow.Node, "npm": workflow.Node, "npx": workflow.Node, "pnpm": workflow.Node, "yarn": workflow.Node, "tsx": workflow.Node,
}

// language is that of the program that is named, else of the project.
func (i *initialization) language(s *harness.Survey, program []string) string {
	if len(program) > 0 {
		if l, ok := interpreters[filepath.Base(program[0])]; ok {
			return l
		}
	}
	switch {
	case len(s.Modules) > 0:
		return workflow.Go
	case i.has("pyproject.toml") || i.has("requirements.txt"):
		return workflow.Python
	case i.has("package.json"):
		return workflow.Node
	}
	return workflow.Other
}

func (i *initialization) has(name string) bool { return exists(filepath.Join(i.root, name)) }

// prepare writes the steps that make a program of another language ready in each of the two trees: base's may
// depend on other packages than head's.
func (i *initialization) prepare() {
	f := &i.facts
	switch {
	case len(f.Program) == 0:
	case f.Language == workflow.Node && i.has("package-lock.json"):
		f.Prepare = []string{"npm ci"}
	case f.Language == workflow.Python && i.has("requirements.txt"):
		f.Prepare = []string{"python3 -m venv .venv", ".venv/bin/pip install --quiet --requirement requirements.txt"}
		if name := f.Program[0]; name == "python" || name == "python3" {
			f.Program = append([]string{".venv/bin/python"}, f.Program[1:]...)
		}
	}
}

// pin finds the commit of the release.
func (i *initialization) pin(ctx context.Context) error {
	i.facts.Release = workflow.Pin{Action: workflow.Repository, Version: i.release, Commit: i.commit}
	if i.commit != "" {
		return nil
	}
	commit, err := i.repo.RemoteTag(ctx, "https://github.com/"+workflow.Repository, i.release)
	if err != nil {
		return fmt.Errorf("the commit of perfgate %s, which the workflows name, cannot be found out: %w; name it with --commit HASH", i.release, err)
	}
	i.facts.Release.Commit = commit
	return nil
}

// next says what was found, and what is left to do.
func (i *initialization) next() []string {
	f := i.facts
	lines := []string{fmt.Sprintf("found %s", f.Language)}
	if f.Packages > 0 {
		lines[0] = "found " + english.Plural(f.Packages, "Go package", "") + " with benchmarks"
	}
	if f.Setup() {
		lines[0] += "; perfgate runs on the " + i.system + " runner itself"
	}
	if len(f.Libraries) > 0 {
		lines = append(lines, "its packages need "+strings.Join(f.Libraries, ", ")+": install them in a step before perfgate's")
	}
	if f.Comment == workflow.CommentAll {
		lines = append(lines, "comments appear once the files are on "+f.Branch)
	}
	return append(lines, "a first baseline, to be committed: perfgate baseline update")
}

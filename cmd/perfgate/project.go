package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2/maybe"

	"github.com/org/perfgate/internal/config"
	"github.com/org/perfgate/internal/harness"
	"github.com/org/perfgate/internal/result"
)

// project is the checked-out project with its configuration.
type project struct {
	app    *app
	root   string
	config *config.Config
	repo   *harness.Repo // nil outside git

	sources config.Sources // of config
	// trusted is the base whose configuration and baseline are in force, nil where the checkout's are.
	trusted *harness.BaseCommit
	// absent says why trusted's files are not in the clone, nil where they are.
	absent  *harness.AbsentError
	origins origins  // of what is compared with
	notes   []string // warnings for the report
	record  *record  // of releases, nil where none is asked for
	// profiling is of the run, nil where nobody asks for it.
	profiling *profiling
	heard     []*heardProgram               // of what was measured
	memories  []func(context.Context) error // take the memory of programs, in samples of their own
}

// open finds the repository around the project, if there is one. Whoever measures opens it first, so it refuses
// where nothing may be measured.
func (p *project) open(ctx context.Context) error {
	if err := p.app.mayMeasure(); err != nil {
		return err
	}
	repo, err := harness.OpenRepo(ctx, p.root, p.app.childEnv())
	if errors.Is(err, harness.ErrNoRepo) {
		return nil
	}
	p.repo = repo
	return err
}

// childEnv is the environment for git and for what the harness runs. Under Actions, the work tree
// belongs to another user than the container's root, which git refuses unless the folder is named
// as safe; actions/setup-go sets GOTOOLCHAIN=local for the whole job, which is meant for the Go that
// it installed and not for the container's; and the module cache must be deletable by others. What is the
// runner's own, tokens above all, none of them gets.
func (a *app) childEnv() []string {
	if !a.runner.Active() {
		return slices.Clip(a.environ)
	}
	env := slices.DeleteFunc(slices.Clone(a.environ), func(kv string) bool { return config.RunnerOwn(kv) })
	if a.getenv("GIT_CONFIG_COUNT") == "" {
		env = append(env, "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*")
	}
	if a.getenv("GOTOOLCHAIN") == "local" {
		env = append(env, "GOTOOLCHAIN=auto")
	}
	if flags := a.getenv("GOFLAGS"); !strings.Contains(flags, "-modcacherw") {
		env = append(env, "GOFLAGS="+strings.TrimSpace(flags+" -modcacherw"))
	}
	return env
}

// dirt lists what is changed beyond the commit, our own outputs aside.
func (p *project) dirt(ctx context.Context) ([]string, error) {
	ours := []string{p.reports(""), filepath.Join(p.root, filepath.FromSlash(performanceDir))}
	if p.record != nil {
		ours = append(ours, filepath.Join(p.root, p.record.name))
	}
	return p.repo.Dirty(ctx, ours...)
}

func (p *project) reports(name string) string {
	return filepath.Join(p.root, p.config.ReportsDir, name)
}

// ignoreOthers keeps everything in the reports folder out of git but the baseline, itself included:
// a run leaves a clean tree clean.
const ignoreOthers = "*\n!baseline.json\n"

// makeReports creates the reports folder. One that holds nothing, or as in a fresh clone the baseline
// alone, gets a .gitignore; one with more in it is the user's to manage.
func (p *project) makeReports() error {
	dir := p.reports("")
	if err := p.app.confine(dir); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err == nil && slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() != baselineFile }) {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	giveBack(dir, p.root)
	return p.put(".gitignore", []byte(ignoreOthers))
}

// write replaces a file of the reports folder, which it creates, as a whole or not at all.
func (p *project) write(name string, data []byte) error {
	if err := p.makeReports(); err != nil {
		return err
	}
	return p.put(name, data)
}

func (p *project) put(name string, data []byte) error {
	return p.replace(p.reports(name), data, 0o644)
}

// replace writes a file, wherever it lies, as a whole or not at all.
func (p *project) replace(name string, data []byte, perm fs.FileMode) error {
	if err := maybe.WriteFile(name, data, perm); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	giveBack(name, p.root)
	return nil
}

func (p *project) writeFile(name string, f *result.File) error {
	var buf bytes.Buffer
	if err := f.Write(&buf); err != nil {
		return fmt.Errorf("write %s: %w", p.reports(name), err)
	}
	return p.write(name, buf.Bytes())
}

// baselineFile is the committed reference.
const baselineFile = "baseline.json"

// readBaseline reads the committed baseline, nil where there is none.
func (p *project) readBaseline() (*result.File, error) {
	name := p.reports(baselineFile)
	if err := p.app.confine(name); err != nil {
		return nil, err
	}
	f, err := readResult(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w; measure it again with: perfgate baseline update", err)
	}
	return f, nil
}

func readResult(name string) (*result.File, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	f, err := result.Read(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/org/perfgate/internal/config"
	"github.com/org/perfgate/internal/harness"
	"github.com/org/perfgate/internal/result"
)

// A pull request cannot decide its own verdict: in its runs, and in those of a merge queue, the
// configuration, the files that it names and the baseline are read from the base commit.

// proposed reports whether what is checked out is a proposal, whose files are not in force yet. That of a review or of
// a remark on a change is no other than that of the pull request: what tells them is the ref.
func (a *app) proposed() bool {
	event := a.getenv("GITHUB_EVENT_NAME")
	return event == "pull_request" || event == "merge_group" || strings.HasPrefix(a.getenv("GITHUB_REF"), "refs/pull/")
}

// mayMeasure refuses the events that run with the repository's own rights and secrets on behalf of a stranger.
// Which commit is checked out does not matter: fetching a stranger's is what these workflows are written for.
func (a *app) mayMeasure() error {
	if !a.runner.Active() {
		return nil
	}
	switch event := a.getenv("GITHUB_EVENT_NAME"); event {
	case "pull_request_target":
		return usagef("event %s: nothing is measured here, because it would run a pull request's code with this repository's secrets and a token that may write; use the event pull_request", event)
	case "workflow_run":
		return usagef("event %s: nothing is measured here, because it would run code with this repository's secrets after a stranger's workflow; measure in the event pull_request, and post its result here with mode: report", event)
	}
	return nil
}

// trustBase makes the base's perfgate.yaml the one in force. Where base has none, head's says what is run,
// and nothing about how it is judged.
func (p *project) trustBase(ctx context.Context) error {
	if !p.app.proposed() {
		return nil
	}
	if p.repo == nil { // as actions/checkout leaves it where the job has no git
		return fmt.Errorf("the base cannot be resolved: %w", &harness.BaseError{Problem: p.root + " is not in a git repository, and a pull request is not judged by its own configuration and baseline",
			Remedy: "install git in the job before actions/checkout, which fetches an archive without it"})
	}
	sources := p.sources
	head := sources.File
	sources.File = nil // it could name a base
	own, err := config.Resolve(sources)
	if err != nil {
		return err
	}
	base, err := p.resolveBaseOf(ctx, own.Base)
	var absent *harness.AbsentError
	if errors.As(err, &absent) && p.app.token() != "" {
		// Its files can be read one by one, which does where nothing of it is measured.
		base, p.absent, err = &absent.Base, absent, nil
	}
	if err != nil {
		var unresolved *harness.BaseError
		if errors.As(err, &unresolved) {
			return fmt.Errorf("the base cannot be resolved: %w", err)
		}
		return err
	}
	p.trusted = base
	theirs, found, err := p.atBase(ctx, config.File)
	if err != nil {
		return err
	}
	ours, err := p.app.readFile(filepath.Join(p.root, config.File))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	switch {
	case found:
		if sources.File, err = config.Parse(theirs); err != nil {
			return usagef("on base %.12s: %v", base.Commit, err)
		}
		if !bytes.Equal(ours, theirs) {
			p.note("%s is changed here; that of base %.12s is in force until the change is merged", config.File, base.Commit)
		}
	case len(head) > 0:
		var held []string
		sources.File, held = head.Suites()
		if len(held) > 0 {
			p.note("base %.12s has no %s; what the one here says of %s takes effect when it is merged", base.Commit, config.File, list(held))
		}
	}
	c, err := config.Resolve(sources)
	if err != nil {
		return err
	}
	p.config = c
	if p.absent != nil && c.Against != config.Baseline {
		return fmt.Errorf("the base cannot be resolved: %w", p.absent)
	}
	return nil
}

// note is a warning that stands in the report too.
func (p *project) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if slices.Contains(p.notes, text) { // of a file that is named twice
		return
	}
	p.notes = append(p.notes, text)
	p.app.warn(format, args...)
}

func list(names []string) string {
	text := ""
	for i, n := range names {
		switch {
		case i == 0:
		case i == len(names)-1:
			text += " and "
		default:
			text += ", "
		}
		text += n
	}
	return text
}

// atBase returns a file of the project, named relative to its root, as the trusted base has it.
func (p *project) atBase(ctx context.Context, name string) (data []byte, found bool, err error) {
	rel, err := filepath.Rel(p.repo.Top, filepath.Join(p.root, name))
	if err != nil {
		return nil, false, err
	}
	name = path.Clean(filepath.ToSlash(rel))
	if p.absent == nil {
		return p.repo.File(ctx, p.trusted.Commit, name)
	}
	c, err := p.app.client()
	if err != nil {
		return nil, false, err
	}
	file, err := c.File(ctx, name, p.trusted.Commit)
	if err != nil || file == nil {
		return nil, false, err
	}
	return file.Data, true, nil
}

// fileInForce reads a file that the configuration names, such as the script of a mocked model: by what it answers and
// how often it fails, it decides how much a change is seen to do. In a proposal it is that of base. One that base lacks
// is head's, as its perfgate.yaml is where base has none. A file outside the repository is nobody's proposal.
func (p *project) fileInForce(ctx context.Context, name string) ([]byte, error) {
	ours, err := p.app.readFile(name)
	if p.trusted == nil {
		return ours, err
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if rel, rerr := filepath.Rel(p.repo.Top, name); rerr != nil || !filepath.IsLocal(rel) {
		return ours, err
	}
	rel, rerr := filepath.Rel(p.root, name)
	if rerr != nil {
		return nil, rerr
	}
	theirs, found, ferr := p.atBase(ctx, rel)
	switch {
	case ferr != nil:
		return nil, ferr
	case !found && err == nil:
		p.note("%s is new here; base %.12s has none, so this one is measured with", filepath.ToSlash(rel), p.trusted.Commit)
	case found && err != nil:
		p.note("%s is removed here; that of base %.12s is in force until the change is merged", filepath.ToSlash(rel), p.trusted.Commit)
	case found && !bytes.Equal(ours, theirs):
		p.note("%s is changed here; that of base %.12s is in force until the change is merged", filepath.ToSlash(rel), p.trusted.Commit)
	}
	if !found {
		return ours, err
	}
	return theirs, nil
}

// reader is fileInForce for who knows of no context.
func (p *project) reader(ctx context.Context) func(name string) ([]byte, error) {
	return func(name string) ([]byte, error) { return p.fileInForce(ctx, name) }
}

// baselineInForce reads the baseline: the committed one, or in a proposal that of base. Nil where there is
// none.
func (p *project) baselineInForce(ctx context.Context) (*result.File, error) {
	if p.trusted == nil {
		return p.readBaseline()
	}
	name := path.Join(filepath.ToSlash(p.config.ReportsDir), baselineFile)
	theirs, found, err := p.atBase(ctx, name)
	if err != nil {
		return nil, err
	}
	ours, err := p.app.readFile(p.reports(baselineFile))
	switch {
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return nil, err
	case !found && err == nil:
		p.note("%s is new here; it takes effect when it is merged", name)
	case found && !bytes.Equal(ours, theirs):
		p.note("%s is changed here; that of base %.12s is in force until the change is merged", name, p.trusted.Commit)
	}
	if !found {
		return nil, nil
	}
	f, err := result.Read(bytes.NewReader(theirs))
	if err != nil {
		return nil, fmt.Errorf("%s of base %.12s: %w; measure it again with: perfgate baseline update", name, p.trusted.Commit, err)
	}
	return f, nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/org/perfgate/internal/report"
	"github.com/org/perfgate/internal/result"
)

// record is the Markdown file that tells of releases. Its name is relative to the project's root.
type record struct {
	p    *project
	name string
}

// openRecord checks what would keep the section of a report from being renewed, before minutes are
// spent on measuring.
func (p *project) openRecord(name string) error {
	if !filepath.IsLocal(name) || !strings.EqualFold(filepath.Ext(name), ".md") {
		return usagef("--report %q: want a Markdown file (.md) inside the project", name)
	}
	p.record = &record{p, filepath.Clean(name)}
	text, err := p.record.read()
	if err != nil {
		return err
	}
	if err := report.CheckSection(text); err != nil {
		return fmt.Errorf("%s: %w; nothing was measured", p.record.name, err)
	}
	return nil
}

// read returns the file's text, nothing where there is no file. A link that leads out of the project is
// an error.
func (r *record) read() ([]byte, error) {
	root, err := os.OpenRoot(r.p.root)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	text, err := root.ReadFile(r.name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("--report: %w", err)
	}
	return text, nil
}

// renew tells of a new baseline. What is around the section is read again: it may have been edited while
// the baseline was measured.
func (r *record) renew(ctx context.Context, old, file *result.File) error {
	text, err := r.read()
	if err != nil {
		return err
	}
	release := &report.Release{File: file, Budgets: r.p.config.Policy().CheckBudgets(file.Head)}
	if release.Name, err = r.p.release(ctx, file.Head); err != nil {
		return err
	}
	if old != nil && !old.ThresholdsOnly && !sameTree(old.Head, file.Head) {
		release.Previous = old.Head
	}
	if text, err = report.Record(text, release); err != nil {
		return fmt.Errorf("%s: %w", r.name, err)
	}
	name, perm := filepath.Join(r.p.root, r.name), fs.FileMode(0o644)
	if info, err := os.Stat(name); err == nil { // it keeps its mode, and a link stays one
		perm = info.Mode().Perm()
		if name, err = filepath.EvalSymlinks(name); err != nil {
			return err
		}
	}
	return r.p.replace(name, text, perm)
}

// sameTree reports whether two Sets were measured on one commit as it is.
func sameTree(a, b *result.Set) bool {
	return a.Commit != "" && a.Commit == b.Commit && !a.Dirty && !b.Dirty
}

// release is the name of the release that a Set was measured on: the tag that the workflow runs for, or
// one on the commit. Empty where there is none, or where what was measured is not what was tagged.
func (p *project) release(ctx context.Context, s *result.Set) (string, error) {
	switch {
	case s.Commit == "" || s.Dirty:
		return "", nil
	case p.app.getenv("GITHUB_REF_TYPE") == "tag":
		return p.app.getenv("GITHUB_REF_NAME"), nil
	}
	return p.repo.Tag(ctx, s.Commit)
}

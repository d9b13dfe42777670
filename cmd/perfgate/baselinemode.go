package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/org/perfgate/internal/config"
	"github.com/org/perfgate/internal/github"
	"github.com/org/perfgate/internal/report"
	"github.com/org/perfgate/internal/result"
)

// baselineBranch is the branch of the pull request with a baseline: one, which the next release renews.
const baselineBranch = "perfgate/baseline"

// moved is a baseline on its way to a branch.
type moved struct {
	app     *app
	client  *github.Client
	branch  string
	release string
	name    string // of the measured file
	data    []byte // its content
	file    *result.File
	old     *result.File // what the branch has, nil for none
}

// baselineUpdateMode commits a measured baseline on a release tag. It has the right to write, and so it runs nothing
// of the repository's: another job measured, without that right. It all goes through GitHub's API, so that it takes no
// checkout with credentials in it and GitHub signs the commit.
func (a *app) baselineUpdateMode(ctx context.Context) error {
	in := a.posting.inputs
	tag, err := a.releaseTag(in.yes("prereleases"))
	if err != nil {
		return err
	}
	c, err := config.Resolve(config.Sources{Input: a.runner.Input, Getenv: a.getenv})
	if err != nil {
		return err
	}
	if !filepath.IsLocal(c.WorkingDirectory) {
		return usagef("input working-directory %q: want a folder inside the workspace", c.WorkingDirectory)
	}
	name := path.Join(filepath.ToSlash(c.WorkingDirectory), filepath.ToSlash(c.ReportsDir), baselineFile)
	m := &moved{app: a, branch: in["update-branch"], release: tag, name: cmp.Or(in["file"], filepath.FromSlash(name))}
	if m.data, err = a.inWorkspace(m.name); err != nil {
		return err
	}
	if err := m.read(); err != nil {
		return err
	}
	if m.client, err = a.client(); err != nil {
		return err
	}
	if err := m.fits(ctx); err != nil {
		return err
	}
	done, err := m.client.Change(ctx, github.Change{
		Branch: m.branch, Path: name, Strategy: in["update-strategy"], Next: func(now []byte) ([]byte, error) { return m.next(ctx, now) },
		Head: baselineBranch, Message: "perf: baseline of " + tag,
		Text: fmt.Sprintf("The performance baseline of %s, measured on %.12s by [this run](%s).\n\nperfgate compares with it what must not grow on any machine.\n", tag, m.file.Head.Commit, a.runner.RunURL()),
	})
	a.set(baselineOutputs(done))
	if err != nil {
		return fmt.Errorf("the baseline of %s stays as it was on %s: %w", tag, m.branch, err)
	}
	return m.tell(done, name)
}

func baselineOutputs(done github.Changed) [][2]string {
	return [][2]string{{"baseline-updated", strconv.FormatBool(done.Updated)}, {"baseline-pr", unlessZero(int64(done.Pull))}}
}

// releaseTag is the tag that the workflow runs for, which must be that of a release.
func (a *app) releaseTag(prereleases bool) (string, error) {
	ref := a.getenv("GITHUB_REF")
	tag, ok := strings.CutPrefix(ref, "refs/tags/")
	if !ok {
		return "", usagef("mode baseline-update: want a workflow that runs for a tag, and this runs for %q", ref)
	}
	version := asVersion(tag)
	switch {
	case !semver.IsValid(version) || semver.Canonical(version)+semver.Build(version) != version:
		return "", usagef("tag %s: want a full version such as v1.2.3; one such as v1 moves, and names no release", tag)
	case semver.Prerelease(version) != "" && !prereleases:
		return "", usagef("tag %s is a prerelease, which makes no baseline; the input prereleases: true lets it", tag)
	}
	return tag, nil
}

// asVersion lets a tag do without the v that Go modules need.
func asVersion(tag string) string { return "v" + strings.TrimPrefix(tag, "v") }

// read takes in what the job without rights measured, and holds it to what a baseline must be.
func (m *moved) read() error {
	file, err := result.Read(bytes.NewReader(m.data))
	if err != nil {
		return fmt.Errorf("%s: %w", m.name, err)
	}
	switch {
	case file.ThresholdsOnly || file.Base != nil || file.Partial:
		err = errors.New("want what perfgate baseline update or perfgate run wrote, whole")
	case file.Head.Dirty || file.Head.Commit == "":
		err = errors.New("it was not measured on a commit as it is")
	case file.Release != "" && file.Release != m.release:
		err = fmt.Errorf("it is the baseline of %s", file.Release)
	default:
		err = unfit(file)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", m.name, err)
	}
	file.Baseline, file.BaselineInfo, file.Release = nil, "", m.release
	m.file = file
	return nil
}

// fits asks GitHub whether the baseline was measured on what the tag names, and whether the branch has that.
func (m *moved) fits(ctx context.Context) error {
	commit, err := m.client.TagCommit(ctx, m.release)
	if err != nil {
		return err
	}
	if commit != m.file.Head.Commit {
		return fmt.Errorf("the baseline was measured on %.12s, and tag %s names %.12s", m.file.Head.Commit, m.release, commit)
	}
	if m.branch == "" {
		if m.branch, err = m.client.DefaultBranch(ctx); err != nil {
			return err
		}
	}
	within, err := m.client.Contains(ctx, m.branch, commit)
	if err == nil && !within {
		err = fmt.Errorf("tag %s (%.12s) is not in the history of %s, whose baseline it would become; name another branch with the input update-branch", m.release, commit, m.branch)
	}
	return err
}

// next is the new content of the file for what is there: never that of an older release.
func (m *moved) next(ctx context.Context, now []byte) ([]byte, error) {
	if err := m.read(); err != nil { // anew: it is fitted to what is there
		return nil, err
	}
	m.old = nil
	if now != nil {
		old, err := result.Read(bytes.NewReader(now))
		if err != nil {
			return nil, fmt.Errorf("the baseline there cannot be read, so nobody knows what would be lost: %w; remove it or mend it", err)
		}
		m.old = old
	}
	if err := m.forward(ctx); err != nil {
		return nil, err
	}
	if m.old != nil && sameTree(m.old.Head, m.file.Head) && m.old.Release == m.release {
		return now, nil // the workflow ran again
	}
	if m.old != nil && !m.old.ThresholdsOnly {
		d, err := document(m.file)
		if err != nil {
			return nil, err
		}
		d.Policy.Ratchet(m.old, m.file)
	}
	var out bytes.Buffer
	err := m.file.Write(&out)
	return out.Bytes(), err
}

// forward refuses to go back: to a lower version, or where the old baseline names none, to a commit that is not after
// its.
func (m *moved) forward(ctx context.Context) error {
	switch {
	case m.old == nil || m.old.Head.Commit == "":
		return nil
	case m.old.Release != "":
		if semver.Compare(asVersion(m.release), asVersion(m.old.Release)) < 0 {
			return fmt.Errorf("%s has the baseline of %s, which is newer than %s", m.branch, m.old.Release, m.release)
		}
		return nil
	}
	after, err := m.client.Contains(ctx, m.file.Head.Commit, m.old.Head.Commit)
	if err == nil && !after {
		err = fmt.Errorf("%s has a baseline of %.12s, which %s does not hold: it would go back", m.branch, m.old.Head.Commit, m.release)
	}
	return err
}

// tell says what became of the baseline and prints the old and the new values.
func (m *moved) tell(done github.Changed, name string) error {
	out := m.app.stdout
	switch {
	case done.Pull != 0:
		fmt.Fprintf(out, "pull request %d proposes the baseline of %s for %s\n", done.Pull, m.release, m.branch)
	case done.Updated:
		fmt.Fprintf(out, "%s on %s is the baseline of %s\n", name, m.branch, m.release)
	default:
		fmt.Fprintf(out, "%s on %s was the baseline of %s already\n", name, m.branch, m.release)
		return nil
	}
	d, err := document(m.file)
	if err != nil {
		return err
	}
	if d = move(m.old, m.file, d.Policy); d == nil {
		return nil
	}
	return report.Moves(out, d)
}

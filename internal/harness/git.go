package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// ErrNoRepo says that a directory is not inside a git work tree.
var ErrNoRepo = errors.New("not a git repository")

// Repo is the git work tree that holds the project.
type Repo struct {
	// Top is the root of the work tree.
	Top string
	// Common is the directory that all work trees of the repository share.
	Common string
	// Shallow says that history was cut off when the repository was cloned.
	Shallow bool

	env []string
}

// OpenRepo finds the repository around dir. env is the environment for git.
func OpenRepo(ctx context.Context, dir string, env []string) (*Repo, error) {
	r := &Repo{Top: dir, env: append(append([]string{}, env...), "LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0")}
	out, err := r.git(ctx, "rev-parse", "--path-format=absolute", "--show-toplevel", "--git-common-dir", "--is-shallow-repository")
	switch {
	case err != nil && strings.Contains(err.Error(), "not a git repository"):
		return nil, ErrNoRepo
	case err != nil:
		return nil, err
	}
	lines := strings.Split(out, "\n")
	if len(lines) != 3 {
		return nil, fmt.Errorf("git rev-parse: unexpected answer %q", out)
	}
	r.Top, r.Common, r.Shallow = filepath.FromSlash(lines[0]), filepath.FromSlash(lines[1]), lines[2] == "true"
	return r, nil
}

// git runs a git command in the work tree's root and returns its trimmed standard output.
func (r *Repo) git(ctx context.Context, args ...string) (string, error) {
	out, err := r.output(ctx, args...)
	return strings.TrimSpace(string(out)), err
}

// File returns a file as a commit has it; name is relative to the root, with slashes.
func (r *Repo) File(ctx context.Context, commit, name string) (data []byte, found bool, err error) {
	entry, err := r.git(ctx, "ls-tree", commit, "--", name)
	if err != nil || !strings.Contains(entry, " blob ") || strings.HasPrefix(entry, "120000") { // nor a link
		return nil, false, err
	}
	data, err = r.output(ctx, "cat-file", "blob", commit+":"+name)
	return data, err == nil, err
}

// output runs a git command in the work tree's root.
func (r *Repo) output(ctx context.Context, args ...string) ([]byte, error) {
	// A checkout must not run the repository's hooks: they are the user's, not ours.
	args = append([]string{"-c", "core.hooksPath=/dev/null", "-c", "advice.detachedHead=false"}, args...)
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.Env = r.Top, r.env
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return nil, errors.New("git is not installed or not in PATH")
		}
		msg := strings.TrimSpace(stderr.String())
		if msg == "" {
			msg = err.Error()
		}
		return nil, fmt.Errorf("git %s: %s", args[4], msg)
	}
	return stdout.Bytes(), nil
}

// commit resolves ref to a commit's hash.
func (r *Repo) commit(ctx context.Context, ref string) (string, error) {
	return r.git(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", ref+"^{commit}")
}

// Head returns the hash of the checked-out commit.
func (r *Repo) Head(ctx context.Context) (string, error) {
	h, err := r.commit(ctx, "HEAD")
	if err != nil {
		return "", errors.New("the repository has no commit yet: make one first")
	}
	return h, nil
}

// Tag returns the name of a tag on a commit, of several the newest, empty where there is none.
func (r *Repo) Tag(ctx context.Context, commit string) (string, error) {
	out, err := r.git(ctx, "tag", "--points-at="+commit, "--sort=-creatordate")
	name, _, _ := strings.Cut(out, "\n")
	return name, err
}

// Dirty lists the changed and untracked files beyond HEAD, without those that are or lie below one of
// ignore, our own outputs.
func (r *Repo) Dirty(ctx context.Context, ignore ...string) ([]string, error) {
	args := []string{"status", "--porcelain", "--untracked-files=all", "--ignore-submodules=none", "--", "."}
	for _, name := range ignore {
		if rel, err := filepath.Rel(r.Top, name); err == nil && filepath.IsLocal(rel) && rel != "." {
			args = append(args, ":(top,exclude,literal)"+filepath.ToSlash(rel))
		}
	}
	out, err := r.git(ctx, args...)
	if err != nil || out == "" {
		return nil, err
	}
	return strings.Split(out, "\n"), nil
}

// parents reads the parents from the raw commit object: it lists them even where a
// shallow clone lacks them.
func (r *Repo) parents(ctx context.Context, commit string) ([]string, error) {
	raw, err := r.git(ctx, "cat-file", "-p", commit)
	if err != nil {
		return nil, err
	}
	var ps []string
	for line := range strings.Lines(raw) {
		line = strings.TrimSpace(line)
		if line == "" {
			break
		}
		if p, ok := strings.CutPrefix(line, "parent "); ok {
			ps = append(ps, p)
		}
	}
	return ps, nil
}

package harness

import (
	"context"
	"fmt"
	"regexp"
	"strings"
)

// BaseOptions say how to choose the base commit.
type BaseOptions struct {
	// Ref is the user's choice, empty for the rules below.
	Ref string
	// PullRequest says that CI checked out the merge commit of a pull request.
	PullRequest bool
	// Fetch allows fetching a missing commit from origin, as CI's shallow clones need.
	Fetch bool
	// Dirty says that the tree has changes beyond HEAD.
	Dirty bool
}

// BaseCommit is the commit to compare with.
type BaseCommit struct {
	Commit string
	// Ref is how the commit was found, in words: "HEAD~1", "merge base with origin/main".
	Ref string
}

// BaseError is a base that cannot be resolved, with the command that mends it.
type BaseError struct{ Problem, Remedy string }

func (e *BaseError) Error() string { return e.Problem + "; " + e.Remedy }

// ResolveBase chooses the commit to compare with: the ref that was asked for; in a pull request
// the first parent of the merge commit; on the default branch HEAD when the tree is dirty
// and its parent when it is clean; else the merge base with the default branch.
func (r *Repo) ResolveBase(ctx context.Context, o BaseOptions) (BaseCommit, error) {
	if o.Ref != "" {
		return r.namedBase(ctx, o)
	}
	head, err := r.Head(ctx)
	if err != nil {
		return BaseCommit{}, err
	}
	if o.PullRequest {
		ps, err := r.parents(ctx, head)
		if err != nil {
			return BaseCommit{}, err
		}
		if len(ps) == 2 {
			return r.present(ctx, ps[0], "first parent of the merge commit", o)
		}
	}
	def, onDefault := r.defaultBranch(ctx)
	if def == "" || onDefault {
		return r.ownBase(ctx, head, o)
	}
	mb, err := r.git(ctx, "merge-base", "HEAD", def)
	switch {
	case err != nil && r.Shallow:
		return BaseCommit{}, &BaseError{"this clone is shallow and does not hold the merge base with " + def, "run: git fetch --unshallow"}
	case err != nil:
		return BaseCommit{}, &BaseError{"HEAD and " + def + " have no common history", "name the commit to compare with: --base REF"}
	case mb == head:
		return r.ownBase(ctx, head, o)
	}
	return BaseCommit{mb, "merge base with " + def}, nil
}

// stepsBack matches the refs that name an ancestor of HEAD by number of steps.
var stepsBack = regexp.MustCompile(`^(?:HEAD|@)(?:~(\d*)|\^)$`)

func (r *Repo) namedBase(ctx context.Context, o BaseOptions) (BaseCommit, error) {
	if strings.HasPrefix(o.Ref, "-") {
		return BaseCommit{}, usagef("--base %q: a revision cannot begin with a dash", o.Ref)
	}
	c, err := r.commit(ctx, o.Ref)
	if err == nil {
		return BaseCommit{c, o.Ref}, nil
	}
	steps := stepsBack.FindStringSubmatch(o.Ref)
	if steps != nil && (steps[1] == "" || steps[1] == "1") {
		return r.parentOf(ctx, "HEAD", o)
	}
	switch {
	case r.Shallow && steps != nil:
		return BaseCommit{}, &BaseError{fmt.Sprintf("this clone is shallow and does not hold %s", o.Ref), "run: git fetch --deepen=" + steps[1]}
	case r.Shallow:
		return BaseCommit{}, &BaseError{fmt.Sprintf("this clone is shallow and does not hold %q", o.Ref), "run: git fetch --unshallow && git fetch origin " + shellWord(o.Ref)}
	}
	return BaseCommit{}, &BaseError{fmt.Sprintf("--base %s names no commit of this repository", o.Ref), "see git log --oneline --all, or run: git fetch origin " + shellWord(o.Ref)}
}

// ownBase compares the work tree with HEAD where it has changes, else HEAD with its parent.
func (r *Repo) ownBase(ctx context.Context, head string, o BaseOptions) (BaseCommit, error) {
	if o.Dirty {
		return BaseCommit{head, "HEAD"}, nil
	}
	return r.parentOf(ctx, head, o)
}

func (r *Repo) parentOf(ctx context.Context, commit string, o BaseOptions) (BaseCommit, error) {
	ps, err := r.parents(ctx, commit)
	if err != nil {
		return BaseCommit{}, err
	}
	if len(ps) == 0 {
		return BaseCommit{}, &BaseError{"HEAD is the first commit: there is nothing to compare it with", "change something, commit it, or compare with a stored baseline: perfgate baseline update, then check --against baseline"}
	}
	return r.present(ctx, ps[0], "HEAD~1", o)
}

// present makes sure that the commit's objects are here, fetching them where that is allowed.
func (r *Repo) present(ctx context.Context, commit, how string, o BaseOptions) (BaseCommit, error) {
	if _, err := r.commit(ctx, commit); err == nil {
		return BaseCommit{commit, how}, nil
	}
	fetch := "git fetch --depth=1 origin " + commit
	if !o.Fetch {
		return BaseCommit{}, &BaseError{fmt.Sprintf("this clone is shallow and does not hold %.12s (%s)", commit, how), "run: " + fetch}
	}
	if _, err := r.git(ctx, "fetch", "--quiet", "--no-tags", "--depth=1", "origin", commit); err != nil {
		return BaseCommit{}, &BaseError{fmt.Sprintf("the base %.12s (%s) is not in this clone and could not be fetched: %v", commit, how, err), "check out with fetch-depth: 2, or run before perfgate: " + fetch}
	}
	return BaseCommit{commit, how}, nil
}

// defaultBranch finds the upstream default branch and whether HEAD is on it.
func (r *Repo) defaultBranch(ctx context.Context) (ref string, on bool) {
	current, _ := r.git(ctx, "symbolic-ref", "--quiet", "--short", "HEAD")
	if def, err := r.git(ctx, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"); err == nil {
		return def, "origin/"+current == def
	}
	for _, name := range []string{"main", "master"} {
		for _, ref := range []string{"origin/" + name, name} {
			if _, err := r.commit(ctx, ref); err == nil {
				return ref, current == name
			}
		}
	}
	return "", false
}

// shellWord quotes s for a command line that a person will paste.
func shellWord(s string) string {
	if regexp.MustCompile(`^[\w./@~^+-]+$`).MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

package harness

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// BaseOptions say how to choose the base commit.
type BaseOptions struct {
	// Ref is the user's choice, empty for the rules below.
	Ref string
	// Proposal is what CI says of the pull request or merge group that it runs for, nil where it runs for none.
	Proposal *Proposal
	// Fetch allows fetching a missing commit from origin, as CI's shallow clones need.
	Fetch bool
	// FetchEnv are further variables for a second attempt to fetch, with credentials that the clone has not.
	FetchEnv []string
	// Dirty says that the tree has changes beyond HEAD.
	Dirty bool
}

// BaseCommit is the commit to compare with.
type BaseCommit struct {
	Commit string
	// Ref is how the commit was found, in words: "HEAD~1", "merge base with origin/main".
	Ref string
	// Source is the rule that found it.
	Source Source
}

// Source is a rule by which a base is found, in a word for programs.
type Source string

// The sources of a base.
const (
	Named       Source = "input"        // the user's choice
	MergeParent Source = "merge-parent" // first parent of the merge commit that CI made for a pull request
	MergeGroup  Source = "merge-group"  // what a merge group goes upon
	MergeBase   Source = "merge-base"   // with the branch that the change goes to
	OwnHead     Source = "head"         // HEAD, of a tree with changes
	OwnParent   Source = "parent"       // of HEAD
)

// BaseError is a base that cannot be resolved, with the command that mends it.
type BaseError struct{ Problem, Remedy string }

func (e *BaseError) Error() string { return e.Problem + "; " + e.Remedy }

// AbsentError is a base whose commit is known, and whose files are not in the clone and could not be fetched.
type AbsentError struct {
	*BaseError
	Base BaseCommit
}

// Unwrap returns the *BaseError.
func (e *AbsentError) Unwrap() error { return e.BaseError }

// ResolveBase chooses the commit to compare with: the ref that was asked for; in a pull request
// the first parent of the merge commit (see Proposal); on the default branch HEAD when the tree is dirty
// and its parent when it is clean; else the merge base with the default branch.
func (r *Repo) ResolveBase(ctx context.Context, o BaseOptions) (BaseCommit, error) {
	if o.Ref != "" {
		return r.namedBase(ctx, o)
	}
	head, err := r.Head(ctx)
	if err != nil {
		return BaseCommit{}, err
	}
	if o.Proposal != nil {
		return r.proposalBase(ctx, head, o)
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
	return BaseCommit{mb, "merge base with " + def, MergeBase}, nil
}

// stepsBack matches the refs that name an ancestor of HEAD by number of steps.
var stepsBack = regexp.MustCompile(`^(?:HEAD|@)(?:~(\d*)|\^)$`)

func (r *Repo) namedBase(ctx context.Context, o BaseOptions) (BaseCommit, error) {
	if strings.HasPrefix(o.Ref, "-") {
		return BaseCommit{}, usagef("--base %q: a revision cannot begin with a dash", o.Ref)
	}
	c, err := r.commit(ctx, o.Ref)
	if err == nil {
		return BaseCommit{c, o.Ref, Named}, nil
	}
	steps := stepsBack.FindStringSubmatch(o.Ref)
	if steps != nil && (steps[1] == "" || steps[1] == "1") {
		return r.parentOf(ctx, "HEAD", Named, o)
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
		return BaseCommit{head, "HEAD", OwnHead}, nil
	}
	return r.parentOf(ctx, head, OwnParent, o)
}

func (r *Repo) parentOf(ctx context.Context, commit string, source Source, o BaseOptions) (BaseCommit, error) {
	ps, err := r.parents(ctx, commit)
	if err != nil {
		return BaseCommit{}, err
	}
	if len(ps) == 0 {
		return BaseCommit{}, &BaseError{"HEAD is the first commit: there is nothing to compare it with", "change something, commit it, or compare with a stored baseline: perfgate baseline update, then check --against baseline"}
	}
	return r.present(ctx, BaseCommit{ps[0], "HEAD~1", source}, o)
}

// present makes sure that the commit's objects are here, fetching them where that is allowed.
func (r *Repo) present(ctx context.Context, b BaseCommit, o BaseOptions) (BaseCommit, error) {
	if _, err := r.commit(ctx, b.Commit); err == nil {
		return b, nil
	}
	fetch := "git fetch --depth=1 origin " + b.Commit
	if !o.Fetch {
		return BaseCommit{}, &BaseError{fmt.Sprintf("this clone is shallow and does not hold %.12s (%s)", b.Commit, b.Ref), "run: " + fetch}
	}
	if err := r.fetch(ctx, b.Commit, o.FetchEnv); err != nil {
		return BaseCommit{}, &AbsentError{&BaseError{fmt.Sprintf("the base %.12s (%s) is not in this clone and could not be fetched: %v", b.Commit, b.Ref, err), "check out with fetch-depth: 2, or run before perfgate: " + fetch}, b}
	}
	return b, nil
}

// fetch fetches one commit: with the clone's own credentials, and where these do not do, with those of env. Never
// with both, which GitHub refuses.
func (r *Repo) fetch(ctx context.Context, commit string, env []string) error {
	args := []string{"fetch", "--quiet", "--no-tags", "--depth=1", "origin", commit}
	_, err := r.git(ctx, args...)
	if err == nil || len(env) == 0 {
		return err
	}
	again := *r
	again.env = append(slices.Clip(r.env), env...)
	if _, err2 := again.git(ctx, args...); err2 != nil {
		return fmt.Errorf("%w; with the action's token: %w", err, err2)
	}
	return nil
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

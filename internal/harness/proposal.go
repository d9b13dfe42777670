package harness

import (
	"context"
	"fmt"
)

// Proposal is what CI says of a pull request or of a merge group. None of it comes from what is checked out, which is
// the proposal's own: a branch may end in a merge commit of its author's, and be called like the default branch.
type Proposal struct {
	// Merge is the merge commit that CI made, and Head the proposal's newest commit, its second parent. Where one is
	// empty it is not known, and not compared.
	Merge, Head string
	// Before is the commit that a merge group goes upon, empty for a pull request.
	Before string
	// Branch is the branch that the proposal goes to, empty for the default one.
	Branch string
	// MergeBase asks elsewhere for the merge base of Branch and a commit, where the clone lacks the history; nil
	// where nobody can be asked.
	MergeBase func(ctx context.Context, commit string) (string, error)
}

// proposalBase finds the base of a proposal: what its merge group goes upon; the first parent of the merge commit,
// if that is what is checked out; else the merge base with the branch that it goes to. The base that the pull
// request's event names is of no use: it may be older than what was merged.
func (r *Repo) proposalBase(ctx context.Context, head string, o BaseOptions) (BaseCommit, error) {
	p := o.Proposal
	if p.Before != "" {
		return r.present(ctx, BaseCommit{p.Before, "what the merge group goes upon", MergeGroup}, o)
	}
	ps, err := r.parents(ctx, head)
	if err != nil {
		return BaseCommit{}, err
	}
	if len(ps) == 2 && (p.Merge == "" || p.Merge == head) && (p.Head == "" || p.Head == ps[1]) {
		return r.present(ctx, BaseCommit{ps[0], "first parent of the merge commit", MergeParent}, o)
	}
	return r.proposalMergeBase(ctx, head, o)
}

func (r *Repo) proposalMergeBase(ctx context.Context, head string, o BaseOptions) (BaseCommit, error) {
	p := o.Proposal
	branch := "origin/" + p.Branch
	if p.Branch == "" {
		if branch, _ = r.defaultBranch(ctx); branch == "" {
			return BaseCommit{}, &BaseError{"the branch that this pull request goes to is not known", "name the commit to compare with: --base REF"}
		}
	}
	how := "merge base with " + branch
	commit, err := r.git(ctx, "merge-base", "HEAD", branch)
	if err == nil {
		return BaseCommit{commit, how, MergeBase}, nil
	}
	if p.MergeBase == nil {
		return BaseCommit{}, &BaseError{fmt.Sprintf("what is checked out is not the merge commit of the pull request, and this clone does not hold the %s", how),
			"check out without a ref, or with fetch-depth: 0"}
	}
	if commit, err = p.MergeBase(ctx, head); err != nil {
		return BaseCommit{}, &BaseError{fmt.Sprintf("what is checked out is not the merge commit of the pull request, and the %s is not known: %v", how, err),
			"check out without a ref, or with fetch-depth: 0"}
	}
	return r.present(ctx, BaseCommit{commit, how, MergeBase}, o)
}

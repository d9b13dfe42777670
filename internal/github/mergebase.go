package github

import (
	"context"
	"fmt"

	rest "github.com/google/go-github/v60/github"
)

// MergeBase returns the newest commit that a branch and a commit have in common. It takes no history of a clone.
func (c *Client) MergeBase(ctx context.Context, branch, commit string) (string, error) {
	doing := fmt.Sprintf("find the merge base of %s and %.12s", branch, commit)
	cmp, _, err := c.rest.Repositories.CompareCommits(ctx, c.owner, c.repo, branch, commit, &rest.ListOptions{PerPage: 1})
	if err != nil {
		return "", failed(doing, err)
	}
	base := cmp.GetMergeBaseCommit().GetSHA()
	if base == "" {
		return "", fmt.Errorf("%s: they have none", doing)
	}
	return base, nil
}

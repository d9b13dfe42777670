package github

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	rest "github.com/google/go-github/v60/github"
)

// Strategies of a change to a branch.
const (
	// Auto commits, and where the branch takes no commits makes a pull request.
	Auto        = "auto"
	Commit      = "commit"
	PullRequest = "pull-request"
)

// Strategies is the one list of them, the default first.
var Strategies = []string{Auto, Commit, PullRequest}

// conflicts is how often a change is tried again that somebody else's came before.
const conflicts = 3

// Change is a new content of one file on a branch.
type Change struct {
	Branch, Path string
	Strategy     string
	// Next returns the new content for what is there, nil for no file. It is asked again when that has changed
	// meanwhile, and its error ends everything.
	Next func(now []byte) ([]byte, error)
	// Head is the branch of the pull request, which is made anew each time.
	Head string
	// Message is the commit's; its first line is the pull request's title. Text is the pull request's.
	Message, Text string
}

// Changed is what became of a Change.
type Changed struct {
	Updated bool
	Commit  string // on the branch itself; empty with a pull request
	Pull    int    // the pull request's number, 0 for none
}

// Change writes a file through the API, so that it takes no checkout, and GitHub signs the commit. What somebody else
// wrote meanwhile is never overwritten.
func (c *Client) Change(ctx context.Context, ch Change) (Changed, error) {
	for try := 0; ; try++ {
		now, err := c.File(ctx, ch.Path, ch.Branch)
		if err != nil {
			return Changed{}, err
		}
		next, err := ch.Next(now.data())
		if err != nil {
			return Changed{}, err
		}
		if now != nil && bytes.Equal(next, now.Data) {
			return Changed{}, nil
		}
		if ch.Strategy == PullRequest {
			return c.propose(ctx, ch, next)
		}
		commit, err := c.put(ctx, ch, now, next)
		if err == nil {
			return Changed{Updated: true, Commit: commit}, nil
		}
		// Whether the branch refuses commits or has got another one shows in the file and not in GitHub's words.
		after, lookErr := c.File(ctx, ch.Path, ch.Branch)
		switch {
		case lookErr != nil:
			return Changed{}, err
		case after != nil && bytes.Equal(after.Data, next): // only the answer was lost
			return Changed{Updated: true}, nil
		case after.blob() != now.blob() && try < conflicts:
			continue
		case after.blob() != now.blob():
			return Changed{}, fmt.Errorf("%s on %s changed %d times while it was being written: %w", ch.Path, ch.Branch, try+1, err)
		case ch.Strategy == Auto && slices.Contains(refusals, status(err)):
			return c.propose(ctx, ch, next)
		}
		return Changed{}, err
	}
}

// refusals are the answers of a branch that takes no commits, by rules or by protection.
var refusals = []int{http.StatusForbidden, http.StatusConflict, http.StatusUnprocessableEntity}

func (f *Content) data() []byte {
	if f == nil {
		return nil
	}
	return f.Data
}

func (f *Content) blob() string {
	if f == nil {
		return ""
	}
	return f.Blob
}

// put commits the file on top of the content that it replaces. Who commits is left to GitHub, which then signs.
func (c *Client) put(ctx context.Context, ch Change, now *Content, next []byte) (string, error) {
	o := &rest.RepositoryContentFileOptions{Message: &ch.Message, Content: next, Branch: &ch.Branch}
	if now != nil {
		o.SHA = &now.Blob
	}
	made, _, err := c.rest.Repositories.UpdateFile(ctx, c.owner, c.repo, ch.Path, o)
	if err != nil {
		return "", failed(fmt.Sprintf("commit %s to %s", ch.Path, ch.Branch), err)
	}
	return made.Commit.GetSHA(), nil
}

// propose makes or renews the pull request: one branch with one commit on top of the target.
func (c *Client) propose(ctx context.Context, ch Change, next []byte) (Changed, error) {
	commit, err := c.build(ctx, ch, next)
	if err != nil {
		return Changed{}, err
	}
	if err := c.point(ctx, "heads/"+ch.Head, commit); err != nil {
		return Changed{}, err
	}
	pull, err := c.pull(ctx, ch)
	return Changed{Updated: err == nil, Pull: pull}, err
}

// build makes the commit, which no branch has yet.
func (c *Client) build(ctx context.Context, ch Change, next []byte) (string, error) {
	doing := fmt.Sprintf("make a commit on top of %s", ch.Branch)
	target, _, err := c.rest.Git.GetRef(ctx, c.owner, c.repo, "heads/"+ch.Branch)
	if err != nil {
		return "", failed(doing, err)
	}
	parent, _, err := c.rest.Git.GetCommit(ctx, c.owner, c.repo, target.GetObject().GetSHA())
	if err != nil {
		return "", failed(doing, err)
	}
	tree, _, err := c.rest.Git.CreateTree(ctx, c.owner, c.repo, parent.GetTree().GetSHA(), []*rest.TreeEntry{
		{Path: &ch.Path, Mode: rest.String("100644"), Type: rest.String("blob"), Content: rest.String(string(next))},
	})
	if err != nil {
		return "", failed(doing, err)
	}
	made, _, err := c.rest.Git.CreateCommit(ctx, c.owner, c.repo, &rest.Commit{Message: &ch.Message, Tree: tree, Parents: []*rest.Commit{parent}}, nil)
	return made.GetSHA(), failed(doing, err)
}

// point lets a ref, which may exist, name a commit.
func (c *Client) point(ctx context.Context, ref, commit string) error {
	to := &rest.Reference{Ref: rest.String("refs/" + ref), Object: &rest.GitObject{SHA: &commit}}
	_, _, err := c.rest.Git.GetRef(ctx, c.owner, c.repo, ref)
	if err = failed("look for "+ref, err); status(err) == http.StatusNotFound {
		_, _, err = c.rest.Git.CreateRef(ctx, c.owner, c.repo, to)
		err = failed("create "+ref, err)
		if err == nil || status(err) != http.StatusUnprocessableEntity { // 422: somebody else was faster
			return err
		}
	} else if err != nil {
		return err
	}
	_, _, err = c.rest.Git.UpdateRef(ctx, c.owner, c.repo, to, true)
	return failed("move "+ref, err)
}

// pull returns the number of the open pull request, which it makes where there is none.
func (c *Client) pull(ctx context.Context, ch Change) (int, error) {
	title, _, _ := strings.Cut(ch.Message, "\n")
	for try := 1; ; try++ {
		open, _, err := c.rest.PullRequests.List(ctx, c.owner, c.repo, &rest.PullRequestListOptions{State: "open", Head: c.owner + ":" + ch.Head, Base: ch.Branch})
		if err != nil {
			return 0, failed("look for the pull request of "+ch.Head, err)
		}
		for _, p := range open {
			if p.GetHead().GetRef() != ch.Head {
				continue
			}
			_, _, err := c.rest.PullRequests.Edit(ctx, c.owner, c.repo, p.GetNumber(), &rest.PullRequest{Title: &title, Body: &ch.Text})
			return p.GetNumber(), failed(fmt.Sprintf("edit pull request %d", p.GetNumber()), err)
		}
		made, _, err := c.rest.PullRequests.Create(ctx, c.owner, c.repo, &rest.NewPullRequest{Title: &title, Head: &ch.Head, Base: &ch.Branch, Body: &ch.Text})
		err = failed("open a pull request", err)
		switch code := status(err); {
		case err == nil:
			return made.GetNumber(), nil
		case Forbidden(err):
			return 0, &PullsForbidden{Compare: fmt.Sprintf("%s/%s/%s/compare/%s...%s?expand=1", c.server, c.owner, c.repo, url.PathEscape(ch.Branch), escapeBranch(ch.Head)), Err: err}
		case try == tries || code < 500 && code != 0 && code != http.StatusUnprocessableEntity || ctx.Err() != nil:
			return 0, err
		}
	}
}

// escapeBranch keeps the slashes of a branch's name, which the address of a comparison has as they are.
func escapeBranch(name string) string {
	return strings.ReplaceAll(url.PathEscape(name), "%2F", "/")
}

// PullsForbidden is a pull request that could not be opened, although its branch is there.
type PullsForbidden struct {
	Compare string // where a person opens it
	Err     error
}

func (e *PullsForbidden) Error() string {
	return fmt.Sprintf("%v; turn on \"Allow GitHub Actions to create and approve pull requests\" (Settings, Actions, General) and give the job pull-requests: write, or open it yourself: %s", e.Err, e.Compare)
}

// Unwrap returns GitHub's answer.
func (e *PullsForbidden) Unwrap() error { return e.Err }

// DefaultBranch returns the name of the repository's default branch.
func (c *Client) DefaultBranch(ctx context.Context) (string, error) {
	repo, _, err := c.rest.Repositories.Get(ctx, c.owner, c.repo)
	return repo.GetDefaultBranch(), failed("look at the repository", err)
}

// TagCommit returns the commit that a tag names, annotated or not.
func (c *Client) TagCommit(ctx context.Context, tag string) (string, error) {
	doing := "look at tag " + tag
	ref, _, err := c.rest.Git.GetRef(ctx, c.owner, c.repo, "tags/"+tag)
	if err != nil {
		return "", failed(doing, err)
	}
	if ref.GetObject().GetType() != "tag" {
		return ref.GetObject().GetSHA(), nil
	}
	annotated, _, err := c.rest.Git.GetTag(ctx, c.owner, c.repo, ref.GetObject().GetSHA())
	if err != nil {
		return "", failed(doing, err)
	}
	if annotated.GetObject().GetType() != "commit" {
		return "", errors.New(doing + ": it names no commit")
	}
	return annotated.GetObject().GetSHA(), nil
}

// Contains reports whether a commit or branch holds a commit.
func (c *Client) Contains(ctx context.Context, ref, commit string) (bool, error) {
	cmp, _, err := c.rest.Repositories.CompareCommits(ctx, c.owner, c.repo, commit, ref, &rest.ListOptions{PerPage: 1})
	if err != nil {
		return false, failed(fmt.Sprintf("look for %.12s in %s", commit, ref), err)
	}
	return cmp.GetStatus() == "ahead" || cmp.GetStatus() == "identical", nil
}

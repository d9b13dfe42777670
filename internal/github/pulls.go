package github

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	rest "github.com/google/go-github/v60/github"
)

// Run is a run of a workflow.
type Run struct {
	ID         int64
	Event      string // what started it
	Conclusion string // such as success or failure; empty while it runs
	URL        string
	HeadSHA    string
	HeadOwner  string // of the repository that the head lies in; empty where that is gone
	HeadBranch string
}

// Run returns a run of this repository.
func (c *Client) Run(ctx context.Context, id int64) (*Run, error) {
	run, _, err := c.rest.Actions.GetWorkflowRunByID(ctx, c.owner, c.repo, id)
	if err != nil {
		return nil, failed(fmt.Sprintf("look at workflow run %d", id), err)
	}
	return &Run{
		ID: id, Event: run.GetEvent(), Conclusion: run.GetConclusion(), URL: run.GetHTMLURL(),
		HeadSHA: run.GetHeadSHA(), HeadBranch: run.GetHeadBranch(), HeadOwner: run.GetHeadRepository().GetOwner().GetLogin(),
	}, nil
}

// PullOf returns the number of the open pull request whose head a run ran on. It is found by the head's owner, branch
// and commit, which GitHub vouches for: what the run left behind is a stranger's, and a run of a fork names no pull
// request.
func (c *Client) PullOf(ctx context.Context, run *Run) (int, error) {
	if run.HeadOwner == "" || run.HeadBranch == "" {
		return 0, fmt.Errorf("workflow run %d: the repository of its head is gone", run.ID)
	}
	pulls, _, err := c.rest.PullRequests.List(ctx, c.owner, c.repo, &rest.PullRequestListOptions{
		State: "open", Head: run.HeadOwner + ":" + run.HeadBranch, ListOptions: rest.ListOptions{PerPage: 100},
	})
	if err != nil {
		return 0, failed("find the pull request of "+run.HeadOwner+":"+run.HeadBranch, err)
	}
	found := 0
	for _, p := range pulls {
		// Checked here too: GitHub ignores a head that it cannot read, and lists all.
		if p.GetHead().GetSHA() != run.HeadSHA || p.GetHead().GetRef() != run.HeadBranch || p.GetHead().GetRepo().GetOwner().GetLogin() != run.HeadOwner {
			continue
		}
		if found != 0 {
			return 0, fmt.Errorf("pull requests %d and %d are both at %.12s of %s:%s", found, p.GetNumber(), run.HeadSHA, run.HeadOwner, run.HeadBranch)
		}
		found = p.GetNumber()
	}
	if found == 0 {
		return 0, fmt.Errorf("no open pull request is at %.12s of %s:%s", run.HeadSHA, run.HeadOwner, run.HeadBranch)
	}
	return found, nil
}

// AcceptLabel is what a maintainer puts on a pull request to accept what the gate found.
const AcceptLabel = "perfgate-accept"

// Acceptance is a maintainer's word that a pull request may be slower.
type Acceptance struct {
	By   string    // whose
	At   time.Time // when
	Head string    // the commit that it holds for
}

// NotAccepted says why a label does not count.
type NotAccepted struct{ Why string }

func (e *NotAccepted) Error() string { return AcceptLabel + " does not count: " + e.Why }

func notAccepted(format string, args ...any) error { return &NotAccepted{fmt.Sprintf(format, args...)} }

// Accepted looks for the label on a pull request whose head was measured. It counts when somebody with the right to
// write set it after that commit was pushed: who sets it has seen what is accepted. It returns nil without an error
// where there is no label, and *NotAccepted where there is one that does not count.
//
// When the commit was pushed is what GitHub noted of the branch. The commit's own date is the author's to choose, and
// the time of a run on the commit is that of its first push, which may have been to another branch.
func (c *Client) Accepted(ctx context.Context, pull int, head string) (*Acceptance, error) {
	ctx, cancel := context.WithTimeout(ctx, sideTimeout)
	defer cancel()
	pr, _, err := c.rest.PullRequests.Get(ctx, c.owner, c.repo, pull)
	if err != nil {
		return nil, failed(fmt.Sprintf("look at pull request %d", pull), err)
	}
	if !labelled(pr) {
		return nil, nil
	}
	if now := pr.GetHead().GetSHA(); now != head {
		return nil, notAccepted("the pull request is at %.12s now, and %.12s was measured", now, head)
	}
	set, err := c.labelSet(ctx, pull)
	if err != nil {
		return nil, err
	}
	if set == nil {
		return nil, notAccepted("GitHub has no record of who set it")
	}
	who := set.GetActor().GetLogin()
	pushed, err := c.pushed(ctx, pr.GetHead())
	if err != nil {
		return nil, err
	}
	if !set.GetCreatedAt().After(pushed) {
		return nil, notAccepted("%s set it on %s, and %.12s was pushed later, on %s: set it anew", who, stamp(set.GetCreatedAt().Time), head, stamp(pushed))
	}
	level, _, err := c.rest.Repositories.GetPermissionLevel(ctx, c.owner, c.repo, who)
	if err = failed("look at what "+who+" may do", err); err != nil {
		return nil, err
	}
	// Roles with names of their own are admin, write or read here.
	if p := level.GetPermission(); p != "admin" && p != "write" {
		return nil, notAccepted("%s set it, who may not write to the repository", who)
	}
	return &Acceptance{By: who, At: set.GetCreatedAt().Time, Head: head}, nil
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

func labelled(pr *rest.PullRequest) bool {
	for _, l := range pr.Labels {
		if l.GetName() == AcceptLabel {
			return true
		}
	}
	return false
}

// labelSet returns the last setting of the label, nil where none is on record.
func (c *Client) labelSet(ctx context.Context, pull int) (*rest.IssueEvent, error) {
	var last *rest.IssueEvent
	o := &rest.ListOptions{PerPage: 100}
	for {
		page, resp, err := c.rest.Issues.ListIssueEvents(ctx, c.owner, c.repo, pull, o)
		if err != nil {
			return nil, failed(fmt.Sprintf("list the events of pull request %d", pull), err)
		}
		for _, e := range page {
			if e.GetEvent() == "labeled" && e.GetLabel().GetName() == AcceptLabel && (last == nil || e.GetCreatedAt().After(last.GetCreatedAt().Time)) {
				last = e
			}
		}
		if resp.NextPage == 0 {
			return last, nil
		}
		o.Page = resp.NextPage
	}
}

// push is what GitHub notes of a push. The library has it in later versions only.
type push struct {
	After string    `json:"after"`
	At    time.Time `json:"timestamp"`
}

// pushed returns when a branch was last set to its commit.
func (c *Client) pushed(ctx context.Context, head *rest.PullRequestBranch) (time.Time, error) {
	owner, repo := head.GetRepo().GetOwner().GetLogin(), head.GetRepo().GetName()
	if owner == "" {
		return time.Time{}, notAccepted("the repository of the head is gone, and when it was pushed with it")
	}
	doing := fmt.Sprintf("list the pushes to %s/%s", owner, repo)
	at := fmt.Sprintf("repos/%s/%s/activity?ref=%s&per_page=100", owner, repo, url.QueryEscape("refs/heads/"+head.GetRef()))
	req, err := c.rest.NewRequest(http.MethodGet, at, nil)
	if err != nil {
		return time.Time{}, failed(doing, err)
	}
	var pushes []push
	if _, err := c.rest.Do(ctx, req, &pushes); err != nil {
		return time.Time{}, failed(doing, err)
	}
	for _, p := range pushes { // the newest first
		if p.After == head.GetSHA() {
			return p.At, nil
		}
	}
	return time.Time{}, notAccepted("GitHub has no record of when %.12s was pushed", head.GetSHA())
}

package github

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"

	rest "github.com/google/go-github/v60/github"
)

// CommentLimit is the most that a comment of ours has, in bytes and so in characters. GitHub refuses one beyond
// 65,536 characters.
const CommentLimit = 60_000

// Comment is a text that stands once on a pull request and is replaced from run to run.
type Comment struct {
	Pull int
	// Key tells the comments of several runs on one pull request apart.
	Key string
	// Head is the commit that the text speaks of; empty does not look. One that the pull request has left is skipped.
	Head string
	// Text returns the text within so many bytes.
	Text func(limit int) (string, error)
	// OnlyUpdate makes no comment where there is none.
	OnlyUpdate bool
}

// CommentStatus says what became of a comment.
type CommentStatus string

// What becomes of a comment.
const (
	CommentCreated   CommentStatus = "created"
	CommentUpdated   CommentStatus = "updated"
	CommentUnchanged CommentStatus = "unchanged"
	CommentSkipped   CommentStatus = "skipped"   // nobody asked for one, or the pull request has moved on
	CommentForbidden CommentStatus = "forbidden" // the token may not
	CommentFailed    CommentStatus = "failed"
)

// Posted is what became of a comment: its number, 0 for none, and for people why there is none.
type Posted struct {
	Status CommentStatus
	ID     int64
	Why    error
}

// marker is the first line of a comment, which nobody sees. It comes first so that nothing which shortens the text
// can lose it, and holds a hash of the key because a key could end it.
func marker(key string) string {
	return fmt.Sprintf("<!-- perfgate comment 1 %x -->\n", sha256.Sum256([]byte(key)))
}

// Post makes the comment or replaces the one of an earlier run. What goes wrong is in the answer, and no error: a
// comment decides nothing.
func (c *Client) Post(ctx context.Context, cm Comment) Posted {
	ctx, cancel := context.WithTimeout(ctx, sideTimeout)
	defer cancel()
	posted, err := c.post(ctx, cm)
	switch {
	case Forbidden(err):
		return Posted{CommentForbidden, posted.ID, err}
	case err != nil:
		return Posted{CommentFailed, posted.ID, err}
	}
	return posted
}

func (c *Client) post(ctx context.Context, cm Comment) (Posted, error) {
	if cm.Head != "" {
		pull, _, err := c.rest.PullRequests.Get(ctx, c.owner, c.repo, cm.Pull)
		if err != nil {
			return Posted{}, failed(fmt.Sprintf("look at pull request %d", cm.Pull), err)
		}
		if now := pull.GetHead().GetSHA(); now != cm.Head {
			return Posted{Status: CommentSkipped, Why: fmt.Errorf("pull request %d is at %.12s now, and this speaks of %.12s", cm.Pull, now, cm.Head)}, nil
		}
	}
	posted, err := c.place(ctx, cm, CommentLimit)
	if status(err) == http.StatusUnprocessableEntity { // too long, by GitHub's count
		posted, err = c.place(ctx, cm, CommentLimit/2)
	}
	return posted, err
}

// place puts the comment where it belongs. Creating is not repeated blindly: after an error of the server the
// comment may be there, so this looks again.
func (c *Client) place(ctx context.Context, cm Comment, limit int) (Posted, error) {
	first := marker(cm.Key)
	text, err := cm.Text(limit - len(first))
	if err != nil {
		return Posted{}, err
	}
	body := first + text
	for try := 1; ; try++ {
		marked, err := c.marked(ctx, cm.Pull, first)
		if err != nil {
			return Posted{}, err
		}
		own, err := c.own(ctx, marked)
		if err != nil {
			return Posted{}, err
		}
		if len(own) > 0 {
			return c.replace(ctx, own, body)
		}
		if cm.OnlyUpdate {
			return Posted{Status: CommentSkipped}, nil
		}
		made, err := c.create(ctx, cm.Pull, body)
		if err == nil {
			return Posted{Status: CommentCreated, ID: made.GetID()}, c.remove(ctx, by(marked, made.GetUser()))
		}
		if status(err) < 500 && status(err) != 0 || try == tries || ctx.Err() != nil {
			return Posted{}, err
		}
	}
}

// marked lists the comments that begin with the marker, the oldest first.
func (c *Client) marked(ctx context.Context, pull int, first string) ([]*rest.IssueComment, error) {
	var found []*rest.IssueComment
	o := &rest.IssueListCommentsOptions{ListOptions: rest.ListOptions{PerPage: 100}}
	for {
		page, resp, err := c.rest.Issues.ListComments(ctx, c.owner, c.repo, pull, o)
		if err != nil {
			return nil, failed(fmt.Sprintf("list the comments of pull request %d", pull), err)
		}
		for _, cm := range page {
			if strings.HasPrefix(plain(cm.GetBody()), first) {
				found = append(found, cm)
			}
		}
		if resp.NextPage == 0 {
			return found, nil
		}
		o.Page = resp.NextPage
	}
}

// plain undoes what GitHub may do to a text: other line ends, and none at the end.
func plain(body string) string {
	return strings.TrimRight(strings.ReplaceAll(body, "\r\n", "\n"), " \n") + "\n"
}

// own keeps the comments that this token's owner wrote: anyone can write the marker, to catch the report and
// to edit it afterwards. Where nothing is marked, nobody is asked.
func (c *Client) own(ctx context.Context, marked []*rest.IssueComment) ([]*rest.IssueComment, error) {
	if len(marked) == 0 {
		return nil, nil
	}
	me, _, err := c.rest.Users.Get(ctx, "")
	if err = failed("ask whose token this is", err); Forbidden(err) {
		// An app's token may not ask. The job's own is that of Actions; with another app's, its comment is known
		// as ours by who is said to have written the next one.
		return by(marked, &rest.User{Login: rest.String("github-actions[bot]"), Type: rest.String("Bot")}), nil
	}
	return by(marked, me), err
}

func by(comments []*rest.IssueComment, who *rest.User) []*rest.IssueComment {
	var out []*rest.IssueComment
	for _, cm := range comments {
		if who.GetLogin() != "" && cm.GetUser().GetLogin() == who.GetLogin() && cm.GetUser().GetType() == who.GetType() {
			out = append(out, cm)
		}
	}
	return out
}

func (c *Client) create(ctx context.Context, pull int, body string) (*rest.IssueComment, error) {
	made, _, err := c.rest.Issues.CreateComment(ctx, c.owner, c.repo, pull, &rest.IssueComment{Body: &body})
	return made, failed(fmt.Sprintf("comment on pull request %d", pull), err)
}

// replace puts the body into the oldest comment, unless it is there, and removes the others: two jobs that started
// together may both have made one.
func (c *Client) replace(ctx context.Context, own []*rest.IssueComment, body string) (Posted, error) {
	keep := own[0]
	posted := Posted{Status: CommentUnchanged, ID: keep.GetID()}
	if plain(keep.GetBody()) != plain(body) {
		_, _, err := c.rest.Issues.EditComment(ctx, c.owner, c.repo, keep.GetID(), &rest.IssueComment{Body: &body})
		if err != nil {
			return posted, failed(fmt.Sprintf("edit comment %d", keep.GetID()), err)
		}
		posted.Status = CommentUpdated
	}
	return posted, c.remove(ctx, own[1:])
}

func (c *Client) remove(ctx context.Context, comments []*rest.IssueComment) error {
	var errs []error
	for _, cm := range comments {
		_, err := c.rest.Issues.DeleteComment(ctx, c.owner, c.repo, cm.GetID())
		if err = failed(fmt.Sprintf("remove comment %d", cm.GetID()), err); status(err) != http.StatusNotFound {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

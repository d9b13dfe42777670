package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/github"
	"github.com/org/perfgate/internal/report"
)

// posting is what the action may do on GitHub beyond its own step: comment, and ask who said what.
type posting struct {
	inputs inputs
	token  string
	event  event
	to     *target // what the event is about, nil for no pull request
}

// event is what started the workflow, as far as it says where a report belongs.
type event struct {
	Name        string `json:"-"` // such as pull_request
	PullRequest struct {
		Number int `json:"number"` // 0 where it is about none
		Head   struct {
			SHA string `json:"sha"`
		} `json:"head"`
		Base struct {
			Ref string `json:"ref"` // the branch that it goes to
		} `json:"base"`
	} `json:"pull_request"`
	MergeGroup struct {
		BaseSHA string `json:"base_sha"` // what a merge group goes upon
	} `json:"merge_group"`
	WorkflowRun struct {
		ID int64 `json:"id"` // 0 where it is about none
	} `json:"workflow_run"`
}

// readEvent reads what started the workflow. Where that cannot be read, its name is known all the same.
func (a *app) readEvent() event {
	e := event{Name: a.getenv("GITHUB_EVENT_NAME")}
	data, err := a.runner.Event()
	if err == nil && len(data) > 0 {
		err = json.Unmarshal(data, &e)
	}
	if err != nil {
		a.warn("event: %v: there is nothing to comment on", err)
	}
	return e
}

// token is the action's token, which stands nowhere else: what measures gets an environment without it.
func (a *app) token() string {
	if a.posting == nil {
		return ""
	}
	return a.posting.token
}

// target is the pull request that a report belongs to.
type target struct {
	pull int
	head string // the commit that was measured; empty where that is unknown
	// run is where it was measured, and how that ended; empty for this one.
	run, conclusion string
}

// client makes the client, which most runs need for a call or two and many for none.
func (a *app) client() (*github.Client, error) {
	return github.NewClient(a.runner.Access(a.posting.token))
}

// eventTarget is the pull request that the event is about, else the one that the workflow names; nil for none.
func (p *posting) eventTarget() (*target, error) {
	named := int(p.inputs.number("pr-number"))
	switch {
	case p.event.PullRequest.Number == 0 && named == 0:
		return nil, nil
	case p.event.PullRequest.Number == 0 && p.event.Name == "workflow_run":
		return nil, usagef("input pr-number: event workflow_run comes from a stranger too, who would choose the pull request; it is found by the run's commit")
	case p.event.PullRequest.Number == 0:
		return &target{pull: named}, nil
	case named != 0 && named != p.event.PullRequest.Number:
		return nil, usagef("input pr-number %d: the event is about pull request %d", named, p.event.PullRequest.Number)
	}
	return &target{pull: p.event.PullRequest.Number, head: p.event.PullRequest.Head.SHA}, nil
}

// accept looks for a maintainer's word on a document that fails. Without one, or where GitHub does not say, the
// document stays as it is.
func (a *app) accept(ctx context.Context, d *report.Document) {
	if a.posting == nil || d.Outcome.Gate != compare.Fail || a.posting.token == "" {
		return
	}
	if to := a.posting.to; to != nil && to.head != "" {
		a.acceptAt(ctx, d, to)
	}
}

func (a *app) acceptAt(ctx context.Context, d *report.Document, to *target) {
	d.AcceptLabel = github.AcceptLabel
	c, err := a.client()
	if err != nil {
		a.warn("the label %s was not looked for: %v", github.AcceptLabel, err)
		return
	}
	word, err := c.Accepted(ctx, to.pull, to.head)
	var no *github.NotAccepted
	switch {
	case errors.As(err, &no):
		a.warn("%v", err)
		d.File.Warnings = append(slices.Clip(d.File.Warnings), err.Error())
	case github.Forbidden(err):
		a.warn("the label %s was not looked for: %v; the job needs contents: read and pull-requests: read, and issues: read where GitHub asks for it", github.AcceptLabel, err)
	case err != nil:
		a.warn("the label %s was not looked for: %v", github.AcceptLabel, err)
	case word != nil:
		d.Accepted = &report.Acceptance{By: word.By, At: word.At.UTC().Format("2006-01-02 15:04:05 UTC"), Label: github.AcceptLabel, Head: word.Head}
	}
}

// comment posts the report of this run to the pull request that the event is about.
func (a *app) comment(ctx context.Context, d *report.Document, full string) {
	if a.posting != nil && ctx.Err() == nil {
		a.commentOn(ctx, d, a.posting.to, full)
	}
}

// commentOn posts the report, and tells what became of it. Nothing here changes a verdict or an exit code.
func (a *app) commentOn(ctx context.Context, d *report.Document, to *target, full string) {
	posted := github.Posted{Status: github.CommentSkipped}
	if to != nil && a.posting.inputs["comment"] != commentNever {
		posted = a.post(ctx, d, to, full)
	}
	a.set(commentOutputs(posted))
	if posted.Why == nil {
		return
	}
	text := posted.Why.Error()
	if posted.Status == github.CommentForbidden {
		text += "; the job needs pull-requests: write, which a fork's pull request never gets: see mode report"
	}
	if err := a.runner.Annotate([]github.Annotation{{Level: "notice", Title: "perfgate: no comment", Message: text}}); err != nil {
		a.warn("%v", err)
	}
	a.say("no comment: %s", text)
}

func commentOutputs(p github.Posted) [][2]string {
	return [][2]string{{"comment-status", string(p.Status)}, {"comment-id", unlessZero(p.ID)}}
}

func unlessZero(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

func (a *app) post(ctx context.Context, d *report.Document, to *target, full string) github.Posted {
	if a.posting.token == "" {
		return github.Posted{Status: github.CommentSkipped, Why: errors.New("there is no token")}
	}
	c, err := a.client()
	if err != nil {
		return github.Posted{Status: github.CommentFailed, Why: err}
	}
	return c.Post(ctx, github.Comment{
		Pull: to.pull, Key: a.posting.inputs["comment-key"], Head: to.head, OnlyUpdate: !worthAComment(a.posting.inputs["comment"], d),
		Text: func(limit int) (string, error) {
			head := a.commentHead(to)
			body, err := report.MarkdownWithin(d, limit-len(head), full)
			return head + string(body), err
		},
	})
}

// worthAComment reports whether there must be a comment where there is none.
func worthAComment(when string, d *report.Document) bool {
	switch when {
	case commentAlways:
		return true
	case commentOnRegression:
		return d.Outcome.Gate == compare.Fail
	}
	for _, v := range []compare.Verdict{compare.Regression, compare.Improvement, compare.Added, compare.Missing, compare.Broken} {
		if d.Outcome.Count(v) > 0 {
			return true
		}
	}
	return d.Outcome.Gate != compare.Pass
}

// commentHead says what was measured and where. All of it is GitHub's own word.
func (a *app) commentHead(to *target) string {
	text := ""
	if to.head != "" {
		text = "`" + to.head + "` "
	}
	if run := cmp.Or(to.run, a.runner.RunURL()); run != "" {
		text += fmt.Sprintf("[measured in this run](%s)", run)
	}
	if to.conclusion != "" {
		text += fmt.Sprintf(", which ended with %s", to.conclusion)
	}
	if text == "" {
		return ""
	}
	return text + "\n\n"
}

// set sets outputs of the step.
func (a *app) set(outputs [][2]string) {
	for _, o := range outputs {
		if err := a.runner.SetOutput(o[0], o[1]); err != nil {
			a.warn("%v", err)
		}
	}
}

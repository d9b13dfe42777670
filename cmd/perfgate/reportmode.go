package main

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/org/perfgate/internal/github"
	"github.com/org/perfgate/internal/report"
	"github.com/org/perfgate/internal/result"
)

// reportMode posts the report of a run that was measured elsewhere. It has the right to comment where what measured
// had not, and so it runs nothing of the repository's, and takes figures and names from what was stored but no text:
// the figures are judged again and the Markdown is written here. It passes whatever they say, because the gate was
// the run that measured; the output verdict has what that came to.
func (a *app) reportMode(ctx context.Context) error {
	in := a.posting.inputs
	run, err := a.reportedRun(ctx)
	if err != nil {
		return err
	}
	data, name, err := a.storedResult(ctx, run)
	if err != nil {
		return err
	}
	file, err := result.Read(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	d, err := document(file)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	to, err := a.reportTarget(ctx, run)
	if err != nil {
		return err
	}
	if to != nil && to.head != "" {
		a.acceptAt(ctx, d, to)
	}
	if err := a.print(d, false); err != nil {
		return err
	}
	if in.yes("summary") {
		a.summarise(d, name)
	}
	a.set(counts(d))
	a.commentOn(ctx, d, to, name)
	return nil
}

// reportedRun is the run that measured, nil where a file is reported and no event names a run.
func (a *app) reportedRun(ctx context.Context) (*github.Run, error) {
	in, event := a.posting.inputs, a.posting.event
	id := in.number("run-id")
	switch {
	case event.WorkflowRun.ID != 0 && id != 0 && id != event.WorkflowRun.ID:
		return nil, usagef("input run-id %d: the event is about run %d", id, event.WorkflowRun.ID)
	case event.WorkflowRun.ID != 0:
		id = event.WorkflowRun.ID
	case id == 0 && in["file"] == "": // another job of this one
		id, _ = strconv.ParseInt(a.getenv("GITHUB_RUN_ID"), 10, 64)
	}
	if id == 0 {
		if in["file"] == "" {
			return nil, usagef("mode report: name what to report on with the input run-id or file")
		}
		return nil, nil
	}
	c, err := a.client()
	if err != nil {
		return nil, err
	}
	return c.Run(ctx, id)
}

// storedResult reads the stored run, from the workspace or from the run's artifact, and says what it is.
func (a *app) storedResult(ctx context.Context, run *github.Run) (data []byte, name string, err error) {
	in := a.posting.inputs
	if in["file"] != "" {
		data, err := a.inWorkspace(in["file"])
		return data, in["file"], err
	}
	c, err := a.client()
	if err != nil {
		return nil, "", err
	}
	data, err = c.ArtifactFile(ctx, run.ID, in["artifact"], latestFile)
	return data, fmt.Sprintf("%s in the artifact %s", latestFile, in["artifact"]), err
}

// inWorkspace reads a file that an input names.
func (a *app) inWorkspace(name string) ([]byte, error) {
	if !filepath.IsLocal(name) {
		return nil, usagef("input file %q: want a file inside the workspace", name)
	}
	ws, err := a.workspace()
	if err != nil {
		return nil, err
	}
	return a.readFile(filepath.Join(ws, name))
}

// reportTarget finds the pull request by what GitHub says of the event or of the run, and by nothing that is stored.
// It is nil where the run was not about one.
func (a *app) reportTarget(ctx context.Context, run *github.Run) (*target, error) {
	if a.posting.to != nil || run == nil {
		return a.posting.to, nil
	}
	if !strings.HasPrefix(run.Event, "pull_request") {
		a.say("run %d was started by %s: there is no pull request to comment on", run.ID, run.Event)
		return nil, nil
	}
	c, err := a.client()
	if err != nil {
		return nil, err
	}
	pull, err := c.PullOf(ctx, run)
	if err != nil { // closed meanwhile, or pushed to
		a.warn("%v: nothing is commented on", err)
		return nil, nil
	}
	return &target{pull: pull, head: run.HeadSHA, run: run.URL, conclusion: run.Conclusion}, nil
}

// summarise writes the report to the job summary, as much of it as there is room for.
func (a *app) summarise(d *report.Document, full string) {
	markdown, err := report.MarkdownWithin(d, a.runner.SummaryRoom(), full)
	if err != nil {
		a.warn("job summary: %v", err)
	} else if err := a.runner.AppendSummary(string(markdown)); err != nil {
		a.warn("%v", err)
	}
}

package github

import (
	"bytes"
	"cmp"
	"fmt"

	actions "github.com/sethvargo/go-githubactions"
)

// Mask lets the runner hide a secret wherever it turns up in the log. It does nothing for an empty one.
func (r *Runner) Mask(secret string) error {
	if !r.Active() || secret == "" {
		return nil
	}
	var text bytes.Buffer
	actions.New(actions.WithGetenv(r.getenv), actions.WithWriter(&text)).AddMask(secret)
	if err := r.command(text.Bytes()); err != nil {
		return fmt.Errorf("mask: %w", err)
	}
	return nil
}

// RunURL is where people look at this run, empty outside a workflow.
func (r *Runner) RunURL() string {
	repository, id := r.getenv("GITHUB_REPOSITORY"), r.getenv("GITHUB_RUN_ID")
	if repository == "" || id == "" {
		return ""
	}
	return fmt.Sprintf("%s/%s/actions/runs/%s", cmp.Or(r.getenv("GITHUB_SERVER_URL"), defaultServer), repository, id)
}

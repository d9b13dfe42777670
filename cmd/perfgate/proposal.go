package main

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"strconv"

	"github.com/org/perfgate/internal/harness"
)

// proposal is what the runner says of the pull request or merge group that it runs for, nil where it runs for none.
// An event that cannot be read leaves out what only it says: what is checked out is then compared by its form.
func (a *app) proposal() *harness.Proposal {
	if !a.proposed() {
		return nil
	}
	e := a.event()
	p := &harness.Proposal{Merge: a.getenv("GITHUB_SHA"), Head: e.PullRequest.Head.SHA, Before: e.MergeGroup.BaseSHA, Branch: cmp.Or(a.getenv("GITHUB_BASE_REF"), e.PullRequest.Base.Ref)}
	if a.token() != "" && p.Branch != "" {
		p.MergeBase = func(ctx context.Context, commit string) (string, error) {
			c, err := a.client()
			if err != nil {
				return "", err
			}
			return c.MergeBase(ctx, p.Branch, commit)
		}
	}
	return p
}

// event is what started the workflow. The action has read it already, before anything that is measured could write
// to it.
func (a *app) event() event {
	if a.posting != nil {
		return a.posting.event
	}
	return a.readEvent()
}

// fetchEnv lets git fetch with the action's token, for a checkout that kept no credentials. The token is in the
// environment of that one git process alone, while nothing that is measured runs: never in an argument, which all
// processes can read, nor in an address, which messages repeat.
func (a *app) fetchEnv() []string {
	token := a.token()
	if token == "" {
		return nil
	}
	n, err := strconv.Atoi(cmp.Or(a.getenv("GIT_CONFIG_COUNT"), "1")) // childEnv sets one
	if err != nil {
		return nil // git will say what is wrong with it
	}
	basic := base64.StdEncoding.EncodeToString([]byte("x-access-token:" + token))
	if err := a.runner.Mask(basic); err != nil { // as good as the token: what git says of its requests is the log's
		a.warn("%v", err)
	}
	header := "AUTHORIZATION: basic " + basic
	return []string{
		fmt.Sprintf("GIT_CONFIG_COUNT=%d", n+1),
		fmt.Sprintf("GIT_CONFIG_KEY_%d=http.%s/.extraheader", n, cmp.Or(a.getenv("GITHUB_SERVER_URL"), "https://github.com")),
		fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", n, header),
	}
}

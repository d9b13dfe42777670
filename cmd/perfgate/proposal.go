package main

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
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
	var event struct {
		PullRequest struct {
			Head struct {
				SHA string `json:"sha"`
			} `json:"head"`
		} `json:"pull_request"`
		MergeGroup struct {
			BaseSHA string `json:"base_sha"`
		} `json:"merge_group"`
	}
	if data, err := a.runner.Event(); err != nil {
		a.warn("%v", err)
	} else if len(data) == 0 {
		a.warn("the runner names no event: the merge commit is taken for what it looks like")
	} else if err := json.Unmarshal(data, &event); err != nil {
		a.warn("event: %v", err)
	}
	return &harness.Proposal{
		Merge:  a.getenv("GITHUB_SHA"),
		Head:   event.PullRequest.Head.SHA,
		Before: event.MergeGroup.BaseSHA,
		Branch: a.getenv("GITHUB_BASE_REF"),
	}
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
	header := "AUTHORIZATION: basic " + base64.StdEncoding.EncodeToString([]byte("x-access-token:"+token))
	return []string{
		fmt.Sprintf("GIT_CONFIG_COUNT=%d", n+1),
		fmt.Sprintf("GIT_CONFIG_KEY_%d=http.%s/.extraheader", n, cmp.Or(a.getenv("GITHUB_SERVER_URL"), "https://github.com")),
		fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", n, header),
	}
}

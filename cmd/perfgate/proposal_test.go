package main

import (
	"encoding/base64"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/github"
	"github.com/org/perfgate/internal/harness"
)

// step is an app in a step of a workflow.
func step(environ ...string) *app {
	a := &app{stdout: io.Discard, stderr: io.Discard, environ: append(environ, "GITHUB_ACTIONS=true")}
	a.runner = github.New(a.getenv, io.Discard)
	return a
}

func TestProposal(t *testing.T) {
	event := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(event, []byte(`{"pull_request":{"head":{"sha":"2"},"base":{"sha":"old"}},"merge_group":{"base_sha":"1"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	got := step("GITHUB_EVENT_NAME=pull_request", "GITHUB_EVENT_PATH="+event, "GITHUB_SHA=3", "GITHUB_BASE_REF=main").proposal()
	if diff := cmp.Diff(&harness.Proposal{Merge: "3", Head: "2", Before: "1", Branch: "main"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := step("GITHUB_EVENT_NAME=push", "GITHUB_EVENT_PATH="+event).proposal(); got != nil {
		t.Errorf("a push proposes %+v", got)
	}
	got = step("GITHUB_EVENT_NAME=pull_request", "GITHUB_EVENT_PATH="+event+".absent", "GITHUB_SHA=3").proposal()
	if diff := cmp.Diff(&harness.Proposal{Merge: "3"}, got); diff != "" {
		t.Errorf("without the event (-want +got):\n%s", diff)
	}
}

// TestFetchEnv: the token travels as a header in one process's environment, and to the server alone that the runner
// names.
func TestFetchEnv(t *testing.T) {
	if env := step().fetchEnv(); env != nil {
		t.Errorf("without a token: %q", env)
	}
	a := step("INPUT_TOKEN=ghs_secret", "GITHUB_SERVER_URL=https://ghe.example.com", "ACTIONS_RUNTIME_TOKEN=x")
	basic := base64.StdEncoding.EncodeToString([]byte("x-access-token:ghs_secret"))
	want := []string{"GIT_CONFIG_COUNT=2", "GIT_CONFIG_KEY_1=http.https://ghe.example.com/.extraheader", "GIT_CONFIG_VALUE_1=AUTHORIZATION: basic " + basic}
	if diff := cmp.Diff(want, a.fetchEnv()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if slices.ContainsFunc(a.childEnv(), func(kv string) bool { return strings.Contains(kv, "secret") || strings.HasPrefix(kv, "ACTIONS_") }) {
		t.Errorf("a child sees %q", a.childEnv())
	}
}

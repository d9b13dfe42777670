package main

import (
	"encoding/base64"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/github"
	"github.com/org/perfgate/internal/github/githubtest"
	"github.com/org/perfgate/internal/harness"
)

// inStep is an app in a step of a workflow.
func inStep(environ ...string) *app {
	a := &app{stdout: io.Discard, stderr: io.Discard, environ: append(environ, "GITHUB_ACTIONS=true")}
	a.runner = github.New(a.getenv, io.Discard)
	return a
}

func TestProposal(t *testing.T) {
	event := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(event, []byte(`{"pull_request":{"head":{"sha":"2"},"base":{"sha":"old","ref":"main"}},"merge_group":{"base_sha":"1"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	got := inStep("GITHUB_EVENT_NAME=pull_request", "GITHUB_EVENT_PATH="+event, "GITHUB_SHA=3", "GITHUB_BASE_REF=main").proposal()
	if diff := cmp.Diff(&harness.Proposal{Merge: "3", Head: "2", Before: "1", Branch: "main"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	got = inStep("GITHUB_EVENT_NAME=pull_request_review", "GITHUB_REF=refs/pull/7/merge", "GITHUB_EVENT_PATH="+event, "GITHUB_SHA=3").proposal()
	if diff := cmp.Diff(&harness.Proposal{Merge: "3", Head: "2", Before: "1", Branch: "main"}, got); diff != "" {
		t.Errorf("of a review (-want +got):\n%s", diff)
	}
	if got := inStep("GITHUB_EVENT_NAME=push", "GITHUB_REF=refs/heads/main", "GITHUB_EVENT_PATH="+event).proposal(); got != nil {
		t.Errorf("a push proposes %+v", got)
	}
	got = inStep("GITHUB_EVENT_NAME=pull_request", "GITHUB_EVENT_PATH="+event+".absent", "GITHUB_SHA=3").proposal()
	if diff := cmp.Diff(&harness.Proposal{Merge: "3"}, got); diff != "" {
		t.Errorf("without the event (-want +got):\n%s", diff)
	}
}

// TestFetchEnv: the token travels as a header in one process's environment, and to the server alone that the runner
// names.
func TestFetchEnv(t *testing.T) {
	if env := inStep().fetchEnv(); env != nil {
		t.Errorf("without a token: %q", env)
	}
	a := inStep("GITHUB_SERVER_URL=https://ghe.example.com", "ACTIONS_RUNTIME_TOKEN=x")
	var log strings.Builder
	a.runner = github.New(a.getenv, &log)
	a.posting = &posting{token: "ghs_secret"}
	basic := base64.StdEncoding.EncodeToString([]byte("x-access-token:ghs_secret"))
	want := []string{"GIT_CONFIG_COUNT=2", "GIT_CONFIG_KEY_1=http.https://ghe.example.com/.extraheader", "GIT_CONFIG_VALUE_1=AUTHORIZATION: basic " + basic}
	if diff := cmp.Diff(want, a.fetchEnv()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if want := "::add-mask::" + basic + "\n"; log.String() != want {
		t.Errorf("the log has %q, want %q", log.String(), want)
	}
	if slices.ContainsFunc(a.childEnv(), func(kv string) bool { return strings.Contains(kv, "secret") || strings.HasPrefix(kv, "ACTIONS_") }) {
		t.Errorf("a child sees %q", a.childEnv())
	}
}

// TestAbsentBase: where the base cannot be fetched, its configuration and baseline come through the API, and do for a
// comparison with the baseline alone. Those of the checkout never do.
func TestAbsentBase(t *testing.T) {
	dir := t.TempDir()
	_, vars, err := isolate(dir)
	if err != nil {
		t.Fatal(err)
	}
	env := append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Join(dir, ".home")}, vars...)
	origin, checkout := filepath.Join(dir, "origin"), filepath.Join(dir, "checkout")
	git := func(in string, args ...string) string {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", in}, args...)...)
		cmd.Env = env
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %s: %s", args, out)
		}
		return strings.TrimSpace(string(out))
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(origin, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(origin, 0o700); err != nil {
		t.Fatal(err)
	}
	git(origin, "init", "--quiet")
	write("m.go", "package m\n")
	git(origin, "add", "--all")
	git(origin, "commit", "--quiet", "--message=base")
	base := git(origin, "rev-parse", "HEAD")
	git(origin, "checkout", "--quiet", "-b", "feature")
	write("perfgate.yaml", "against: base\neffect: 900%\n")
	git(origin, "add", "--all")
	git(origin, "commit", "--quiet", "--message=own")
	head := git(origin, "rev-parse", "HEAD")
	git(origin, "checkout", "--quiet", "main")
	git(origin, "merge", "--quiet", "--no-ff", "--message=merge", "feature")
	git(dir, "clone", "--quiet", "--depth=1", "file://"+origin, checkout)
	git(checkout, "remote", "set-url", "origin", filepath.Join(dir, "gone"))

	s := githubtest.New()
	server := httptest.NewServer(s)
	defer server.Close()
	trusted := func(files map[string]string) (*project, error) {
		s.Commits[base] = &githubtest.Commit{Files: files}
		a := inStep(append(env, "GITHUB_EVENT_NAME=pull_request", "GITHUB_WORKSPACE="+checkout, "GITHUB_API_URL="+server.URL, "GITHUB_REPOSITORY=owner/repo")...)
		a.posting = &posting{token: "t", event: event{}}
		a.posting.event.PullRequest.Head.SHA = head
		p, err := a.configure(newFlags("check", ""))
		if err != nil {
			t.Fatal(err)
		}
		if err := p.open(t.Context()); err != nil {
			t.Fatal(err)
		}
		return p, p.trustBase(t.Context())
	}
	p, err := trusted(map[string]string{"perfgate.yaml": "against: baseline\neffect: 7%\n", "perf_reports/baseline.json": "{"})
	if err != nil {
		t.Fatal(err)
	}
	if p.config.Effect != 0.07 || p.trusted.Commit != base || p.trusted.Source != harness.MergeParent {
		t.Errorf("effect %v of base %+v, want base's 7%%", p.config.Effect, p.trusted)
	}
	if _, err := p.baselineInForce(t.Context()); err == nil || !strings.Contains(err.Error(), "baseline.json of base") {
		t.Errorf("base's broken baseline: %v", err)
	}
	if _, err := trusted(map[string]string{"perfgate.yaml": "effect: 7%\n"}); err == nil || exitCode(err) != exitNoVerdict || !strings.Contains(err.Error(), "could not be fetched") {
		t.Errorf("a base that would have to be measured: %v", err)
	}
	s.Faults = []*githubtest.Fault{{Status: 403}}
	if _, err := trusted(map[string]string{"perfgate.yaml": "against: baseline\n"}); err == nil || exitCode(err) != exitNoVerdict {
		t.Errorf("without the right to read: %v", err)
	}
	if len(s.Wrong) > 0 {
		t.Errorf("GitHub's description does not allow %v", s.Wrong)
	}
}

package setup

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// gh stands for GitHub's command: it notes how it is called and what it is given, and answers with a name for what
// was made. v0 is a tag that is not there.
const gh = `#!/bin/sh
echo "gh $*" >>"$CALLS"
case "$*" in
  *"git/blobs "*) base64 --decode >>"$CALLS"; echo BLOB ;;
  *"git/trees "*) cat >>"$CALLS"; echo >>"$CALLS"; echo TREE ;;
  *"git/commits "*) cat >>"$CALLS"; echo >>"$CALLS"; echo COMMIT ;;
  *"/commits/"*) echo COMMIT ;;
  *PATCH*tags/v0*) exit 1 ;;
esac
`

// release runs scripts/release in a repository of its own and returns what gh was asked, what it printed and whether
// it succeeded.
func release(t *testing.T, args ...string) (calls, out string, ok bool) {
	t.Helper()
	dir := t.TempDir()
	put(t, filepath.Join(dir, "bin", "gh"), []byte(gh))
	put(t, filepath.Join(dir, "repo", "scripts", "release"), []byte(read("../scripts/release")))
	put(t, filepath.Join(dir, "repo", "action.yml"), []byte("action\n"))
	put(t, filepath.Join(dir, "repo", "setup", "checksums.txt"), []byte("sums\n"))
	put(t, filepath.Join(dir, "dist", "perfgate.tar.gz"), nil)
	env := append(os.Environ(), "PATH="+filepath.Join(dir, "bin")+":"+os.Getenv("PATH"), "CALLS="+filepath.Join(dir, "calls"), "GITHUB_REPOSITORY=org/perfgate",
		"HOME="+dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_DATE=2026-01-02T03:04:05Z", "GIT_COMMITTER_DATE=2026-01-02T03:04:05Z")
	run := func(name string, args ...string) (string, error) {
		cmd := exec.Command(name, args...)
		cmd.Dir, cmd.Env = filepath.Join(dir, "repo"), env
		out, err := cmd.CombinedOutput()
		return strings.ReplaceAll(string(out), dir, "@"), err
	}
	for _, args := range [][]string{
		{"init", "--quiet", "--bare", "../origin"}, {"init", "--quiet", "--initial-branch=main"}, {"remote", "add", "origin", "../origin"}, {"add", "scripts"},
		{"-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "--quiet", "--message=one"}, {"push", "--quiet", "origin", "main", "main:refs/tags/v1.2.2"},
	} {
		if out, err := run("git", args...); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	out, err := run("bash", append([]string{"scripts/release"}, args...)...)
	head, _ := run("git", "rev-parse", "HEAD")
	tree, _ := run("git", "rev-parse", "HEAD^{tree}")
	calls = strings.NewReplacer(dir, "@", strings.TrimSpace(head), "HEAD", strings.TrimSpace(tree), "HEADTREE").Replace(read(filepath.Join(dir, "calls")))
	return calls, out, err == nil
}

// What the release workflow asks of GitHub, in this order.
func TestReleaseSteps(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("releases are made on Linux")
	}
	t.Parallel()
	const publish = `gh api repos/org/perfgate/git/blobs --field content=@- --raw-field encoding=base64 --jq .sha
action
gh api repos/org/perfgate/git/blobs --field content=@- --raw-field encoding=base64 --jq .sha
sums
gh api repos/org/perfgate/git/trees --input - --jq .sha
{"base_tree": "HEADTREE", "tree": [{"path": "action.yml", "mode": "100644", "type": "blob", "sha": "BLOB"}, {"path": "setup/checksums.txt", "mode": "100644", "type": "blob", "sha": "BLOB"}]}
gh api repos/org/perfgate/git/commits --input - --jq .sha
{"message": "release VERSION", "tree": "TREE", "parents": ["HEAD"]}
gh api repos/org/perfgate/git/refs --raw-field ref=refs/tags/VERSION --raw-field sha=COMMIT --silent
gh release create VERSION --repo org/perfgate --verify-tag --generate-notes FLAGS@/dist/perfgate.tar.gz
`
	published := func(version, flags string) string {
		return strings.NewReplacer("VERSION", version, "FLAGS", flags).Replace(publish)
	}
	const float = "gh api repos/org/perfgate/commits/VERSION --jq .sha\ngh api --method PATCH repos/org/perfgate/git/refs/tags/MAJOR --raw-field sha=COMMIT --field force=true --silent\n"
	floated := func(version, major string) string {
		return strings.NewReplacer("VERSION", version, "MAJOR", major).Replace(float)
	}
	tests := []struct {
		args, calls, out string
		ok               bool
	}{
		{"check v1.2.3", "", "", true},
		{"check v1.2.2", "", "release: v1.2.2 is there already\n", false},
		{"check v1", "", "release: v1 is not a full version such as v1.2.3\n", false},
		{"tag v1.2.3", "", "", true},
		{"publish v1.2.3 ../dist", published("v1.2.3", ""), "v1.2.3 is COMMIT\n", true},
		{"publish v1.3.0-rc.1 ../dist", published("v1.3.0-rc.1", "--prerelease "), "v1.3.0-rc.1 is COMMIT\n", true},
		{"publish v1.2.2 ../dist", "", "release: v1.2.2 is there already\n", false},
		{"float v1.2.3", floated("v1.2.3", "v1"), "v1 is COMMIT\n", true},
		{"float v0.1.0", floated("v0.1.0", "v0") + "gh api repos/org/perfgate/git/refs --raw-field ref=refs/tags/v0 --raw-field sha=COMMIT --silent\n", "v0 is COMMIT\n", true},
		{"float v1.3.0-rc.1", "", "release: v1.3.0-rc.1 is not a version that v1 may name\n", false},
		{"float", "", "release: want: float VERSION\n", false},
		{"all", "", "release: want: check, tag, publish, verify or float\n", false},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			t.Parallel()
			calls, out, ok := release(t, strings.Fields(tt.args)...)
			calls = strings.ReplaceAll(calls, "../dist", "@/dist")
			if ok != tt.ok || out != tt.out {
				t.Errorf("release %s = %v, %q, want %v, %q", tt.args, ok, out, tt.ok, tt.out)
			}
			if diff := cmp.Diff(tt.calls, calls); diff != "" {
				t.Errorf("release %s asks (-want +got):\n%s", tt.args, diff)
			}
		})
	}
}

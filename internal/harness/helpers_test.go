package harness

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// write makes files below dir, the folders included.
func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// goOffline is a go command that asks nobody, with the caches of this machine.
func goOffline() goTool {
	return goTool{env: append(os.Environ(), "GOFLAGS=", "GOPROXY=off", "GOTOOLCHAIN=local", "GOWORK=")}
}

// gitEnv is an environment in which git knows no configuration but ours.
func gitEnv(t *testing.T, home string) []string {
	t.Helper()
	write(t, home, map[string]string{".gitconfig": "[user]\n\tname = A Gopher\n\temail = gopher@example.com\n[init]\n\tdefaultBranch = main\n[commit]\n\tgpgSign = false\n"})
	const day = "2026-01-02T03:04:05Z"
	env := []string{"HOME=" + home, "GIT_CONFIG_NOSYSTEM=1", "GIT_CEILING_DIRECTORIES=" + filepath.Dir(home), "GIT_AUTHOR_DATE=" + day, "GIT_COMMITTER_DATE=" + day}
	return append(env, "PATH="+os.Getenv("PATH"), "TMPDIR="+os.TempDir())
}

// clone is a repository of a test's own.
type clone struct {
	t   *testing.T
	dir string
	env []string
}

// newClone makes an empty repository with the branch main.
func newClone(t *testing.T) *clone {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c := &clone{t: t, dir: filepath.Join(dir, "repo"), env: gitEnv(t, filepath.Join(dir, "home"))}
	if err := os.Mkdir(c.dir, 0o777); err != nil {
		t.Fatal(err)
	}
	c.git("init", "--quiet", "--initial-branch=main")
	return c
}

func (c *clone) git(args ...string) string {
	c.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = c.dir, c.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		c.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit makes a commit that changes one file and returns its hash.
func (c *clone) commit(text string) string {
	c.t.Helper()
	write(c.t, c.dir, map[string]string{"file.txt": text})
	c.git("add", "--all")
	c.git("commit", "--quiet", "--message="+text)
	return c.git("rev-parse", "HEAD")
}

// cloned clones c with git's own options into a folder beside it.
func (c *clone) cloned(name string, args ...string) *clone {
	c.t.Helper()
	to := filepath.Join(filepath.Dir(c.dir), name)
	c.git(append(append([]string{"clone", "--quiet"}, args...), "file://"+filepath.ToSlash(c.dir), to)...)
	return &clone{t: c.t, dir: to, env: c.env}
}

// open opens the repository as perfgate does.
func (c *clone) open() *Repo {
	c.t.Helper()
	r, err := OpenRepo(c.t.Context(), c.dir, c.env)
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

package harness

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestResolveBase(t *testing.T) {
	for _, tt := range []struct {
		name string
		// make prepares a repository and returns it with the hash of the expected commit.
		make func(t *testing.T) (*clone, string)
		o    BaseOptions
		ref  string
	}{
		{"default branch, clean: the parent", func(t *testing.T) (*clone, string) {
			c := newClone(t)
			want := c.commit("one")
			c.commit("two")
			return c, want
		}, BaseOptions{}, "HEAD~1"},
		{"default branch, dirty: HEAD", func(t *testing.T) (*clone, string) {
			c := newClone(t)
			c.commit("one")
			return c, c.commit("two")
		}, BaseOptions{Dirty: true}, "HEAD"},
		{"feature branch: the merge base", func(t *testing.T) (*clone, string) {
			c := newClone(t)
			want := c.commit("one")
			c.git("checkout", "--quiet", "-b", "feature")
			c.commit("two")
			c.commit("three")
			return c, want
		}, BaseOptions{}, "merge base with main"},
		{"feature branch, dirty: the merge base all the same", func(t *testing.T) (*clone, string) {
			c := newClone(t)
			want := c.commit("one")
			c.git("checkout", "--quiet", "-b", "feature")
			c.commit("two")
			return c, want
		}, BaseOptions{Dirty: true}, "merge base with main"},
		{"feature branch whose origin went on", func(t *testing.T) (*clone, string) {
			c := newClone(t)
			want := c.commit("one")
			d := c.cloned("copy")
			d.git("checkout", "--quiet", "-b", "feature")
			d.commit("two")
			c.commit("elsewhere")
			d.git("fetch", "--quiet", "origin")
			return d, want
		}, BaseOptions{}, "merge base with origin/main"},
		{"feature branch without a commit of its own, dirty: HEAD", func(t *testing.T) (*clone, string) {
			c := newClone(t)
			c.commit("one")
			want := c.commit("two")
			c.git("checkout", "--quiet", "-b", "feature")
			return c, want
		}, BaseOptions{Dirty: true}, "HEAD"},
		{"the default branch has another name", func(t *testing.T) (*clone, string) {
			c := newClone(t)
			c.git("checkout", "--quiet", "-b", "trunk")
			want := c.commit("one")
			d := c.cloned("copy")
			d.git("checkout", "--quiet", "-b", "feature")
			d.commit("two")
			return d, want
		}, BaseOptions{}, "merge base with origin/trunk"},
		{"no default branch: the parent", func(t *testing.T) (*clone, string) {
			c := newClone(t)
			c.git("checkout", "--quiet", "-b", "other")
			want := c.commit("one")
			c.commit("two")
			return c, want
		}, BaseOptions{}, "HEAD~1"},
		{"detached at a commit of main: its parent", func(t *testing.T) (*clone, string) {
			c := newClone(t)
			want := c.commit("one")
			c.commit("two")
			c.commit("three")
			c.git("checkout", "--quiet", "--detach", "HEAD~1")
			return c, want
		}, BaseOptions{}, "HEAD~1"},
		{"pull request: the first parent of the merge", func(t *testing.T) (*clone, string) {
			c := newClone(t)
			c.commit("one")
			c.git("checkout", "--quiet", "-b", "feature")
			write(t, c.dir, map[string]string{"other.txt": "x"})
			c.git("add", "--all")
			c.git("commit", "--quiet", "--message=change")
			c.git("checkout", "--quiet", "main")
			want := c.commit("main went on")
			c.git("checkout", "--quiet", "--detach")
			c.git("merge", "--quiet", "--no-ff", "--message=merge", "feature")
			return c, want
		}, BaseOptions{Proposal: &Proposal{}}, "first parent of the merge commit"},
		{"pull request without a merge commit: the merge base", func(t *testing.T) (*clone, string) {
			c := newClone(t)
			want := c.commit("one")
			c.git("checkout", "--quiet", "-b", "feature")
			c.commit("two")
			return c, want
		}, BaseOptions{Proposal: &Proposal{}}, "merge base with main"},
		{"shallow in CI: fetched", func(t *testing.T) (*clone, string) {
			c := newClone(t)
			want := c.commit("one")
			c.commit("two")
			return c.cloned("copy", "--depth=1"), want
		}, BaseOptions{Fetch: true}, "HEAD~1"},
		{"shallow pull request in CI: the first parent is fetched", func(t *testing.T) (*clone, string) {
			c := newClone(t)
			c.commit("one")
			c.git("checkout", "--quiet", "-b", "feature")
			write(t, c.dir, map[string]string{"other.txt": "x"})
			c.git("add", "--all")
			c.git("commit", "--quiet", "--message=change")
			c.git("checkout", "--quiet", "main")
			want := c.commit("main went on")
			c.git("merge", "--quiet", "--no-ff", "--message=merge", "feature")
			return c.cloned("copy", "--depth=1"), want
		}, BaseOptions{Fetch: true, Proposal: &Proposal{}}, "first parent of the merge commit"},
		{"by name", func(t *testing.T) (*clone, string) {
			c := newClone(t)
			want := c.commit("one")
			c.git("tag", "--annotate", "--message=x", "v1.0")
			c.commit("two")
			c.commit("three")
			return c, want
		}, BaseOptions{Ref: "v1.0", Dirty: true}, "v1.0"},
		{"by steps", func(t *testing.T) (*clone, string) {
			c := newClone(t)
			want := c.commit("one")
			c.commit("two")
			c.commit("three")
			return c, want
		}, BaseOptions{Ref: "HEAD~2"}, "HEAD~2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, want := tt.make(t)
			got, err := c.open().ResolveBase(t.Context(), tt.o)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(BaseCommit{want, tt.ref, got.Source}, got); diff != "" || got.Source == "" {
				t.Errorf("base (-want +got):\n%s\nhistory:\n%s", diff, c.git("log", "--oneline", "--all", "--graph"))
			}
			if kind := c.git("cat-file", "-t", got.Commit); kind != "commit" {
				t.Errorf("the base is a %s", kind)
			}
		})
	}
}

func TestResolveBaseErrors(t *testing.T) {
	for _, tt := range []struct {
		name    string
		make    func(t *testing.T) *clone
		o       BaseOptions
		problem string // of a *BaseError; empty for another error, whose text is remedy
		remedy  string
	}{
		{"root commit", func(t *testing.T) *clone {
			c := newClone(t)
			c.commit("one")
			return c
		}, BaseOptions{}, "HEAD is the first commit", "change something, commit it"},
		{"shallow", func(t *testing.T) *clone {
			c := newClone(t)
			c.commit("one")
			c.commit("two")
			return c.cloned("copy", "--depth=1")
		}, BaseOptions{}, "this clone is shallow and does not hold", "run: git fetch --depth=1 origin "},
		{"shallow, HEAD~1 by name", func(t *testing.T) *clone {
			c := newClone(t)
			c.commit("one")
			c.commit("two")
			return c.cloned("copy", "--depth=1")
		}, BaseOptions{Ref: "HEAD^"}, "this clone is shallow and does not hold", "run: git fetch --depth=1 origin "},
		{"shallow, further back", func(t *testing.T) *clone {
			c := newClone(t)
			c.commit("one")
			c.commit("two")
			return c.cloned("copy", "--depth=1")
		}, BaseOptions{Ref: "@~4"}, "does not hold @~4", "run: git fetch --deepen=4"},
		{"shallow feature branch", func(t *testing.T) *clone {
			c := newClone(t)
			c.commit("one")
			c.git("checkout", "--quiet", "-b", "feature")
			c.commit("two")
			c.commit("three")
			c.git("checkout", "--quiet", "main")
			c.commit("main went on")
			return c.cloned("copy", "--depth=1", "--no-single-branch", "--branch=feature")
		}, BaseOptions{}, "does not hold the merge base with origin/main", "run: git fetch --unshallow"},
		{"shallow and origin is gone", func(t *testing.T) *clone {
			c := newClone(t)
			c.commit("one")
			c.commit("two")
			d := c.cloned("copy", "--depth=1")
			if err := os.RemoveAll(c.dir); err != nil {
				t.Fatal(err)
			}
			return d
		}, BaseOptions{Fetch: true}, "could not be fetched", "fetch-depth: 2"},
		{"no common history", func(t *testing.T) *clone {
			c := newClone(t)
			c.commit("one")
			c.git("checkout", "--quiet", "--orphan", "feature")
			c.commit("two")
			return c
		}, BaseOptions{}, "HEAD and main have no common history", "--base REF"},
		{"unknown ref", func(t *testing.T) *clone {
			c := newClone(t)
			c.commit("one")
			return c
		}, BaseOptions{Ref: "no such; rm -rf"}, "names no commit of this repository", "git fetch origin 'no such; rm -rf'"},
		{"a ref that is a flag", func(t *testing.T) *clone {
			c := newClone(t)
			c.commit("one")
			return c
		}, BaseOptions{Ref: "--output=x"}, "", `--base "--output=x": a revision cannot begin with a dash`},
		{"no commit", newClone, BaseOptions{}, "", "the repository has no commit yet"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := tt.make(t).open().ResolveBase(t.Context(), tt.o)
			if err == nil {
				t.Fatalf("ResolveBase = %+v, want an error", got)
			}
			be := (*BaseError)(nil)
			if errors.As(err, &be) != (tt.problem != "") {
				t.Fatalf("error %T: %v", err, err)
			}
			if be == nil {
				be = &BaseError{Remedy: err.Error()}
			}
			if !strings.Contains(be.Problem, tt.problem) || !strings.Contains(be.Remedy, tt.remedy) {
				t.Errorf("error = %q; %q, want %q; %q", be.Problem, be.Remedy, tt.problem, tt.remedy)
			}
		})
	}
}

func TestOpenRepo(t *testing.T) {
	t.Parallel()
	c := newClone(t)
	c.commit("one")
	write(t, c.dir, map[string]string{"below/further/x": ""})
	r, err := OpenRepo(t.Context(), filepath.Join(c.dir, "below", "further"), c.env)
	if err != nil {
		t.Fatal(err)
	}
	if r.Top != c.dir || r.Common != filepath.Join(c.dir, ".git") || r.Shallow {
		t.Errorf("Repo = %q, %q, %v, want the root, its .git and no shallowness", r.Top, r.Common, r.Shallow)
	}
	c.commit("two")
	if d := c.cloned("shallow2", "--depth=1").open(); !d.Shallow {
		t.Error("a shallow clone is not called so")
	}
	if _, err := OpenRepo(t.Context(), filepath.Dir(c.dir), c.env); !errors.Is(err, ErrNoRepo) {
		t.Errorf("outside: error = %v, want ErrNoRepo", err)
	}
}

// Our own outputs do not make a tree dirty; everything else does.
func TestDirty(t *testing.T) {
	t.Parallel()
	c := newClone(t)
	write(t, c.dir, map[string]string{"perf_reports/baseline.json": "{}", ".gitignore": "ignored\n"})
	c.commit("one")
	r := c.open()
	dirty := func() []string {
		t.Helper()
		d, err := r.Dirty(t.Context(), filepath.Join(c.dir, "perf_reports"))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	write(t, c.dir, map[string]string{"perf_reports/baseline.json": "{ }", "perf_reports/latest.json": "{}", "ignored": "x"})
	if d := dirty(); len(d) != 0 {
		t.Errorf("Dirty = %q after writing reports, want none", d)
	}
	write(t, c.dir, map[string]string{"new/file.go": "package x"})
	if d := dirty(); len(d) != 1 || d[0] != "?? new/file.go" {
		t.Errorf("Dirty = %q, want the new file", d)
	}
	write(t, c.dir, map[string]string{"file.txt": "changed"})
	if d := dirty(); len(d) != 2 {
		t.Errorf("Dirty = %q, want the changed file too", d)
	}
	write(t, c.dir, map[string]string{"perf_reports2/x": ""})
	if d := dirty(); len(d) != 3 {
		t.Errorf("Dirty = %q, want the folder with a longer name too", d)
	}
}

func TestShellWord(t *testing.T) {
	for in, want := range map[string]string{
		"v1.0": "v1.0", "origin/main~1": "origin/main~1", "a b": "'a b'", "$(x)": "'$(x)'", "it's": `'it'\''s'`, "": "''",
	} {
		if got := shellWord(in); got != want {
			t.Errorf("shellWord(%q) = %s, want %s", in, got, want)
		}
	}
}

// A checkout lies inside the git directory, is the commit that was asked for, runs no hooks, and is
// gone when closed, with git's memory of it.
func TestWorktree(t *testing.T) {
	t.Parallel()
	c := newClone(t)
	one := c.commit("one")
	c.commit("two")
	hook := filepath.Join(c.dir, ".git", "hooks", "post-checkout")
	write(t, filepath.Dir(hook), map[string]string{"post-checkout": "#!/bin/sh\ntouch \"$HOME/hooked\"\n"})
	if err := os.Chmod(hook, 0o777); err != nil {
		t.Fatal(err)
	}
	r := c.open()
	w, err := r.Worktree(t.Context(), one)
	if err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(filepath.Join(w.Dir, "file.txt")); err != nil || string(data) != "one" {
		t.Errorf("the checkout has %q, %v, want the file of the first commit", data, err)
	}
	if rel, err := filepath.Rel(filepath.Join(c.dir, ".git"), w.Dir); err != nil || !filepath.IsLocal(rel) {
		t.Errorf("the checkout is at %s, want it inside .git", w.Dir)
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(c.dir), "home", "hooked")); err == nil {
		t.Error("the user's hook was run")
	}
	if status := c.git("status", "--porcelain"); status != "" {
		t.Errorf("the user's tree has changes:\n%s", status)
	}
	// Another run beside it is left alone.
	v, err := r.Worktree(t.Context(), "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(w.Dir); err != nil {
		t.Errorf("the second run removed the first's checkout: %v", err)
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
	// What a benchmark left there does not matter, nor that the context ended.
	write(t, w.Dir, map[string]string{"left/over.txt": "x", "file.txt": "changed"})
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	c.checkClean()
}

// checkClean finds nothing of perfgate in the repository.
func (c *clone) checkClean() {
	c.t.Helper()
	if out := c.git("worktree", "list", "--porcelain"); strings.Count(out, "worktree ") != 1 {
		c.t.Errorf("work trees left:\n%s", out)
	}
	if _, err := os.Stat(filepath.Join(c.dir, ".git", "perfgate")); !os.IsNotExist(err) {
		c.t.Errorf("stat .git/perfgate: %v, want that it does not exist", err)
	}
}

// A run that was killed leaves a checkout that nobody has locked. The next one removes it.
func TestStaleWorktree(t *testing.T) {
	t.Parallel()
	c := newClone(t)
	c.commit("one")
	r := c.open()
	killed, err := r.Worktree(t.Context(), "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	if err := killed.lock.Unlock(); err != nil { // as the system does for the dead
		t.Fatal(err)
	}
	w, err := r.Worktree(t.Context(), "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(killed.Scratch); !os.IsNotExist(err) {
		t.Errorf("stat %s: %v, want that the stale folder is gone", killed.Scratch, err)
	}
	if out := c.git("worktree", "list", "--porcelain"); strings.Count(out, "worktree ") != 2 {
		t.Errorf("work trees:\n%s\nwant the user's and ours", out)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	c.checkClean()
}

// A checkout that fails leaves nothing.
func TestWorktreeFails(t *testing.T) {
	t.Parallel()
	c := newClone(t)
	c.commit("one")
	if _, err := c.open().Worktree(t.Context(), strings.Repeat("0", 40)); err == nil || !strings.Contains(err.Error(), "check out the base") {
		t.Errorf("error = %v, want one that says what failed", err)
	}
	c.checkClean()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.open().Worktree(ctx, "HEAD"); err == nil {
		t.Error("a cancelled checkout succeeded")
	}
	c.checkClean()
}

// TestFile reads a file as a commit has it, to the byte, and follows no link.
func TestFile(t *testing.T) {
	t.Parallel()
	c := newClone(t)
	const text = "one\n\n"
	first := c.commit(text)
	if err := os.Symlink("file.txt", filepath.Join(c.dir, "link")); err != nil {
		t.Skip(err)
	}
	second := c.commit("two")
	r := c.open()
	tests := []struct {
		commit, name, want string
		found              bool
	}{
		{first, "file.txt", text, true},
		{second, "file.txt", "two", true},
		{second, "link", "", false},
		{second, "none", "", false},
	}
	for _, tt := range tests {
		data, found, err := r.File(t.Context(), tt.commit, tt.name)
		if err != nil || found != tt.found || string(data) != tt.want {
			t.Errorf("%s: %q, %v, %v; want %q, %v", tt.name, data, found, err, tt.want, tt.found)
		}
	}
	if _, _, err := r.File(t.Context(), strings.Repeat("0", 40), "file.txt"); err == nil {
		t.Error("no error of a commit that is not there")
	}
}

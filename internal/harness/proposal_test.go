package harness

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// proposed is a repository with a pull request that is as hostile as can be: its branch ends in a merge commit of its
// author's own.
type proposed struct {
	*clone
	// main is the default branch's newest commit, fork the one that the branch left it at, own the branch's first
	// commit, head its newest, merge what CI made of both.
	main, fork, own, head, merge string
}

func newProposed(t *testing.T) *proposed {
	t.Helper()
	p := &proposed{clone: newClone(t)}
	touch := func(name, message string) string {
		write(t, p.dir, map[string]string{name: message})
		p.git("add", "--all")
		p.git("commit", "--quiet", "--message="+message)
		return p.git("rev-parse", "HEAD")
	}
	p.fork = touch("a", "fork")
	p.git("checkout", "--quiet", "-b", "aside")
	touch("b", "aside")
	p.git("checkout", "--quiet", "-b", "feature", p.fork)
	p.own = touch("c", "own")
	p.git("merge", "--quiet", "--no-ff", "--message=of the author", "aside")
	p.head = p.git("rev-parse", "HEAD")
	p.git("checkout", "--quiet", "main")
	p.main = touch("d", "main went on")
	p.git("checkout", "--quiet", "--detach")
	p.git("merge", "--quiet", "--no-ff", "--message=of CI", "feature")
	p.merge = p.git("rev-parse", "HEAD")
	p.git("branch", "merged")
	p.git("checkout", "--quiet", "main")
	return p
}

func TestProposalBase(t *testing.T) {
	t.Parallel()
	p := newProposed(t)
	shallow := p.cloned("shallow", "--depth=1", "--branch=merged").open()
	two := p.cloned("two", "--depth=2", "--branch=merged").open()
	whole := p.cloned("whole", "--branch=merged").open()
	own := p.cloned("own", "--branch=feature").open()
	ownShallow := p.cloned("own-shallow", "--depth=1", "--branch=feature").open()
	ci := Proposal{Merge: p.merge, Head: p.head, Branch: "main"}
	asked := ci
	asked.MergeBase = func(_ context.Context, commit string) (string, error) {
		if commit != p.head {
			return "", errors.New("asked for another commit")
		}
		return p.fork, nil
	}
	for _, tt := range []struct {
		name     string
		repo     *Repo
		proposal Proposal
		want     string
		source   Source
	}{
		{"depth 1", shallow, ci, p.main, MergeParent},
		{"depth 2", two, ci, p.main, MergeParent},
		{"all of the history", whole, ci, p.main, MergeParent},
		{"the author's merge is not CI's", own, ci, p.fork, MergeBase},
		{"nor one whose second parent is another", own, Proposal{Merge: p.head, Head: p.own, Branch: "main"}, p.fork, MergeBase},
		{"the author's merge, without history", ownShallow, asked, p.fork, MergeBase},
		{"a merge group", shallow, Proposal{Merge: p.merge, Before: p.fork}, p.fork, MergeGroup},
	} {
		got, err := tt.repo.ResolveBase(t.Context(), BaseOptions{Proposal: &tt.proposal, Fetch: true})
		if err != nil || got.Commit != tt.want || got.Source != tt.source {
			t.Errorf("%s: %+v, %v; want %s by %s\n%s", tt.name, got, err, tt.want, tt.source, p.git("log", "--oneline", "--all", "--graph"))
		}
	}
	bare := p.cloned("bare", "--depth=1", "--branch=feature").open()
	asked.MergeBase = func(context.Context, string) (string, error) { return "", errors.New("403") }
	for _, proposal := range []Proposal{ci, asked} {
		got, err := bare.ResolveBase(t.Context(), BaseOptions{Proposal: &proposal, Fetch: true})
		if !errors.As(err, new(*BaseError)) || !strings.Contains(err.Error(), "is not the merge commit") {
			t.Errorf("without history: %+v, %v", got, err)
		}
	}
}

// TestFetchEnv: credentials that the clone has not are tried when its own do not do.
func TestFetchEnv(t *testing.T) {
	t.Parallel()
	p := newProposed(t)
	c := p.cloned("shallow", "--depth=1", "--branch=merged")
	c.git("remote", "set-url", "origin", "file:///nowhere/private")
	ci := &Proposal{Merge: p.merge, Head: p.head, Branch: "main"}
	r := c.open()
	if _, err := r.ResolveBase(t.Context(), BaseOptions{Proposal: ci, Fetch: true}); err == nil {
		t.Fatal("a base came from nowhere")
	}
	env := []string{"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=url.file://" + p.dir + ".insteadOf", "GIT_CONFIG_VALUE_0=file:///nowhere/private"}
	got, err := r.ResolveBase(t.Context(), BaseOptions{Proposal: ci, Fetch: true, FetchEnv: env})
	if err != nil || got.Commit != p.main {
		t.Errorf("base %+v, %v; want %s", got, err, p.main)
	}
}

package harness

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// Worktree is a checkout of one commit beside the user's own, removed by Close.
type Worktree struct {
	// Dir is the root of the checkout.
	Dir string
	// Scratch is a folder on the same file system for what belongs to the run.
	Scratch string

	repo *Repo
	lock *flock.Flock
}

// Worktree checks out commit. It lies inside the git directory: on the same file system as the
// user's tree, and where no `./...` and no editor looks. What killed runs left there is removed.
func (r *Repo) Worktree(ctx context.Context, commit string) (*Worktree, error) {
	home := filepath.Join(r.Common, "perfgate")
	r.removeStale(ctx, home) // first: it takes home away when nothing else is there
	if err := os.MkdirAll(home, 0o755); err != nil {
		return nil, fmt.Errorf("the base needs a place beside the repository: %w", err)
	}
	scratch, err := os.MkdirTemp(home, "run-")
	if err != nil {
		return nil, fmt.Errorf("the base needs a place beside the repository: %w", err)
	}
	w := &Worktree{Dir: filepath.Join(scratch, "base"), Scratch: scratch, repo: r, lock: flock.New(filepath.Join(scratch, "lock"))}
	if _, err := w.lock.TryLock(); err != nil {
		os.RemoveAll(scratch)
		return nil, err
	}
	if _, err := r.git(ctx, "worktree", "add", "--quiet", "--detach", w.Dir, commit); err != nil {
		w.Close()
		return nil, fmt.Errorf("check out the base: %w", err)
	}
	return w, nil
}

// Close removes the checkout. It does so even when the run was interrupted.
func (w *Worktree) Close() error {
	w.lock.Unlock()
	return w.repo.discard(context.Background(), w.Scratch)
}

// discard removes a run's folder and git's memory of the work tree in it.
func (r *Repo) discard(ctx context.Context, scratch string) error {
	r.git(ctx, "worktree", "remove", "--force", filepath.Join(scratch, "base")) // RemoveAll does what it cannot
	err := os.RemoveAll(scratch)
	r.git(ctx, "worktree", "prune")
	os.Remove(filepath.Dir(scratch)) // succeeds when no other run is there
	return err
}

// removeStale removes the folders of runs that died without cleaning up: nobody holds their
// lock.
func (r *Repo) removeStale(ctx context.Context, home string) {
	runs, _ := filepath.Glob(filepath.Join(home, "run-*"))
	for _, run := range runs {
		lock := flock.New(filepath.Join(run, "lock"))
		if ok, err := lock.TryLock(); ok && err == nil {
			lock.Unlock()
			r.discard(ctx, run)
		}
	}
}

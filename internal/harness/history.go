package harness

import (
	"context"
	"fmt"
	"strings"
)

// Commit is a commit with what people know it by.
type Commit struct {
	Hash, Date, Subject string
}

// History lists the commits after good up to bad, the oldest first, along the first parents: a merge is one change.
func (r *Repo) History(ctx context.Context, good, bad string) (from Commit, after []Commit, err error) {
	for _, ref := range []string{good, bad} {
		if _, err := r.commit(ctx, ref); err != nil {
			return from, nil, usagef("%s is no commit here%s", ref, r.deepen())
		}
	}
	if _, err := r.git(ctx, "merge-base", "--is-ancestor", good+"^{commit}", bad+"^{commit}"); err != nil {
		return from, nil, usagef("%s is no ancestor of %s%s: name the older commit, which is fast, first", good, bad, r.deepen())
	}
	const form = "--format=%H%x09%cs%x09%s"
	out, err := r.git(ctx, "log", "-1", form, "--end-of-options", good)
	if err != nil {
		return from, nil, err
	}
	if from, err = parseCommit(out); err != nil {
		return from, nil, err
	}
	out, err = r.git(ctx, "log", "--first-parent", "--reverse", form, "--end-of-options", good+".."+bad)
	if err != nil {
		return from, nil, err
	}
	for line := range strings.Lines(out) {
		c, err := parseCommit(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return from, nil, err
		}
		after = append(after, c)
	}
	if len(after) == 0 {
		return from, nil, usagef("there is no commit between %s and %s", good, bad)
	}
	return from, after, nil
}

// deepen is what may help in a clone without its history.
func (r *Repo) deepen() string {
	if r.Shallow {
		return " (the clone is shallow: git fetch --unshallow)"
	}
	return ""
}

func parseCommit(line string) (Commit, error) {
	parts := strings.SplitN(line, "\t", 3)
	if len(parts) != 3 {
		return Commit{}, fmt.Errorf("git log: unexpected answer %q", line)
	}
	return Commit{Hash: parts[0], Date: parts[1], Subject: parts[2]}, nil
}

package github

import (
	"context"
	"fmt"
	"net/http"

	rest "github.com/google/go-github/v60/github"
)

// maxContent bounds a file that is read through the API. GitHub's own limit is 100 MB.
const maxContent = 64 << 20

// Content is a file as a commit has it.
type Content struct {
	Data []byte
	Blob string // its hash, which names what a change replaces
}

// File returns a file, named relative to the repository's root, as the commit or branch ref has it; nil where it
// has none. It takes no checkout and no history.
func (c *Client) File(ctx context.Context, name, ref string) (*Content, error) {
	doing := fmt.Sprintf("read %s at %.12s", name, ref)
	file, _, _, err := c.rest.Repositories.GetContents(ctx, c.owner, c.repo, name, &rest.RepositoryContentGetOptions{Ref: ref})
	if err = failed(doing, err); status(err) == http.StatusNotFound {
		// Without the right to read, everything is not found. No file may be taken for absent because of that.
		if _, _, err := c.rest.Repositories.GetCommitSHA1(ctx, c.owner, c.repo, ref, ""); err != nil {
			return nil, failed(doing, err)
		}
		return nil, nil
	}
	switch {
	case err != nil:
		return nil, err
	case file == nil || file.GetType() != "file":
		return nil, fmt.Errorf("%s: it is not a file", doing)
	case file.GetSize() > maxContent:
		return nil, fmt.Errorf("%s: it has %d bytes, more than %d", doing, file.GetSize(), maxContent)
	}
	if file.GetEncoding() == "none" { // beyond 1 MB
		data, _, err := c.rest.Git.GetBlobRaw(ctx, c.owner, c.repo, file.GetSHA())
		if err != nil {
			return nil, failed(doing, err)
		}
		return &Content{data, file.GetSHA()}, nil
	}
	text, err := file.GetContent()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	return &Content{[]byte(text), file.GetSHA()}, nil
}

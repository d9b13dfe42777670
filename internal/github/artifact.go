package github

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"

	rest "github.com/google/go-github/v60/github"
)

// An artifact is a stranger's: these bound what is taken of it.
const (
	maxArchive = 64 << 20 // bytes of the zip archive
	maxEntries = 1000     // files in it
	maxEntry   = 64 << 20 // bytes of the file that is read
)

// ArtifactFile returns the file of that name, in whatever folder, from the artifact of a run. Nothing is written
// anywhere, so that the paths in the archive lead nowhere.
func (c *Client) ArtifactFile(ctx context.Context, run int64, artifact, name string) ([]byte, error) {
	list, _, err := c.rest.Actions.ListWorkflowRunArtifacts(ctx, c.owner, c.repo, run, &rest.ListOptions{PerPage: 100})
	if err != nil {
		return nil, failed(fmt.Sprintf("list the artifacts of workflow run %d", run), err)
	}
	var found *rest.Artifact
	for _, a := range list.Artifacts {
		if a.GetName() == artifact && (found == nil || a.GetID() > found.GetID()) { // the last attempt's
			found = a
		}
	}
	switch {
	case found == nil:
		return nil, fmt.Errorf("workflow run %d has no artifact %q among its %d", run, artifact, len(list.Artifacts))
	case found.GetExpired():
		return nil, fmt.Errorf("artifact %q of workflow run %d has expired", artifact, run)
	case found.GetSizeInBytes() > maxArchive:
		return nil, fmt.Errorf("artifact %q has %d bytes, more than %d", artifact, found.GetSizeInBytes(), maxArchive)
	}
	data, err := c.download(ctx, found.GetID())
	if err != nil {
		return nil, err
	}
	content, err := unzip(data, name, maxEntry)
	if err != nil {
		return nil, fmt.Errorf("artifact %q of workflow run %d: %w", artifact, run, err)
	}
	return content, nil
}

func (c *Client) download(ctx context.Context, id int64) ([]byte, error) {
	doing := fmt.Sprintf("download artifact %d", id)
	req, err := c.rest.NewRequest(http.MethodGet, fmt.Sprintf("repos/%s/%s/actions/artifacts/%d/zip", c.owner, c.repo, id), nil)
	if err != nil {
		return nil, failed(doing, err)
	}
	resp, err := c.rest.BareDo(ctx, req)
	if err != nil {
		return nil, failed(doing, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxArchive+1))
	if err != nil {
		return nil, failed(doing, err)
	}
	if len(data) > maxArchive {
		return nil, fmt.Errorf("%s: more than %d bytes", doing, maxArchive)
	}
	return data, nil
}

// unzip returns the one file of that base name, of at most so many bytes. The sizes that an archive tells of its files are not believed.
func unzip(data []byte, name string, most int) ([]byte, error) {
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, err
	}
	if len(archive.File) > maxEntries {
		return nil, fmt.Errorf("%d files, more than %d", len(archive.File), maxEntries)
	}
	var found *zip.File
	for _, f := range archive.File {
		if path.Base(strings.ReplaceAll(f.Name, `\`, "/")) != name || !f.Mode().IsRegular() {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("%s is there twice", name)
		}
		found = f
	}
	if found == nil {
		return nil, fmt.Errorf("no %s in it", name)
	}
	r, err := found.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	content, err := io.ReadAll(io.LimitReader(r, int64(most)+1))
	if err != nil {
		return nil, err
	}
	if len(content) > most {
		return nil, fmt.Errorf("%s has more than %d bytes", name, most)
	}
	return content, nil
}

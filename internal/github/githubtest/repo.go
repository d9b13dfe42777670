package githubtest

import (
	"archive/zip"
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Repo is what a repository holds.
type Repo struct {
	DefaultBranch string
	Commits       map[string]*Commit
	Refs          map[string]string // of the full name, such as refs/heads/main: a commit, or a tag object
	TagObjects    map[string]string // of an annotated tag: its commit
	// Protected branches take changes by pull request alone.
	Protected []string
	// NoPulls is the repository's setting that lets no workflow open pull requests.
	NoPulls bool

	Comments    []*Comment // of every issue
	Pulls       []*Pull
	Events      []Event
	Activity    []Activity        // newest first
	Permissions map[string]string // of a user: admin, maintain, write, triage, read, none
	Runs        []Run
	Artifacts   []Artifact
}

// Commit is a commit with all of its files.
type Commit struct {
	Parents []string
	Files   map[string]string
	Message string
	// Author is what a request said of who made it; GitHub signs only where it said nothing.
	Author string
}

// Comment is a comment on an issue or pull request.
type Comment struct {
	ID          int64
	Issue       int
	Login, Type string
	Body        string
}

// Pull is a pull request.
type Pull struct {
	Number                   int
	HeadOwner, Head, HeadSHA string
	Base, Title, Body, State string
	Labels                   []string
}

// Event is something that happened to an issue.
type Event struct {
	Issue int
	Event string
	Label string
	Actor string
	At    time.Time
}

// Activity is a push.
type Activity struct {
	Ref, Before, After string
	At                 time.Time
}

// Run is a run of a workflow.
type Run struct {
	ID                                    int64
	Event, HeadOwner, HeadBranch, HeadSHA string
	Conclusion                            string
	HeadGone/* the fork was deleted */ bool
}

// Artifact is what a run left behind: a zip archive.
type Artifact struct {
	ID      int64
	RunID   int64
	Name    string
	Zip     []byte
	Expired bool
}

// Archive makes an artifact's zip archive of names and contents.
func Archive(files map[string]string) []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := w.Create(name)
		if err != nil {
			panic(err)
		}
		f.Write([]byte(files[name]))
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// New returns a server with a branch main of one commit.
func New() *Server {
	s := &Server{Login: "github-actions[bot]", Bot: true}
	s.DefaultBranch = "main"
	s.Commits, s.Refs, s.TagObjects, s.Permissions = map[string]*Commit{}, map[string]string{}, map[string]string{}, map[string]string{}
	s.Refs["refs/heads/main"] = s.Add(&Commit{Message: "first", Files: map[string]string{"README.md": "Words.\n"}})
	return s
}

// Add adds a commit and returns its hash.
func (s *Repo) Add(c *Commit) string {
	sum := sha1.Sum(fmt.Appendf(nil, "%v %v %q %d", c.Parents, c.Files, c.Message, len(s.Commits)))
	sha := hex.EncodeToString(sum[:])
	s.Commits[sha] = c
	return sha
}

// Push adds a commit with changed files on a branch and returns its hash.
func (s *Repo) Push(branch, message string, files map[string]string) string {
	ref := "refs/heads/" + branch
	parent := s.Refs[ref]
	c := &Commit{Parents: []string{parent}, Message: message, Files: maps.Clone(s.Commits[parent].Files)}
	maps.Copy(c.Files, files)
	s.Refs[ref] = s.Add(c)
	return s.Refs[ref]
}

// resolve returns the commit of a branch, a full ref or a hash, empty for none.
func (s *Repo) resolve(ref string) string {
	for _, name := range []string{ref, "refs/heads/" + ref, "refs/tags/" + ref} {
		sha, ok := s.Refs[name]
		if commit, annotated := s.TagObjects[sha]; annotated {
			sha = commit
		}
		if ok {
			return sha
		}
	}
	if _, ok := s.Commits[ref]; ok {
		return ref
	}
	return ""
}

// mergeBase is the commit nearest to b that a has too, empty for none.
func (s *Repo) mergeBase(a, b string) string {
	in := s.ancestors(a)
	for todo := []string{b}; len(todo) > 0; todo = todo[1:] {
		if in[todo[0]] {
			return todo[0]
		}
		if c := s.Commits[todo[0]]; c != nil {
			todo = append(todo, c.Parents...)
		}
	}
	return ""
}

// ancestors are a commit and all before it.
func (s *Repo) ancestors(sha string) map[string]bool {
	seen := map[string]bool{}
	for todo := []string{sha}; len(todo) > 0; todo = todo[1:] {
		if c := s.Commits[todo[0]]; c != nil && !seen[todo[0]] {
			seen[todo[0]] = true
			todo = append(todo, c.Parents...)
		}
	}
	return seen
}

// Blob is git's hash of a file's content.
func Blob(content string) string {
	sum := sha1.Sum([]byte(fmt.Sprintf("blob %d\x00%s", len(content), content)))
	return hex.EncodeToString(sum[:])
}

// OwnComments are the bodies of a pull request's comments that begin so.
func (s *Repo) OwnComments(pull int, prefix string) []string {
	var out []string
	for _, c := range s.Comments {
		if c.Issue == pull && strings.HasPrefix(c.Body, prefix) {
			out = append(out, c.Body)
		}
	}
	return out
}

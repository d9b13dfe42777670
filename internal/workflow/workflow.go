// Package workflow makes the files that put perfgate to work in a repository: its configuration and its GitHub
// workflows. The files are functions of Facts; who looked at the repository, and who writes, is the caller.
//
// Every workflow gives its token no right and its jobs the few that each needs, names actions by commit, keeps
// credentials out of the checkout, and puts nothing that a stranger wrote into a script. The job that runs a pull
// request's code never has the right to write.
package workflow

import (
	"bytes"
	"embed"
	"fmt"
	"path"
	"strings"
	"text/template"
)

// Repository is where perfgate is released.
const Repository = "org/perfgate"

// Facts are what the files depend on.
type Facts struct {
	// Release is the perfgate that the workflows use.
	Release Pin
	// Branch is the repository's default branch.
	Branch string
	// Dir is the project's folder relative to the repository's root, with slashes; "." is the root.
	Dir string
	// Language is one of Languages.
	Language string
	// System is one of Systems.
	System string
	// Comment says on whose pull requests perfgate comments: one of Comments.
	Comment string
	// GoVersionFile is the go.mod or go.work that the Go on the runner is chosen by, relative to the project. It
	// is empty where there is none.
	GoVersionFile string
	// Libraries are C libraries that the image lacks.
	Libraries []string
	// Packages is the number of Go packages with benchmarks.
	Packages int
	// Program, where set, is a program to put under load, with its arguments.
	Program []string
	// Prepare are the lines of a shell script that makes the program ready in a fresh checkout.
	Prepare []string
}

// Languages are what a project may be written in.
const (
	Go     = "Go"
	Python = "Python"
	Node   = "Node"
	Other  = "other"
)

// Systems name the machines to measure on.
const (
	Linux   = "linux"
	MacOS   = "macos"
	Windows = "windows"
)

// Systems is the one list of systems, the default first.
var Systems = []string{Linux, MacOS, Windows}

// Whose pull requests are commented on.
const (
	CommentAll  = "all"  // forks' too: by a workflow that runs after the one that measured
	CommentOwn  = "own"  // of the repository's own branches: by a second job
	CommentNone = "none" // nobody's: the verdict is the job's summary and status
)

// Comments is the one list of whose pull requests may be commented on, the default first.
var Comments = []string{CommentAll, CommentOwn, CommentNone}

// Setup reports whether perfgate runs on the runner itself, put there by the setup action, and not in its
// container, which is Linux with Go and a C compiler and nothing more.
func (f Facts) Setup() bool {
	return f.System != Linux || f.Language != Go || len(f.Libraries) > 0
}

// Runner is the label of the system's runners.
func (f Facts) Runner() string {
	return map[string]string{Linux: "ubuntu-latest", MacOS: "macos-latest", Windows: "windows-latest"}[f.System]
}

// Inside is a file of the project relative to the repository.
func (f Facts) Inside(name string) string { return path.Join(f.Dir, name) }

// SetupPin is the setup action of the release.
func (f Facts) SetupPin() Pin {
	p := f.Release
	p.Action += "/setup"
	return p
}

// Doc is the address of a page of the release's documentation.
func (f Facts) Doc(page string) string {
	return fmt.Sprintf("https://github.com/%s/blob/%s/docs/%s", Repository, f.Release.Version, page)
}

// File is one file of the repository.
type File struct {
	// Path is relative to the repository's root, with slashes.
	Path string
	Text []byte
}

// Where the files lie, relative to the repository's root; the configuration is relative to the project.
const (
	Config         = "perfgate.yaml"
	CheckWorkflow  = ".github/workflows/perfgate.yml"
	ReportWorkflow = ".github/workflows/perfgate-report.yml"
	RecordWorkflow = ".github/workflows/perfgate-baseline.yml"
)

//go:embed templates
var sources embed.FS

// Files returns the files for a repository, the configuration first.
func Files(f Facts) ([]File, error) {
	list := []struct{ path, template string }{
		{f.Inside(Config), "perfgate.yaml.tmpl"},
		{CheckWorkflow, "check.yml.tmpl"},
	}
	if f.Comment == CommentAll {
		list = append(list, struct{ path, template string }{ReportWorkflow, "report.yml.tmpl"})
	}
	list = append(list, struct{ path, template string }{RecordWorkflow, "baseline.yml.tmpl"})
	// Brackets, because workflows are full of braces.
	t, err := template.New("").Delims("[[", "]]").Option("missingkey=error").
		Funcs(template.FuncMap{"pin": pinned, "quote": quote}).ParseFS(sources, "templates/*.tmpl")
	if err != nil {
		return nil, err
	}
	var files []File
	for _, l := range list {
		var out bytes.Buffer
		if err := t.ExecuteTemplate(&out, l.template, f); err != nil {
			return nil, err
		}
		files = append(files, File{l.path, out.Bytes()})
	}
	return files, nil
}

// quote makes a YAML scalar of any text on one line: in single quotes nothing but the quote itself means anything.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// Package github is the edge to GitHub Actions: it reads the environment that
// a step gets, and carries finished text to the job summary, the step's outputs
// and the log. It knows nothing of comparisons and decides nothing. What goes
// wrong here is an error for the caller to print; it never changes a verdict.
package github

import (
	"io"
	"os"
	"strings"

	actions "github.com/sethvargo/go-githubactions"
)

// Runner is the Actions runner (or act, which imitates it) as a step sees it
// through its environment. Outside Actions every method is harmless.
//
// Its files are within reach of the programs that a gate measures. Make the
// Runner before the first of them starts, and write only when all of them are
// dead: whatever they left in the files is then thrown away.
type Runner struct {
	getenv    func(string) string
	stdout    io.Writer
	summary   *commandFile
	outputs   *commandFile
	others    []*commandFile // that perfgate never writes to
	actFolder string
	set       map[string]string // the outputs so far
	stopped   string            // the token that lets the runner obey again, empty where it obeys
}

// New returns the Runner that getenv describes. Annotations go to stdout.
func New(getenv func(string) string, stdout io.Writer) *Runner {
	return newRunner(getenv, stdout, actFolder)
}

// newRunner is New with another place for act's files, for tests.
func newRunner(getenv func(string) string, stdout io.Writer, actFolder string) *Runner {
	find := func(variable string) string {
		return findFile(getenv(variable), getenv("ACT") == "true", actFolder)
	}
	r := &Runner{
		actFolder: actFolder,
		set:       map[string]string{},
		getenv:    getenv,
		stdout:    stdout,
		summary:   newCommandFile("job summary", find("GITHUB_STEP_SUMMARY")),
		outputs:   newCommandFile("outputs", find("GITHUB_OUTPUT")),
	}
	if r.Active() {
		for _, variable := range []string{"GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE"} {
			r.others = append(r.others, newCommandFile(variable, find(variable)))
		}
	}
	return r
}

// Active reports whether this process is a step of a workflow.
func (r *Runner) Active() bool { return r.getenv("GITHUB_ACTIONS") == "true" }

// Input returns an input of the action, trimmed. An input that is unset and one
// that is empty cannot be told apart: both are "".
//
// The runner keeps the hyphen of pass-env in INPUT_PASS-ENV. A shell on the way
// drops such names, so a workflow that goes through one says INPUT_PASS_ENV.
func (r *Runner) Input(name string) string {
	if !r.Active() {
		return ""
	}
	a := actions.New(actions.WithGetenv(r.getenv), actions.WithWriter(r.stdout))
	if v := a.GetInput(name); v != "" {
		return v
	}
	return a.GetInput(strings.ReplaceAll(name, "-", "_"))
}

// Workspace returns the folder with the checked-out repository, or "" when there
// is none. act in host mode names a folder of the host, which the container
// lacks; the working directory is right there.
func (r *Runner) Workspace() string {
	dir := r.getenv("GITHUB_WORKSPACE")
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return ""
	}
	return dir
}

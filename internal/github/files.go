package github

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// SummaryLimit is the most a job summary may hold, in bytes. The runner drops
// the whole summary beyond 1,048,576; the rest is room for other hands.
const SummaryLimit = 1_000_000

// actFolder is where act mounts its own files into every container.
const actFolder = "/var/run/act/workflow"

// The runner reads "name<<delimiter" as the start of a long value, so names and
// values are held to what cannot be read as anything else.
var (
	outputName  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`)
	outputValue = regexp.MustCompile(`^[A-Za-z0-9 ._/+-]*$`)
)

// AppendSummary adds Markdown to the job summary, where the runner gave one. It
// refuses, and leaves the file alone, when the whole would pass SummaryLimit.
// Call it when no measured program is alive; see Runner.
func (r *Runner) AppendSummary(markdown string) error {
	return r.summary.append(markdown + "\n")
}

// SetOutput sets an output of the step, where the runner takes outputs. A value
// is a fixed word, an integer, a path inside the workspace or a hexadecimal
// number, on one line: anything else is an error, for it could set other
// outputs. Call it when no measured program is alive; see Runner.
func (r *Runner) SetOutput(name, value string) error {
	if !outputName.MatchString(name) {
		return fmt.Errorf("outputs: %q is not the name of an output", name)
	}
	if !outputValue.MatchString(value) {
		return fmt.Errorf("outputs: %s: %q is not a plain value", name, value)
	}
	return r.outputs.append(name + "=" + value + "\n")
}

// findFile returns where the file can be written that the environment names.
// act in host mode names a path of the host; the same file is under its folder.
func findFile(path string, act bool, actFolder string) string {
	if path == "" || !act {
		return path
	}
	if _, err := os.Stat(filepath.Dir(path)); err == nil {
		return path
	}
	return filepath.Join(actFolder, filepath.Base(path))
}

// A commandFile is a file that the runner reads when the step has ended.
//
// It is written here and not by the go-githubactions library, which panics when
// the file is missing and whose delimiter for long values is known to everyone.
type commandFile struct {
	what string // for messages
	path string // empty when the runner gave none
	held []byte // all that the file is to contain
	err  error  // why it could not be read at the start
}

// newCommandFile notes what the file holds before any measured program runs:
// earlier lines of a workflow's run step may be in it, and they stay.
func newCommandFile(what, path string) *commandFile {
	f := &commandFile{what: what, path: path}
	if path == "" {
		return f
	}
	f.held, f.err = readFile(path)
	return f
}

// readFile returns the start of a regular file, enough to see that it is too
// big; a file that is missing is empty.
func readFile(path string) ([]byte, error) {
	if err := checkRegular(path); err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, SummaryLimit+1))
}

// append adds text. The file is written as a whole from what is known to belong
// in it, so that lines which a measured program slipped in do not survive: the
// first half of a "name<<delimiter" pair would swallow every line after it.
func (f *commandFile) append(text string) error {
	if f.path == "" {
		return nil
	}
	if err := f.write(text); err != nil {
		return fmt.Errorf("%s: %w", f.what, err)
	}
	return nil
}

// write replaces the file by what it held and text, each on lines of its own.
func (f *commandFile) write(text string) error {
	if f.err != nil {
		return f.err
	}
	held := slices.Clone(f.held)
	if len(held) > 0 && held[len(held)-1] != '\n' {
		held = append(held, '\n')
	}
	held = append(held, text...)
	if len(held) > SummaryLimit {
		return fmt.Errorf("%s: %d bytes would pass the limit of %d", f.path, len(held), SummaryLimit)
	}
	if err := checkRegular(f.path); err != nil {
		return err
	}
	if err := os.WriteFile(f.path, held, 0o644); err != nil {
		return err
	}
	f.held = held
	return nil
}

// checkRegular refuses a path that is there and is no plain file: opening a pipe
// that a measured program left in its place would wait for ever.
func checkRegular(path string) error {
	info, err := os.Stat(path)
	if err != nil || info.Mode().IsRegular() {
		return nil // what else is wrong, opening it will say
	}
	return fmt.Errorf("%s: not a regular file", path)
}

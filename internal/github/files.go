package github

import (
	"bytes"
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
	if old, set := r.set[name]; set && old == value {
		return nil
	}
	r.set[name] = value
	return r.outputs.append(name + "=" + value + "\n")
}

// SummaryRoom is how many bytes of Markdown AppendSummary takes: the limit less what the job summary holds.
func (r *Runner) SummaryRoom() int {
	return max(0, SummaryLimit-len(r.summary.held)-2) // for the line ends before and behind
}

// Restore puts the runner's files back to what they held when the Runner was made and what it wrote: a measured
// program that finds them could set outputs, environment variables and the PATH of later steps. It returns the names
// of those that others wrote to. Call it when no measured program is alive.
func (r *Runner) Restore() (written []string, err error) {
	var errs []error
	for _, f := range append([]*commandFile{r.summary, r.outputs}, r.others...) {
		errs = append(errs, f.restore())
		if f.foreign {
			written = append(written, f.what)
		}
	}
	return written, errors.Join(errs...)
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
	// regular says that it was a plain file at the start, and no link.
	regular bool
	err     error // why it could not be read at the start
	// failed says that an error was returned: a file that cannot be written is told of once.
	failed bool
	// foreign says that somebody else wrote to it since the start.
	foreign bool
}

// newCommandFile notes what the file holds before any measured program runs:
// earlier lines of a workflow's run step may be in it, and they stay.
func newCommandFile(what, path string) *commandFile {
	f := &commandFile{what: what, path: path}
	if path == "" {
		return f
	}
	f.held, f.err = readFile(path)
	info, err := os.Lstat(path)
	f.regular = err == nil && info.Mode().IsRegular()
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
	if f.path == "" || f.failed {
		return nil
	}
	if err := f.write(text); err != nil {
		f.failed = true
		return fmt.Errorf("%s: %w", f.what, err)
	}
	return nil
}

// restore puts the file back to what belongs in it, if somebody else wrote to it.
func (f *commandFile) restore() error {
	if f.path == "" || f.err != nil || len(f.held) > SummaryLimit {
		return nil // there is nothing that it could be put back to
	}
	f.look()
	if !f.foreign {
		return nil
	}
	if err := f.replace(f.held); err != nil {
		return fmt.Errorf("%s: what a measured program wrote to it stays: %w", f.what, err)
	}
	return nil
}

// look notes whether the file holds anything but what is known to belong in it.
func (f *commandFile) look() {
	now, err := readFile(f.path)
	f.foreign = f.foreign || err != nil || !bytes.Equal(now, f.held) || f.displaced()
}

// displaced reports whether something else is where a plain file was at the start.
func (f *commandFile) displaced() bool {
	info, err := os.Lstat(f.path)
	return f.regular && err == nil && !info.Mode().IsRegular()
}

// replace writes the file as a whole. A link or a pipe that a measured program left in its place goes.
func (f *commandFile) replace(data []byte) error {
	if f.displaced() {
		if err := os.RemoveAll(f.path); err != nil {
			return err
		}
	}
	if err := checkRegular(f.path); err != nil {
		return err
	}
	return os.WriteFile(f.path, data, 0o644)
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
	f.look()
	if err := f.replace(held); err != nil {
		return err
	}
	f.held = held
	return nil
}

// checkRegular refuses a path that is there and is no plain file: opening a pipe would wait for ever.
func checkRegular(path string) error {
	info, err := os.Stat(path)
	if err != nil || info.Mode().IsRegular() {
		return nil // what else is wrong, opening it will say
	}
	return fmt.Errorf("%s: not a regular file", path)
}

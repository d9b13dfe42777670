package profiler

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/google/renameio/v2/maybe"
)

// Schema is the version of the file's format.
const Schema = 1

// Document is the profile of a run of perfgate: its own phases, and what the programs that it ran told of
// themselves.
type Document struct {
	SchemaVersion int `json:"schema_version"`
	// Command is the subcommand, such as load.
	Command string    `json:"command"`
	Commit  string    `json:"commit,omitempty"`
	Began   time.Time `json:"began"`
	PID     int       `json:"pid"`
	// Failure is why the run gave no proper end, such as an interrupt.
	Failure string `json:"failure,omitempty"`
	Profile
	Programs []*Program `json:"programs,omitempty"`
}

// Program is a program that was measured.
type Program struct {
	// Name is the benchmark's, Side base or head, empty where there is one side.
	Name string `json:"name"`
	Side string `json:"side,omitempty"`
	// Samples is how many times it was run, each with its own start and its runs of load. Its numbers are those
	// of all samples together, those of calibrating included.
	Samples int `json:"samples"`
	Profile
}

// Read reads a document of at most MaxBytes. The error says what is wrong with the file.
func Read(name string) (*Document, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.Size() > MaxBytes {
		return nil, fmt.Errorf("%s: %d bytes are more than a profile has; want a file of logs/performance", name, info.Size())
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	d := new(Document)
	if err := json.Unmarshal(data, d); err != nil {
		return nil, fmt.Errorf("%s: %w; want a file of logs/performance", name, err)
	}
	if d.SchemaVersion != Schema {
		return nil, fmt.Errorf("%s: schema_version is %d, want %d: a file of logs/performance, of this version of perfgate", name, d.SchemaVersion, Schema)
	}
	return d, nil
}

// stamp is when a file was begun, so that names sort by time.
const stamp = "20060102T150405.000Z"

// ours matches the names of files that may be removed to make room.
var ours = regexp.MustCompile(`^\d{8}T\d{6}\.\d{3}Z-(?:[0-9a-f]{7}|nogit)-\d+(?:-\d+)?\.json$`)

// Save writes d into a new file of the folder, which it creates and keeps out of git, and returns its name: when the run
// began in UTC, the commit and the process. Names never collide: another number is added if they would. Of the
// files that it made, the newest keep stay, all of them where keep is 0.
func Save(dir string, d *Document, keep int) (string, error) {
	d.SchemaVersion = Schema
	data, err := json.MarshalIndent(d, "", " ")
	if err != nil {
		return "", err
	}
	if err := makeFolder(dir); err != nil {
		return "", err
	}
	name, err := reserve(dir, d)
	if err != nil {
		return "", err
	}
	if err := maybe.WriteFile(name, append(data, '\n'), 0o644); err != nil {
		return "", errors.Join(fmt.Errorf("write %s: %w", name, err), os.Remove(name))
	}
	return name, rotate(dir, keep)
}

func makeFolder(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return maybe.WriteFile(filepath.Join(dir, ".gitignore"), []byte("*\n"), 0o644)
}

// maxSame is how many files of one process may begin in one millisecond.
const maxSame = 1000

// reserve creates an empty file that nobody else has.
func reserve(dir string, d *Document) (string, error) {
	commit := "nogit"
	if len(d.Commit) >= 7 {
		commit = d.Commit[:7]
	}
	base := fmt.Sprintf("%s-%s-%d", d.Began.UTC().Format(stamp), commit, d.PID)
	name := base
	for i := 2; i <= maxSame; i++ {
		f, err := os.OpenFile(filepath.Join(dir, name+".json"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if err == nil {
			return f.Name(), f.Close()
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", err
		}
		name = fmt.Sprintf("%s-%d", base, i)
	}
	return "", fmt.Errorf("%s: there are %d files of that time and process already", filepath.Join(dir, base), maxSame)
}

// rotate removes the oldest files.
func rotate(dir string, keep int) error {
	if keep == 0 {
		return nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var names []string
	for _, e := range entries {
		if ours.MatchString(e.Name()) {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	var errs []error
	for _, name := range names[:max(len(names)-keep, 0)] {
		if err := os.Remove(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) { // another run was as tidy
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

package harness

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/org/perfgate/internal/harness/proc"
)

// callgrind counts instructions by valgrind's tool of that name, 30 to 50 times as slow as the program is.
// It begins to count, and writes down its count, when functions of the gate are called that do nothing else.
type callgrind struct {
	path, version string
	scratch       string
}

// The functions around a slice, in package testing.
const (
	sliceBegins = "testing.perfgateBegin"
	sliceEnds   = "testing.perfgateEnd"
)

// findCallgrind finds valgrind.
func findCallgrind(ctx context.Context, scratch string) (*callgrind, error) {
	path, err := exec.LookPath("valgrind")
	if err != nil {
		return nil, errors.New("valgrind is not installed")
	}
	out, err := exec.CommandContext(ctx, path, "--command-line-only=yes", "--version").Output()
	if err != nil {
		return nil, fmt.Errorf("%s --version: %w", path, err)
	}
	version, ok := strings.CutPrefix(strings.TrimSpace(string(out)), "valgrind-")
	if !ok {
		return nil, fmt.Errorf("%s --version says %s", path, clip(string(out)))
	}
	return &callgrind{path: path, version: version, scratch: scratch}, nil
}

func (c *callgrind) name() string { return "callgrind " + c.version }

func (c *callgrind) start(ctx context.Context, p proc.Process) (*gated, error) {
	dir, err := os.MkdirTemp(c.scratch, "callgrind-")
	if err != nil {
		return nil, err
	}
	d := &dumps{dir: dir}
	p.Args = append([]string{
		"-q", "--command-line-only=yes", "--vgdb=no", "--tool=callgrind", "--dump-line=no", "--combine-dumps=no",
		"--callgrind-out-file=" + strings.ReplaceAll(d.file(), "%", "%%"), "--zero-before=" + sliceBegins, "--dump-before=" + sliceEnds, p.Path,
	}, p.Args...)
	p.Path = c.path
	p.Env = append(instructionEnv(p.Env), instructionsEnv+"=callgrind")
	g, err := startGated(ctx, p, "")
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	g.dumps = d
	return g, nil
}

// instructionsEnv tells a test binary what counts its instructions.
const instructionsEnv = "PERFGATE_INSTRUCTIONS"

// dumps are the files that callgrind writes of one process.
type dumps struct {
	dir  string
	read int // so many
}

func (d *dumps) file() string { return filepath.Join(d.dir, "out") }

// next returns the instructions between the last begin and end of a slice.
func (d *dumps) next() (int64, error) {
	name := fmt.Sprintf("%s.%d", d.file(), d.read+1)
	f, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		return 0, errors.New("callgrind does not find the functions of the gate: without symbols (-ldflags=-s) it cannot")
	}
	if err != nil {
		return 0, err
	}
	n, err := readDump(f)
	f.Close()
	if err != nil {
		return 0, fmt.Errorf("callgrind's dump is not in its form: %w", err)
	}
	d.read++
	return n, os.Remove(name) // there will be many
}

// readDump reads how many instructions are in a dump that callgrind wrote at the end of a slice.
func readDump(r io.Reader) (n int64, err error) {
	n = -1
	at := ""
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxMessage)
	for lines.Scan() {
		switch key, value, _ := strings.Cut(lines.Text(), ": "); key {
		case "desc":
			if f, ok := strings.CutPrefix(value, "Trigger: --dump-before="); ok {
				at = f
			}
		case "events":
			if value != "Ir" {
				return 0, fmt.Errorf("it counts %s", clip(value))
			}
		case "totals":
			if n, err = strconv.ParseInt(value, 10, 64); err != nil || n < 0 {
				return 0, fmt.Errorf("it sums up to %s", clip(value))
			}
		}
	}
	switch {
	case lines.Err() != nil:
		return 0, lines.Err()
	case at != sliceEnds:
		return 0, fmt.Errorf("it was written at %q", clip(at))
	case n < 0:
		return 0, errors.New("it has no sum")
	}
	return n, nil
}

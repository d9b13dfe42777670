package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/version"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/org/perfgate/internal/harness/proc"
)

// goTool runs the go command with one environment.
type goTool struct {
	env  []string
	tags string
}

// run runs `go args...` in dir and returns standard output. The error carries what go said.
func (g goTool) run(ctx context.Context, dir string, args ...string) ([]byte, error) {
	stdout, _, err := g.outputs(ctx, dir, args...)
	return stdout, err
}

// outputs is run with what go said in addition.
func (g goTool) outputs(ctx context.Context, dir string, args ...string) (out, said []byte, err error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = dir, g.env
	proc.OwnGroup(cmd)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	if ctx.Err() != nil {
		return nil, nil, ctx.Err()
	}
	if errors.Is(err, exec.ErrNotFound) {
		return nil, nil, errors.New("the go command is not installed or not in PATH")
	}
	if err != nil {
		err = &goError{Args: args, Output: strings.TrimSpace(stderr.String() + "\n" + goListErrors(args, stdout.String())), Err: err}
	}
	return stdout.Bytes(), stderr.Bytes(), err
}

// goListErrors returns output as part of an error message: `go test -c` reports what vet or
// the linker say on either stream, `go list` prints data that nobody wants in a message.
func goListErrors(args []string, stdout string) string {
	if args[0] == "list" || args[0] == "env" {
		return ""
	}
	return stdout
}

// goError is a go command that failed.
type goError struct {
	Args   []string
	Output string
	Err    error
}

func (e *goError) Error() string {
	if e.Output == "" {
		return fmt.Sprintf("go %s: %v", e.Args[0], e.Err)
	}
	return fmt.Sprintf("go %s: %s", e.Args[0], e.Output)
}

func (e *goError) Unwrap() error { return e.Err }

// goEnv is what `go env` says in a directory.
type goEnv struct {
	GOVERSION, GOMOD, GOWORK, GOFLAGS, GOMAXPROCS string
	GOEXPERIMENT, CGO_ENABLED, GOAMD64, GOARM64   string
	GOOS, GOARCH, GOROOT, GOMODCACHE              string
}

func (g goTool) environment(ctx context.Context, dir string) (goEnv, error) {
	var e goEnv
	out, err := g.run(ctx, dir, "env", "-json", "GOVERSION", "GOMOD", "GOWORK", "GOFLAGS",
		"GOEXPERIMENT", "CGO_ENABLED", "GOAMD64", "GOARM64", "GOOS", "GOARCH", "GOROOT", "GOMODCACHE")
	if err != nil {
		return e, err
	}
	if err := json.Unmarshal(out, &e); err != nil {
		return e, fmt.Errorf("go env: %w", err)
	}
	if e.GOMOD == "/dev/null" || e.GOMOD == "NUL" {
		e.GOMOD = ""
	}
	return e, nil
}

// newer returns the newer of two toolchains as GOTOOLCHAIN wants it, and whether they differ in a
// way that GOTOOLCHAIN can mend.
func newer(a, b string) (string, bool) {
	a, _, _ = strings.Cut(a, " ") // "go1.26.1 X:experiment"
	b, _, _ = strings.Cut(b, " ")
	if version.Compare(a, b) < 0 {
		return b, true
	}
	return a, a != b && version.IsValid(a)
}

// ldflags returns the value of -ldflags in GOFLAGS, with extra added where the linker has it.
// A -ldflags on the command line replaces the one in GOFLAGS, so the user's must be repeated.
func ldflags(goflags string, extra string) (string, error) {
	fields, err := splitFlags(goflags)
	if err != nil {
		return "", err
	}
	var user string
	for _, f := range fields {
		if v, ok := strings.CutPrefix(strings.TrimPrefix(f, "-"), "-ldflags="); ok {
			user = v
		} else if v, ok := strings.CutPrefix(f, "-ldflags="); ok {
			user = v
		}
	}
	return strings.TrimSpace(user + " " + extra), nil
}

// splitFlags splits GOFLAGS as the go command does: fields separated by white space, each of
// which may be quoted whole, with '…' or "…".
func splitFlags(s string) ([]string, error) {
	var fields []string
	for s = strings.TrimLeft(s, " \t\n\r"); s != ""; s = strings.TrimLeft(s, " \t\n\r") {
		if s[0] == '"' || s[0] == '\'' {
			end := strings.IndexByte(s[1:], s[0])
			if end < 0 {
				return nil, usagef("GOFLAGS: unterminated %c string", s[0])
			}
			fields = append(fields, s[1:1+end])
			s = s[2+end:]
			continue
		}
		end := strings.IndexAny(s, " \t\n\r")
		if end < 0 {
			end = len(s)
		}
		fields = append(fields, s[:end])
		s = s[end:]
	}
	return fields, nil
}

// linkerFlags leave out what debuggers need, which is half of the time of linking and is not loaded, and keep an
// unrelated function from moving hot loops across cache lines, where the linker of the toolchain in use has a
// flag for that (Go 1.25 and later).
func (g goTool) linkerFlags(ctx context.Context, dir string) string {
	out, err := g.run(ctx, dir, "tool", "link", "-h")
	var ge *goError
	if errors.As(err, &ge) {
		out = append(out, ge.Output...)
	}
	if bytes.Contains(out, []byte("-funcalign")) {
		return "-w -funcalign=64"
	}
	return "-w"
}

// build builds pkg's test binary to out. Trim says whether file paths are trimmed; overlay,
// when set, is the path of a go build overlay file.
func (g goTool) build(ctx context.Context, dir, pkg, out, ldflags, overlay string, trim bool) error {
	args := []string{"test", "-c", "-vet=off", "-buildvcs=false", "-o", filepath.ToSlash(out)}
	if trim {
		args = append(args, "-trimpath")
	}
	if ldflags != "" {
		args = append(args, "-ldflags="+ldflags)
	}
	if overlay != "" {
		args = append(args, "-overlay="+overlay)
	}
	args = append(g.tagged(args), pkg)
	_, err := g.run(ctx, dir, args...)
	return err
}

func (g goTool) tagged(args []string) []string {
	if g.tags != "" {
		args = append(args, "-tags="+g.tags)
	}
	return args
}

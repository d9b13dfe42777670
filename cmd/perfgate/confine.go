package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// In a workflow the checkout may be a stranger's, and this process can read what a stranger must not: its own
// environment in /proc, the runner's files. No path that the checkout or an input names leads out of the workspace,
// by .. or by a link.

// confine is an error where name, its links followed, lies outside the workspace. Where it does not exist yet, its
// folder counts. On a laptop every path is its user's own, and nothing is an error.
func (a *app) confine(name string) error {
	if !a.runner.Active() {
		return nil
	}
	ws, err := a.workspace()
	if err != nil {
		return err
	}
	real, err := resolve(name)
	if err != nil {
		return err
	}
	if rel, err := filepath.Rel(ws, real); err != nil || !filepath.IsLocal(rel) {
		return fmt.Errorf("%s leads to %s, which is outside the workspace %s", name, real, ws)
	}
	return nil
}

// workspace is the folder that the runner checked out into, its links followed. Where there is none, as under act
// in host mode, the working directory is right.
func (a *app) workspace() (string, error) {
	ws := a.runner.Workspace()
	if ws == "" {
		ws = "."
	}
	ws, err := filepath.Abs(ws)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(ws)
}

// resolve follows the links of a path whose end need not exist.
func resolve(name string) (string, error) {
	name, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(name)
	if !errors.Is(err, fs.ErrNotExist) || filepath.Dir(name) == name {
		return real, err
	}
	if _, err := os.Lstat(name); err == nil { // a link that leads nowhere: who writes to it makes its target
		return "", fmt.Errorf("%s: the link leads to nothing", name)
	}
	dir, err := resolve(filepath.Dir(name))
	return filepath.Join(dir, filepath.Base(name)), err
}

// mostRead is more than any file that a person writes for perfgate.
const mostRead = 64 << 20

// readFile reads a file that the checkout or an input names, which in a workflow lies in the workspace.
func (a *app) readFile(name string) ([]byte, error) {
	if err := a.confine(name); err != nil {
		return nil, err
	}
	if info, err := os.Stat(name); err == nil && info.Size() > mostRead {
		return nil, fmt.Errorf("%s: %d bytes, more than the %d that are read", name, info.Size(), mostRead)
	}
	return os.ReadFile(name)
}

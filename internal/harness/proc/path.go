package proc

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// Find finds a program as the child's own shell would: a name without a slash in the PATH of env, any other
// relative to dir. The folder of the process that asks is not searched.
func Find(name, dir string, env []string) (string, error) {
	if strings.ContainsAny(name, `/\`) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		if _, err := exec.LookPath(name); err != nil {
			return "", err
		}
		return filepath.Abs(name)
	}
	for _, folder := range filepath.SplitList(Lookup(env, "PATH")) {
		if !filepath.IsAbs(folder) {
			continue
		}
		if path, err := exec.LookPath(filepath.Join(folder, name)); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%q: no such program in PATH", name)
}

// Package stdlib compiles the standard library for tests that build test binaries as perfgate does.
package stdlib

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
)

// Compile compiles what every test binary is linked from with the flag -trimpath, which `go test` does not set, so that
// in a fresh clone's empty cache it is not. Without it tests that run side by side compile all of it at the same time,
// each for itself: the go command finds in its cache what others have finished, and waits for nobody. Where the cache
// has it, this takes a tenth of a second. It returns the folder of the cache.
func Compile() (cache string, err error) {
	out, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		return "", fmt.Errorf("go env: %w", err)
	}
	cache = strings.TrimSpace(string(out))
	lock := flock.New(filepath.Join(cache, "perfgate-stdlib.lock")) // the tests of two packages do this
	if err := lock.Lock(); err != nil {
		return "", err
	}
	defer lock.Unlock()
	if out, err := exec.Command("go", "build", "-trimpath", "testing", "testing/internal/testdeps").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, out)
	}
	return cache, nil
}

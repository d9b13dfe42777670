//go:build unix

package main

import (
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"testing"
)

// The examples of docs/features.md, run one after the other in an empty folder, exit as it says.
func TestFeaturesExamples(t *testing.T) {
	dir := t.TempDir()
	seen := map[int]bool{}
	for _, line := range shellLines(t, featuresDoc) {
		want := exitOK
		if m := regexp.MustCompile(`# exit (\d+)$`).FindStringSubmatch(line); m != nil {
			want, _ = strconv.Atoi(m[1])
		}
		seen[want] = true
		cmd := exec.Command("sh", "-c", line)
		cmd.Dir = dir
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir}
		out, err := cmd.CombinedOutput()
		if err != nil && !errors.As(err, new(*exec.ExitError)) {
			t.Fatal(err)
		}
		if code := cmd.ProcessState.ExitCode(); code != want {
			t.Errorf("%s\nexits with %d, want %d:\n%s", line, code, want, out)
		}
	}
	for _, code := range []int{exitOK, exitFail, exitUsage, exitNoVerdict} {
		if !seen[code] {
			t.Errorf("no example exits with %d", code)
		}
	}
}

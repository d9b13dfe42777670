//go:build unix

package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/org/perfgate/internal/loopback"
	"github.com/org/perfgate/internal/result"
)

// Every command of docs/load.md does what it says. ./server and ./agent are programs of the tests.
func TestLoadDoc(t *testing.T) {
	addr, err := loopback.Free()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, script := range map[string]string{"server": "exec modelserver " + addr, "agent": "exec modelserver"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	lines := shellLines(t, "docs/load.md")
	for _, line := range lines {
		cmd := exec.Command("sh", "-c", strings.ReplaceAll(line, "127.0.0.1:8080", addr))
		cmd.Dir = dir
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir}
		out, err := cmd.CombinedOutput()
		if err != nil && !errors.As(err, new(*exec.ExitError)) {
			t.Fatal(err)
		}
		if err != nil || !strings.Contains(string(out), "written to perf_reports/latest.json") {
			t.Errorf("%s: %v\n%s", line, err, out)
		}
	}
	if n := len(lines); n != 8 {
		t.Errorf("docs/load.md has %d commands, want 8", n)
	}
}

// Every line of the table is a unit that has a direction and that docs/load.md explains.
func TestLoadRows(t *testing.T) {
	doc := readDoc(t, "docs/load.md")
	for _, row := range loadRows {
		if result.UnitOf(row.unit).Better == result.Unknown {
			t.Errorf("%s: unit %s has no direction", row.label, row.unit)
		}
		family, _, _ := strings.Cut(row.unit, "-p")
		if !strings.Contains(doc, "`"+row.unit+"`") && !strings.Contains(doc, "`"+family+"-…`") && row.unit != "overhead-mean-sec" && !regexp.MustCompile(`^p\d\d-sec$`).MatchString(row.unit) {
			t.Errorf("docs/load.md does not explain %s", row.unit)
		}
	}
}

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/org/perfgate/internal/github"
)

// TestLeave: what a measured program set for later steps is undone at the end, and said.
func TestLeave(t *testing.T) {
	dir := t.TempDir()
	env := filepath.Join(dir, "env")
	if err := os.WriteFile(env, []byte("MINE=1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	a := inStep("GITHUB_ENV="+env, "GITHUB_WORKSPACE="+dir)
	a.stderr = &log
	a.runner = github.New(a.getenv, &log)
	if err := os.WriteFile(env, []byte("LD_PRELOAD=/evil.so\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	a.leave()
	if got := readText(t, env); got != "MINE=1\n" {
		t.Errorf("GITHUB_ENV holds %q", got)
	}
	if !strings.Contains(log.String(), "a measured program wrote to what is the runner's: GITHUB_ENV; that is undone") {
		t.Errorf("the log says %q", log.String())
	}
}

// TestReportsLink: reports are not written through a link that the checkout brings.
func TestReportsLink(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	a := inStep("GITHUB_WORKSPACE=" + dir)
	p, err := a.configure(newFlags("check", ""))
	if err != nil {
		t.Fatal(err)
	}
	p.root = dir
	if err := os.Symlink(outside, p.reports("")); err != nil {
		t.Skip(err) // no links here
	}
	if err := p.write(latestFile, []byte("{}")); err == nil || !strings.Contains(err.Error(), "outside the workspace") {
		t.Errorf("writing through a link: %v", err)
	}
	if entries, err := os.ReadDir(outside); err != nil || len(entries) > 0 {
		t.Errorf("outside there is %v, %v", entries, err)
	}
}

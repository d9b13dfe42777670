package proc

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A program begins in the group that was made for it, with all that it starts, and the group goes with them.
func TestGroup(t *testing.T) {
	own, err := ownGroup("/proc/self")
	if err != nil {
		t.Skip(err)
	}
	g, err := newGroup(own)
	if err != nil {
		t.Skipf("no group may be made here: %v", err)
	}
	p := shell(t, "setsid sleep 60 >/dev/null 2>&1 & cat /proc/self/cgroup")
	p.Group, p.Limit = g, time.Minute
	e, err := p.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(e.Stdout), "/"+filepath.Base(g.dir)+"\n") {
		t.Errorf("it is in %s, want %s", e.Stdout, g.dir)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(g.dir); err == nil {
		t.Error("the group is still there")
	}
}

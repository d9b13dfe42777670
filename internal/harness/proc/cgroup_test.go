package proc

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fakeGroups is a /proc/self in a group of a hierarchy, whose folder it returns as well.
func fakeGroups(t *testing.T, name string) (self, own string) {
	t.Helper()
	self, mount := t.TempDir(), t.TempDir()
	own = filepath.Join(mount, "app", "me")
	write(t, filepath.Join(self, "cgroup"), "4:memory:/v1\n0::"+name+"\n")
	write(t, filepath.Join(self, "mountinfo"), fmt.Sprintf("40 31 0:38 / /elsewhere rw - cgroup cgroup rw\n41 31 0:38 /slice %s rw,relatime - cgroup2 cgroup2 rw\n", mount))
	write(t, filepath.Join(mount, "app", "cgroup.subtree_control"), "cpu memory\n")
	write(t, filepath.Join(own, "cgroup.subtree_control"), "\n")
	write(t, filepath.Join(own, peakFile), "4096\n")
	return self, own
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Where no group can be made perfgate's own is taken, as far as it says something of the program.
func TestOwnGroup(t *testing.T) {
	self, own := fakeGroups(t, "/slice/app/me")
	g, err := openGroup(self)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := g.Peak(); err == nil || !strings.HasSuffix(err.Error(), "perfgate's own held more before") {
		t.Errorf("%v, want that the peak is not the program's", err)
	}
	write(t, filepath.Join(own, peakFile), "8192\n")
	if n, shared, err := g.Peak(); n != 8192 || !shared || err != nil {
		t.Errorf("Peak() = %d, %v, %v; want what the group holds more than before", n, shared, err)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(own), "perfgate-*")); len(left) > 0 {
		t.Errorf("folders left: %q", left) // of a group that counts nothing
	}
}

// Why there is no group is said.
func TestNoGroup(t *testing.T) {
	for _, tt := range []struct {
		name, group string
		change      func(self, own string)
		want        string
	}{
		{"first version", "", func(self, _ string) { write(t, filepath.Join(self, "cgroup"), "4:memory:/v1\n") }, "perfgate is in no control group of the second version that can be seen"},
		{"outside", "/../me", func(string, string) {}, "perfgate is in no control group of the second version that can be seen"},
		{"elsewhere", "/other/me", func(string, string) {}, "control groups of the second version are not mounted"},
		{"no peak", "/slice/app/me", func(_, own string) { os.Remove(filepath.Join(own, peakFile)) }, "does not count the memory of groups below it, and no memory.peak of perfgate's own: "},
		{"another system", "", func(self, _ string) { os.Remove(filepath.Join(self, "cgroup")) }, "cgroup: "},
	} {
		self, own := fakeGroups(t, tt.group)
		tt.change(self, own)
		if _, err := openGroup(self); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

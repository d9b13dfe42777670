package profiler

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var began = time.Date(2026, 3, 4, 5, 6, 7, 89_000_000, time.FixedZone("", 3600))

func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// Runs that begin in one instant leave a file each.
func TestSave(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs", "performance")
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			d := &Document{Command: "load", Commit: strings.Repeat("c0ffee", 7)[:40], Began: began, PID: 42, Profile: *new(Collector).Profile(time.Second)}
			if _, err := Save(dir, d, 20); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	want := []string{".gitignore", "20260304T040607.089Z-c0ffeec-42-2.json", "20260304T040607.089Z-c0ffeec-42-3.json", "20260304T040607.089Z-c0ffeec-42.json"}
	if diff := cmp.Diff(want, names(t, dir)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	d, err := Read(filepath.Join(dir, want[3]))
	if err != nil || d.Command != "load" || d.PID != 42 || !d.Began.Equal(began) || d.WallNS != 1e9 {
		t.Errorf("read back %+v, %v", d, err)
	}
}

// The oldest go, and nobody else's.
func TestRotate(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "mine.json")
	if err := os.WriteFile(other, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		if _, err := Save(dir, &Document{Began: began.Add(time.Duration(i) * time.Hour), PID: 1}, 3); err != nil {
			t.Fatal(err)
		}
	}
	got := names(t, dir)
	if len(got) != 4 || !slices.Contains(got, "mine.json") || got[0] != "20260304T060607.089Z-nogit-1.json" {
		t.Errorf("%v, want mine.json and the newest three", got)
	}
	if _, err := Save(dir, &Document{Began: began, PID: 2}, 0); err != nil || len(names(t, dir)) != 5 {
		t.Errorf("%v, want all kept: %v", names(t, dir), err)
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	for i, c := range []struct{ text, want string }{
		{"", "unexpected end"}, {"[]", "cannot unmarshal"}, {"{}", "schema_version is 0, want 1"}, {`{"schema_version":2}`, "schema_version is 2"},
	} {
		name := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(name, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(name); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), name) {
			t.Errorf("%q: %v, want %q", c.text, err, c.want)
		}
	}
}

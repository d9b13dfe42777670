package github

import (
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestEvent(t *testing.T) {
	dir, act := t.TempDir(), t.TempDir()
	file := filepath.Join(dir, "event.json")
	writeFile(t, file, `{"a":1}`)
	writeFile(t, filepath.Join(act, "event.json"), `{"act":1}`)
	elsewhere := filepath.Join(dir, "absent", "event.json")
	for _, tt := range []struct {
		name, path, act, want string
		fails                 bool
	}{
		{"none", "", "", "", false},
		{"a file", file, "", `{"a":1}`, false},
		{"missing", elsewhere, "", "", true},
		{"a folder", dir, "", "", true},
		{"a device", os.DevNull, "", "", true},
		{"act in host mode", elsewhere, "true", `{"act":1}`, false},
	} {
		env := map[string]string{"GITHUB_EVENT_PATH": tt.path, "ACT": tt.act}
		got, err := newRunner(environment(env), io.Discard, act).Event()
		if string(got) != tt.want || (err != nil) != tt.fails {
			t.Errorf("%s: Event() = %q, %v; want %q", tt.name, got, err, tt.want)
		}
	}
}

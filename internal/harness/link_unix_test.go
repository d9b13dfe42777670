//go:build unix

package harness

import (
	"os"
	"path/filepath"
	"testing"
)

// What a link in testdata leads to is data like other data.
func TestSameFolderLinks(t *testing.T) {
	folder := func(target string) string {
		dir := t.TempDir()
		for _, name := range []string{"small", "large"} {
			if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
				t.Fatal(err)
			}
			put(t, filepath.Join(dir, name), "in", []byte(name))
		}
		if err := os.Symlink(target, filepath.Join(dir, "corpus")); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	for _, kind := range []string{"", "/in"} {
		if !sameFolder(folder("small"+kind), folder("small"+kind)) {
			t.Errorf("links to small%s differ", kind)
		}
		if sameFolder(folder("small"+kind), folder("large"+kind)) {
			t.Errorf("a link to small%s and one to large%s are the same", kind, kind)
		}
	}
}

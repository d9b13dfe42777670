package config

import (
	"strings"
	"testing"
)

// FuzzParse: no file makes Parse or Resolve panic, and what they accept has only known settings
// with a line that the file has.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "# c\n", "base: main\n", "packages: [./a, './b']\n", "prepare: |\n  a\n  b\n", "effect: 5%\n",
		"? a\n: b\n", "base: &a x\nbench: *a\n", "base: !!str x\n", "a: [\n", "\ufeff", "---\n---\n", "<<: {}\n", "- a\n", "{", "%YAML 1.2\n---\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		values, err := Parse(data)
		if err != nil {
			if !strings.HasPrefix(err.Error(), File) {
				t.Errorf("error %v names no file", err)
			}
			return
		}
		lines := 1 + strings.Count(strings.ReplaceAll(string(data), "\r", "\n"), "\n")
		for name, v := range values {
			if _, ok := Find(name); !ok || v.Line < 1 || v.Line > lines {
				t.Errorf("setting %q in line %d of %d", name, v.Line, lines)
			}
		}
		c, err := Resolve(Sources{File: values})
		if err == nil && (len(c.Packages) == 0 || c.Budget <= 0 || !(c.Effect > 0) || c.Timeout < 0) {
			t.Errorf("accepted %+v", c)
		}
	})
}

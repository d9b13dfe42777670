package config

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// FuzzParse: no file makes Parse or Resolve panic, every error has its place in the file, and what they
// accept has only known settings with a line that the file has.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "# c\n", "base: main\n", "packages: [./a, './b']\n", "prepare: |\n  a\n  b\n", "effect: 5%\n",
		"? a\n: b\n", "base: &a x\nbench: *a\n", "base: !!str x\n", "a: [\n", "\ufeff", "---\n---\n", "<<: {}\n", "- a\n", "{", "%YAML 1.2\n---\n",
		"policies:\n- {benchmark: X, metric: allocs/op, tolerance: 1 KiB, ignore: true}\n",
		"budgets:\n- benchmark: ^(\\w+)$\n  metric: sec/op\n  max: 5ns\n  relative-to: $1\n",
		"waivers:\n- {benchmark: X, metric: B/op, max: 1e300, reason: r, expires: 2027-01-01}\n-\n- - a\n",
	} {
		f.Add([]byte(seed))
	}
	place := regexp.MustCompile(`^perfgate\.yaml:[1-9]\d*:[1-9]\d*: `)
	f.Fuzz(func(t *testing.T, data []byte) {
		values, err := Parse(data)
		if err == nil {
			lines := 1 + strings.Count(strings.ReplaceAll(string(data), "\r", "\n"), "\n")
			for name, v := range values {
				if !slices.Contains(Names(), name) || v.Line < 1 || v.Line > lines || v.Column < 1 {
					t.Errorf("setting %q in line %d of %d", name, v.Line, lines)
				}
			}
			var c *Config
			c, err = Resolve(Sources{File: values})
			if err == nil && (len(c.Packages) == 0 || c.Budget <= 0 || !(c.Effect > 0) || c.Timeout < 0) {
				t.Errorf("accepted %+v", c)
			}
		}
		if err != nil && !place.MatchString(err.Error()) {
			t.Errorf("no place in error %v", err)
		}
	})
}

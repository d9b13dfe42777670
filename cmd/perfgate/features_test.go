package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/org/perfgate/internal/config"
)

// featureIDs are the rows of the two guides that perfgate descends from, from and to a number. Small letters are
// features that those programs had beyond their guides.
var featureIDs = []struct {
	letter   string
	from, to int
}{
	{"M", 1, 10}, {"m", 11, 14}, {"M", 15, 29}, {"m", 30, 30}, {"M", 31, 51}, {"m", 52, 52}, {"M", 53, 72}, {"m", 73, 75},
	{"T", 1, 25}, {"t", 26, 26}, {"T", 27, 28}, {"t", 29, 29}, {"T", 30, 36}, {"t", 37, 38}, {"T", 39, 55}, {"t", 56, 57},
	{"T", 58, 64}, {"t", 65, 65}, {"T", 66, 85}, {"t", 86, 88},
}

const featuresDoc = "docs/features.md"

// Each feature stands in one row of docs/features.md, with something that shows it or the reason why it is not there.
func TestFeatures(t *testing.T) {
	rows := map[string]int{}
	show := findShown(t)
	for line := range strings.Lines(readDoc(t, featuresDoc)) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| ids ") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "| \n"), " | ")
		if len(cells) != 3 {
			t.Errorf("%d cells, want 3: %s", len(cells), line)
			continue
		}
		for id := range strings.SplitSeq(cells[0], ", ") {
			rows[id]++
		}
		shown := slices.ContainsFunc(codeSpans(cells[2]), func(span string) bool {
			isOne, _ := show(span)
			return isOne
		})
		if !shown && !regexp.MustCompile(`^(Left out|Not built yet): .{20}`).MatchString(cells[2]) {
			t.Errorf("%s: nothing shows it, and no reason says why it is left out", cells[0])
		}
	}
	for _, ids := range featureIDs {
		for n := ids.from; n <= ids.to; n++ {
			id := fmt.Sprintf("%s%02d", ids.letter, n)
			if rows[id] != 1 {
				t.Errorf("%s stands in %d rows, want 1", id, rows[id])
			}
			delete(rows, id)
		}
	}
	for id := range rows {
		t.Errorf("%s is no feature of the guides", id)
	}
}

// What docs/features.md names is there: commands with their flags, settings, package probe, tests, scripts.
func TestFeaturesShown(t *testing.T) {
	show := findShown(t)
	commandLines := 0
	for _, span := range append(codeSpans(readDoc(t, featuresDoc)), shellLines(t, featuresDoc)...) {
		if _, err := show(span); err != nil {
			t.Errorf("`%s`: %v", span, err)
		}
		if strings.HasPrefix(span, "perfgate ") {
			commandLines++
		}
	}
	if commandLines == 0 {
		t.Error("no command line")
	}
}

// findShown returns what tells the names of what can be looked at from other words, with the reason where there is no
// such thing.
func findShown(t *testing.T) func(span string) (isOne bool, err error) {
	t.Helper()
	find, exported := findHolders(t), exportedOf(t, "../../probe")
	return func(span string) (bool, error) {
		if strings.HasPrefix(span, "perfgate ") {
			return true, checkCommandLine(span)
		}
		isOne, there := find(span)
		if name, isProbe := strings.CutPrefix(span, "probe."); isProbe {
			isOne, there = true, exported[name]
		} else if name, isSetting := strings.CutSuffix(span, ":"); isSetting {
			_, there = config.Find(name)
			isOne, there = true, there || slices.ContainsFunc(config.Sections, func(s config.Section) bool { return s.Name == name })
		}
		if isOne && !there {
			return true, fmt.Errorf("there is no such thing")
		}
		return isOne, nil
	}
}

// exportedOf lists the functions that a package exports.
func exportedOf(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^func ([A-Z]\w*)[\[(]`).FindAllSubmatch(text, -1) {
			names[string(m[1])] = true
		}
	}
	return names
}

// checkCommandLine says what is wrong with a line of the form perfgate COMMAND [FLAG...], by the command's own help.
func checkCommandLine(line string) error {
	line, _, _ = strings.Cut(line, " #")
	words := strings.Fields(line)[1:]
	c, ok := find(words[0])
	if !ok {
		return fmt.Errorf("there is no command %s", words[0])
	}
	path := words[:1]
	if strings.Contains(c.args, "|") {
		if len(words) < 2 || !slices.Contains(strings.Split(c.args, "|"), words[1]) {
			return fmt.Errorf("want %s %s", c.name, c.args)
		}
		path = words[:2]
	}
	for _, word := range words[len(path):] {
		if word == "--" {
			break
		}
		if !strings.HasPrefix(word, "-") {
			continue
		}
		var help bytes.Buffer
		if code := run(append(slices.Clone(path), "--help"), nil, &help, &help, nil); code != exitOK {
			return fmt.Errorf("its help exits with %d:\n%s", code, &help)
		}
		name, _, _ := strings.Cut(word, "=")
		flags := regexp.MustCompile(`(?m)^ +(?:(-\w), +)?(--[\w-]+)`).FindAllStringSubmatch(help.String(), -1)
		if !slices.ContainsFunc(flags, func(m []string) bool { return slices.Contains(m[1:], name) }) {
			return fmt.Errorf("%s has no flag %s", strings.Join(path, " "), name)
		}
	}
	return nil
}

package main

import (
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// initTrace is a line of GODEBUG=inittrace=1: a package and how long its initialization took.
var initTrace = regexp.MustCompile(`(?m)^init (\S+) @\S+ ms, (\S+) ms clock, (\d+) bytes, \d+ allocs$`)

// What a start may take of any one package, in milliseconds and bytes. All of perfgate is linked into one program, so
// that whatever a library does before main every command pays for: nothing that is only needed now and then, such as
// a client of redis or of GitHub, tables and templates, may be made before it is.
const (
	mostInitMS    = 1.0
	mostInitBytes = 512 << 10
	mostAllBytes  = 1 << 20 // of all packages together: many that are light are heavy as well
	startAttempts = 25
)

// No package is initialized for more than a millisecond. A machine that does something else makes any of them slow now
// and then, so the fastest of some starts counts; the bytes are the same every time.
func TestStart(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector, which -short goes with, makes everything slow")
	}
	linked, err := exec.Command("go", "list", "-deps", ".").Output() // the test's own program has more
	if err != nil {
		t.Fatal(err)
	}
	ours := map[string]bool{}
	for _, pkg := range strings.Fields(string(linked)) {
		ours[pkg] = true
	}
	fastest := map[string]float64{}
	for attempt := range startAttempts {
		cmd := exec.Command("perfgate", "version")
		cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		lines := initTrace.FindAllStringSubmatch(string(out), -1)
		slow, all := 0, 0
		for _, m := range lines {
			if !ours[m[1]] {
				continue
			}
			ms, err := strconv.ParseFloat(m[2], 64)
			if err != nil {
				t.Fatal(err)
			}
			bytes, _ := strconv.Atoi(m[3]) // digits
			if all += bytes; bytes > mostInitBytes {
				t.Errorf("%s makes %d bytes before main, want at most %d", m[1], bytes, mostInitBytes)
			}
			if before, seen := fastest[m[1]]; !seen || ms < before {
				fastest[m[1]] = ms
			}
			if fastest[m[1]] > mostInitMS {
				slow++
			}
		}
		if all > mostAllBytes {
			t.Errorf("all packages make %d bytes before main, want at most %d", all, mostAllBytes)
		}
		if own := strings.Count(string(out), "init "+module+"/"); own == 0 {
			t.Fatalf("no package of perfgate's own in\n%s", out)
		}
		if slow == 0 || t.Failed() {
			return
		}
		if attempt == startAttempts-1 {
			for pkg, ms := range fastest {
				if ms > mostInitMS {
					t.Errorf("%s is initialized for %v ms in the fastest of %d starts, want at most %v", pkg, ms, startAttempts, mostInitMS)
				}
			}
		}
	}
}

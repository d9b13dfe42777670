package main

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// TestEnvironment: a variable that nothing reads is an error, with the name that may be meant.
func TestEnvironment(t *testing.T) {
	for _, tt := range []struct{ variable, want string }{
		{"PERFGATE_BUGDET=9s", `PERFGATE_BUGDET in the environment: no setting has such a name; did you mean "PERFGATE_BUDGET"?`},
		{"PERFGATE_CONCURENCY=9", `PERFGATE_CONCURENCY in the environment: no setting has such a name; did you mean "PERFGATE_CONCURRENCY"?`},
		{"PERFGATE_SOMETHING_ELSE=1", "PERFGATE_SOMETHING_ELSE in the environment: no setting has such a name"},
		{"PERFGATE_BUGDET=", ""},
		{"PERFGATE_BUDGET=9s", ""},
		{"PERFGATE_RUNS=9", ""}, // load's
		{"PERFGATE_TEST_ANYTHING=1", ""},
		{"PERFGATE_PROBE=/tmp/x", ""},
		{"MY_PERFGATE_X=1", ""},
	} {
		a := &app{environ: []string{"HOME=/", tt.variable}}
		err := a.checkEnvironment()
		if got := text(err); got != tt.want || err != nil && exitCode(err) != exitUsage {
			t.Errorf("%s: %q with exit code %d, want %q", tt.variable, got, exitCode(err), tt.want)
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestEnvironmentKnown: whatever variable the source names is known.
func TestEnvironmentKnown(t *testing.T) {
	known := append(variables(), "PERFGATE_NAME") // which stands for a setting in help
	literal := regexp.MustCompile(`\bPERFGATE_[A-Z]+(_[A-Z]+)*`)
	found := 0
	for _, file := range goFiles(t, "../..") {
		source, err := os.ReadFile("../../" + file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range literal.FindAllString(string(source), -1) {
			found++
			if !slices.Contains(known, name) && name != "PERFGATE_TEST" {
				t.Errorf("%s names %s, which an environment may not hold", file, name)
			}
		}
	}
	if found < len(ownVariables) {
		t.Errorf("%d names were found, fewer than there are", found)
	}
}

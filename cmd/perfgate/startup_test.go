package main

import (
	"regexp"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// traced is the line above a table of imports.
var traced = regexp.MustCompile(`(?m)^initialised by a traced run of (\S+) \(\w+\): [1-9]\d* packages?, in (\S+) of their own$`)

// addUp holds that the own times of what a start imports are parts of that start.
func addUp(ts *testscript.TestScript, _ []string) {
	m := traced.FindStringSubmatch(ts.ReadFile("stdout"))
	if m == nil {
		ts.Fatalf("standard output has no table of imports")
	}
	whole, err := time.ParseDuration(m[1])
	ts.Check(err)
	own, err := time.ParseDuration(m[2])
	ts.Check(err)
	if own <= 0 || own > whole {
		ts.Fatalf("own times of %v are no part of a start of %v", own, whole)
	}
}

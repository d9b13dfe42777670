package main

import "golang.org/x/sys/unix"

// hideFromChildren keeps benchmarks, which may be a stranger's, from reading this process's
// environment and memory in /proc: under Actions they hold tokens.
func hideFromChildren() {
	unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) // where it fails, the reduced environment is what protects
}

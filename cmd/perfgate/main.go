// Command perfgate fails a build when, and only when, a change made a Go program slower or
// heavier.
package main

import "os"

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ()))
}

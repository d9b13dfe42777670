// Command serve is GitHub's REST API for tests that run perfgate elsewhere, such as in a container under act:
//
//	go run ./internal/github/githubtest/serve ADDRESS STATE.json
//
// It serves the repository owner/repo of the file until it is ended. What came of it is at /_state.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/org/perfgate/internal/github/githubtest"
)

func main() {
	if err := serve(os.Args[1:]); err != nil {
		log.SetFlags(0)
		log.Panic(err)
	}
}

func serve(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("usage: serve ADDRESS STATE.json")
	}
	data, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	s, err := githubtest.FromJSON(data)
	if err != nil {
		return fmt.Errorf("%s: %w", args[1], err)
	}
	return http.ListenAndServe(args[0], s.Handler())
}

package github

import (
	"fmt"
	"io"
	"os"
)

// maxEvent bounds what is read of an event. GitHub sends none beyond 25 MB.
const maxEvent = 32 << 20

// Event returns the JSON of what started the workflow, nil where the environment names none. Ask before a measured
// program runs: all can write to the file.
func (r *Runner) Event() ([]byte, error) {
	path := findFile(r.getenv("GITHUB_EVENT_PATH"), r.getenv("ACT") == "true", r.actFolder)
	if path == "" {
		return nil, nil
	}
	if err := checkRegular(path); err != nil {
		return nil, fmt.Errorf("event: %w", err)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("event: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxEvent))
	if err != nil {
		return nil, fmt.Errorf("event: %w", err)
	}
	return data, nil
}

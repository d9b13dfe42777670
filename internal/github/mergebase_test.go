package github

import (
	"strings"
	"testing"

	"github.com/org/perfgate/internal/github/githubtest"
)

func TestMergeBase(t *testing.T) {
	s := githubtest.New()
	fork := s.Push("main", "fork", map[string]string{"a": "1"})
	s.Refs["refs/heads/feature"] = fork
	head := s.Push("feature", "own", map[string]string{"b": "1"})
	s.Push("main", "went on", map[string]string{"c": "1"})
	alone := s.Add(&githubtest.Commit{Message: "alone"})
	c := dial(t, s)
	got, err := c.MergeBase(t.Context(), "main", head)
	if err != nil || got != fork {
		t.Errorf("MergeBase = %s, %v; want %s", got, err, fork)
	}
	if got, err := c.MergeBase(t.Context(), "main", alone); err == nil {
		t.Errorf("without common history: %s", got)
	}
	s.Faults = []*githubtest.Fault{{Path: "/compare/", Status: 403}}
	if _, err := c.MergeBase(t.Context(), "main", head); err == nil || !Forbidden(err) || !strings.HasPrefix(err.Error(), "find the merge base of main") {
		t.Errorf("403: %v", err)
	}
}

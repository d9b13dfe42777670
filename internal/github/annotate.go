package github

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"

	actions "github.com/sethvargo/go-githubactions"
)

const (
	// The runner shows ten annotations of a level per step: nine of ours, and
	// one that says how many more there are.
	annotationsPerLevel = 9
	// The runner cuts a message at 4,096 characters.
	messageLimit = 4000
	titleLimit   = 200
)

// An Annotation is a message that GitHub shows at the top of a run and, when it
// names a file, beside the line in the change.
type Annotation struct {
	Level   string // error, warning or notice
	Title   string
	Message string
	File    string // relative to the workspace; may be empty
	Line    int    // counts from 1; 0 for the file as a whole
}

// levels are the kinds of annotation that the runner knows, worst first.
var levels = []string{"error", "warning", "notice"}

// Annotate writes annotations to the log, the worst level first: at most nine of
// each, and then how many of that level were left out. The limit is the runner's
// for a whole step, so give it all annotations at once. Outside Actions nothing
// is written.
func (r *Runner) Annotate(as []Annotation) error {
	if !r.Active() {
		return nil
	}
	for _, an := range as {
		if !slices.Contains(levels, an.Level) {
			return fmt.Errorf("annotations: unknown level %q", an.Level)
		}
	}
	// The library panics when its writer fails, which a buffer does not.
	var text bytes.Buffer
	a := actions.New(actions.WithGetenv(r.getenv), actions.WithWriter(&text))
	for _, level := range levels {
		annotateLevel(a, level, as)
	}
	if err := r.command(text.Bytes()); err != nil {
		return fmt.Errorf("annotations: %w", err)
	}
	return nil
}

func annotateLevel(a *actions.Action, level string, as []Annotation) {
	n := 0
	for _, an := range as {
		if an.Level != level {
			continue
		}
		if n++; n <= annotationsPerLevel {
			issue(a, an)
		}
	}
	if more := n - annotationsPerLevel; more > 0 {
		issue(a, Annotation{Level: level, Message: fmt.Sprintf("%d more; the report has them all", more)})
	}
}

// issue writes one annotation through the library, whose escaping of message and
// properties is the runner's own.
func issue(a *actions.Action, an Annotation) {
	a.IssueCommand(&actions.Command{
		Name:       an.Level,
		Message:    cut(EscapeLog(an.Message), messageLimit),
		Properties: properties(an),
	})
}

func properties(an Annotation) actions.CommandProperties {
	p := actions.CommandProperties{}
	if an.Title != "" {
		p["title"] = cut(EscapeLog(an.Title), titleLimit)
	}
	if an.File != "" {
		p["file"] = EscapeLog(an.File)
	}
	if an.File != "" && an.Line > 0 {
		p["line"] = strconv.Itoa(an.Line)
	}
	return p
}

// cut shortens s to at most limit characters, the last of which then says so.
func cut(s string, limit int) string {
	runes := []rune(s)
	if len(runes) <= limit {
		return s
	}
	return string(runes[:limit-1]) + "…"
}

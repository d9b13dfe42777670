// Package suggest finds what somebody may have meant: the known name most like a wrong one.
package suggest

import (
	"fmt"
	"strings"

	"github.com/agnivade/levenshtein"
)

// begun is the one candidate that goes on where name ends, empty where there is none or more than one.
func begun(name string, candidates []string) (only string) {
	if len(strings.TrimLeft(name, "-")) < 3 {
		return ""
	}
	for _, c := range candidates {
		switch {
		case !strings.HasPrefix(c, name):
		case only != "":
			return ""
		default:
			only = c
		}
	}
	return only
}

// Question asks whether the candidate most like name was meant, as the end of an error message. It is
// empty where none is like it.
func Question(name string, candidates []string) string {
	best, distance := begun(name, candidates), 4
	for _, c := range candidates {
		if d := levenshtein.ComputeDistance(name, c); d < distance && d < len(c) {
			best, distance = c, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

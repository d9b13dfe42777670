// Package suggest finds what somebody may have meant: the known name most like a wrong one.
package suggest

import (
	"fmt"

	"github.com/agnivade/levenshtein"
)

// Question asks whether the candidate most like name was meant, as the end of an error message. It is
// empty where none is like it.
func Question(name string, candidates []string) string {
	best, distance := "", 4
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

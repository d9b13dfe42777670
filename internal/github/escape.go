package github

import (
	"regexp"
	"strings"
	"unicode"
)

var (
	// terminal matches the escape sequences of terminals: CSI, then the kinds
	// that carry a string up to a terminator (OSC, DCS, SOS, PM, APC), then the
	// short ones.
	terminal = regexp.MustCompile(`(?:\x1b\[|\x{9b})[0-?]*[ -/]*[@-~]` +
		`|(?:\x1b[\]PX^_]|[\x{90}\x{98}\x{9d}-\x{9f}])[^\x07\x1b\x{9c}\n]*(?:\x07|\x1b\\|\x{9c})?` +
		`|\x1b[ -/]*[0-~]`)

	// inline begins a command wherever it stands in a line.
	inline = regexp.MustCompile(`#(\p{M}*)#(\p{M}*)\[`)
)

// EscapeLog makes text inert for a log that the Actions runner or act reads:
// no line of the result is a workflow command, in the form ::name:: or in the
// form ##[name], which counts in the middle of a line too. Terminal escape
// sequences, control characters other than tab and newline, and characters that
// cannot be seen (bidirectional controls, zero-width characters) are removed.
// It must be given whole lines, just before they are written.
//
// The runner looks for commands the way people compare words, by the rules of a
// culture, and these pass over marks that have no weight of their own. Marks in
// between therefore do not make a command harmless, here as there.
func EscapeLog(s string) string {
	s = terminal.ReplaceAllString(s, "")
	s = strings.Map(visible, s)
	s = inline.ReplaceAllString(s, "#$1# $2[")
	lines := strings.SplitAfter(s, "\n")
	for i, line := range lines {
		lines[i] = escapeStart(line)
	}
	return strings.Join(lines, "")
}

// escapeStart parts the :: that begins a command at the start of a line, where
// white space before it does not count.
func escapeStart(line string) string {
	command := strings.TrimLeftFunc(line, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsMark(r) })
	rest, one := strings.CutPrefix(command, ":")
	if !one || !strings.HasPrefix(strings.TrimLeftFunc(rest, unicode.IsMark), ":") {
		return line
	}
	return line[:len(line)-len(rest)] + " " + rest
}

// visible maps what a log must not carry to nothing, and the two line ends that
// only some readers honour to a space.
func visible(r rune) rune {
	switch {
	case r == '\n', r == '\t':
		return r
	case r == '\u2028', r == '\u2029':
		return ' '
	case unicode.IsControl(r), unicode.In(r, invisible...):
		return -1
	}
	return r
}

// invisible holds the characters without a shape of their own. They are removed
// rather than kept apart, because the runner's comparison does not see them
// either: a soft hyphen inside ##[ leaves it a command.
var invisible = []*unicode.RangeTable{
	unicode.Cf,
	unicode.Other_Default_Ignorable_Code_Point,
	unicode.Variation_Selector,
}

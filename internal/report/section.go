package report

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// The markers stand on lines of their own around the section that is ours.
const (
	sectionBegin = "<!-- perfgate:begin -->"
	sectionEnd   = "<!-- perfgate:end -->"
)

// section is a text in three parts: ours is between the markers.
type section struct {
	before, body, after []byte
	found               bool
	crlf                bool
}

// CheckSection says what is wrong with the markers of a Markdown file.
func CheckSection(text []byte) error {
	_, err := findSection(text)
	return err
}

// findSection finds the markers, of which there must be one pair or none.
func findSection(text []byte) (section, error) {
	begin, end := 0, 0 // numbers of the markers' lines
	var s section
	number, at := 0, 0
	for line := range bytes.Lines(text) {
		number++
		from := at
		at += len(line)
		s.crlf = s.crlf || bytes.HasSuffix(line, []byte("\r\n"))
		switch string(bytes.TrimSpace(line)) {
		case sectionBegin:
			if begin > 0 {
				return s, fmt.Errorf("lines %d and %d: %s stands twice; keep one pair of markers", begin, number, sectionBegin)
			}
			begin, s.before = number, text[:from]
			s.body = text[at:]
		case sectionEnd:
			switch {
			case end > 0:
				return s, fmt.Errorf("lines %d and %d: %s stands twice; keep one pair of markers", end, number, sectionEnd)
			case begin == 0:
				return s, fmt.Errorf("line %d: %s without %s before it; add it, or remove the line to have the section at the end", number, sectionEnd, sectionBegin)
			}
			end, s.after = number, text[at:]
			s.body = s.body[:len(s.body)-len(text[from:])]
		}
	}
	if begin > 0 && end == 0 {
		return s, fmt.Errorf("line %d: %s without %s below it; add it where the section ends", begin, sectionBegin, sectionEnd)
	}
	s.found = begin > 0
	if !s.found {
		s.before = text
	}
	return s, nil
}

// with returns the text with another body, in the line ends that the text has.
func (s section) with(body []byte) []byte {
	ours := sectionBegin + "\n" + string(body) + sectionEnd + "\n"
	switch {
	case s.found:
	case len(s.before) == 0:
		ours = "# Performance report\n\n" + ours
	case !bytes.HasSuffix(s.before, []byte("\n")):
		ours = "\n\n" + ours
	default:
		ours = "\n" + ours
	}
	if s.crlf {
		ours = strings.ReplaceAll(ours, "\n", "\r\n")
	}
	return slices.Concat(s.before, []byte(ours), s.after)
}

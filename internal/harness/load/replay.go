package load

import (
	"bufio"
	"io"
	"strings"
	"time"
)

// ReadReplay reads recorded arrivals, a time a line in ascending order: seconds, or a duration such as 1.5s. They count
// from the first, so that a log's times will do. Empty lines and lines that begin with # say nothing. The error is
// a *FieldError, with the line.
func ReadReplay(r io.Reader) ([]time.Duration, error) {
	var due []time.Duration
	var first time.Duration
	lines := bufio.NewScanner(r)
	n := 0
	for lines.Scan() {
		n++
		text := strings.TrimSpace(lines.Text())
		if text == "" || text[0] == '#' {
			continue
		}
		if last := text[len(text)-1]; '0' <= last && last <= '9' {
			text += "s" // as a duration it keeps the nanoseconds that a float of so many seconds has not
		}
		at, err := time.ParseDuration(text)
		if err != nil || at < 0 {
			return nil, fieldErrorf("replay", "line %d: %q: want a time in seconds, or a duration such as 1.5s", n, lines.Text())
		}
		if len(due) == 0 {
			first = at
		}
		at -= first
		switch {
		case at < 0 || len(due) > 0 && at < due[len(due)-1]:
			return nil, fieldErrorf("replay", "line %d: %q is before the line above: sort the times", n, lines.Text())
		case len(due) == maxRuns:
			return nil, fieldErrorf("replay", "line %d: more than the %d runs that one schedule may have", n, maxRuns)
		}
		due = append(due, at)
	}
	if err := lines.Err(); err != nil {
		return nil, fieldErrorf("replay", "line %d: %v", n+1, err)
	}
	if due == nil {
		return nil, fieldErrorf("replay", "no arrival in it; want a time a line")
	}
	return due, nil
}

package main

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestHelpWidth: where there is no terminal, help fits into so many columns, but for what no blank divides.
func TestHelpWidth(t *testing.T) {
	calls := [][]string{nil}
	for _, c := range commands {
		calls = append(calls, []string{c.name})
		if below := strings.Split(c.args, "|"); len(below) > 1 {
			for _, name := range below {
				calls = append(calls, []string{c.name, name})
			}
		}
	}
	for _, call := range calls {
		var out, errs bytes.Buffer
		if code := run(append([]string{"help"}, call...), nil, &out, &errs, nil); code != exitOK {
			t.Errorf("help %v: exit code %d: %s", call, code, &errs)
		}
		for line := range strings.Lines(out.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > helpColumns && strings.Contains(strings.TrimSpace(line), " ") {
				t.Errorf("help %v: %d columns: %s", call, n, line)
			}
		}
	}
}

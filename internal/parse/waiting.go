package parse

import (
	"bytes"

	"github.com/org/perfgate/internal/result"
)

// What the normaliser waits for, and what it remembers of other lines meanwhile.

// opened is a benchmark whose name was printed and whose result was not, so far.
type opened struct {
	name string // as printed, "Benchmark" and all
	line int
	// tabbed: its numbers have to follow. Otherwise -v announced a benchmark that may turn
	// out to be only the parent of others.
	tabbed bool
	// counted: a count of iterations followed, so that this was meant as a result line.
	counted bool
}

// ending is how the wait for a result came to its end.
type ending int

const (
	byNext  ending = iota // another benchmark came
	byEnd                 // package testing came to its end
	byDeath               // the process did
)

// close ends the wait for the open benchmark's result, if there is one.
func (n *normaliser) close(how ending) {
	o := n.open
	n.open = opened{}
	if o.name == "" && how == byDeath && n.culprit != "" {
		o = opened{name: n.culprit, line: n.lines.line}
	}
	switch {
	case o.name == "" || how != byDeath && !o.tabbed:
	case how != byDeath && o.counted:
		n.found.malformed(o)
	default:
		v := verdict{name: o.name, line: o.line, status: result.Failed, message: "printed no result", suffix: without}
		if o.tabbed {
			v.suffix = with
		}
		if how == byDeath && n.words != "" {
			v.message = n.words
		}
		n.found.add(v)
	}
}

// remark takes from a line that is only text what may matter later.
func (n *normaliser) remark(line []byte) {
	switch {
	case n.bare != "" && n.said == "" && indented(line):
		n.said = clip(line)
	case n.words != "" && n.culprit == "":
		n.culprit = traced(line)
	case n.open.name != "":
	case bytes.HasPrefix(line, []byte("# ")):
		pkg, _ := field(line[2:])
		n.found.building = cleanName(string(pkg))
	case n.found.building != "":
		n.found.buildMessage(clip(line))
	default:
		if at := numbers(line); at >= 0 && len(bytes.TrimSpace(line[:at])) == 0 && bytes.Contains(line, []byte("/op")) {
			n.found.warn("numbers of a result, but no name of a benchmark before them")
		}
	}
}

// takeMessage takes the first message line of the verdict on the line before.
func (n *normaliser) takeMessage(line []byte) bool {
	if !n.awaiting {
		return false
	}
	n.awaiting = false
	if !indented(line) {
		return false
	}
	n.found.verdicts[len(n.found.verdicts)-1].message = clip(line)
	return true
}

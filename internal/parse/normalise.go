package parse

import (
	"bytes"
	"errors"
	"io"
	"strings"
)

// normaliser stands in front of benchfmt's reader. For each line of its input it yields
// exactly one, so that line numbers stay right: the line itself, a result line put together
// from its pieces, or an empty one where benchfmt would take a benchmark's own output for
// something else. What is said outside of result lines it notes in findings.
//
// A benchmark's log line between its name and its numbers costs benchfmt, and so benchstat,
// the result (https://go.dev/issue/14313 defines the format line by line); here it costs a
// warning.
type normaliser struct {
	lines *lineReader
	found *findings

	out  []byte // what Read still owes of the line
	owed bool   // and whether it owes its end
	buf  []byte // a line put together

	open opened
	// awaiting says that the message of the last verdict may stand on the next line.
	awaiting bool
	// bare is the name that last stood alone on a line in this run, which only -v prints.
	bare string
	// said is the first log line since the last name, result or verdict; -v shows logs early.
	said string
	// words are the last words of a dying run, culprit the benchmark in the trace after them.
	words, culprit string
	// told are the names whose broken lines were warned of.
	told map[string]bool
}

func newNormaliser(r io.Reader, found *findings) *normaliser {
	return &normaliser{lines: newLineReader(r), found: found, told: make(map[string]bool)}
}

// Read yields at most one line.
func (n *normaliser) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if n.found.names > maxNames {
		return 0, errNames
	}
	if !n.owed {
		line, err := n.lines.next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				n.close(byDeath)
			}
			return 0, err
		}
		n.found.line = n.lines.line
		n.out, n.owed = n.normalise(line), true
	}
	k := copy(p, n.out)
	n.out = n.out[k:]
	if k < len(p) {
		p[k] = '\n'
		n.owed = false
		k++
	}
	return k, nil
}

// normalise returns what benchfmt shall see in the place of line.
func (n *normaliser) normalise(line []byte) []byte {
	if n.open.name == "" && !n.awaiting && whole(line) {
		if n.said != "" {
			n.said = ""
		}
		return line // the path of nearly all lines
	}
	if n.lines.cut {
		n.found.warn("line cut after %d bytes", maxLine)
	}
	line = unframe(line)
	if n.takeMessage(line) {
		return nil
	}
	if whole(line) {
		name, _ := field(line)
		if n.open.name == string(name) {
			n.open = opened{}
		}
		n.close(byNext)
		n.said = ""
		return line
	}
	if name, rest, ok := cutName(line); ok {
		n.close(byNext)
		count, _ := field(bytes.TrimLeft(rest, " "))
		n.open = opened{name: string(name), line: n.lines.line, tabbed: true, counted: isCount(count)}
		return n.text(rest)
	}
	if name, rest := field(line); isName(line) && len(rest) == 0 {
		n.close(byNext)
		n.bare, n.said = string(name), ""
		n.open = opened{name: n.bare, line: n.lines.line}
		return nil
	}
	return n.text(line)
}

// text handles a line, or what follows a name on it, that is no result line by itself.
func (n *normaliser) text(line []byte) []byte {
	switch {
	case len(line) == 0, n.verdict(line), n.ending(line):
		return nil
	case n.header(line), isUnit(line):
		return n.fitting(line)
	case n.open.tabbed:
		return n.recover(line)
	}
	if at := glued(line); at > 0 && !quoted(line[:at]) {
		return n.unglue(line[at:])
	}
	if bytes.HasPrefix(line, prefix) && (isName(line) || isResult(line)) {
		return n.fitting(line) // benchfmt shall say what is wrong with it
	}
	n.remark(line)
	return nil
}

// recover looks for the numbers of the open benchmark at the end of a line of its output. A
// name before them makes them someone else's: a quoted result.
func (n *normaliser) recover(line []byte) []byte {
	at := numbers(line)
	if at < 0 || bytes.Contains(line[:at], prefix) {
		return nil
	}
	n.buf = append(append(append(n.buf[:0], n.open.name...), '\t'), line[at:]...)
	n.broken(n.open.name)
	n.open = opened{}
	return n.fitting(n.buf)
}

// unglue takes a result line that followed output without a line end, unless -v announced
// another name: then it only looks like one.
func (n *normaliser) unglue(line []byte) []byte {
	name, _ := field(line)
	if n.bare != "" && n.bare != string(name) && !isProcsOf(string(name), n.bare) {
		n.found.warn("ignored what looks like a result of %s in the output of %s", clip(name), clip([]byte(n.bare)))
		return nil
	}
	n.open = opened{}
	n.broken(string(name))
	return line
}

// quoted reports whether text before a result line makes that a quotation, in a log line
// "    x_test.go:7: was BenchmarkX-8 100 123 ns/op".
func quoted(text []byte) bool { return indented(text) && bytes.Contains(text, []byte(".go:")) }

// fitting returns line if benchfmt's scanner can hold it.
func (n *normaliser) fitting(line []byte) []byte {
	if len(line) > maxResult {
		n.found.warn("line of %d bytes ignored", len(line))
		return nil
	}
	return line
}

// broken warns once a name of result lines in pieces.
func (n *normaliser) broken(name string) {
	if !n.told[name] && len(n.told) <= maxWarnings {
		n.told[name] = true
		n.found.warn("result line of %s was broken up by log output", clip([]byte(name)))
	}
}

// unframe drops the byte that test2json mode puts before framing lines, and the output
// without a line end before it.
func unframe(line []byte) []byte {
	i := bytes.LastIndexByte(line, 0x16)
	if i < 0 {
		return line
	}
	for _, frame := range []string{"--- ", "=== ", "PASS", "FAIL"} {
		if bytes.HasPrefix(line[i+1:], []byte(frame)) {
			return line[i+1:]
		}
	}
	return line
}

// isUnit reports whether line tells of a unit: "Unit p99-ns better=lower".
func isUnit(line []byte) bool {
	word, _ := field(line)
	return string(word) == "Unit"
}

func indented(line []byte) bool {
	return bytes.HasPrefix(line, []byte("    ")) || bytes.HasPrefix(line, []byte("\t"))
}

// isProcsOf reports whether name is base with a GOMAXPROCS suffix.
func isProcsOf(name, base string) bool {
	if !strings.HasPrefix(name, base) {
		return false
	}
	cut, procs := cutProcs(name)
	return procs > 0 && cut == base
}

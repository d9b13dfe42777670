package parse

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The shapes of lines that `go test -bench` prints. A result line is, as package testing
// writes it, in one piece or with the benchmark's own output between the two writes:
//
//	BenchmarkName-8 <spaces> \t      100 \t  123 ns/op \t  0 B/op
//	\_______ first write _____/\____________ second ____________/
//
// Other programs put any white space between the fields, so a line that is whole may do that
// too; a piece of a line is believed only where it has the tabs of package testing.

var prefix = []byte("Benchmark")

// maxResult bounds a result line, in bytes: the scanner in benchfmt gives up at 64 KiB.
const maxResult = 60 << 10

// isName reports whether line starts with the name of a benchmark, whose next letter after
// "Benchmark" is by the rules of package testing not a lower-case one.
func isName(line []byte) bool {
	if !bytes.HasPrefix(line, prefix) {
		return false
	}
	r, _ := utf8.DecodeRune(line[len(prefix):])
	return !unicode.IsLower(r)
}

// whole reports whether line is a result line. It stands on the path of every line and
// allocates nothing.
func whole(line []byte) bool { return isName(line) && isResult(line) }

// isResult reports whether line is a word, a count of iterations above 0, and pairs of a
// number and a unit.
func isResult(line []byte) bool {
	if len(line) > maxResult {
		return false
	}
	count := next(line, nameEnd(line))
	countEnd := numberEnd(line, count)
	if !isCount(line[count:countEnd]) {
		return false
	}
	end := countEnd
	for pairs := 0; ; pairs++ {
		value := next(line, end)
		if value == len(line) {
			return pairs > 0
		}
		valueEnd := numberEnd(line, value)
		unit := next(line, valueEnd)
		if valueEnd == value || unit == len(line) {
			return false
		}
		end = wordEnd(line, unit)
		if pairs == 0 && end < len(line) && line[end] == '\t' && line[valueEnd] == ' ' && line[countEnd] == '\t' {
			return true // package testing's own tabs: benchfmt sees to the rest
		}
	}
}

// nameEnd is wordEnd for the longest word of a line, in bigger steps.
func nameEnd(line []byte) int {
	end := len(line)
	for _, c := range []byte{'\t', ' '} {
		if i := bytes.IndexByte(line[:end], c); i >= 0 {
			end = i
		}
	}
	return end
}

// numberEnd returns the index of the end of the number that starts at i, or i without one.
func numberEnd(line []byte, i int) int {
	end, digits := i, false
	for end < len(line) && classes[line[end]]&(digit|number) != 0 {
		digits = digits || classes[line[end]] == digit
		end++
	}
	if digits && (end == len(line) || classes[line[end]] == space) {
		return end
	}
	if end = wordEnd(line, i); isNotFinite(line[i:end]) {
		return end
	}
	return i
}

// wordEnd returns the index of the first white space in line from i on, or its length.
func wordEnd(line []byte, i int) int {
	for i < len(line) && classes[line[i]] != space {
		i++
	}
	return i
}

// next returns the index of the first byte in line from i on that is no white space.
func next(line []byte, i int) int {
	for i < len(line) && classes[line[i]] == space {
		i++
	}
	return i
}

// glued returns where in line a whole result line starts that text without a line end
// precedes, or -1. The first such place counts: a later "Benchmark" is part of the name.
func glued(line []byte) int {
	const maxTries = 64 // a line made to hurt is full of names
	at := max(1, len(line)-maxResult)
	for range maxTries {
		i := bytes.Index(line[min(at, len(line)):], prefix)
		if i < 0 {
			return -1
		}
		at += i
		if whole(line[at:]) {
			return at
		}
		if !isName(line[at:]) {
			at += len(prefix)
			continue
		}
		word, _ := field(line[at:])
		at += len(word)
	}
	return -1
}

// numbers returns where in line the second write of a result line starts: the count of
// iterations, before a tab and pairs up to the end of the line. Without one it returns -1.
func numbers(line []byte) int {
	line = bytes.TrimRight(line, " \r")
	end, pairs := len(line), 0
	for ; ; pairs++ {
		tab := bytes.LastIndexByte(line[:end], '\t')
		if !isPair(line[tab+1 : end]) {
			break
		}
		if end = tab; tab < 0 {
			return -1
		}
	}
	start := end
	for start > 0 && isDigit(line[start-1]) {
		start--
	}
	if pairs == 0 || !isCount(line[start:end]) {
		return -1
	}
	return start
}

// isPair reports whether s is, after spaces, a number, one space and a unit. A unit of digits
// only is refused: there, text that ends in a number was glued before a count.
func isPair(s []byte) bool {
	value, unit, ok := bytes.Cut(bytes.TrimLeft(s, " "), []byte(" "))
	return ok && len(unit) > 0 && isNumber(value) &&
		bytes.IndexFunc(unit, unicode.IsSpace) < 0 &&
		bytes.ContainsFunc(unit, func(r rune) bool { return r < '0' || r > '9' })
}

// cutName splits a line that starts with the first write of a result line: a name, spaces, a
// tab. The rest is what came after the tab.
func cutName(line []byte) (name, rest []byte, ok bool) {
	if !isName(line) {
		return nil, nil, false
	}
	name, _ = field(line)
	rest = bytes.TrimLeft(line[len(name):], " ")
	if len(rest) == 0 || rest[0] != '\t' {
		return nil, nil, false
	}
	return name, rest[1:], true
}

// field returns the first word of line and what follows the white space after it.
func field(line []byte) (word, rest []byte) {
	end := wordEnd(line, 0)
	return line[:end], line[next(line, end):]
}

// Classes of bytes, in a table: these functions see every byte of the input.
const (
	space  = 1 << iota
	digit  // 0 to 9
	number // what else a decimal number is made of
)

var classes = [256]uint8{
	' ': space, '\t': space, '\n': space, '\v': space, '\f': space, '\r': space,
	'0': digit, '1': digit, '2': digit, '3': digit, '4': digit,
	'5': digit, '6': digit, '7': digit, '8': digit, '9': digit,
	'.': number, '+': number, '-': number, 'e': number, 'E': number,
}

func isDigit(c byte) bool { return classes[c] == digit }

// isCount reports whether s is a count of iterations that measured something.
func isCount(s []byte) bool {
	var class, bits uint8 = digit, 0
	for _, c := range s {
		class &= classes[c]
		bits |= c - '0'
	}
	return class == digit && bits != 0
}

// isNumber reports whether s looks like a decimal number, NaN or infinity.
func isNumber(s []byte) bool { return len(s) > 0 && numberEnd(s, 0) == len(s) }

func isNotFinite(s []byte) bool {
	switch strings.ToLower(strings.TrimLeft(string(s[:min(len(s), 16)]), "+-")) {
	case "nan", "inf", "infinity":
		return true
	}
	return false
}

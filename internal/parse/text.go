package parse

import (
	"fmt"
	"hash/fnv"
	"io"
	"strings"
	"unicode/utf8"
)

const (
	maxName    = 4096 // bytes of a name of a benchmark, package or unit
	maxMessage = 1024 // bytes of a message or of a word in a warning
)

// cleanName makes valid UTF-8 of at most maxName bytes out of s. A name that was changed ends
// in a hash of the original, so that different names stay different.
func cleanName(s string) string {
	if len(s) <= maxName && utf8.ValidString(s) {
		return s
	}
	h := fnv.New64a()
	_, _ = io.WriteString(h, s)
	hash := fmt.Sprintf("~%016x", h.Sum64())
	return cutRunes(strings.ToValidUTF8(s, "\ufffd"), maxName-len(hash)) + hash
}

// clip makes valid UTF-8 of about maxMessage bytes at most out of a line of text.
func clip(s []byte) string {
	t := strings.ToValidUTF8(string(s[:min(len(s), 2*maxMessage)]), "\ufffd")
	t = strings.TrimSpace(t)
	if len(t) > maxMessage {
		t = cutRunes(t, maxMessage) + "…"
	}
	return t
}

// cutRunes returns the first runes of the valid s that fit into n bytes.
func cutRunes(s string, n int) string {
	if n >= len(s) {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// cutProcs splits the suffix that package testing adds for GOMAXPROCS above 1 off a name.
func cutProcs(name string) (base string, procs int) {
	i := len(name)
	for i > 0 && isDigit(name[i-1]) {
		i--
	}
	digits := name[i:]
	if i == 0 || name[i-1] != '-' || len(digits) == 0 || len(digits) > 6 || digits[0] == '0' || digits == "1" {
		return name, 0
	}
	for _, c := range []byte(digits) {
		procs = 10*procs + int(c-'0')
	}
	return name[:i-1], procs
}

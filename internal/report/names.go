package report

import (
	"strings"
	"unicode"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/result"
)

// names shortens benchmark names by what all packages have in common.
type names struct{ prefix string }

func namesOf(d *Document) names {
	var pkgs []string
	for _, c := range d.Outcome.Comparisons {
		pkgs = append(pkgs, c.Key.Package)
	}
	if len(pkgs) == 0 {
		return names{}
	}
	prefix := pkgs[0] + "/"
	for _, p := range pkgs {
		for !strings.HasPrefix(p+"/", prefix) {
			prefix = prefix[:strings.LastIndexByte(strings.TrimSuffix(prefix, "/"), '/')+1]
		}
	}
	return names{prefix}
}

// of names a benchmark: its package's folder below what is common, a dot and its name.
func (n names) of(k result.Key) string {
	k.Package = strings.TrimSuffix(strings.TrimPrefix(k.Package+"/", n.prefix), "/")
	return oneLine(k.String())
}

// Bounds in runes: what a name may take of a line, and what a sentence may.
const (
	maxName     = 200
	maxSentence = 1000
)

// oneLine makes a name safe to stand in a line of any format: no control characters, none that
// reorder or hide text, bounded.
func oneLine(s string) string { return clean(s, maxName) }

func clean(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == '\u2028', r == '\u2029', r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if r := []rune(s); len(r) > limit {
		return string(r[:limit]) + "…"
	}
	return s
}

// inert also breaks up what a GitHub runner reads as a command anywhere in a line.
func inert(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(clean(s, maxSentence), "##[", "## ["), "::", ": :")
}

// metric names a row's unit, and what it was compared with where that is not base.
func metricName(c *compare.Comparison) string {
	name := oneLine(c.Unit.Name)
	if c.Against == compare.AgainstBaseline {
		name = strings.TrimSpace(name + " (baseline)")
	}
	return name
}

package harness

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Filter is a -bench expression: alternatives separated by |, each a list of regular
// expressions separated by slashes, one a level of sub-benchmark, as package testing reads it.
type Filter struct {
	alternatives []alternative
}

type alternative struct {
	text []string
	expr []*regexp.Regexp
}

// NewFilter compiles a -bench expression.
func NewFilter(expr string) (*Filter, error) {
	f := &Filter{}
	for _, alt := range splitOutside(expr, '|') {
		a := alternative{text: splitOutside(alt, '/')}
		for _, e := range a.text {
			re, err := regexp.Compile(underscored(e))
			if err != nil {
				return nil, usagef("--bench %q: %v", expr, err)
			}
			a.expr = append(a.expr, re)
		}
		f.alternatives = append(f.alternatives, a)
	}
	return f, nil
}

// underscored writes white space as package testing does in names and expressions.
func underscored(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return '_'
		}
		return r
	}, s)
}

// Match reports whether the filter selects the benchmark of that name, without "Benchmark". One with
// fewer levels than the expression is not selected: package testing only looks into it for
// sub-benchmarks, and goes by the first alternative that fits.
func (f *Filter) Match(name string) bool {
	levels := strings.Split("Benchmark"+name, "/")
	for _, a := range f.alternatives {
		if a.fits(levels) {
			return len(levels) >= len(a.expr)
		}
	}
	return false
}

func (a alternative) fits(levels []string) bool {
	for i, re := range a.expr[:min(len(a.expr), len(levels))] {
		if !re.MatchString(levels[i]) {
			return false
		}
	}
	return true
}

// top returns the functions of names, without "Benchmark", that may have selected benchmarks.
func (f *Filter) top(names []string) []string {
	var kept []string
	for _, n := range names {
		if slices.ContainsFunc(f.alternatives, func(a alternative) bool { return a.expr[0].MatchString("Benchmark" + n) }) {
			kept = append(kept, n)
		}
	}
	return kept
}

// only returns an expression that selects what f does, among the functions names.
func (f *Filter) only(names []string) string {
	var alts []string
	for _, a := range f.alternatives {
		var quoted []string
		for _, n := range names {
			if a.expr[0].MatchString("Benchmark" + n) {
				quoted = append(quoted, regexp.QuoteMeta("Benchmark"+n))
			}
		}
		if len(quoted) > 0 {
			first := "^(" + strings.Join(quoted, "|") + ")$"
			alts = append(alts, strings.Join(append([]string{first}, a.text[1:]...), "/"))
		}
	}
	return strings.Join(alts, "|")
}

// exactly returns the expression that selects the one benchmark of that name.
func exactly(name string) string {
	levels := strings.Split("Benchmark"+name, "/")
	for i, l := range levels {
		levels[i] = "^" + regexp.QuoteMeta(l) + "$"
	}
	return strings.Join(levels, "/")
}

// splitOutside splits s at sep where it stands outside brackets and parentheses.
func splitOutside(s string, sep byte) []string {
	var parts []string
	brackets, parens, from := 0, 0, 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			i++
		case c == '[':
			brackets++
		case c == ']':
			brackets = max(0, brackets-1)
		case c == '(' && brackets == 0:
			parens++
		case c == ')' && brackets == 0:
			parens--
		case c == sep && brackets == 0 && parens == 0:
			parts = append(parts, s[from:i])
			from = i + 1
		}
	}
	return append(parts, s[from:])
}

package report

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/result"
)

// names shortens benchmark names by what all packages have in common.
type names struct {
	prefix string
	heads  map[result.Key]*result.Benchmark
}

func namesOf(d *Document) names {
	var pkgs []string
	for _, c := range d.Outcome.Comparisons {
		pkgs = append(pkgs, c.Key.Package)
	}
	return shortNames(pkgs, d.File.Head)
}

// shortNames shortens names of benchmarks in the packages.
func shortNames(pkgs []string, head *result.Set) names {
	if len(pkgs) == 0 {
		return names{}
	}
	prefix := pkgs[0] + "/"
	for _, p := range pkgs {
		for !strings.HasPrefix(p+"/", prefix) {
			prefix = prefix[:strings.LastIndexByte(strings.TrimSuffix(prefix, "/"), '/')+1]
		}
	}
	return names{prefix, head.Index()}
}

// head writes head's value of a row. An added benchmark as a whole shows its time.
func (n names) head(c *compare.Comparison) string {
	if b := n.heads[c.Key]; c.Verdict == compare.Added && c.Unit.Name == "" && b != nil {
		if m := b.Metric("sec/op"); m != nil && len(m.Samples) > 0 {
			return summary(compare.Describe(m), m.Unit)
		}
	}
	return side(c, c.Head)
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
		case ' ' <= r && r <= '~': // nearly all, and the tables below are slow
			return r
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case unicode.IsControl(r), unicode.In(r, invisible...), r == '\u2028', r == '\u2029', r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if r := []rune(s); len(r) > limit {
		return string(r[:limit]) + "…"
	}
	return s
}

// invisible characters have no shape of their own. They hide and reorder text, and a GitHub runner
// passes over them when it looks for commands.
var invisible = []*unicode.RangeTable{unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector}

// inert also breaks up what a GitHub runner reads as a command anywhere in a line.
func inert(s string) string {
	return strings.ReplaceAll(breakCommand(clean(s, maxSentence)), "::", ": :")
}

// command begins a runner's command wherever it stands in a line. The runner passes over marks.
var command = regexp.MustCompile(`#(\p{M}*)#(\p{M}*)\[`)

// breakCommand keeps a GitHub runner that prints the report from reading commands in it.
func breakCommand(s string) string { return command.ReplaceAllString(s, "#$1# $2[") }

// metric names a row's unit, and what it was compared with where that is not base.
func metricName(c *compare.Comparison) string {
	name := oneLine(c.Unit.Name)
	if c.Against == compare.AgainstBaseline {
		name = strings.TrimSpace(name + " (baseline)")
	}
	return name
}

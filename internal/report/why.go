package report

import (
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/org/perfgate/internal/compare"
	"github.com/org/perfgate/internal/profiler"
	"github.com/org/perfgate/internal/result"
)

// explained are the benchmarks of the file that are explained, in the order of the rows.
func explained(d *Document) []*result.Benchmark {
	index := d.File.Head.Index()
	var out []*result.Benchmark
	add := func(c *compare.Comparison) {
		if b := index[c.Key]; b != nil && b.Why != nil && !slices.Contains(out, b) {
			out = append(out, b)
		}
	}
	for _, c := range changed(d) {
		add(c)
	}
	for _, c := range d.Outcome.Comparisons { // of those that were asked for
		add(c)
	}
	return out
}

// telling is the number of reasons that say the most.
const telling = 3

// reason is a line that says what grew: of what, where, how much, and the way there, or what more there is to say.
type reason struct{ of, where, much, way, more string }

// reasonsOf says what grew, the most telling first: one of each kind, and then the others.
func reasonsOf(w *result.Why) []reason {
	var first, more []reason
	known := map[string]bool{} // functions whose way was shown
	seen := map[string]bool{}
	list := func(gs []result.Growth, remark string) {
		n := 0
		for _, g := range gs {
			if seen[g.Function+g.Unit] {
				continue
			}
			seen[g.Function+g.Unit] = true
			r := grew(g)
			r.much += remark
			if byChance(g) {
				r.much += ", as a profile counts them (those of less than 16 bytes share one)"
			}
			if known[g.Function] {
				r.way = ""
			}
			known[g.Function] = true
			if n++; n == 1 && !byChance(g) {
				first = append(first, r)
			} else {
				more = append(more, r)
			}
		}
	}
	if len(w.Calls) > 0 { // an answer that is waited for costs more than most functions
		first, more = append(first, asked(w.Calls[0])), appendAll(more, w.Calls[1:], asked)
	}
	waits := len(w.Spans) > 0 && len(w.Own) > 0 && w.Spans[0].Head-w.Spans[0].Base > waiting*(w.Own[0].Head-w.Own[0].Base)
	spans := func() {
		if len(w.Spans) > 0 {
			first, more = append(first, lasts(w.Spans[0])), appendAll(more, w.Spans[1:], lasts)
		}
	}
	modules := func() {
		if len(w.Modules) > 0 {
			first = append(first, reason{of: strings.Join(w.Modules, ", "), much: "built with"})
		}
	}
	list(w.Own, "")
	upgraded := inChanged(w)
	if upgraded {
		modules()
	}
	if waits {
		spans()
	}
	list(w.Allocs, "")
	if !waits {
		spans()
	}
	for i, said := range w.Compiler {
		r := reason{of: said.Text, where: fmt.Sprintf("%s:%d", said.File, said.Line), much: byCompiler}
		if i == 0 {
			first = append(first, r)
		} else {
			more = append(more, r)
		}
	}
	list(w.Any, ", by itself")
	if !upgraded {
		modules()
	}
	return append(first, more...)
}

// inChanged reports whether the function that grew most is of a module that is another version on head.
func inChanged(w *result.Why) bool {
	return len(w.Own) > 0 && slices.ContainsFunc(w.Modules, func(m string) bool {
		path, _, _ := strings.Cut(m, " ")
		pkg := profiler.PackageOf(w.Own[0].Function)
		return pkg == path || strings.HasPrefix(pkg, path+"/")
	})
}

// byChance says that less than one object more is allocated in an operation: a pool or a buffer that grows does not
// do so every time, and of the smallest objects profiles count the blocks that they share. It is worth a line behind all
// that is sure.
func byChance(g result.Growth) bool { return g.Unit == "allocs/op" && g.Head-g.Base < 1 }

// waiting is how much longer a span takes than any function computes where it waits: that says more than what allocates.
const waiting = 2

func appendAll[T any](to []reason, of []T, as func(T) reason) []reason {
	for _, one := range of {
		to = append(to, as(one))
	}
	return to
}

// asked is what a run asks more of its upstream.
func asked(g result.CallGrowth) reason {
	r := reason{of: strings.TrimSpace(g.Route + " " + g.Model), much: number(g.Base) + " → " + number(g.Head) + " " + g.What + " a run of"}
	var more []string
	switch {
	case g.All == 0:
	case g.Runs == g.All:
		more = append(more, "more in every run")
	default:
		more = append(more, fmt.Sprintf("more in %d of %d runs, first in run %d", g.Runs, g.All, g.First))
	}
	if g.Repeated > 0 && g.All > 0 {
		more = append(more, number(g.Repeated)+" of them ask again what the run had asked before")
	}
	r.more = strings.Join(more, ", ")
	return r
}

// number is a count a run, which may be a mean.
func number(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }

// lasts is a span that takes longer.
func lasts(g result.SpanGrowth) reason {
	r := reason{of: g.Name, much: value(g.Base, seconds) + " → " + value(g.Head, seconds) + " of own time a run in span"}
	if b, h := number(g.BaseCount), number(g.HeadCount); b != h {
		r.more = b + " → " + h + " times a run"
	}
	return r
}

// grew is a function's growth.
func grew(g result.Growth) reason {
	u := result.UnitOf(g.Unit)
	what := " an operation"
	name, ofRun := strings.CutSuffix(u.Name, "/run")
	if ofRun {
		what = " a run"
	}
	switch u.Base() {
	case "sec":
		what = " of CPU time" + what
	case "":
		what = " " + strings.TrimSuffix(name, "/op") + what
	}
	r := reason{of: shortFunction(g.Function), where: fmt.Sprintf("%s:%d", g.File, g.Line), much: value(g.Base, u) + " → " + value(g.Head, u) + what}
	if way := g.Path; len(way) > 1 {
		var names []string
		for _, f := range way[:len(way)-1] {
			names = append(names, shortFunction(f))
		}
		const most = 4
		if len(names) > most {
			names = append([]string{names[0], "…"}, names[len(names)-most+1:]...)
		}
		r.way = strings.Join(names, " → ")
	}
	return r
}

// write writes the reason: names as name has them, and what we say of them as say has it. All of it may be a
// stranger's, who wrote the file.
func (r reason) write(name, say func(string) string) string {
	switch {
	case r.where == "" && r.more != "":
		return say(r.much) + " " + name(r.of) + ": " + say(r.more)
	case r.where == "":
		return say(r.much) + " " + name(r.of)
	case r.much == byCompiler:
		return name(r.where) + ": " + r.much + ": " + name(r.of)
	}
	text := name(r.of) + " (" + name(r.where) + "): " + say(r.much)
	if r.way != "" {
		text += ", called by " + name(r.way)
	}
	return text
}

const byCompiler = "the compiler"

// shortFunction is a function's name behind the last element of its package's path.
func shortFunction(name string) string {
	pkg := profiler.PackageOf(name)
	dir := path.Dir(pkg)
	if majorVersion.MatchString(path.Base(pkg)) { // which is no name
		dir = path.Dir(dir)
	}
	if dir != "." && strings.HasPrefix(strings.ReplaceAll(name, "%2e", "."), pkg) {
		return strings.TrimPrefix(strings.ReplaceAll(name, "%2e", "."), dir+"/")
	}
	return name
}

// majorVersion is the last element of the path of a module of version 2 or later.
var majorVersion = regexp.MustCompile(`^v[2-9]$|^v[1-9][0-9]+$`)

// profileFile is what perfgate calls a profile.
var profileFile = regexp.MustCompile(`^[\w./-]+\.pb\.gz$`)

// noReasons says why there is nothing to say.
func noReasons(w *result.Why) string {
	switch {
	case w.Missing != "" && len(reasonsOf(w)) > 0:
		return "Not explained further: " + w.Missing + "."
	case w.Missing != "":
		return "Not explained: " + w.Missing + "."
	case len(reasonsOf(w)) == 0:
		return "The profiles show no function that costs more beyond their own noise."
	}
	return ""
}

// why draws what grew below the rows that changed.
func (m *markdown) why() {
	all := explained(m.d)
	for _, b := range all[:m.most(len(all))] {
		m.line("**Why** %s:", code(m.short.of(b.Key())))
		m.line("")
		reasons := reasonsOf(b.Why)
		for _, r := range reasons[:min(telling, len(reasons))] {
			m.line("- %s", r.write(code, prose))
		}
		if said := noReasons(b.Why); said != "" {
			if len(reasons) > 0 {
				m.line("") // behind the list
			}
			m.line("%s", prose(said))
		}
		m.line("")
		if more := reasons[min(telling, len(reasons)):]; m.level < noUnchanged && len(more)+len(b.Why.Profiles) > 0 {
			m.line("<details><summary>More, and the profiles</summary>")
			m.line("")
			for _, r := range more {
				m.line("- %s", r.write(code, prose))
			}
			for _, name := range b.Why.Profiles {
				if profileFile.MatchString(name) { // of a run that a stranger stored, others are nothing to paste into a shell
					m.line("- %s", code("go tool pprof "+name))
				}
			}
			m.line("")
			m.line("</details>")
			m.line("")
		}
	}
	m.more(len(all))
}

// why prints what grew below the rows.
func (p *printer) why(d *Document) {
	short := namesOf(d)
	for _, b := range explained(d) {
		p.reasons(short.of(b.Key()), b.Why)
		p.line("")
	}
}

func (p *printer) reasons(name string, w *result.Why) {
	p.line("why %s:", inert(name))
	reasons := reasonsOf(w)
	for _, r := range reasons[:min(telling, len(reasons))] {
		p.line("  %s", r.write(inert, inert))
	}
	if said := noReasons(w); said != "" {
		p.line("  %s", inert(said))
	}
}

// Why prints what grew of a benchmark.
func Why(w io.Writer, benchmark string, why *result.Why) error {
	p := &printer{w: w}
	p.reasons(benchmark, why)
	return p.err
}

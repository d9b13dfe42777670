package parse

import (
	"fmt"
	"strings"

	"github.com/org/perfgate/internal/result"
)

// maxWarnings bounds the list of warnings; the rest is counted.
const maxWarnings = 100

// findings are what an input says outside of its result lines.
type findings struct {
	file string
	line int // the current one

	warnings []string
	unsaid   int // warnings beyond maxWarnings
	verdicts []verdict
	names    int // of benchmarks with a result, and verdicts
	env      result.Env
	pkg      string // in force

	// runs are the packages of the runs in the input, empty until known. A first iteration
	// that fails is reported before the run's headers.
	runs  []string
	ended bool // the last of runs came to its end

	building      string // the package whose compiler errors follow
	buildMessages map[string]string
	buildFailures []result.BuildFailure
}

// verdict is the end of a benchmark that is no result.
type verdict struct {
	name    string // as printed, without "Benchmark"
	line    int
	status  result.Status
	message string
	suffix  suffix

	run int
	pkg string // in force
}

// suffix says whether a name carries one for GOMAXPROCS.
type suffix int

const (
	perhaps suffix = iota
	with
	without
)

func newFindings(file string) *findings {
	return &findings{file: file, runs: []string{""}, buildMessages: make(map[string]string)}
}

// warn adds a warning about the current line.
func (f *findings) warn(format string, args ...any) { f.warnAt(f.line, format, args...) }

// warnAt adds a warning about a line; 0 is the whole input.
func (f *findings) warnAt(line int, format string, args ...any) {
	if len(f.warnings) >= maxWarnings {
		f.unsaid++
		return
	}
	e := SyntaxError{File: f.file, Line: line, Msg: fmt.Sprintf(format, args...)}
	f.warnings = append(f.warnings, strings.ToValidUTF8(e.Error(), "\ufffd"))
}

// all returns the warnings, with the number of those that found no place.
func (f *findings) all() []string {
	if f.unsaid > 0 {
		return append(f.warnings, fmt.Sprintf("%s: %d more warnings", f.file, f.unsaid))
	}
	return f.warnings
}

// add notes a verdict of the current run.
func (f *findings) add(v verdict) {
	if f.ended {
		f.newRun()
	}
	f.names++
	v.name = strings.TrimPrefix(v.name, string(prefix))
	v.run, v.pkg = len(f.runs)-1, f.pkg
	f.verdicts = append(f.verdicts, v)
}

// malformed notes a benchmark whose result line has no measurement. That is no failure of the
// benchmark, but it may not vanish either.
func (f *findings) malformed(o opened) {
	f.warnAt(o.line, "result line of %s has no measurement", clip([]byte(o.name)))
	f.add(verdict{name: o.name, line: o.line, status: result.OK, suffix: with})
}

func (f *findings) newRun() {
	f.runs = append(f.runs, "")
	f.ended = false
}

// placed reports whether the package of the current run is known.
func (f *findings) placed() bool { return f.runs[len(f.runs)-1] != "" }

func (f *findings) placeRun(pkg string) {
	if !f.placed() {
		f.runs[len(f.runs)-1] = pkg
	}
}

// packageOf returns the package of v: of its run where that is known by now.
func (f *findings) packageOf(v *verdict) string {
	if pkg := f.runs[v.run]; pkg != "" {
		return pkg
	}
	return v.pkg
}

// header takes a line in which a run introduces itself.
func (f *findings) header(key, val string) {
	val = cleanName(val)
	var field *string
	switch key {
	case "pkg":
		if f.ended || f.placed() {
			f.newRun()
		}
		f.pkg = val
		f.placeRun(val)
		return
	case "goos":
		field = &f.env.GOOS
	case "goarch":
		field = &f.env.GOARCH
	case "cpu":
		field = &f.env.CPU
	default:
		field = &f.env.Go
	}
	switch {
	case *field == "":
		*field = val
	case *field != val && val != "":
		f.warn("%s changes from %q to %q: results of different machines in one input; the first is kept", key, *field, val)
	}
}

// buildMessage keeps the compiler's first words about the package being built.
func (f *findings) buildMessage(words string) {
	if _, ok := f.buildMessages[f.building]; !ok && len(f.buildMessages) < maxWarnings {
		f.buildMessages[f.building] = words
	}
	f.building = ""
}

func (f *findings) unbuilt(pkg, why string) {
	msg, ok := f.buildMessages[pkg]
	if !ok {
		msg = why
	}
	f.buildFailures = append(f.buildFailures, result.BuildFailure{Package: pkg, Message: msg})
}

package parse

import (
	"bytes"
	"strings"

	"github.com/org/perfgate/internal/result"
)

// What package testing and cmd/go say around result lines.

// verdict takes "--- FAIL: name" and its kin. After output without a line end it is believed
// only where nothing follows the name, as package testing prints it for benchmarks.
func (n *normaliser) verdict(line []byte) bool {
	status, at := result.Failed, bytes.Index(line, []byte("--- FAIL: "))
	if at < 0 {
		status, at = result.Skipped, bytes.Index(line, []byte("--- SKIP: "))
	}
	if at < 0 {
		return bytes.HasPrefix(line, []byte("--- BENCH: "))
	}
	name, rest := field(line[at+len("--- FAIL: "):])
	switch {
	case isName(name) && (at == 0 || len(rest) == 0 && !indented(line)):
		n.judge(string(name), status)
		return true
	case at == 0 && status == result.Failed:
		n.found.warn("%s failed", clip(name))
	}
	return at == 0
}

// judge notes the verdict on a benchmark. Whether the name ends in a GOMAXPROCS suffix cannot
// be seen from it ("Sort/size-8"), but from the name printed before.
func (n *normaliser) judge(name string, status result.Status) {
	v := verdict{name: name, line: n.lines.line, status: status}
	switch {
	case n.open.tabbed && n.open.name == name, n.bare != "" && isProcsOf(name, n.bare):
		v.suffix = with
	case n.bare == name:
		v.suffix = without
	}
	if n.open.tabbed && n.open.name != name && !isProcsOf(n.open.name, name) {
		n.close(byNext)
	}
	v.message = n.said
	n.open, n.said = opened{}, ""
	n.found.add(v)
	n.awaiting = v.message == ""
}

// deaths are the starts of lines with which a process dies.
var deaths = []string{"panic: ", "fatal error: ", "unexpected fault address ", "*** Test killed", "signal: ", "exit status "}

// ending takes the lines that end a run.
func (n *normaliser) ending(line []byte) bool {
	s := string(line[:min(len(line), 2*maxMessage)])
	switch {
	case s == "PASS", s == "FAIL":
		if n.open.tabbed {
			return false // it cannot end before the numbers: this is the benchmark's own output
		}
		n.close(byEnd)
		n.words, n.culprit = "", "" // so those were not the last
		n.found.ended = true
		return true
	case strings.HasPrefix(s, "ok  \t"):
		n.close(byEnd)
		n.endRun(s[len("ok  \t"):])
		return true
	case strings.HasPrefix(s, "FAIL\t"):
		n.found.warn("%s", strings.Join(strings.Fields(clip(line)), " "))
		n.close(byDeath)
		n.endRun(s[len("FAIL\t"):])
		return true
	}
	for _, d := range deaths {
		if strings.HasPrefix(s, d) {
			n.dying(clip(line))
			return true
		}
	}
	return false
}

// dying keeps the first of a run's last words. They do not yet end the wait for a result: a
// benchmark may print such words, and the name is sometimes printed after a panic's.
func (n *normaliser) dying(words string) {
	n.found.warn("%s", words)
	if n.words == "" {
		n.words = words
	}
}

// traced returns the benchmark of a line in a stack trace, "import/path.BenchmarkX(0x1)" or
// "import/path.BenchmarkX.func1(0x1)". A panic in a benchmark's first iteration may come before
// its name is printed, and in a later run of -count after a good result.
func traced(line []byte) string {
	call, _, ok := bytes.Cut(line, []byte("("))
	dot := bytes.Index(call, []byte(".Benchmark"))
	if !ok || dot < 0 || bytes.ContainsAny(call, " \t") {
		return ""
	}
	name, _, _ := bytes.Cut(call[dot+1:], []byte("."))
	if !isName(name) {
		return ""
	}
	return string(name)
}

// forget clears what was known of the run before.
func (n *normaliser) forget() { n.words, n.culprit, n.bare, n.said = "", "", "", "" }

// endRun takes the rest of cmd/go's summary line of a package.
func (n *normaliser) endRun(summary string) {
	pkg, rest, _ := strings.Cut(strings.ReplaceAll(summary, "\t", " "), " ")
	pkg = cleanName(pkg)
	n.forget()
	for _, why := range []string{"build failed", "setup failed"} {
		if strings.HasPrefix(rest, "["+why+"]") {
			n.found.unbuilt(pkg, why)
			return
		}
	}
	n.found.placeRun(pkg)
	n.found.ended = true
}

// header takes the lines in which a run introduces itself. Between the name of a benchmark
// and its result such a line is output; only the first header of a next run is not.
func (n *normaliser) header(line []byte) bool {
	key, val, ok := cutHeader(line)
	if !ok || n.open.name != "" && key != "goos" {
		return false
	}
	if key == "goos" {
		n.close(byDeath)
		if n.found.ended || n.found.placed() {
			n.forget()
			n.found.newRun()
		}
	}
	n.found.header(key, val)
	return true
}

// cutHeader splits a line "key: value" with a key that we know, as benchfmt does.
func cutHeader(line []byte) (key, val string, ok bool) {
	k, v, found := bytes.Cut(line[:min(len(line), maxResult)], []byte(":"))
	if !found || len(v) > 0 && v[0] != ' ' && v[0] != '\t' {
		return "", "", false
	}
	val = strings.TrimLeft(string(v), " \t")
	switch key = string(k[:min(len(k), 16)]); key {
	case "pkg", "goos", "goarch", "cpu":
		return key, val, true
	case "go", "toolchain", "go-version": // but not "go: downloading example.com/m v1.0.0"
		val = goVersion(val)
		return key, val, strings.HasPrefix(val, "go1") || strings.HasPrefix(val, "devel ")
	}
	return "", "", false
}

// goVersion takes the version out of what `go version` prints.
func goVersion(s string) string {
	if words := strings.Fields(s); len(words) > 2 && words[0] == "go" && words[1] == "version" {
		return words[2]
	}
	return s
}

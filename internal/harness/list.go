package harness

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/org/perfgate/internal/harness/proc"
	"github.com/org/perfgate/internal/parse"
	"github.com/org/perfgate/internal/result"
)

// listing is what a test binary's benchmarks do when each runs once.
type listing struct {
	// bench holds every benchmark and sub-benchmark by name without the "Benchmark" prefix.
	bench map[string]*result.Benchmark
	// took is the time from a benchmark's start to the next one's.
	took map[string]time.Duration
	// procs is the number that the binary appends to names, 1 when it appends none.
	procs int
	// setup is the time before the first benchmark started.
	setup time.Duration
}

// lister lists the benchmarks of one binary by running each for one iteration.
type lister struct {
	bin    *binary
	env    []string
	filter *Filter
	// skip names functions that need not be listed.
	skip func(top string) bool
	// limit is when one benchmark counts as hung.
	limit func(name string) time.Duration
}

// list runs all benchmarks for one iteration. A benchmark that takes the process down is noted as
// failed, and those after it are run again without it, so that none goes unseen.
func (l *lister) list(ctx context.Context) (*listing, error) {
	out := &listing{bench: map[string]*result.Benchmark{}, took: map[string]time.Duration{}, procs: 1}
	todo, err := l.topLevel(ctx)
	if err != nil {
		return nil, err
	}
	for len(todo) > 0 {
		died, hung, err := l.pass(ctx, todo, out)
		if err != nil || died == "" {
			return out, err
		}
		top := topOf(died)
		at := slices.Index(todo, top)
		if at < 0 { // it died before the first benchmark: running it again cannot help
			return out, nil
		}
		if at > 0 && !hung {
			if err := l.culprit(ctx, todo[max(0, at-maxAhead):at+1], died, out); err != nil {
				return out, err
			}
		}
		todo = todo[at+1:]
	}
	return out, nil
}

// maxAhead is how many benchmarks may have begun while a panic was on its way.
const maxAhead = 3

// culprit finds out by running each alone which of the last benchmarks took the process down.
// Package testing goes on to the next ones as soon as a panicking one has run its deferred
// functions, before the runtime prints the panic and ends the process.
func (l *lister) culprit(ctx context.Context, last []string, died string, out *listing) error {
	blamed := out.bench[died]
	for _, name := range slices.Backward(last) {
		out.forget(name)
		if again, _, err := l.pass(ctx, []string{name}, out); err != nil || again != "" {
			return err
		}
	}
	out.bench[died] = blamed // alone none of them dies
	return nil
}

// forget removes what is known of a benchmark function.
func (l *listing) forget(top string) {
	of := func(name string) bool { return name == top || strings.HasPrefix(name, top+"/") }
	maps.DeleteFunc(l.bench, func(name string, _ *result.Benchmark) bool { return of(name) })
	maps.DeleteFunc(l.took, func(name string, _ time.Duration) bool { return of(name) })
}

// topLevel asks the binary for its benchmark functions and keeps those that the filter selects.
func (l *lister) topLevel(ctx context.Context) ([]string, error) {
	p := proc.Process{Path: l.bin.path, Args: []string{"-test.list=^Benchmark"}, Dir: l.bin.dir, Env: l.env, Limit: l.limit("")}
	e, err := p.Run(ctx)
	if err != nil {
		return nil, err
	}
	if e.Failure != "" {
		return nil, fmt.Errorf("the test binary of %s cannot list its benchmarks: %s%s", l.bin.pkg, e.Failure, lastLine(e.Stderr))
	}
	var names []string
	for line := range strings.Lines(string(e.Stdout)) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "Benchmark"); ok && (l.skip == nil || !l.skip(name)) {
			names = append(names, name)
		}
	}
	return l.filter.top(names), nil
}

// pass runs the top-level benchmarks names once and adds what came of it to out. It returns
// the benchmark that took the process down, if one did, and whether it hung.
func (l *lister) pass(ctx context.Context, names []string, out *listing) (died string, hung bool, err error) {
	w := &watch{limit: l.limit, took: out.took}
	p := proc.Process{
		Path: l.bin.path, Dir: l.bin.dir, Env: l.env, Limit: l.limit(""), Watch: w,
		Args: []string{"-test.run=^$", "-test.bench=" + l.filter.only(names), "-test.benchtime=1x", "-test.count=1",
			"-test.benchmem", "-test.paniconexit0", "-test.v=test2json"},
	}
	e, err := p.Run(ctx)
	w.finish()
	if err != nil {
		return "", false, err
	}
	if out.setup == 0 {
		out.setup = w.setup
	}
	if n := suffixOf(e.Stdout, w.started); n > 1 {
		out.procs = n
	}
	r, err := parse.GoBench(bytes.NewReader(e.Stdout), l.bin.pkg, parse.GoOptions{Procs: out.procs})
	if err != nil {
		return "", false, err
	}
	for _, b := range r.Set.Benchmarks {
		if slices.Contains(w.started, b.Name) { // else a benchmark printed what looks like a result
			out.bench[b.Name] = b
		}
	}
	return l.explain(names, e, w, out), e.Hung, nil
}

// lastWord is what package testing prints at its end where a benchmark failed. Without it, exit
// status 1 came from elsewhere, such as an os.Exit(1) that ended the process before the other
// benchmarks.
var lastWord = regexp.MustCompile(`(?m)^\x16?FAIL$`)

// explain gives a status to every benchmark that started and printed nothing of its own.
func (l *lister) explain(names []string, e proc.Exited, w *watch, out *listing) (died string) {
	current := w.current()
	abnormal := e.Failure != "" && !(e.Failure == "exit status 1" && lastWord.Match(e.Stdout))
	for _, name := range w.started {
		if _, known := out.bench[name]; known || !(abnormal && name == current) && !l.isBenchmark(name, w.started) {
			continue
		}
		b := &result.Benchmark{Name: name, Status: result.Failed, Message: "it printed no result"}
		if name == current && e.Failure != "" {
			b.Message, died = failureMessage(e), name
		}
		out.bench[name] = b
	}
	if died == "" && abnormal && current != "" {
		died = current
		out.bench[current] = &result.Benchmark{Name: current, Status: result.Failed, Message: failureMessage(e)}
	}
	if len(w.started) == 0 { // TestMain never got to them
		msg := "its test binary ran no benchmark"
		if e.Failure != "" {
			msg = failureMessage(e)
		}
		for _, n := range names {
			out.bench[n] = &result.Benchmark{Name: n, Status: result.Failed, Message: msg}
		}
	}
	return died
}

// isBenchmark reports whether what started should have printed a result: it is no group of
// sub-benchmarks, and was not only looked into for ones that the filter selects.
func (l *lister) isBenchmark(name string, started []string) bool {
	hasChildren := slices.ContainsFunc(started, func(s string) bool { return strings.HasPrefix(s, name+"/") })
	return !hasChildren && l.filter.Match(name)
}

// failureMessage puts a child's end into a line: its panic or last words, and how it ended.
func failureMessage(e proc.Exited) string {
	text := append(slices.Clone(e.Stdout), e.Stderr...)
	if e.Hung {
		return e.Failure
	}
	for _, mark := range []string{"panic: ", "fatal error: ", "Callgrind: "} {
		if i := bytes.LastIndex(text, []byte(mark)); i >= 0 {
			line, _, _ := bytes.Cut(text[i:], []byte("\n"))
			return clip(string(line))
		}
	}
	if i := bytes.LastIndex(text, []byte("--- FAIL: ")); i >= 0 {
		if lines := strings.SplitN(string(text[i:]), "\n", 3); len(lines) > 1 && strings.HasPrefix(lines[1], " ") {
			return clip(strings.TrimSpace(lines[1]))
		}
	}
	return clip(e.Failure + lastLine(e.Stderr))
}

// lastLine returns the last line that a process wrote, introduced for a message.
func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "" {
		return ": " + clip(last)
	}
	return ""
}

// clip bounds a message that a stranger's program wrote.
func clip(s string) string {
	if r := []rune(strings.ToValidUTF8(s, "\uFFFD")); len(r) > 300 {
		return string(r[:300]) + "…"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// suffixOf finds the GOMAXPROCS number that the binary appended to a name in its results.
func suffixOf(out []byte, started []string) int {
	for _, name := range started {
		m := regexp.MustCompile(`(?m)^Benchmark` + regexp.QuoteMeta(name) + `-(\d+)\s+\d+\s`).FindSubmatch(out)
		if m == nil {
			continue
		}
		var n int
		fmt.Sscan(string(m[1]), &n)
		return n
	}
	return 1
}

// runMark begins the line by which package testing announces a benchmark in test2json mode.
var runMark = []byte("\x16=== RUN   Benchmark")

// watch sees which benchmark a process is at, and gives each one its own time limit.
type watch struct {
	out   io.Writer
	limit func(name string) time.Duration
	took  map[string]time.Duration
	setup time.Duration

	mu      sync.Mutex
	timer   *time.Timer
	line    []byte
	started []string
	since   time.Time
}

// Begin is called before the process starts.
func (w *watch) Begin(keep io.Writer, limit *time.Timer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out, w.timer, w.since = keep, limit, time.Now()
}

// Write passes the output on and looks for announcements, which may come in pieces.
func (w *watch) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out.Write(p)
	for rest := p; len(rest) > 0; {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			if len(w.line) < 64<<10 {
				w.line = append(w.line, rest...)
			}
			break
		}
		w.announce(append(w.line, rest[:i]...))
		w.line, rest = w.line[:0], rest[i+1:]
	}
	return len(p), nil
}

func (w *watch) announce(line []byte) {
	i := bytes.Index(line, runMark)
	if i < 0 {
		return
	}
	w.closeCurrent()
	name := string(bytes.TrimSpace(line[i+len(runMark):]))
	w.started = append(w.started, name)
	w.timer.Reset(w.limit(name))
}

// closeCurrent books the time since the last announcement.
func (w *watch) closeCurrent() {
	now := time.Now()
	if n := len(w.started); n > 0 {
		w.took[w.started[n-1]] += now.Sub(w.since)
	} else {
		w.setup = now.Sub(w.since)
	}
	w.since = now
}

func (w *watch) finish() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closeCurrent()
}

func (w *watch) current() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.started) == 0 {
		return ""
	}
	return w.started[len(w.started)-1]
}

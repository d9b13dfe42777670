package parse

import (
	"bytes"
	"fmt"
	"io"

	"golang.org/x/perf/benchfmt"

	"github.com/org/perfgate/internal/result"
)

// GoOptions says how to read the Go benchmark format.
type GoOptions struct {
	// Procs is the GOMAXPROCS value whose "-N" suffix is stripped from names; 0: strip the
	// suffix when every result line of the input carries the same one (N > 1), else keep
	// names whole.
	Procs int
}

// GoResult is what an input in the Go benchmark format holds.
type GoResult struct {
	// Set has the benchmarks in the order of their first appearance.
	Set *result.Set
	// Warnings say what was repaired, dropped or doubtful, with file and line.
	Warnings []string
	// Procs is the GOMAXPROCS value that was stripped, 0 where names were kept whole.
	Procs int
}

// Bounds of an input, which no honest one comes near: what is read has to fit into memory.
const (
	maxInput = result.MaxFile // bytes
	maxNames = 1 << 20        // benchmarks and their failures
)

var errNames = fmt.Errorf("more than %d benchmarks: parse it in parts", maxNames)

// GoBench reads the output of `go test -bench`: one run or many, of one package or many.
//
// Each result line is one sample in base units (seconds, bytes, counts) of a benchmark of the
// suite "gobench". A benchmark that failed, or whose name was printed without a result before
// its run died, is there with its status and message. What cannot be read is a warning; the
// error is one of reading r, or an input larger than 256 MiB or a million benchmarks.
func GoBench(r io.Reader, name string, o GoOptions) (*GoResult, error) {
	limited := &io.LimitedReader{R: r, N: maxInput + 1}
	found := newFindings(name)
	reader := benchfmt.NewReader(newNormaliser(limited, found), name)
	c := newCollector(found)
	for reader.Scan() {
		switch rec := reader.Result().(type) {
		case *benchfmt.Result:
			c.result(rec)
		case *benchfmt.SyntaxError:
			found.warnAt(rec.Line, "%s", clip([]byte(rec.Msg)))
		}
	}
	if err := reader.Err(); err != nil {
		return nil, err
	}
	if limited.N <= 0 {
		return nil, &SyntaxError{File: name, Msg: fmt.Sprintf("larger than %d MiB: parse it in parts", maxInput>>20)}
	}
	procs := o.Procs
	if procs == 0 {
		procs = c.commonProcs()
	}
	set := c.set(procs, reader.Units())
	return &GoResult{Set: set, Warnings: found.all(), Procs: procs}, nil
}

// goSigns are the starts of lines that only runs of tests and benchmarks print.
var goSigns = []string{
	"goos: ", "pkg: ", "ok  \t", "FAIL\t",
	"--- FAIL: Benchmark", "--- SKIP: Benchmark", "=== RUN   Benchmark",
}

// detectGo looks for a line of a run, or for a benchmark's name at the start of a line or,
// with its result, after other output.
func detectGo(head []byte) bool {
	for line := range bytes.Lines(head) {
		line = unframe(bytes.TrimRight(line, "\r\n"))
		for _, sign := range goSigns {
			if bytes.HasPrefix(line, []byte(sign)) {
				return true
			}
		}
		if isName(line) || bytes.HasPrefix(line, prefix) && isResult(line) {
			return true
		}
		if bytes.IndexByte(line, '\t') >= 0 && glued(line) > 0 { // JSON can quote one, without tabs
			return true
		}
	}
	return false
}

// parseGo is GoBench as a row of Formats.
func parseGo(r io.Reader, name string) (*result.File, error) {
	res, err := GoBench(r, name, GoOptions{})
	if err != nil {
		return nil, err
	}
	return &result.File{SchemaVersion: result.Schema, Head: res.Set, Warnings: res.Warnings}, nil
}

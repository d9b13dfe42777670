package parse

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/org/perfgate/internal/result"
)

// SuiteStartup is the suite of what programs spend when they start.
const SuiteStartup = "startup"

// Package is what one process spent on a package or module before its main program ran.
type Package struct {
	Name string
	// Depth says how far below the first import it stands, where the runtime tells.
	Depth int
	// Self is its own time in seconds, Total that with all it was the first to import. Where a runtime
	// initialises one package after the other they are the same.
	Self, Total float64
	// Bytes and Allocs are what it allocated, 0 where nobody counts.
	Bytes, Allocs int64
}

// Imports are the packages of one process in the order of their end, those of its first process where an output
// holds more. Runtime is "go" or "python", empty where the output has no such lines.
type Imports struct {
	Runtime  string
	Packages []Package
}

// importLines know the lines of one runtime.
type importLines struct {
	runtime string
	// line reads one. A heading begins a process and is no package; another line is neither.
	line func(line string) (p Package, heading, ok bool)
	// heads says that every process has a heading. Without one it begins with a name that was there.
	heads bool
}

var (
	goImports     = importLines{runtime: "go", line: initLine}
	pythonImports = importLines{runtime: "python", line: importLine, heads: true}
)

// mostPackages of a process: its output is a stranger's.
const mostPackages = 1 << 16

// initForm is a line of GODEBUG=inittrace=1, see the documentation of package runtime.
var initForm = regexp.MustCompile(`^init (\S+) @[\d.]{1,20} ms, ([\d.]{1,20}) ms clock, (\d{1,15}) bytes, (\d{1,15}) allocs$`)

func initLine(line string) (p Package, heading, ok bool) {
	m := initForm.FindStringSubmatch(line)
	if m == nil {
		return p, false, false
	}
	ms, err := strconv.ParseFloat(m[2], 64)
	p.Name, p.Self, p.Total = cleanName(m[1]), ms/1e3, ms/1e3
	p.Bytes, _ = strconv.ParseInt(m[3], 10, 64) // 15 digits fit
	p.Allocs, _ = strconv.ParseInt(m[4], 10, 64)
	return p, false, err == nil && p.Name != ""
}

// importForm is a line of python -X importtime: own and cumulative microseconds, and the module, indented by
// two blanks a level.
var importForm = regexp.MustCompile(`^import time:\s+(\d{1,15}) \|\s+(\d{1,15}) \| ((?:  )*)(\S.*)$`)

func importLine(line string) (p Package, heading, ok bool) {
	if strings.HasPrefix(line, "import time: self [us]") {
		return p, true, true
	}
	m := importForm.FindStringSubmatch(line)
	if m == nil {
		return p, false, false
	}
	self, _ := strconv.ParseFloat(m[1], 64)
	total, _ := strconv.ParseFloat(m[2], 64)
	p = Package{Name: cleanName(strings.TrimSpace(m[4])), Depth: len(m[3]) / 2, Self: self / 1e6, Total: max(self, total) / 1e6}
	return p, false, p.Name != ""
}

// ReadImports finds the lines of any runtime among what a program wrote. The error is one of reading.
func ReadImports(r io.Reader) (Imports, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxInput))
	if err != nil {
		return Imports{}, err
	}
	for _, of := range []importLines{goImports, pythonImports} {
		processes, err := of.read(bytes.NewReader(data))
		if err != nil {
			return Imports{}, err
		}
		if len(processes) > 0 {
			return Imports{of.runtime, processes[0]}, nil
		}
	}
	return Imports{}, nil
}

// read returns the packages of each process. What a process imports again counts together.
func (l importLines) read(r io.Reader) (processes [][]Package, err error) {
	lines := newLineReader(r)
	at := map[string]int{} // in the last process
	for {
		line, err := lines.next()
		if errors.Is(err, io.EOF) {
			return slices.DeleteFunc(processes, func(p []Package) bool { return len(p) == 0 }), nil
		}
		if err != nil {
			return nil, err
		}
		p, heading, ok := l.line(strings.ToValidUTF8(string(line), "\ufffd"))
		i, known := at[p.Name]
		if !ok {
			continue
		}
		if heading || len(processes) == 0 || known && !l.heads {
			processes, at, known = append(processes, nil), map[string]int{}, false
		}
		last := &processes[len(processes)-1]
		switch {
		case heading || len(*last) >= mostPackages:
		case known:
			(*last)[i].Self += p.Self
			(*last)[i].Total += p.Total
		default:
			at[p.Name] = len(*last)
			*last = append(*last, p)
		}
	}
}

// detect reports whether an input begins with such lines, among others.
func (l importLines) detect(head []byte) bool {
	for line := range bytes.Lines(head) {
		if _, _, ok := l.line(strings.TrimRight(string(line), "\r\n")); ok {
			return true
		}
	}
	return false
}

// The units of a package's start.
const (
	unitSelf, unitTotal   = "self-sec", "total-sec"
	unitBytes, unitAllocs = "init-B", "init-allocs"
)

// parse is read as a row of Formats: a package is a benchmark, a process one sample.
func (l importLines) parse(r io.Reader, name string) (*result.File, error) {
	limited := &io.LimitedReader{R: r, N: maxInput + 1}
	processes, err := l.read(limited)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if limited.N <= 0 {
		return nil, &SyntaxError{File: name, Msg: fmt.Sprintf("larger than %d MiB: parse it in parts", maxInput>>20)}
	}
	set, index := &result.Set{}, map[string]*result.Benchmark{}
	for pass, packages := range processes {
		for _, p := range packages {
			b := index[p.Name]
			if b == nil {
				b = &result.Benchmark{Suite: SuiteStartup, Name: p.Name, Status: result.OK}
				set.Benchmarks, index[p.Name] = append(set.Benchmarks, b), b
			}
			values := map[string]float64{unitSelf: p.Self, unitTotal: p.Total}
			if l.runtime == goImports.runtime {
				values = map[string]float64{unitSelf: p.Self, unitBytes: float64(p.Bytes), unitAllocs: float64(p.Allocs)}
			}
			for _, unit := range []string{unitSelf, unitTotal, unitBytes, unitAllocs} {
				if v, ok := values[unit]; ok && !math.IsInf(v, 0) {
					b.Add(result.UnitOf(unit), result.Sample{Value: v, Iters: 1, Pair: pass, Pass: pass})
				}
			}
		}
	}
	return &result.File{SchemaVersion: result.Schema, Head: set}, nil
}

// Package parse turns the output of other tools, and the files of perfgate itself, into the
// vocabulary of package result: one file per format, one literal table of formats.
//
// It reads readers. It never opens a file, runs a program or judges a number, and it trusts
// nothing it reads: on a pull request the input is the stranger's. What it doubts it says in
// warnings that name the line; what it cannot find it does not invent. The next step is
// package compare.
package parse

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/org/perfgate/internal/result"
)

// Format is one input format.
type Format struct {
	// Name is what the user calls it.
	Name string
	// Detect decides on the first bytes (up to 64 KiB) of the input.
	Detect func(head []byte) bool
	// Parse reads the whole input. The name is the input's, for messages.
	Parse func(r io.Reader, name string) (*result.File, error)
	// example is a command that makes such an input.
	example string
}

// Formats is the one list of formats, in the order in which they are tried.
var Formats = []Format{
	{Name: "perfgate", Detect: detectPerfgate, Parse: parsePerfgate, example: "perfgate run"},
	{Name: "go", Detect: detectGo, Parse: parseGo, example: "go test -bench=. -benchmem -count=10 > FILE"},
	{Name: "inittrace", Detect: goImports.detect, Parse: goImports.parse, example: "GODEBUG=inittrace=1 PROGRAM 2> FILE"},
	{Name: "importtime", Detect: pythonImports.detect, Parse: pythonImports.parse, example: "python3 -X importtime PROGRAM 2> FILE"},
}

// sniffed is how much of an input Detect gets to see, in bytes.
const sniffed = 64 << 10

// SyntaxError is a complaint about a place in an input. Line counts from 1; 0 means the whole.
type SyntaxError struct {
	File string
	Line int
	Msg  string
}

func (e *SyntaxError) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Msg
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg)
}

// Parse reads an input of any format in Formats. An input of no known format, or without a
// single benchmark, is a *SyntaxError that says what was expected and what to try.
func Parse(r io.Reader, name string) (*result.File, error) {
	br := bufio.NewReaderSize(r, sniffed)
	if bom, _ := br.Peek(3); string(bom) == "\ufeff" {
		_, _ = br.Discard(3) // it is in the buffer
	}
	head, err := br.Peek(sniffed)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	for _, f := range Formats {
		if !f.Detect(head) {
			continue
		}
		file, err := f.Parse(br, name)
		if err == nil && len(file.Head.Benchmarks) == 0 {
			err = &SyntaxError{File: name, Msg: noBenchmark(file)}
		}
		if err != nil {
			return nil, err
		}
		return file, nil
	}
	return nil, &SyntaxError{File: name, Msg: unknown(head)}
}

// noBenchmark explains an input of a known format that is of no use.
func noBenchmark(f *result.File) string {
	msg := "holds no benchmark"
	if len(f.Warnings) > 0 {
		msg += " (" + f.Warnings[0] + ")"
	}
	return msg + "; " + expected()
}

// expected lists the formats and how to come by them.
func expected() string {
	var b strings.Builder
	b.WriteString("expected one of:")
	for i, f := range Formats {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, " %s (try: %s)", f.Name, f.example)
	}
	return b.String()
}

// foreign are inputs that people hold for benchmark results, and the way out.
var foreign = []struct{ sign, advice string }{
	{"\xff\xfe", "it is UTF-16, which `>` of older PowerShells writes: use `| Out-File -Encoding utf8`"},
	{"\xfe\xff", "it is UTF-16: save it as UTF-8"},
	{`"Action":"`, "it is the output of go test -json: leave -json out"},
}

// unknown explains an input that no format recognises.
func unknown(head []byte) string {
	if len(bytes.TrimSpace(head)) == 0 {
		return "is empty; " + expected()
	}
	for _, f := range foreign {
		if bytes.Contains(head, []byte(f.sign)) {
			return "unknown format: " + f.advice + "; " + expected()
		}
	}
	return "unknown format; " + expected()
}

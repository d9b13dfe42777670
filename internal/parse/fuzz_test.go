package parse

import (
	"bytes"
	"io"
	"math"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/org/perfgate/internal/result"
)

// FuzzFormats feeds anything to every format: no panic, values finite, names valid UTF-8 and
// bounded, and what GoBench makes of it survives a file.
func FuzzFormats(f *testing.F) {
	for _, format := range Formats {
		for _, data := range samples(f, format.Name) {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, format := range Formats {
			format.Detect(data[:min(len(data), sniffed)])
			file, err := format.Parse(bytes.NewReader(data), "fuzz")
			if err != nil {
				continue
			}
			checkFile(t, file)
			if format.Name == "go" {
				checkRoundTrip(t, file.Head)
				checkLines(t, data)
			}
		}
	})
}

func checkFile(t *testing.T, f *result.File) {
	for _, b := range f.Head.Benchmarks {
		checkText(t, b.Name, maxName)
		checkText(t, b.Package, maxName)
		checkText(t, b.Message, 2*maxMessage)
		if b.Status != result.OK && b.Message == "" {
			t.Errorf("benchmark %s is %s without a message", b.Key(), b.Status)
		}
		if b.Status == result.OK && len(b.Metrics) == 0 && b.Unmeasured == "" {
			t.Errorf("benchmark %s has no samples and no reason", b.Key())
		}
		for _, m := range b.Metrics {
			checkText(t, m.Unit.Name, maxName)
			for i, s := range m.Samples {
				if math.IsNaN(s.Value) || math.IsInf(s.Value, 0) || s.Iters < 0 {
					t.Errorf("%s of %s: sample %+v", m.Unit.Name, b.Key(), s)
				}
				if s.Pass != s.Pair {
					t.Errorf("%s of %s: line %d is pass %d", m.Unit.Name, b.Key(), s.Pair, s.Pass)
				}
				if i > 0 && s.Pair <= m.Samples[i-1].Pair {
					t.Errorf("%s of %s: pair %d twice", m.Unit.Name, b.Key(), s.Pair)
				}
			}
		}
	}
	if len(f.Warnings) > maxWarnings+1 {
		t.Errorf("%d warnings", len(f.Warnings))
	}
	for _, b := range f.Head.BuildFailures {
		checkText(t, b.Package, maxName)
		checkText(t, b.Message, 2*maxMessage)
	}
	for _, w := range f.Warnings {
		checkText(t, w, 8*maxMessage)
	}
}

func checkText(t *testing.T, s string, limit int) {
	if !utf8.ValidString(s) || len(s) > limit {
		t.Errorf("%d bytes of text, valid %v: %.100q", len(s), utf8.ValidString(s), s)
	}
}

func checkRoundTrip(t *testing.T, set *result.Set) {
	f := &result.File{Tool: result.Tool{Name: "perfgate"}, GeneratedAt: time.Unix(1, 0).UTC(), Head: set}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatalf("Write: %v", err)
	}
	got, err := result.Read(&b)
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	if diff := cmp.Diff(set, got.Head, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("after Write and Read (-want +got):\n%s", diff)
	}
}

// checkLines holds that the normaliser yields a line for a line, each fit for benchfmt.
func checkLines(t *testing.T, data []byte) {
	out, err := io.ReadAll(newNormaliser(bytes.NewReader(data), newFindings("fuzz")))
	if err != nil {
		t.Fatal(err)
	}
	want := bytes.Count(data, []byte("\n"))
	if len(data) > 0 && data[len(data)-1] != '\n' {
		want++
	}
	if got := bytes.Count(out, []byte("\n")); got != want {
		t.Errorf("%d lines out of %d", got, want)
	}
	for line := range bytes.Lines(out) {
		if len(line) > maxResult+1 {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
}

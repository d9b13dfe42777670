package parse

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/org/perfgate/internal/result"
)

// samples are the inputs in testdata/<format>/*.in, by file.
func samples(t testing.TB, format string) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", format, "*.in"))
	if err != nil || len(files) == 0 {
		t.Fatalf("format %s has no samples in testdata/%s: %v", format, format, err)
	}
	data := make(map[string][]byte)
	for _, f := range files {
		if data[f], err = os.ReadFile(f); err != nil {
			t.Fatal(err)
		}
	}
	return data
}

// TestSniff holds that each format knows its samples, and no other format does.
func TestSniff(t *testing.T) {
	for _, f := range Formats {
		for file, data := range samples(t, f.Name) {
			for _, g := range Formats {
				head := data[:min(len(data), sniffed)]
				if got, want := g.Detect(head), g.Name == f.Name; got != want {
					t.Errorf("%s: %s.Detect = %v, want %v", file, g.Name, got, want)
				}
			}
		}
	}
}

func TestParseGo(t *testing.T) {
	in := "\ufeffgoos: linux\npkg: example.com/m\nBenchmarkX-2 100 5 ns/op\nBenchmarkY-2 100 oops\n"
	got, err := Parse(iotest.OneByteReader(strings.NewReader(in)), "new.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := &result.File{
		SchemaVersion: result.Schema,
		Warnings:      []string{"new.txt:4: parsing measurement: invalid syntax"},
		Head: &result.Set{
			Env: result.Env{GOOS: "linux", GOMAXPROCS: 2},
			Benchmarks: []*result.Benchmark{{
				Suite: "gobench", Package: "example.com/m", Name: "X", Status: result.OK,
				Metrics: []*result.Metric{{Unit: result.UnitOf("sec/op"), Samples: []result.Sample{{Value: 5e-9, Iters: 100}}}},
			}},
		},
	}
	got.Head.Benchmarks[0].Metrics[0].Samples[0].Value = round(got.Head.Benchmarks[0].Metrics[0].Samples[0].Value)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Parse (-want +got):\n%s", diff)
	}
}

// round takes the last bit off 5 × 1e-9, which is not 5e-9.
func round(v float64) float64 { return float64(int(v*1e12+0.5)) / 1e12 }

// TestParsePerfgate writes the sample of our own format, so that it cannot grow stale, and
// reads it.
func TestParsePerfgate(t *testing.T) {
	f := &result.File{
		Tool:        result.Tool{Name: "perfgate", Version: "test"},
		GeneratedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Head: &result.Set{Benchmarks: []*result.Benchmark{{
			Suite: "gobench", Package: "example.com/m", Name: "X", Status: result.OK,
			Metrics: []*result.Metric{{Unit: result.UnitOf("sec/op"), Samples: []result.Sample{{Value: 5e-9, Iters: 100}}}},
		}}},
		Warnings: []string{"BenchmarkX-2 100 5 ns/op"},
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/perfgate/schema2.in", b.Bytes())
	got, err := Parse(&b, "latest.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(f.Head, got.Head); diff != "" {
		t.Errorf("Parse (-want +got):\n%s", diff)
	}
}

func TestParseErrors(t *testing.T) {
	schema1 := string(samples(t, "perfgate")["testdata/perfgate/schema1.in"])
	tests := []struct {
		name, in string
		want     []string // parts of the message
	}{
		{"empty", " \n", []string{"f: is empty", "perfgate run", "go test -bench"}},
		{"text", "hello\n", []string{"f: unknown format", "go test -bench"}},
		{"UTF-16", "\xff\xfeg\x00o\x00", []string{"UTF-16", "Out-File"}},
		{"json", `{"Time":"x","Action":"output","Output":"BenchmarkX \t 1\t 1 ns/op\n"}`, []string{"go test -json"}},
		{"no benchmark", "ok  \texample.com/m\t0.1s\n", []string{"f: holds no benchmark; expected"}},
		{"only a death", "panic: boom\nFAIL\texample.com/m\t0.1s\n", []string{"f: holds no benchmark (f:1: panic: boom)"}},
		{"newer schema", `{"schema_version": 99}`, []string{"f: ", "schema_version 99"}},
		{"edited", `{"schema_version": 2, "head": {}}`, []string{"f: "}},
		{"infinite", strings.Replace(schema1, "901", "1e308", 1), []string{"f: ", "peak-max-B is +Inf"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Parse(strings.NewReader(tt.in), "f")
			if err == nil {
				t.Fatalf("Parse = %+v, want an error", f)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("Parse: %v, want it to say %q", err, want)
				}
			}
		})
	}
}

func TestParseReadError(t *testing.T) {
	broken := errors.New("broken")
	for _, in := range []string{"", "BenchmarkX 1 1 ns/op\n" + strings.Repeat("x", sniffed)} {
		_, err := Parse(io.MultiReader(strings.NewReader(in), iotest.ErrReader(broken)), "f.txt")
		if !errors.Is(err, broken) || !strings.Contains(err.Error(), "f.txt") {
			t.Errorf("Parse after %d bytes: %v, want one that names file and cause", len(in), err)
		}
	}
}

func TestSyntaxError(t *testing.T) {
	_, err := Parse(strings.NewReader("hello"), "f.txt")
	var syntax *SyntaxError
	if !errors.As(err, &syntax) || syntax.File != "f.txt" || syntax.Line != 0 {
		t.Errorf("Parse(hello) = %#v, want a SyntaxError of f.txt", err)
	}
	if got := (&SyntaxError{"f", 3, "no"}).Error(); got != "f:3: no" {
		t.Errorf("Error() = %q, want f:3: no", got)
	}
}

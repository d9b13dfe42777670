package result

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestGolden pins the format: a committed baseline of today must be readable tomorrow.
func TestGolden(t *testing.T) {
	golden(t, "testdata/schema2.golden", written(t, full()))
}

// TestRoundTrip: what is written is what is read, to the last bit.
func TestRoundTrip(t *testing.T) {
	for name, f := range map[string]*File{
		"full":  full(),
		"small": {Tool: Tool{Name: "perfgate"}, GeneratedAt: time.Unix(1, 0).UTC(), Head: &Set{}},
	} {
		before := written(t, f)
		got, err := Read(bytes.NewReader(before))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		f.SchemaVersion = Schema
		if diff := cmp.Diff(f, got, cmpopts.IgnoreFields(File{}, "SHA256"), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-written +read):\n%s", name, diff)
		}
		if again := written(t, got); !bytes.Equal(before, again) {
			t.Errorf("%s: written again it differs:\n%s", name, cmp.Diff(string(before), string(again)))
		}
	}
}

// TestWriteKeepsTheFile: writing seals a copy, so a file can be written again while it grows.
func TestWriteKeepsTheFile(t *testing.T) {
	f := full()
	f.Policy = json.RawMessage("{ \"effect\": 0.05 }")
	written(t, f)
	want := full()
	want.Policy = json.RawMessage("{ \"effect\": 0.05 }")
	if diff := cmp.Diff(want, f); diff != "" {
		t.Errorf("after Write (-before +after):\n%s", diff)
	}
}

// TestNumbers survive bit by bit: values, and columns that look constant or counting at both ends.
func TestNumbers(t *testing.T) {
	values := []float64{0, math.SmallestNonzeroFloat64, math.MaxFloat64, -math.MaxFloat64, 1.0 / 3, 1e21, 1e-7, math.Pi, 1 << 53}
	b := &Benchmark{Name: "X", Status: OK}
	for i, v := range values {
		b.Add(UnitOf("sec/op"), Sample{Value: v, Iters: i % 4, Pair: []int{0, 1, 3, 2, 4, 5, 6, 7, 8}[i]})
	}
	f := &File{Tool: Tool{Name: "perfgate"}, GeneratedAt: time.Unix(1, 0), Head: &Set{Benchmarks: []*Benchmark{b}}}
	got, err := Read(bytes.NewReader(written(t, f)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b.Metrics, got.Head.Benchmarks[0].Metrics); diff != "" {
		t.Errorf("(-written +read):\n%s", diff)
	}
}

// TestColumns pins what is written of the samples of either stage: nothing that the values' positions
// say already.
func TestColumns(t *testing.T) {
	one := []Sample{{Value: 1, Iters: 5}}
	tests := []struct {
		name             string
		samples, confirm []Sample
		want             string
	}{
		{"a pass a sample", []Sample{{Value: 1, Iters: 5}, {Value: 2, Iters: 5, Pair: 1, Pass: 1}, {Value: 3, Iters: 5, Pair: 2, Pass: 2}}, nil,
			`"iters":[5],"values":[1,2,3]`},
		{"one pass", []Sample{{Value: 1, Iters: 5}, {Value: 2, Iters: 5, Pair: 1}}, nil,
			`"iters":[5],"passes":[0,0],"values":[1,2]`},
		{"a lost first pass", []Sample{{Value: 1, Iters: 5, Pass: 1}, {Value: 2, Iters: 5, Pair: 1, Pass: 2}}, nil,
			`"iters":[5],"passes":[1,2],"values":[1,2]`},
		{"one value of many pairs", []Sample{{Value: 1, Iters: 5}, {Value: 2, Iters: 6, Pair: 12, Pass: 1}}, nil,
			`"iters":[5,6],"pairs":[0,12],"values":[1,2]`},
		{"a second stage", one, []Sample{{Value: 2, Iters: 6, Pair: 1}, {Value: 3, Iters: 6, Pair: 2, Pass: 1}},
			`"iters":[5],"values":[1],"confirm":{"iters":[6],"pairs":[1,2],"values":[2,3]}`},
		{"a second stage of one pass", one, []Sample{{Value: 2, Iters: 6}, {Value: 3, Iters: 6, Pair: 1}},
			`"iters":[5],"values":[1],"confirm":{"iters":[6],"passes":[0,0],"values":[2,3]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := &Metric{Unit: UnitOf("x"), Samples: tt.samples, Confirm: tt.confirm}
			got, err := json.Marshal(m)
			if want := `{"unit":"x",` + tt.want + `}`; err != nil || string(got) != want {
				t.Fatalf("Marshal = %s, %v\nwant %s", got, err, want)
			}
			read := &Metric{Confirm: one} // of another time
			if err := json.Unmarshal(got, read); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(m, read); diff != "" {
				t.Errorf("(-written +read):\n%s", diff)
			}
		})
	}
}

// TestWriteRefuses: JSON has no word for these, and null would read as zero.
func TestWriteRefuses(t *testing.T) {
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		f := full()
		f.Head.Benchmarks[0].Metrics[0].Samples[1].Value = v
		var out bytes.Buffer
		if err := f.Write(&out); err == nil || !strings.Contains(err.Error(), "sec/op: sample 1 is ") || out.Len() > 0 {
			t.Errorf("Write of %v: error %v and %d bytes, want an error that names the sample and nothing written", v, err, out.Len())
		}
	}
	f := full()
	f.Head.Benchmarks[0].Metrics[0].Confirm[1].Value = math.NaN()
	if err := f.Write(&bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "sec/op: sample 1 is NaN") {
		t.Errorf("Write of NaN in the second stage: %v", err)
	}
	f = full()
	f.Policy = json.RawMessage("{")
	if err := f.Write(&bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "policy") {
		t.Errorf("Write of a broken policy: %v", err)
	}
}

// TestReadRefuses: whatever perfgate cannot have written is an error, not a shrug.
func TestReadRefuses(t *testing.T) {
	tests := []struct {
		name, old, new string
		want           string
	}{
		{"edited value", "0.00000125", "0.00000126", ErrHash.Error()},
		{"edited allocations", `[3, 3]`, `[2, 2]`, ErrHash.Error()},
		{"edited environment", "Test CPU", "Best CPU", ErrHash.Error()},
		{"edited status", `"failed"`, `"skipped"`, ErrHash.Error()},
		{"edited policy", "0.05", "0.5", ErrHash.Error()},
		{"no hash", `"sha256": "`, `"sha256": "0`, ErrHash.Error()},
		{"newer schema", `"schema_version": 2`, `"schema_version": 3`, "schema_version 3: this perfgate reads 1 and 2; use a newer perfgate"},
		{"negative schema", `"schema_version": 2`, `"schema_version": -1`, "schema_version -1"},
		{"no schema", `"schema_version": 2`, `"schema": 2`, `no "schema_version"`},
		{"schema of null", `"schema_version": 2`, `"schema_version": null`, `no "schema_version"`},
		{"unknown field", `"dirty"`, `"filthy"`, `unknown field "filthy"`},
		{"unknown field of a metric", `"values"`, `"numbers"`, `unknown field "numbers"`},
		{"no provenance", `"name": "perfgate"`, `"name": ""`, "no provenance"},
		{"no time", `2026-09-01T12:30:00Z`, `0001-01-01T00:00:00Z`, "no provenance"},
		{"no head", `"head": {`, `"baseline": {`, `no "head"`},
		{"columns of iterations", `[1000, 999]`, `[1000, 999, 998]`, "allocs/op: 2 values, 3 iters, 2 pairs, 0 passes: the columns do not fit"},
		{"columns of pairs", `[0, 2]`, `[0]`, "allocs/op: 2 values, 2 iters, 1 pairs, 0 passes: the columns do not fit"},
		{"no iterations", `"iters": [1000, 999]`, `"iters": []`, "allocs/op: 2 values, 0 iters, 2 pairs, 0 passes: the columns do not fit"},
		{"columns of passes", `[0, 0, 2]`, `[0, 2]`, "sec/op: 3 values, 1 iters, 0 pairs, 2 passes: the columns do not fit"},
		{"columns of the second stage", `[0.0000025, 0.0000035]`, `[0.0000025]`, "sec/op: confirm: 1 values, 2 iters, 2 pairs, 2 passes: the columns do not fit"},
		{"edited second stage", `0.0000025`, `0.0000024`, ErrHash.Error()},
		{"edited control", `0.000007`, `0.000008`, ErrHash.Error()},
		{"duplicate in the control", `"name": "Control",`, `"name": "Control"}, {"suite": "gobench", "package": "example.com/m", "name": "Control",`, "benchmark example.com/m.Control stands twice"},
		{"unknown field of the second stage", `"confirm": {`, `"confirm": {"better": "lower", `, `unknown field "better"`},
		{"too many values", `[3, 3]`, `[3, 3, 3]`, "the columns do not fit"},
		{"duplicate", `"name": "Late"`, `"package": "example.com/m", "name": "Broken"`, "benchmark example.com/m.Broken stands twice"},
		{"no direction", `"better": "higher"`, `"better": "louder"`, `hits: better is "louder"`},
		{"null for a metric", "\"metrics\": [\n     {", "\"metrics\": [\n     null, {", "metrics[0] is null"},
		{"null for a benchmark", "\"benchmarks\": [\n   {", "\"benchmarks\": [\n   null, {", "benchmarks[0] is null"},
		{"beyond float64", "0.00000125", "1e999", "cannot unmarshal number 1e999"},
		{"cut off", "}\n", "", "unexpected end of JSON input"},
		{"more after the end", "}\n", "}\n{}", "invalid character '{' after top-level value"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data := edited(t, tt.old, tt.new)
			if tt.name == "cut off" || tt.name == "more after the end" { // at the end, not the first brace
				data = append(bytes.TrimSuffix(written(t, full()), []byte("}\n")), tt.new...)
			}
			_, err := Read(bytes.NewReader(data))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Read: %v, want an error with %q", err, tt.want)
			}
			if hash := tt.want == ErrHash.Error(); errors.Is(err, ErrHash) != hash {
				t.Errorf("Read: %v is ErrHash: %v, want %v", err, !hash, hash)
			}
		})
	}
}

// TestReadGarbage: other files and empty ones are errors too.
func TestReadGarbage(t *testing.T) {
	for _, text := range []string{"", "null", "[]", "{}", "7", `"x"`, "BenchmarkX 1 2 ns/op", "\x00", `{"schema_version": "2"}`, `{"schema_version": 2}`, `{"schema_version": 2, "head": {}}`} {
		if f, err := Read(strings.NewReader(text)); err == nil {
			t.Errorf("Read(%q) = %+v, want an error", text, f)
		}
	}
}

// TestLineOfError: an error names the line, also one inside a metric, which is read on its own.
func TestLineOfError(t *testing.T) {
	tests := []struct{ name, old, new, at string }{
		{"syntax", `"seed": `, `"seed": , `, `"seed": `},
		{"type", `"seed": `, `"seed": "x", "extra": `, `"seed": `},
		{"type in a metric", `[-7]`, `["x"]`, `["x"]`},
		{"columns", `[1000, 999]`, `[1000, 999, 998]`, "{\n      \"unit\": \"allocs/op\""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data := edited(t, tt.old, tt.new)
			_, err := Read(bytes.NewReader(data))
			line := 1 + bytes.Count(data[:bytes.Index(data, []byte(tt.at))], []byte("\n"))
			if want := fmt.Sprintf("line %d: ", line); err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("Read: %v, want %q first", err, want)
			}
		})
	}
}

// TestReadError passes on what is wrong with the reader.
func TestReadError(t *testing.T) {
	if _, err := Read(brokenReader{}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Read: %v, want the reader's error", err)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, os.ErrClosed }

func TestCollapseNumbers(t *testing.T) {
	tests := []struct{ in, want string }{
		{"[\n 1,\n 2.5e-7,\n -3\n]", "[1, 2.5e-7, -3]"},
		{"[]", "[]"},
		{"{\n \"a\": [\n  1\n ]\n}", "{\n \"a\": [1]\n}"},
		{"[\n \"a\",\n \"b\"\n]", "[\n \"a\",\n \"b\"\n]"},
		{"[\n {\n  \"v\": [\n   1,\n   2\n  ]\n }\n]", "[\n {\n  \"v\": [1, 2]\n }\n]"},
		{"[\n [\n  1\n ],\n [\n  2\n ]\n]", "[\n [1],\n [2]\n]"},
		{`"[ 1, 2 ]"`, `"[ 1, 2 ]"`},
		{`"\"[ 1, 2 ]\\"`, `"\"[ 1, 2 ]\\"`},
		{"[\n true,\n null\n]", "[true, null]"},
		{"{}", "{}"},
	}
	for _, tt := range tests {
		if got := string(collapseNumbers([]byte(tt.in))); got != tt.want {
			t.Errorf("collapseNumbers(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

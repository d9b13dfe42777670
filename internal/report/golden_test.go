package report

import (
	"bytes"
	"flag"
	"os"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/org/perfgate/internal/compare"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with a file; -update rewrites it. A missing file is a failure.
func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (run go test -update)", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// drawn is a document in one format.
func drawn(t testing.TB, f Format, d *Document) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := f.Write(&b, d); err != nil {
		t.Fatalf("%s: %v", f.Name, err)
	}
	return b.Bytes()
}

// TestGolden draws every fixture in every format.
func TestGolden(t *testing.T) {
	for _, fixture := range fixtures {
		for _, f := range Formats {
			t.Run(fixture.name+"/"+f.Name, func(t *testing.T) {
				golden(t, "testdata/"+fixture.name+"."+f.Name+".golden", drawn(t, f, fixture.make()))
			})
		}
	}
}

// TestFixtures: the goldens show every verdict and every gate.
func TestFixtures(t *testing.T) {
	shown := map[compare.Verdict]bool{}
	gates := map[compare.Gate]bool{}
	for _, fixture := range fixtures {
		d := fixture.make()
		gates[d.Outcome.Gate] = true
		for _, c := range d.Outcome.Comparisons {
			if fixture.name == "verdicts" {
				shown[c.Verdict] = true
			}
		}
	}
	for _, v := range compare.Verdicts {
		if !shown[v] {
			t.Errorf("the fixture of the verdicts has no %s", v)
		}
	}
	if len(gates) != 3 {
		t.Errorf("the fixtures come to %v, want pass, fail and error", gates)
	}
}

// TestUnchangedDocument: a format changes nothing, so formats can be written one after another.
func TestUnchangedDocument(t *testing.T) {
	all := cmp.Exporter(func(reflect.Type) bool { return true })
	for _, fixture := range fixtures {
		for _, f := range Formats {
			d := fixture.make()
			drawn(t, f, d)
			if diff := cmp.Diff(fixture.make(), d, all, cmpopts.EquateNaNs()); diff != "" {
				t.Errorf("%s changes the document %s (-before +after):\n%s", f.Name, fixture.name, diff)
			}
		}
	}
}

// TestWriteError: a full disk is noticed, wherever in the text it is full.
func TestWriteError(t *testing.T) {
	d := verdicts()
	for _, f := range Formats {
		size := len(drawn(t, f, d))
		for room := 0; room < size; room += 1 + size/20 {
			if err := f.Write(&fullDisk{room: room}, d); err == nil {
				t.Errorf("%s: no error with room for %d of %d bytes", f.Name, room, size)
			}
		}
	}
}

// fullDisk has room for so many bytes. After it was full once it has room again: an error must not
// depend on the next one.
type fullDisk struct {
	room int
	full bool
}

func (w *fullDisk) Write(p []byte) (int, error) {
	if len(p) > w.room && !w.full {
		w.full = true
		return w.room, os.ErrClosed
	}
	w.room -= len(p)
	return len(p), nil
}

// TestFormats: names are what users type and files what they find.
func TestFormats(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range Formats {
		if f.Name == "" || f.Write == nil || seen[f.Name] || f.File != "" && seen[f.File] {
			t.Errorf("%+v: something is missing or stands twice", f)
		}
		seen[f.Name], seen[f.File] = true, true
	}
}

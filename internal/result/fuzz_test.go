package result

import (
	"bytes"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// FuzzRead: Read never panics, and what it accepts is written and read back the same. The hash
// would keep the fuzzer from changing a number, so the check of it is left out.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"testdata/schema1.json", "testdata/schema2.golden"} {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"schema_version":2,"tool":{"name":"x"},"generated_at":"2026-01-01T00:00:00+02:00","policy":{"a":"<\u2028"},"head":{"benchmarks":[{"metrics":[{"unit":"s","iters":[1],"values":[]}]}]}}`))
	f.Add([]byte(`{"schema_version":2,"head":{"benchmarks":[null]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		read, err := decode(data)
		if err != nil {
			return
		}
		if read.SchemaVersion == 1 { // it is written as schema 2, whose files name their writer
			read.SchemaVersion, read.Tool.Name = Schema, "x"
		}
		first := written(t, read)
		again, err := Read(bytes.NewReader(first))
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, first)
		}
		ignored := cmpopts.IgnoreFields(File{}, "SHA256", "Policy") // JSON has two ways to write a <
		if diff := cmp.Diff(read, again, ignored, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("(-read +read again):\n%s", diff)
		}
		if second := written(t, again); !bytes.Equal(first, second) {
			t.Errorf("written twice (-first +second):\n%s", cmp.Diff(string(first), string(second)))
		}
	})
}

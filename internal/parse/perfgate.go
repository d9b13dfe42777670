package parse

import (
	"bytes"
	"fmt"
	"io"
	"math"

	"github.com/org/perfgate/internal/result"
)

// detectPerfgate knows a file of ours by its first brace and the field every schema has.
func detectPerfgate(head []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(head), []byte("{")) &&
		bytes.Contains(head, []byte(`"schema_version"`))
}

// parsePerfgate reads latest.json or baseline.json.
func parsePerfgate(r io.Reader, name string) (*result.File, error) {
	f, err := result.Read(r)
	if err == nil {
		err = finite(f)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

// finite refuses values that no later step can calculate with. JSON has none, but a huge
// number of kilobytes in a file of schema 1 is infinite in bytes.
func finite(f *result.File) error {
	for _, b := range f.Head.Benchmarks {
		for _, m := range b.Metrics {
			for _, s := range m.Samples {
				if math.IsNaN(s.Value) || math.IsInf(s.Value, 0) {
					return fmt.Errorf("benchmark %s: %s is %v", b.Key(), m.Unit.Name, s.Value)
				}
			}
		}
	}
	return nil
}

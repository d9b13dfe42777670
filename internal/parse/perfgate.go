package parse

import (
	"bytes"
	"fmt"
	"io"

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
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/org/perfgate/internal/harness"
)

// A program of which nothing was read is below no limit.
func TestMemJudge(t *testing.T) {
	for _, tt := range []struct {
		peak int64
		want int
	}{{0, exitNoVerdict}, {4096, exitOK}, {4097, exitFail}} {
		var said bytes.Buffer
		f := &memFlags{mostB: new(int64(4096))}
		err := f.judge(&app{stderr: &said}, &harness.MemoryRun{Peak: tt.peak})
		if exitCode(err) != tt.want || (tt.want == exitNoVerdict) != (err != nil && strings.Contains(err.Error(), "before its memory could be read")) || errors.Is(err, errFail) != (said.Len() > 0) {
			t.Errorf("a peak of %d: %v, said %q", tt.peak, err, said.String())
		}
	}
}

package main

import (
	"testing"
	"time"

	"github.com/org/perfgate/internal/cache"
)

// Values that several entries share are on the disk once, of whatever kind these are.
func TestStoredBytes(t *testing.T) {
	entries := []cache.Entry{
		{Key: "binary:v1:a", Bytes: 100, Content: "x"}, {Key: "binary:v1:b", Bytes: 100, Content: "x"},
		{Key: "binary:v1:c", Bytes: 7, Content: "y"}, {Key: "gate:v1:d", Bytes: 100, Content: "x"},
		{Key: "gate:v1:e", Bytes: 3}, {Key: "gate:v1:f", Bytes: 3}, // of a backend that shares nothing
	}
	a := &app{now: time.Now}
	for kind, want := range map[string]kindStats{"binary": {Entries: 3, Bytes: 107}, "gate": {Entries: 3, Bytes: 106}} {
		if s := a.statsOf(entries, kind); s.Entries != want.Entries || s.Bytes != want.Bytes {
			t.Errorf("%s: %d entries of %d bytes, want %d of %d", kind, s.Entries, s.Bytes, want.Entries, want.Bytes)
		}
	}
	if n := storedBytes(entries, func(string) bool { return true }); n != 113 {
		t.Errorf("%d bytes in all, want 113", n)
	}
}

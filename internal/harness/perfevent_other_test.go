//go:build unix && !linux

package harness

import "testing"

func countPageFaults(t *testing.T, _ *goRunner) { t.Skip("only Linux has perf_event_open") }

//go:build !linux

package harness

import "errors"

// hardwareInstructions reports that only Linux has perf_event_open.
func hardwareInstructions() (instructionCounter, error) {
	return nil, errors.New("this operating system lends no counter of instructions")
}

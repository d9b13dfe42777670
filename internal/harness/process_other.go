//go:build !unix

package harness

import (
	"os"
	"os/exec"
)

func ownGroup(cmd *exec.Cmd) {}

func killGroup(cmd *exec.Cmd) {}

// maxRSS is not in the wait status of these systems.
func maxRSS(*os.ProcessState) int64 { return 0 }

// The gate is not used on these systems.
const (
	suspend = iota
	resume
)

var errBroken = os.ErrClosed

func (g *gated) signal(int) {}

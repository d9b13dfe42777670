//go:build !unix

package proc

import (
	"os"
	"os/exec"
)

// OwnGroup does nothing: there are no process groups here.
func OwnGroup(cmd *exec.Cmd) {}

// killGroup kills the process alone: there are no process groups here.
func killGroup(cmd *exec.Cmd) { cmd.Process.Kill() }

// Terminate kills the process: there is no signal here that asks.
func (c *Child) Terminate() { c.Kill() }

// maxRSS is not in the wait status of these systems.
func maxRSS(*os.ProcessState) int64 { return 0 }

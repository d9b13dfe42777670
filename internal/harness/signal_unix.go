//go:build unix

package harness

import "syscall"

// Signals to a process that waits at the gate.
const (
	suspend = syscall.SIGSTOP
	resume  = syscall.SIGCONT
)

// errBroken is what writing to a process that has ended gives.
var errBroken error = syscall.EPIPE

func (g *gated) signal(s syscall.Signal) {
	syscall.Kill(-g.child.Pid(), s) // ESRCH: it has ended, as the next message tells
}

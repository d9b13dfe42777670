//go:build unix

package harness

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// ownGroup starts cmd in a process group of its own and lets cancelling kill the group: a
// benchmark's own children must not outlive it.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { killGroup(cmd); return nil }
}

func killGroup(cmd *exec.Cmd) {
	syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // ESRCH: nothing is left, as it should be
}

// maxRSS is the child's peak resident set size in bytes. On Linux a child inherits the peak
// of the process that started it until it calls exec, so a value not above our own says
// nothing and is dropped.
func maxRSS(s *os.ProcessState) int64 {
	u, ok := s.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return int64(u.Maxrss)
	}
	var own syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &own) == nil && u.Maxrss <= own.Maxrss {
		return 0
	}
	return int64(u.Maxrss) * 1024
}

// Signals to a process that waits at the gate.
const (
	suspend = syscall.SIGSTOP
	resume  = syscall.SIGCONT
)

// errBroken is what writing to a process that has ended gives.
var errBroken error = syscall.EPIPE

func (g *gated) signal(s syscall.Signal) {
	syscall.Kill(-g.child.cmd.Process.Pid, s) // ESRCH: it has ended, as the next message tells
}

//go:build unix

package proc

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// OwnGroup starts cmd in a process group of its own and lets cancelling kill the group: a
// benchmark's own children must not outlive it.
func OwnGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { killGroup(cmd); return nil }
}

// killGroup kills all that is left of a started command's process group.
func killGroup(cmd *exec.Cmd) {
	syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // ESRCH: nothing is left, as it should be
}

// Terminate asks all of the process group to end. They must still be waited for.
func (c *Child) Terminate() {
	syscall.Kill(-c.Pid(), syscall.SIGTERM) // ESRCH: it has ended, as who waits will see
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

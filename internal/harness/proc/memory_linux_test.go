package proc

import (
	"os/exec"
	"testing"
	"time"
)

// A small process reports its own memory, whatever the one that started it holds, and its descendants' with it.
func TestReadMemory(t *testing.T) {
	ballast := make([]byte, 64<<20)
	for i := 0; i < len(ballast); i += 4096 {
		ballast[i] = 1
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", "sleep 60 & sleep 60 & echo; wait")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	OwnGroup(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { killGroup(cmd); cmd.Wait() }()
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	s := Sample(cmd.Process.Pid, time.Hour)
	line := s.Stop()
	now, ok := ReadMemory(cmd.Process.Pid)
	if !ok || now.Processes != 3 || now.Descriptors < 9 || now.RSS == 0 || now.Peak == 0 {
		t.Errorf("%+v, want a shell with two children", now)
	}
	if high := now.High(); high < now.RSS || high > 32<<20 {
		t.Errorf("peak of %d bytes, want its own and not this process's %d", high, len(ballast))
	}
	if len(line.Points) != 1 || line.Readings != 1 || line.High == 0 || line.High > 32<<20 || ballast[0] != 1 {
		t.Errorf("%+v, want the reading at the begin", line)
	}
	killGroup(cmd)
	cmd.Wait()
	if m, ok := ReadMemory(cmd.Process.Pid); ok {
		t.Errorf("%+v of a process that has ended", m)
	}
}

package proc

import "os/exec"

// begin has a command begin in the group, where that was made for it.
func (g *Group) begin(cmd *exec.Cmd) {
	if g != nil && g.made != nil {
		cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(g.made.Fd())
	}
}

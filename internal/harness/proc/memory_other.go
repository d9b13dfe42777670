//go:build !linux

package proc

import "github.com/shirou/gopsutil/v4/process"

// ReadMemory reads what a process and its descendants hold now. It is not ok where the process has ended.
func ReadMemory(pid int) (m Memory, ok bool) {
	root, err := process.NewProcess(int32(pid))
	if err != nil {
		return m, false
	}
	all := []*process.Process{root}
	for i := 0; i < len(all); i++ {
		if children, err := all[i].Children(); err == nil {
			all = append(all, children...)
		}
		if info, err := all[i].MemoryInfo(); err == nil {
			m.RSS += int64(info.RSS)
			m.Processes++
		}
		if n, err := all[i].NumFDs(); err == nil {
			m.Descriptors += int(n)
		}
	}
	return m, m.Processes > 0
}

// ResetPeaks does nothing: no peaks are read here.
func ResetPeaks(int) {}

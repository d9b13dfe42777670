package proc

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// Of /proc, see proc(5). These are read many times a second, by a program that must not disturb: no library that
// looks at all processes of the machine.

// tree lists a process and its descendants.
func tree(pid int) []int {
	pids := []int{pid}
	for i := 0; i < len(pids); i++ {
		lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pids[i]))
		if err != nil {
			continue
		}
		for _, list := range lists {
			data, _ := os.ReadFile(list) // a thread that has ended has none
			for _, field := range bytes.Fields(data) {
				if child, err := strconv.Atoi(string(field)); err == nil {
					pids = append(pids, child)
				}
			}
		}
	}
	return pids
}

// ReadMemory reads what a process and its descendants hold now. It is not ok where the process has ended.
func ReadMemory(pid int) (m Memory, ok bool) {
	for _, p := range tree(pid) {
		rss, peak, alive := memoryOf(p)
		if !alive {
			continue
		}
		m.RSS += rss
		m.Peak = max(m.Peak, peak)
		m.Processes++
		if open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p)); err == nil {
			m.Descriptors += len(open)
		}
	}
	return m, m.Processes > 0
}

// memoryOf reads one process's. One that has ended and was not waited for has none.
func memoryOf(pid int) (rss, peak int64, alive bool) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, false
	}
	rss, alive = statusBytes(data, "VmRSS:")
	peak, _ = statusBytes(data, "VmHWM:")
	return rss, peak, alive
}

// statusBytes reads a line such as "VmRSS:	 2096 kB".
func statusBytes(status []byte, name string) (int64, bool) {
	for line := range bytes.Lines(status) {
		if rest, ok := bytes.CutPrefix(line, []byte(name)); ok {
			if f := bytes.Fields(rest); len(f) == 2 && string(f[1]) == "kB" {
				n, err := strconv.ParseInt(string(f[0]), 10, 64)
				return n << 10, err == nil
			}
		}
	}
	return 0, false
}

// ResetPeaks lets the peaks of a process and its descendants begin anew, where that is allowed.
func ResetPeaks(pid int) {
	for _, p := range tree(pid) {
		_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p), []byte("5"), 0) // the readings between still count
	}
}

//go:build unix

package main

import (
	"os"
	"syscall"
)

// giveBack makes a file that root created belong to the owner of like: in an action's container
// perfgate is root, and later steps of the job are not.
func giveBack(name, like string) {
	if os.Getuid() != 0 {
		return
	}
	info, err := os.Stat(like)
	if err != nil {
		return
	}
	if s, ok := info.Sys().(*syscall.Stat_t); ok && s.Uid != 0 {
		os.Lchown(name, int(s.Uid), int(s.Gid)) // it is readable by all even if this fails
	}
}

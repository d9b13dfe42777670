//go:build unix

package main

import (
	"errors"
	"io/fs"
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

// giveBackTree makes what is root's below a folder of another user that user's: what the go command, git and the
// benchmarks made. Links are not followed, and none leads out of the folder.
func giveBackTree(dir string) error {
	if os.Getuid() != 0 {
		return nil
	}
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer root.Close()
	info, err := root.Stat(".")
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || owner.Uid == 0 {
		return nil
	}
	var errs []error
	fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil {
			err = giveBackEntry(root, name, d, int(owner.Uid), int(owner.Gid))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) && len(errs) < 3 { // more would say the same
			errs = append(errs, err)
		}
		return nil
	})
	return errors.Join(errs...)
}

func giveBackEntry(root *os.Root, name string, d fs.DirEntry, uid, gid int) error {
	info, err := d.Info()
	if err != nil {
		return err
	}
	if s, ok := info.Sys().(*syscall.Stat_t); !ok || s.Uid != 0 {
		return nil
	}
	return root.Lchown(name, uid, gid)
}

//go:build unix

package settings

import (
	"io/fs"
	"syscall"
)

// ownedByRoot tells whether a file is root's.
func ownedByRoot(info fs.FileInfo) bool {
	status, ok := info.Sys().(*syscall.Stat_t)
	return ok && status.Uid == 0
}

// become changes the user of all threads of this process.
func (id *identity) become() error {
	if err := syscall.Setgroups(id.groups); err != nil {
		return err
	}
	if err := syscall.Setgid(id.gid); err != nil {
		return err
	}
	return syscall.Setuid(id.uid)
}

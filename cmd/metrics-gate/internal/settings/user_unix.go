//go:build unix

package settings

import "syscall"

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

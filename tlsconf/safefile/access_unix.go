//go:build unix

package safefile

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// nonblock keeps open(2) from waiting for the writer of a named pipe.
const nonblock = syscall.O_NONBLOCK

// checkAccess judges the permission bits. Group-readable is fine: Kubernetes makes Secrets
// so with fsGroup. Group-writable is fine for root's group and the gate's own group.
func checkAccess(_ *os.File, info fs.FileInfo, rule Rule) error {
	mode := info.Mode().Perm()
	const advice = "in Kubernetes set defaultMode: 0440 and an fsGroup"
	switch {
	case rule.Secret && mode&0o004 != 0:
		return &Error{
			Err:    fmt.Errorf("%w (mode %04o)", ErrReadable, mode),
			Advice: "chmod 0640 or tighter; " + advice,
		}
	case !rule.Public && mode&0o002 != 0:
		return &Error{Err: fmt.Errorf("%w (mode %04o)", ErrWritable, mode), Advice: "chmod o-w; " + advice}
	case !rule.Public && mode&0o020 != 0 && !ownGroup(info):
		return &Error{
			Err:    fmt.Errorf("%w (mode %04o, a group of others)", ErrWritable, mode),
			Advice: "chmod g-w; " + advice,
		}
	}
	return nil
}

// ownGroup reports whether the file's group is root's or the process's own.
func ownGroup(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && (stat.Gid == 0 || int(stat.Gid) == os.Getegid())
}

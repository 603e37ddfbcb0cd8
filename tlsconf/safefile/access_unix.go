//go:build unix

package safefile

import (
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
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

// adviceDenied is what to do about a file, or a folder on the way to it, that this user may not
// open. Where the group of the packages does not exist, the gate's group is taken for this one.
func adviceDenied(path string, info fs.FileInfo) string {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	group, mode := "metrics-gate", "0640"
	if _, err := user.LookupGroup(group); err != nil {
		group = groupName(os.Getegid())
	}
	if info.IsDir() {
		mode = "0750"
	}
	return fmt.Sprintf("%s is of %s:%s with mode %04o: chgrp %s %s && chmod %s %s (the group the gate runs as); "+
		"check and doctor may need root", path, userName(int(stat.Uid)), groupName(int(stat.Gid)), info.Mode().Perm(),
		group, path, mode, path)
}

// userName is the name of a user, or the number of one without a name.
func userName(id int) string {
	if u, err := user.LookupId(strconv.Itoa(id)); err == nil {
		return u.Username
	}
	return strconv.Itoa(id)
}

// groupName is userName for a group.
func groupName(id int) string {
	if g, err := user.LookupGroupId(strconv.Itoa(id)); err == nil {
		return g.Name
	}
	return strconv.Itoa(id)
}

// ownGroup reports whether the file's group is root's or the process's own.
func ownGroup(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && (stat.Gid == 0 || int(stat.Gid) == os.Getegid())
}

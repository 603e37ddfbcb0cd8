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
// open. A folder and the group of others are left alone: they may serve somebody else. The command has
// no path, which anyone may have chosen.
func adviceDenied(path string, info fs.FileInfo) string {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	group := groupName(int(stat.Gid))
	is := fmt.Sprintf("%q is of %s:%s with mode %04o: ", path, userName(int(stat.Uid)), group, info.Mode().Perm())
	switch {
	case info.IsDir():
		return is + "put the file where the gate may look, such as /etc/metrics-gate"
	case info.Mode().Perm()&0o040 != 0 && !ownGroup(info):
		return is + "its group may read it, and this user is not in it: let the gate run with this group, and " +
			"run check and doctor as root"
	case ownGroup(info) || group == packageGroup:
		return is + "chgrp " + packageGroup + " FILE && chmod 0640 FILE, or the group that the gate runs as; " +
			"check and doctor may need root"
	}
	return is + "give the gate a copy that its user may read"
}

// packageGroup is the group of the gate in the packages.
const packageGroup = "metrics-gate"

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

//go:build unix

package filewatch

import (
	"time"

	"golang.org/x/sys/unix"
)

// stampOf returns the stamp of the file at path, which may be a link to it. It opens the
// file, because NFS asks its server at open(2) and may answer stat(2) from memory.
func stampOf(path string) (stamp, error) {
	file, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return stamp{}, err
	}
	defer func() { _ = unix.Close(file) }()
	var stat unix.Stat_t
	if err := unix.Fstat(file, &stat); err != nil {
		return stamp{}, err
	}
	return stamp{
		device: uint64(stat.Dev), inode: uint64(stat.Ino), size: uint64(stat.Size),
		modified: time.Unix(stat.Mtim.Unix()), changed: time.Unix(stat.Ctim.Unix()),
	}, nil
}

package filewatch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Watch waits for one change of files (inotify(7)).
type Watch struct {
	events  *os.File
	changed chan struct{}
}

const (
	// gone are the events of an inode that leaves its name, or whose access rights change.
	gone = unix.IN_ATTRIB | unix.IN_MOVE_SELF | unix.IN_DELETE_SELF
	// written are the events of a file that is written in place.
	written = unix.IN_MODIFY | unix.IN_CLOSE_WRITE
)

// NewWatch watches the files at paths, and every directory and link on the way to them:
// each inode for itself, so that another file in the directory wakes nobody when it is written. An
// error means that changes may come without an event: a file is missing, it is on a file system
// that changes without the kernel's knowledge (NFS), or the user has no watcher left
// (max_user_instances).
func NewWatch(paths []string) (*Watch, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("inotify: %w", err)
	}
	w := &Watch{events: os.NewFile(uintptr(fd), "inotify"), changed: make(chan struct{})}
	if err := w.Add(paths); err != nil {
		w.Close()
		return nil, err
	}
	go w.await()
	return w, nil
}

// await closes changed after the first event of an inode itself. A directory also sends events of what is
// in it, with its name: another file got other access rights or times.
func (w *Watch) await() {
	defer close(w.changed)
	var events [unix.SizeofInotifyEvent + unix.NAME_MAX + 1]byte // room for any event
	for {
		n, err := w.events.Read(events[:])
		if err != nil || !allNamed(events[:n]) { // an error means that Close was called
			return
		}
	}
}

// allNamed reports whether each of events is of something in a directory (inotify(7)).
func allNamed(events []byte) bool {
	for len(events) >= unix.SizeofInotifyEvent {
		name := binary.NativeEndian.Uint32(events[unix.SizeofInotifyEvent-4:])
		if name == 0 {
			return false
		}
		events = events[unix.SizeofInotifyEvent+name:]
	}
	return true
}

// Add watches what is at paths now, too: a mount sends no event and hides what was watched. Its errors
// are those of NewWatch.
func (w *Watch) Add(paths []string) error {
	events, err := w.events.SyscallConn()
	if err != nil {
		return fmt.Errorf("inotify: %w", err)
	}
	var failed error
	err = events.Control(func(fd uintptr) {
		for _, path := range paths {
			if failed = add(int(fd), path); failed != nil {
				return
			}
		}
	})
	return errors.Join(failed, err)
}

// Changed is closed after the first change, and after Close.
func (w *Watch) Changed() <-chan struct{} { return w.changed }

// Close ends the watch.
func (w *Watch) Close() { _ = w.events.Close() }

// add watches the file at path and the way to it.
func add(fd int, path string) error {
	steps, err := stepsTo(path)
	if err != nil {
		return err
	}
	for i, step := range steps {
		events := uint32(gone)
		if i == len(steps)-1 {
			events |= written
		}
		if err := checkFileSystem(step); err != nil {
			return err
		}
		if _, err := unix.InotifyAddWatch(fd, step, events|unix.IN_DONT_FOLLOW|unix.IN_MASK_ADD); err != nil {
			return fmt.Errorf("%s: watch: %w", step, err)
		}
	}
	// What changed before it was watched sent no event.
	if again, err := stepsTo(path); err != nil || !slices.Equal(again, steps) {
		return errors.Join(err, fmt.Errorf("%s: changes while it is looked at", path))
	}
	return nil
}

// maxLinks is the kernel's bound of links on one way.
const maxLinks = 40

// stepsTo lists the directories and links on the way to the file at path, and the file
// itself as the last: every inode whose change can make path another file.
func stepsTo(path string) (steps []string, err error) {
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	at, left := "/", strings.Split(path, "/")
	steps = []string{at}
	for links := 0; len(left) > 0; {
		name := left[0]
		left = left[1:]
		switch name {
		case "", ".":
			continue
		case "..":
			at = filepath.Dir(at)
			continue
		}
		step := filepath.Join(at, name)
		steps = append(steps, step)
		target, err := os.Readlink(step)
		switch {
		case errors.Is(err, unix.EINVAL): // no link
			at = step
			continue
		case err != nil:
			return nil, err
		}
		if links++; links > maxLinks {
			return nil, fmt.Errorf("%s: %w", path, unix.ELOOP)
		}
		if filepath.IsAbs(target) {
			at = "/"
		}
		left = append(strings.Split(target, "/"), left...)
	}
	return steps, nil
}

// checkFileSystem refuses file systems that somebody else than this kernel can change.
func checkFileSystem(path string) error {
	var stat unix.Statfs_t
	if err := unix.Statfs(path, &stat); err != nil {
		return fmt.Errorf("%s: statfs: %w", path, err)
	}
	switch uint32(stat.Type) {
	case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.F2FS_SUPER_MAGIC,
		unix.TMPFS_MAGIC, unix.RAMFS_MAGIC, unix.OVERLAYFS_SUPER_MAGIC, unix.SQUASHFS_MAGIC, zfsMagic:
		return nil
	}
	return fmt.Errorf("%s: type %#x: %w", path, stat.Type, errFileSystem)
}

const zfsMagic = 0x2fc12fc1

var errFileSystem = errors.New("this file system may change without an event")

package filewatch

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func newWatch(t *testing.T, paths ...string) *Watch {
	t.Helper()
	w, err := NewWatch(paths)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

func TestChangesSendEvents(t *testing.T) {
	for name, change := range changes() {
		t.Run(name, func(t *testing.T) {
			dir := tree(t)
			w := newWatch(t, filepath.Join(dir, "way", "file"))
			change(t, dir)
			select {
			case <-w.Changed():
			case <-time.After(20 * time.Second):
				t.Error("no event")
			}
		})
	}
}

// What happens to other files in the same folders sends no event, nor does reading.
func TestOtherFilesSendNoEvents(t *testing.T) {
	dir := tree(t)
	path := filepath.Join(dir, "way", "file")
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	must(t, err)
	defer func() { must(t, unix.Close(fd)) }()
	must(t, add(fd, path))
	other := filepath.Join(dir, "mount", "v1", "other")
	write(t, other, "content")
	must(t, os.Rename(other, other+".new"), os.Remove(other+".new"))
	_, err = os.ReadFile(path)
	must(t, err)
	var events [4096]byte // an event is queued when the call that causes it returns
	if n, err := unix.Read(fd, events[:]); !errors.Is(err, unix.EAGAIN) {
		t.Errorf("%d bytes of events, %v", n, err)
	}
	write(t, path, "content 3")
	if n, err := unix.Read(fd, events[:]); n == 0 || err != nil || allNamed(events[:n]) {
		t.Errorf("%d bytes of events of the file itself, %v", n, err)
	}
	// A folder sends an event when the access rights of what is in it change.
	write(t, other, "content")
	must(t, os.Chmod(other, 0o640))
	if n, err := unix.Read(fd, events[:]); n == 0 || err != nil || !allNamed(events[:n]) {
		t.Errorf("%d bytes of events of another file, %v", n, err)
	}
	must(t, os.Chmod(other, 0o600), os.Chmod(path, 0o640))
	if n, err := unix.Read(fd, events[:]); n == 0 || err != nil || allNamed(events[:n]) {
		t.Errorf("%d bytes of events of both, %v", n, err)
	}
}

// Events of other files in the same folder do not end a watch.
func TestOtherFilesEndNoWatch(t *testing.T) {
	dir := tree(t)
	path := filepath.Join(dir, "way", "file")
	other := filepath.Join(dir, "mount", "v1", "other")
	write(t, other, "content")
	w := newWatch(t, path)
	conn, err := w.events.SyscallConn()
	must(t, err)
	must(t, os.Chmod(other, 0o640))
	for left := 1; left > 0; runtime.Gosched() { // bytes of events that w has not read
		must(t, conn.Control(func(fd uintptr) { left, err = unix.IoctlGetInt(int(fd), unix.TIOCINQ) }), err)
	}
	must(t, os.Chmod(other, 0o600))
	for left := 1; left > 0; runtime.Gosched() { // a watch that has ended reads no more
		must(t, conn.Control(func(fd uintptr) { left, err = unix.IoctlGetInt(int(fd), unix.TIOCINQ) }), err)
		select {
		case <-w.Changed():
			t.Fatal("another file counts as a change")
		default:
		}
	}
	write(t, path, "content 3")
	<-w.Changed()
}

func TestCloseEndsAWatch(t *testing.T) {
	w := newWatch(t, filepath.Join(tree(t), "way", "file"))
	w.Close()
	<-w.Changed()
}

func TestWhatCannotBeWatched(t *testing.T) {
	dir := tree(t)
	must(t, os.Symlink("loop", filepath.Join(dir, "loop")))
	for path, want := range map[string]error{
		filepath.Join(dir, "way", "missing"):         fs.ErrNotExist,
		filepath.Join(dir, "missing", "file"):        fs.ErrNotExist,
		filepath.Join(dir, "loop"):                   unix.ELOOP,
		filepath.Join(dir, "way", "file", "further"): unix.ENOTDIR,
		"/proc/self/status":                          errFileSystem,
	} {
		w, err := NewWatch([]string{path})
		if !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", path, err, want)
		}
		if err == nil {
			w.Close()
		}
	}
}

// Where the user has no watcher left, a watch is an error. Descriptors run out in the same way.
func TestNoWatcherLeft(t *testing.T) {
	path := filepath.Join(tree(t), "way", "file")
	var limit unix.Rlimit
	must(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
	none := limit
	none.Cur = 0
	must(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &none))
	_, err := NewWatch([]string{path})
	must(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &limit))
	if !errors.Is(err, unix.EMFILE) {
		t.Errorf("got %v", err)
	}
}

func TestStepsTo(t *testing.T) {
	dir := tree(t)
	must(t, os.Symlink(filepath.Join(dir, "way", "..", "way"), filepath.Join(dir, "again")))
	steps, err := stepsTo(filepath.Join(dir, "again", "file"))
	must(t, err)
	var want []string
	for at := filepath.Clean(dir); at != "/"; at = filepath.Dir(at) {
		want = append(want, at)
	}
	want = append(want, "/")
	slices.Reverse(want)
	for _, step := range []string{"again", "way", "mount", "way", "mount", "mount/file", "mount/..data", "mount/v1",
		"mount/v1/file"} {
		want = append(want, filepath.Join(dir, step))
	}
	// The absolute link begins at the root again.
	if i := slices.Index(steps, filepath.Join(dir, "way")); i < 0 || !slices.Equal(unique(steps), unique(want)) {
		t.Errorf("got  %q\nwant %q", steps, want)
	}
}

// unique drops what was listed before.
func unique(list []string) (kept []string) {
	for _, s := range list {
		if !slices.Contains(kept, s) {
			kept = append(kept, s)
		}
	}
	return kept
}

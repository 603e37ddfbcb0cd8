package filewatch

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// write writes a file of which the times are long ago, so that its stamp is settled.
func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// later is a time at which everything that was changed until now is settled.
func later() time.Time { return time.Now().Add(2 * settleTime) }

// Every change of a file shows in its stamp, whatever the change leaves as it was.
func TestChangesShow(t *testing.T) {
	for name, change := range changes() {
		t.Run(name, func(t *testing.T) {
			dir := tree(t)
			files := New(filepath.Join(dir, "way", "file"), "")
			now := later()
			if !files.Changed(now) {
				t.Fatal("files that were never read count as unchanged")
			}
			if files.Changed(now) {
				t.Fatal("an unchanged file counts as changed")
			}
			change(t, dir)
			if !files.Changed(now) {
				t.Error("the change does not show")
			}
		})
	}
}

// A file that was changed a moment ago is read again: its next change may have the same time.
func TestFreshFilesAreReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	write(t, path, "content")
	files := New(path)
	if !files.Changed(time.Now()) || files.Settled() || !files.Changed(time.Now()) {
		t.Error("a fresh file counts as settled")
	}
	if !files.Changed(later()) || !files.Settled() || files.Changed(later()) {
		t.Error("an old file does not count as settled")
	}
}

func TestFilesAreReadNowAndThen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	write(t, path, "content")
	files, now := New(path), later()
	files.Changed(now)
	if files.Changed(now.Add(readInterval - time.Second)) {
		t.Error("read within the interval")
	}
	if !files.Changed(now.Add(readInterval)) {
		t.Error("not read after the interval")
	}
}

func TestFilesThatFailedAreReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	write(t, path, "content")
	files := New(path)
	files.Changed(later())
	files.Forget()
	if files.Settled() || !files.Changed(later()) {
		t.Error("files that were refused count as unchanged")
	}
}

// Nobody can tell whether what is in no file has changed.
func TestNoFiles(t *testing.T) {
	files := New("", "")
	if len(files.Paths()) != 0 || !files.Settled() || !files.Changed(later()) || !files.Changed(later()) {
		t.Errorf("%+v", files)
	}
}

// Package filewatch tells when files may have changed, at little cost: by events of the kernel
// where it sends them, and otherwise by what the file system says about a file without
// reading it.
//
// It must not know what is in the files.
package filewatch

import (
	"slices"
	"time"
)

// readInterval is how long files that look unchanged are believed to be so.
const readInterval = time.Minute

// Files is a set of files that are read together. The zero value has no files.
type Files struct {
	paths  []string
	stamps []stamp   // before the last reading; nil: the files must be read
	read   time.Time // the last reading
}

// New returns the files at paths, of which "" is none. They count as changed.
func New(paths ...string) *Files {
	return &Files{paths: slices.DeleteFunc(slices.Clone(paths), func(path string) bool { return path == "" })}
}

// Paths are the files.
func (f *Files) Paths() []string { return f.paths }

// Changed reports whether the files must be read at now: they look changed, a change would not
// have been seen, or the last reading was a minute ago. It is asked right before the
// files are read. Without files it is true, because nobody can tell.
func (f *Files) Changed(now time.Time) bool {
	if len(f.paths) == 0 {
		return true
	}
	stamps := stampAll(f.paths)
	if f.stamps != nil && slices.Equal(stamps, f.stamps) && now.Sub(f.read) < readInterval {
		return false
	}
	f.stamps, f.read = stamps, now
	if slices.ContainsFunc(stamps, func(s stamp) bool { return !s.settled(now) }) {
		f.stamps = nil
	}
	return true
}

// Forget makes the files count as changed, because the last reading failed.
func (f *Files) Forget() { f.stamps = nil }

// Settled reports whether a change of the files since the last reading can be seen. It is
// false shortly after a change, and after Forget.
func (f *Files) Settled() bool { return f.stamps != nil || len(f.paths) == 0 }

// stamp stands for the content and the access rights of a file at one time. Equal stamps mean
// that nothing was changed in between, if the older one was settled.
type stamp struct {
	device, inode, size uint64
	modified, changed   time.Time
}

// settleTime is longer than the steps in which file systems count time: 2 s on FAT.
const settleTime = 3 * time.Second

// settled reports whether any change after now makes another stamp. Two changes within
// one step of the file system's clock have the same times.
func (s stamp) settled(now time.Time) bool {
	return s.modified.Add(settleTime).Before(now) && s.changed.Add(settleTime).Before(now)
}

// stampAll returns nil if a file has no stamp.
func stampAll(paths []string) []stamp {
	stamps := make([]stamp, 0, len(paths))
	for _, path := range paths {
		s, err := stampOf(path)
		if err != nil {
			return nil
		}
		stamps = append(stamps, s)
	}
	return stamps
}

package tlsconf

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// source is one file to read.
type source struct {
	role, path string
	limit      int64 // bytes
	secret     bool
}

type digest [sha256.Size]byte

// content is what the files held in one reading, by role.
type content map[string][]byte

var errOpenToOthers = errors.New("others can read or write it (mode o+r or o+w)")

// readings is how often files that change while they are read are read again.
const readings = 3

// digests tells whether the files have changed without keeping them in memory.
func digests(files []source) ([]digest, error) {
	sums := make([]digest, len(files))
	for i, f := range files {
		hash := sha256.New()
		if err := f.copyTo(hash); err != nil {
			return nil, fileError(f.role, f.path, err)
		}
		hash.Sum(sums[i][:0])
	}
	return sums, nil
}

// errUnsteady is for the caller to try again later: nothing says that the files belong together.
var errUnsteady = errors.New("certificate files: keep changing while they are read")

// read reads all files, again if they changed meanwhile, so that a set that is swapped
// as a whole is seen as a whole.
func read(files []source) (content, []digest, error) {
	before, err := digests(files)
	if err != nil {
		return nil, nil, err
	}
	for turn := 1; ; turn++ {
		data, sums := make(content), make([]digest, len(files))
		for i, f := range files {
			var buf bytes.Buffer
			if err := f.copyTo(&buf); err != nil {
				return nil, nil, fileError(f.role, f.path, err)
			}
			data[f.role], sums[i] = buf.Bytes(), sha256.Sum256(buf.Bytes())
		}
		if same(before, sums) {
			return data, sums, nil
		}
		if turn == readings {
			return nil, nil, errUnsteady
		}
		before = sums
	}
}

func same(a, b []digest) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// copyTo opens the file, judges the descriptor it got, and copies no more than limit bytes.
// O_NONBLOCK keeps a pipe without a writer from holding the caller.
func (s source) copyTo(w io.Writer) error {
	file, err := os.OpenFile(s.path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return cause(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return cause(err)
	}
	switch {
	case info.IsDir():
		return errors.New("is a directory")
	case !info.Mode().IsRegular():
		return errors.New("is not a regular file")
	case s.secret && info.Mode().Perm()&0o006 != 0:
		return advise(errOpenToOthers, "chmod 0640 or tighter; in Kubernetes set defaultMode: 0440 and an fsGroup")
	}
	n, err := io.Copy(w, io.LimitReader(file, s.limit+1))
	switch {
	case err != nil:
		return cause(err)
	case n > s.limit:
		return fmt.Errorf("larger than %d bytes", s.limit)
	case n == 0:
		return errors.New("is empty")
	}
	return nil
}

// cause strips operation and path, which the caller names.
func cause(err error) error {
	var at *os.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// Package safefile reads small files that decide who gets in: keys, certificates, CA
// bundles, revocation lists, tokens. It opens regular files only, never blocks on a pipe,
// never reads more than a bound, and refuses files that the wrong people may read or write.
// Every file of the gate's configuration is read here, so one rule holds for all of them.
package safefile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Rule says what a file must be like.
type Rule struct {
	MaxBytes int64 // largest content, in bytes; required

	// Secret refuses a file that others may read: mode o+r, or on Windows an access control
	// list that lets Everyone, Users and the like read it.
	Secret bool
	// Public permits a file that others may write. Without it such a file is refused,
	// because whoever writes it decides who gets in.
	Public bool
}

// Errors that a caller may tell apart. What Read returns for a missing file, a missing
// permission and the like wraps the errors of io/fs.
var (
	ErrNotRegular = errors.New("not a regular file")
	ErrTooLarge   = errors.New("too large")
	ErrReadable   = errors.New("others can read it")
	ErrWritable   = errors.New("others can write it")
)

// Error says why the file at Path was not read.
type Error struct {
	Path   string
	Err    error  // without the path
	Advice string // what to do about it; may be empty
}

// Error is "<path>: <what is wrong>", without the advice.
func (e *Error) Error() string { return e.Path + ": " + e.Err.Error() }

// Unwrap returns e.Err.
func (e *Error) Unwrap() error { return e.Err }

// Read returns the content of the file at path. Kind, access and size are those of the opened
// descriptor, so another file cannot be slipped in between the check and the read. Links
// are followed: Kubernetes mounts every file as one. An empty file is no error.
// Every error is an *Error.
func Read(path string, rule Rule) ([]byte, error) {
	var content bytes.Buffer
	if _, err := Copy(&content, path, rule); err != nil {
		return nil, err
	}
	return content.Bytes(), nil
}

// Copy is Read into w, without holding the content in memory. It returns the number of
// bytes copied. On an error, w may have received part of the content.
func Copy(w io.Writer, path string, rule Rule) (int64, error) {
	n, err := copyTo(w, path, rule)
	if err == nil {
		return n, nil
	}
	failure := &Error{Path: path, Err: err}
	if inner, ok := err.(*Error); ok {
		failure.Err, failure.Advice = inner.Err, inner.Advice
	}
	var at *fs.PathError
	if errors.As(err, &at) {
		failure.Err = at.Err
	}
	return n, failure
}

func copyTo(w io.Writer, path string, rule Rule) (int64, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return 0, &Error{Err: err, Advice: adviceOpen(path, err)}
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	switch {
	case info.IsDir():
		return 0, &Error{Err: fmt.Errorf("is a directory: %w", ErrNotRegular), Advice: "name the file in it"}
	case !info.Mode().IsRegular():
		return 0, &Error{Err: ErrNotRegular, Advice: "name a regular file, and no pipe, socket or device"}
	}
	if err := checkAccess(file, info, rule); err != nil {
		return 0, err
	}
	// One byte more than the bound tells a file that is too large, even one that grows.
	buffer := make([]byte, min(info.Size()+bytes.MinRead, 32<<10)) // most files are small, and read each minute
	n, err := io.CopyBuffer(w, io.LimitReader(file, rule.MaxBytes+1), buffer)
	if err == nil && n > rule.MaxBytes {
		err = &Error{Err: fmt.Errorf("%w: larger than %d bytes", ErrTooLarge, rule.MaxBytes),
			Advice: "see that it is the right file"}
	}
	return n, err
}

//go:build linux && race && !plain

package rawconn

import "syscall"

// The race detector learns from package syscall what a call reads and writes, and that a
// write to a socket happens before the read at its other end. So a race build makes the
// same calls through package syscall; all else is the code of other builds.

func rawRead(fd uintptr, p []byte) (int, syscall.Errno) { return result(syscall.Read(int(fd), p)) }

func rawWrite(fd uintptr, p []byte) (int, syscall.Errno) { return result(syscall.Write(int(fd), p)) }

func result(n int, err error) (int, syscall.Errno) {
	errno, _ := err.(syscall.Errno) // all errors of package syscall's read and write
	return n, errno
}

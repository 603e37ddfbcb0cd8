//go:build unix && (!linux || race)

package proxy

import "syscall"

// quiet reports whether an idle connection is still open and silent. A byte that
// nobody asked for would be taken for the beginning of the next answer.
func (l *link) quiet() bool {
	c, ok := l.conn.(syscall.Conn)
	if !ok {
		return true
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	var silent bool
	err = raw.Read(func(fd uintptr) bool {
		var b [1]byte
		_, err := syscall.Read(int(fd), b[:])
		silent = err == syscall.EAGAIN
		return true
	})
	return err == nil && silent
}

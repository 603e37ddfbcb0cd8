//go:build unix

package rawconn

import (
	"net"
	"syscall"
)

// idle reports whether conn is open with nothing to read.
func idle(conn net.Conn) bool {
	c, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	var empty bool
	err = raw.Read(func(fd uintptr) bool {
		var b [1]byte
		_, err := syscall.Read(int(fd), b[:])
		empty = err == syscall.EAGAIN
		return true
	})
	return err == nil && empty
}

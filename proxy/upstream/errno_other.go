//go:build !windows

package upstream

import "syscall"

// What a socket returns when nothing listens, and when the other side closed the connection.
const (
	errRefused = syscall.ECONNREFUSED
	errReset   = syscall.ECONNRESET
	errClosed  = syscall.EPIPE
)

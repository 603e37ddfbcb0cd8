package upstream

import "golang.org/x/sys/windows"

// What a socket returns when nothing listens, and when the other side closed the connection.
// Windows returns its own numbers; syscall.ECONNREFUSED and the like never occur there.
const (
	errRefused = windows.WSAECONNREFUSED
	errReset   = windows.WSAECONNRESET
	errClosed  = windows.WSAECONNABORTED
)

// Package sockerr tells errors of sockets apart. Windows returns numbers of its own, those of
// Winsock: syscall.ECONNREFUSED and the like never occur there.
package sockerr

import (
	"errors"
	"runtime"
	"slices"
	"syscall"
)

// Kind is what has happened to a socket.
type Kind int

// Kinds.
const (
	Other     Kind = iota // none of these, or no error of a socket
	Refused               // nothing listens at the address that was dialed
	Closed                // the other side has closed the connection
	InUse                 // another socket listens at the address
	Forbidden             // this user, or nobody, may listen at the address
)

// KindOf classes err, which may be nil.
func KindOf(err error) Kind { return kindOn(runtime.GOOS, err) }

// kindOn is KindOf on a system.
func kindOn(system string, err error) Kind {
	number, ok := errors.AsType[syscall.Errno](err)
	if !ok {
		return Other
	}
	for kind, numbers := range numbersOf(system) {
		if slices.Contains(numbers, number) {
			return kind
		}
	}
	return Other
}

// numbersOf returns the numbers of a system. Those of Windows are in "Windows Sockets Error Codes":
// WSAECONNREFUSED and so on.
func numbersOf(system string) map[Kind][]syscall.Errno {
	if system == "windows" {
		return map[Kind][]syscall.Errno{Refused: {10061}, Closed: {10053, 10054}, InUse: {10048}, Forbidden: {10013}}
	}
	return map[Kind][]syscall.Errno{
		Refused: {syscall.ECONNREFUSED}, Closed: {syscall.ECONNRESET, syscall.EPIPE}, InUse: {syscall.EADDRINUSE},
		Forbidden: {syscall.EACCES, syscall.EPERM},
	}
}

package tlsconf

import (
	"errors"

	"github.com/metrics-gate/metrics-gate/tlsconf/safefile"
)

// What a file is for, as FileError, Warning and Expiry name it.
const (
	RoleServer   = "server"    // the server's certificate chain
	RoleKey      = "key"       // the server's private key
	RoleClientCA = "client_ca" // the CAs that issue client certificates
	RoleCRL      = "crl"       // their revocation lists
)

// FileError says which file cannot be used and why.
type FileError struct {
	Role   string // RoleServer, RoleKey, RoleClientCA or RoleCRL
	Path   string // as configured; empty if none was
	Advice string // what to do about it, for a line of its own; may be empty
	Err    error
}

// Error is "<thing> <path>: <what is wrong>", without the advice.
func (e *FileError) Error() string {
	thing := map[string]string{
		RoleServer: "certificate file", RoleKey: "key file", RoleClientCA: "client CA file", RoleCRL: "client CRL file",
	}[e.Role]
	if e.Path != "" {
		thing += " " + e.Path
	}
	return thing + ": " + e.Err.Error()
}

// Unwrap returns e.Err.
func (e *FileError) Unwrap() error { return e.Err }

// FileErrors lists the files that an error of New or Reload is about, in the order
// certificate, key, client CA, client CRL. It is empty if the error is about no file.
func FileErrors(err error) []*FileError {
	if found, ok := err.(*FileError); ok {
		return []*FileError{found}
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	var all []*FileError
	for _, one := range joined.Unwrap() {
		all = append(all, FileErrors(one)...)
	}
	return all
}

// advisedError is a cause with advice, on its way into a FileError.
type advisedError struct {
	error
	advice string
}

func (a advisedError) Unwrap() error { return a.error }

func advise(err error, advice string) error { return advisedError{err, advice} }

// fileError makes a FileError of err and of the advice that it carries.
func fileError(role, path string, err error) *FileError {
	failure := &FileError{Role: role, Path: path, Err: err}
	if unread, ok := errors.AsType[*safefile.Error](err); ok {
		failure.Advice, failure.Err = unread.Advice, unread.Err
	}
	if advised, ok := errors.AsType[advisedError](err); ok {
		failure.Advice, failure.Err = advised.advice, advised.error
	}
	return failure
}

package tlsconf

import "errors"

// Why a client certificate is refused. Every error of Reloader.Verify wraps one of them.
var (
	// ErrUntrusted: no path leads to a CA of the client CA file, or the path breaks
	// a rule of RFC 5280 section 6.1 (name constraints, path length, signature).
	ErrUntrusted = errors.New("certificate is not trusted")
	// ErrExpired: a certificate of the path, or the server's own, is expired or not yet valid.
	ErrExpired = errors.New("certificate is not valid now")
	// ErrUsage: the leaf does not bear the clientAuth extended key usage (RFC 5280 section 4.2.1.12).
	ErrUsage = errors.New("certificate is not for client authentication")
	// ErrRevoked: a certificate of the path is on its issuer's revocation list.
	ErrRevoked = errors.New("certificate is revoked")
	// ErrNoList: revocation lists are configured, but none is there for an issuer of the path,
	// or none whose scope (RFC 5280 section 5.2.5) holds the certificate.
	ErrNoList = errors.New("issuer has no revocation list")
	// ErrStaleList: the issuer's newest list for the certificate is past its next update.
	ErrStaleList = errors.New("issuer's revocation list is stale")
	// ErrBadList: no list in the issuer's name bears the issuer's signature.
	ErrBadList = errors.New("issuer's revocation list is badly signed")
)

// What a file is for, as FileError and Expiry name it.
const (
	RoleServer   = "server"    // the server's certificate chain
	RoleKey      = "key"       // the server's private key
	RoleClientCA = "client_ca" // the CAs that vouch for clients
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
	return describe(e.Role) + " " + e.Path + ": " + e.Err.Error()
}

// Unwrap is the cause.
func (e *FileError) Unwrap() error { return e.Err }

func describe(role string) string {
	switch role {
	case RoleServer:
		return "certificate file"
	case RoleKey:
		return "key file"
	case RoleClientCA:
		return "client CA file"
	default:
		return "client CRL file"
	}
}

// advised is a cause with advice, on its way into a FileError.
type advised struct {
	error
	advice string
}

func (a advised) Unwrap() error { return a.error }

func advise(err error, advice string) error { return advised{err, advice} }

func fileError(role, path string, err error) error {
	fe := &FileError{Role: role, Path: path, Err: err}
	var a advised
	if errors.As(err, &a) {
		fe.Advice, fe.Err = a.advice, a.error
	}
	return fe
}

package auth

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
)

// Errors of a sender-constrained token.
var (
	errConfirmation = errors.New("token is bound to its sender (cnf) in a way that the gate cannot check; " +
		"send one bound to the client certificate (cnf.x5t#S256), or one that is not bound")
	errNoBoundCertificate = errors.New("token is bound to a client certificate (cnf.x5t#S256), " +
		"and the request has none")
	errBoundElsewhere = errors.New("token is bound to another client certificate (cnf.x5t#S256)")
)

// confirmation is what a token's cnf claim says (RFC 7800): who may present the token. The
// zero value is that of a token without cnf.
type confirmation struct {
	bound      bool
	thumbprint [sha256.Size]byte // of the client certificate (RFC 8705 section 3.1)
}

// confirmationOf reads the cnf claim. Any other than x5t#S256 alone is an error: RFC 7800
// section 3.1 lets a recipient ignore what it does not understand, but then a stolen token
// would do.
func confirmationOf(claims object) (c confirmation, err error) {
	value, there := claims["cnf"]
	if !there {
		return c, nil
	}
	members, _ := value.(object)
	text, _ := members["x5t#S256"].(string)
	sum, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(members) != 1 || len(sum) != len(c.thumbprint) {
		return c, errConfirmation
	}
	return confirmation{bound: true, thumbprint: [sha256.Size]byte(sum)}, nil
}

// check returns an error unless r comes over a connection with the certificate that c names.
func (c confirmation) check(r *http.Request) error {
	switch {
	case !c.bound:
		return nil
	case r.TLS == nil || len(r.TLS.PeerCertificates) == 0:
		return errNoBoundCertificate
	case sha256.Sum256(r.TLS.PeerCertificates[0].Raw) != c.thumbprint:
		return errBoundElsewhere
	}
	return nil
}

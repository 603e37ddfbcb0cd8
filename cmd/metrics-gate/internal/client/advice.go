package client

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"syscall"
)

// Advice is what to do about an error of a request to a gate; empty if it says all there is.
func (c *Credentials) Advice(err error) string {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	_, alert := errors.AsType[tls.AlertError](err)
	switch {
	case errors.As(err, &unknown) && c.CA == "":
		return "give the CA of the gate's certificate with --ca FILE"
	case errors.As(err, &unknown):
		return "the gate's certificate is of another CA than " + c.CA + ": give that one with --ca FILE"
	case errors.As(err, &name):
		return "write a name or address of the gate's certificate in the URL"
	case errors.Is(err, http.ErrSchemeMismatch):
		return "no TLS is spoken there: write http:// if it is a gate with INSECURE_HTTP"
	case alert && !c.Given():
		return "the gate wants a client certificate: give --cert and --key, or --token-file if it takes tokens"
	case alert:
		return "the gate refuses the client certificate: its log says why"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there: see that the gate runs, and its port"
	}
	return ""
}

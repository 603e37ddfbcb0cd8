package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
)

// Why a client certificate is refused. Every error of Reloader.Verify wraps one of them.
var (
	// ErrUntrusted: no path leads to a CA of the client CA file, or the path breaks
	// a rule of RFC 5280 section 6.1 (name constraints, path length, signature).
	ErrUntrusted = errors.New("certificate is not trusted")
	// ErrExpired: a certificate of the path, or the server's own, is expired or not yet valid.
	ErrExpired = errors.New("certificate is not valid now")
	// ErrUsage: the leaf states key usage without digitalSignature (RFC 5280 section
	// 4.2.1.3), or extended key usage without clientAuth (section 4.2.1.12).
	ErrUsage = errors.New("certificate is not for client authentication")
	// ErrWeak: a certificate of the path has an RSA key below 2048 bits or is signed with SHA-1 or MD5.
	ErrWeak = errors.New("certificate is too weak")
	// ErrRevoked: a certificate of the path is on its issuer's revocation list.
	ErrRevoked = errors.New("certificate is revoked")
	// ErrNoList: revocation lists are configured, but there is none for an issuer of the path,
	// or none whose scope (RFC 5280 section 5.2.5) holds the certificate.
	ErrNoList = errors.New("issuer has no revocation list")
	// ErrStaleList: the issuer's newest list for the certificate is past its next update.
	ErrStaleList = errors.New("issuer's revocation list is stale")
	// ErrBadList: no list in the issuer's name has the issuer's signature.
	ErrBadList = errors.New("issuer's revocation list is badly signed")
)

// CertificateError says which certificate of a client is refused, why, and what to change.
// Every error of Reloader.Verify is one.
type CertificateError struct {
	Subject string // RFC 4514, as pkix.Name.String writes it
	Issuer  string // likewise
	Serial  string // hexadecimal
	Advice  string // what to change; one line
	Err     error  // wraps one of the sentinels; its text names the certificate where it is not the leaf
}

// Error is the cause, without the advice.
func (e *CertificateError) Error() string { return e.Err.Error() }

// Unwrap returns e.Err.
func (e *CertificateError) Unwrap() error { return e.Err }

// AsCertificateError finds the refused certificate in an error of Reloader.Verify or of a
// handshake under Reloader.Config. It returns nil if err is about something else.
func AsCertificateError(err error) *CertificateError {
	if found, ok := errors.AsType[*CertificateError](err); ok {
		return found
	}
	failed, ok := errors.AsType[*tls.CertificateVerificationError](err)
	if !ok || len(failed.UnverifiedCertificates) == 0 {
		return nil
	}
	return classify(failed.UnverifiedCertificates, failed.Err)
}

// refuse is the error about cert, without a certificate if that is nil.
func refuse(cert *x509.Certificate, err error) *CertificateError {
	refused := &CertificateError{Err: err, Advice: advice(err)}
	if cert != nil {
		refused.Subject, refused.Issuer = cert.Subject.String(), cert.Issuer.String()
		refused.Serial = fmt.Sprintf("%x", cert.SerialNumber)
	}
	return refused
}

// advice is what to change about a refusal.
func advice(err error) string {
	for _, hint := range []struct {
		err    error
		advice string
	}{
		{ErrUntrusted, "add the CA that issued it to the client CA file; the client sends its intermediates"},
		{ErrExpired, "renew it; if its dates are right, set the clocks"},
		{ErrUsage, "issue it with key usage digitalSignature and extended key usage clientAuth"},
		{ErrWeak, "issue it again with ECDSA or RSA of 2048 bits or more, signed with SHA-256"},
		{ErrRevoked, "issue a new certificate"},
		{ErrNoList, "add its issuer's revocation list to the client CRL file"},
		{ErrStaleList, "put its issuer's newest revocation list into the client CRL file"},
		{ErrBadList, "put the revocation list of this issuer's key into the client CRL file"},
	} {
		if errors.Is(err, hint.err) {
			return hint.advice
		}
	}
	return ""
}

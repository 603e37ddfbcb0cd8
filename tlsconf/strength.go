package tlsconf

import (
	"crypto/rsa"
	"crypto/x509"
	"fmt"
)

// minRSABits is the shortest RSA key that counts (NIST SP 800-131A).
const minRSABits = 2048

// checkStrength wraps ErrWeak if cert has a short RSA key or a signature over a broken hash.
// That of a root counts too: nobody verifies it, but it tells how old the root is.
func checkStrength(cert *x509.Certificate) error {
	if bits := rsaBits(cert); bits > 0 && bits < minRSABits {
		return fmt.Errorf("%w: RSA key of %d bits, at least %d are needed", ErrWeak, bits, minRSABits)
	}
	if isBroken(cert.SignatureAlgorithm) {
		return fmt.Errorf("%w: signed with %s", ErrWeak, cert.SignatureAlgorithm)
	}
	return nil
}

// rsaBits is the length of an RSA key; 0 for another key.
func rsaBits(cert *x509.Certificate) int {
	if key, ok := cert.PublicKey.(*rsa.PublicKey); ok {
		return key.N.BitLen()
	}
	return 0
}

// isBroken reports whether the signature hashes with SHA-1 or MD5 (RFC 9155).
func isBroken(algorithm x509.SignatureAlgorithm) bool {
	switch algorithm {
	case x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1, x509.MD5WithRSA, x509.MD2WithRSA:
		return true
	}
	return false
}

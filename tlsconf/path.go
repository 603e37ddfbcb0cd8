package tlsconf

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Extensions of certificates, RFC 5280 sections 4.2.1.3 and 4.2.1.12.
const (
	oidKeyUsage    = "2.5.29.15"
	oidExtKeyUsage = "2.5.29.37"
)

// paths are the ways from the leaf to a present client CA, by RFC 5280 section 6.1. Of chains
// only the first leaf and all that could be intermediates count. Its error is a *CertificateError.
func (t *trust) paths(chains [][]*x509.Certificate, now time.Time) ([][]*x509.Certificate, error) {
	leaf := chains[0][0]
	if err := checkLeaf(leaf); err != nil {
		return nil, refuse(leaf, err)
	}
	between := x509.NewCertPool()
	sent := []*x509.Certificate{leaf}
	for _, chain := range chains {
		for _, cert := range chain[1:] {
			between.AddCert(cert)
			sent = append(sent, cert)
		}
	}
	paths, err := leaf.Verify(x509.VerifyOptions{
		Roots: t.roots, Intermediates: between, CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return nil, classify(sent, err)
	}
	return paths, nil
}

// checkLeaf is what is asked of the client's own certificate, whoever issued it. A usage that
// is not stated is permitted.
func checkLeaf(leaf *x509.Certificate) error {
	switch {
	case hasExtension(leaf, oidKeyUsage) && leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		return fmt.Errorf("%w: %s: its key usage lacks digitalSignature", ErrUsage, leaf.Subject)
	case hasExtension(leaf, oidExtKeyUsage) && !hasUsage(leaf, x509.ExtKeyUsageClientAuth):
		return fmt.Errorf("%w: %s: its extended key usage lacks clientAuth", ErrUsage, leaf.Subject)
	}
	if err := checkStrength(leaf); err != nil {
		return fmt.Errorf("%w: %s", err, leaf.Subject)
	}
	return nil
}

func hasExtension(cert *x509.Certificate, oid string) bool {
	return slices.ContainsFunc(cert.Extensions, func(e pkix.Extension) bool { return e.Id.String() == oid })
}

// classify says why crypto/x509 found no path for what a client sent, leaf first.
func classify(sent []*x509.Certificate, err error) *CertificateError {
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		switch invalid.Reason {
		case x509.Expired:
			return refuse(invalid.Cert, fmt.Errorf("%w: %w", ErrExpired, err))
		case x509.IncompatibleUsage:
			return refuse(sent[0], fmt.Errorf("%w: %w", ErrUsage, err))
		}
	}
	for _, cert := range sent {
		// crypto/x509 passes over such a certificate and calls the one below it untrusted.
		if weak := checkStrength(cert); weak != nil {
			return refuse(cert, fmt.Errorf("%w: %s", weak, cert.Subject))
		}
	}
	return refuse(sent[0], fmt.Errorf("%w: %w", ErrUntrusted, err))
}

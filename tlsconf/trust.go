package tlsconf

import (
	"crypto/x509"
	"errors"
	"fmt"
)

// trust is what client certificates are judged by.
type trust struct {
	roots *x509.CertPool
	cas   []*x509.Certificate // what roots holds
	lists *lists              // nil: no revocation check
}

// parseCAs reads a client CA file: CA certificates and nothing else. One that is unfit or too
// weak refuses the file, which is taken whole or not at all.
func parseCAs(data []byte) ([]*x509.Certificate, error) {
	list, err := blocks(data)
	if err != nil {
		return nil, err
	}
	var cas []*x509.Certificate
	for i, block := range list {
		if block.Type != certificateBlock {
			hint := misplaced(block.Type)
			if hint == "" {
				hint = "keep only the CAs' certificates in this file"
			}
			return nil, advise(fmt.Errorf("block %d is %s, not a certificate", i+1, block.Type), hint)
		}
		cert, err := certificate(block, i+1)
		if err != nil {
			return nil, err
		}
		if err := signsCertificates(cert); err != nil {
			return nil, advise(fmt.Errorf("certificate %d (%s): %w", i+1, cert.Subject, err),
				"name the CA that issued it, not the client's own certificate")
		}
		if err := checkStrength(cert); err != nil {
			return nil, advise(fmt.Errorf("certificate %d (%s): %w", i+1, cert.Subject, err), advice(err))
		}
		cas = append(cas, cert)
	}
	return cas, nil
}

func signsCertificates(cert *x509.Certificate) error {
	switch {
	case !cert.BasicConstraintsValid || !cert.IsCA:
		return errors.New("is not a CA")
	case cert.KeyUsage != 0 && cert.KeyUsage&x509.KeyUsageCertSign == 0:
		return errors.New("is a CA whose key usage does not permit it to sign certificates")
	}
	return nil
}

func pool(cas []*x509.Certificate) *x509.CertPool {
	roots := x509.NewCertPool()
	for _, ca := range cas {
		roots.AddCert(ca)
	}
	return roots
}

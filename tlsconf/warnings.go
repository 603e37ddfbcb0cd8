package tlsconf

import (
	"crypto/x509"
	"slices"
	"time"
)

// warning is something odd that does not keep the state from being used.
type warning struct{ subject, reason string }

func (s *snapshot) warnings(now time.Time) []warning {
	var all []warning
	add := func(cert *x509.Certificate, reason string) {
		all = append(all, warning{cert.Subject.String(), reason})
	}
	leaf := s.chain[0]
	if len(leaf.DNSNames)+len(leaf.IPAddresses)+len(leaf.URIs) == 0 {
		add(leaf, "server certificate has no subject alternative name: scrapers will not accept it")
	}
	if !hasUsage(leaf, x509.ExtKeyUsageServerAuth) && len(leaf.ExtKeyUsage)+len(leaf.UnknownExtKeyUsage) > 0 {
		add(leaf, "server certificate is not for server authentication: scrapers will not accept it")
	}
	if err := s.valid(now); err != nil {
		add(leaf, "server "+err.Error())
	}
	for i, issuer := range s.chain[1:] {
		if s.chain[i].CheckSignatureFrom(issuer) != nil {
			add(issuer, "server certificate chain is out of order: each certificate signs the one before it")
		}
	}
	for _, ca := range s.trust.cas {
		if err := checkValidity(ca, now); err != nil {
			add(ca, "client CA "+err.Error())
		}
		if s.trust.lists == nil {
			continue
		}
		found := s.trust.lists.of(ca)
		if len(found.good) == 0 {
			add(ca, found.none().Error()+": its certificates are refused")
		}
		for _, l := range found.good {
			if l.stale(now) {
				add(ca, ErrStaleList.Error()+": its "+l.scope.String()+" are refused")
			}
		}
	}
	return all
}

func hasUsage(cert *x509.Certificate, usage x509.ExtKeyUsage) bool {
	return slices.Contains(cert.ExtKeyUsage, usage) || slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageAny)
}

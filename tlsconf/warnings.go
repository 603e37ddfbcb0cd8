package tlsconf

import (
	"bytes"
	"crypto/x509"
	"slices"
	"time"
)

// Warning is something odd that does not keep the files from being used.
type Warning struct {
	Role    string // RoleServer or RoleClientCA: the file that holds the certificate
	Subject string // of the certificate
	Reason  string // what is odd, and what follows from it
	Advice  string // what to change; may be empty
	Expired bool   // it is about something past its end, as Reloader.Expiry tells too
}

func (s *snapshot) warnings(now time.Time) []Warning {
	all := append(s.serverWarnings(now), s.chainWarnings(now)...)
	if s.unnamed {
		all = append(
			all,
			Warning{Role: RoleClientCA, Reason: "the names of the client CAs do not fit into a certificate request " +
				"(64 KiB) and are left out: a client with several certificates may choose the wrong one",
				Advice: "name fewer CAs"},
		)
	}
	for _, ca := range s.trust.cas {
		all = append(all, s.caWarnings(ca, now)...)
	}
	return all
}

// serverWarnings is about the server's own certificate.
func (s *snapshot) serverWarnings(now time.Time) []Warning {
	leaf := s.chain[0]
	var all []Warning
	add := func(reason, advice string) *Warning {
		all = append(all, Warning{RoleServer, leaf.Subject.String(), reason, advice, false})
		return &all[len(all)-1]
	}
	if len(leaf.DNSNames)+len(leaf.IPAddresses)+len(leaf.URIs) == 0 {
		add("server certificate has no subject alternative name: scrapers will not accept it",
			"issue it with the name or address that scrapers use")
	}
	if hasExtension(leaf, oidExtKeyUsage) && !hasUsage(leaf, x509.ExtKeyUsageServerAuth) {
		add("server certificate is not for server authentication: scrapers will not accept it",
			"issue it with extended key usage serverAuth")
	}
	if err := s.valid(now); err != nil {
		add("server "+err.Error(), advice(err)).Expired = now.After(leaf.NotAfter)
	}
	if err := checkStrength(leaf); err != nil {
		add("server "+err.Error()+": scrapers may not accept it", advice(err))
	}
	return all
}

// chainWarnings is about the certificates that follow the server's own.
func (s *snapshot) chainWarnings(now time.Time) []Warning {
	var all []Warning
	for i, issuer := range s.chain[1:] {
		add := func(reason, advice string) *Warning {
			all = append(all, Warning{RoleServer, issuer.Subject.String(), reason, advice, false})
			return &all[len(all)-1]
		}
		if s.chain[i].CheckSignatureFrom(issuer) != nil {
			add("server certificate chain is out of order: each certificate signs the one before it",
				"the server's own certificate comes first, then each intermediate")
		}
		if err := checkValidity(issuer, now); err != nil {
			add("intermediate "+err.Error()+": scrapers will not accept the chain",
				"replace it with the CA's present intermediate").Expired = now.After(issuer.NotAfter)
		}
		isRoot := bytes.Equal(issuer.RawSubject, issuer.RawIssuer) // clients trust a copy of their own
		if err := checkStrength(issuer); err != nil && !isRoot {
			add("intermediate "+err.Error()+": scrapers may not accept the chain", advice(err))
		}
	}
	return all
}

// caWarnings is about one client CA and its revocation lists.
func (s *snapshot) caWarnings(ca *x509.Certificate, now time.Time) []Warning {
	var all []Warning
	add := func(reason string, err error) *Warning {
		all = append(all, Warning{RoleClientCA, ca.Subject.String(), reason, advice(err), false})
		return &all[len(all)-1]
	}
	if err := checkValidity(ca, now); err != nil {
		add("client CA "+err.Error(), err).Expired = now.After(ca.NotAfter)
	}
	if ca.PublicKey == nil {
		add("client CA has a key of an unknown kind: its certificates are refused", ErrWeak)
	}
	if s.trust.lists == nil {
		return all
	}
	found := s.trust.lists.of(ca)
	if len(found.good) == 0 {
		add(found.none().Error()+": its certificates are refused", found.none())
	}
	for _, l := range found.good {
		if l.stale(now) {
			add(ErrStaleList.Error()+": its "+l.scope.String()+" are refused", ErrStaleList).Expired = true
		}
	}
	return all
}

func hasUsage(cert *x509.Certificate, usage x509.ExtKeyUsage) bool {
	return slices.Contains(cert.ExtKeyUsage, usage) || slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageAny)
}

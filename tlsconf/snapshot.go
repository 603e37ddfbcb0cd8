package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"time"
)

// snapshot is one good reading of all files. It does not change but for its caches.
type snapshot struct {
	sums     []digest
	chain    []*x509.Certificate // of the server
	server   tls.Certificate
	trust    trust
	config   *tls.Config
	unnamed  bool // the certificate request does not name the client CAs
	verdicts verdicts
}

// load reads and judges all files. Its error joins a *FileError for each bad file.
func load(files Files, now time.Time) (*snapshot, error) {
	data, sums, failures := read(files.sources())
	s := &snapshot{sums: sums}
	add := func(role, path string, err error) { failures = append(failures, fileError(role, path, err)) }
	var failed []error
	s.chain, s.server, failed = loadPair(data, files)
	failures = append(failures, failed...)
	if pem, ok := data[RoleClientCA]; ok {
		cas, err := parseCAs(pem)
		if err != nil {
			add(RoleClientCA, files.ClientCA, err)
		}
		s.trust = trust{roots: pool(cas), cas: cas}
	}
	if all, ok := data[RoleCRL]; ok {
		parsed, err := parseLists(all, now)
		if err != nil {
			add(RoleCRL, files.ClientCRL, err)
		}
		s.trust.lists = newLists(parsed, s.trust.cas)
	}
	if len(failures) > 0 {
		return nil, join(withoutDerived(failures, files.Key))
	}
	return s, nil
}

func (s *snapshot) valid(now time.Time) error { return checkValidity(s.chain[0], now) }

// checkValidity wraps ErrExpired if cert is not valid at now.
func checkValidity(cert *x509.Certificate, now time.Time) error {
	switch {
	case now.Before(cert.NotBefore):
		return fmt.Errorf("%w: %s is valid from %s", ErrExpired, cert.Subject, cert.NotBefore.Format(time.RFC3339))
	case now.After(cert.NotAfter):
		return fmt.Errorf("%w: %s expired %s", ErrExpired, cert.Subject, cert.NotAfter.Format(time.RFC3339))
	}
	return nil
}

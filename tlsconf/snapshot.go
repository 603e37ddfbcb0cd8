package tlsconf

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"slices"
	"time"
)

// snapshot is one good reading of all files. It does not change but for its caches.
type snapshot struct {
	sums     []digest
	chain    []*x509.Certificate // of the server
	server   tls.Certificate
	trust    trust
	config   *tls.Config
	verdicts verdicts
}

// load reads and judges all files; errors are *FileError.
func load(files Files) (*snapshot, error) {
	data, sums, err := read(files.sources())
	if err != nil {
		return nil, err
	}
	s := &snapshot{sums: sums}
	if s.chain, err = parseChain(data[RoleServer]); err != nil {
		return nil, fileError(RoleServer, files.Cert, err)
	}
	key, err := parseKey(data[RoleKey])
	if err != nil {
		return nil, fileError(RoleKey, files.Key, err)
	}
	if s.server, err = pair(s.chain, key); err != nil {
		return nil, fileError(RoleServer, files.Cert, err)
	}
	if files.ClientCA == "" {
		return s, nil
	}
	cas, err := parseCAs(data[RoleClientCA])
	if err != nil {
		return nil, fileError(RoleClientCA, files.ClientCA, err)
	}
	s.trust = trust{roots: pool(cas), cas: cas}
	if files.ClientCRL == "" {
		return s, nil
	}
	all, err := parseLists(data[RoleCRL])
	if err != nil {
		return nil, fileError(RoleCRL, files.ClientCRL, err)
	}
	s.trust.lists = newLists(all, cas)
	return s, nil
}

func (s *snapshot) valid(now time.Time) error { return checkValidity(s.chain[0], now) }

// checkValidity wraps ErrExpired if cert is not valid at now.
func checkValidity(cert *x509.Certificate, now time.Time) error {
	switch {
	case now.Before(cert.NotBefore):
		return fmt.Errorf("%w: %s begins %s", ErrExpired, cert.Subject, cert.NotBefore.Format(time.RFC3339))
	case now.After(cert.NotAfter):
		return fmt.Errorf("%w: %s ended %s", ErrExpired, cert.Subject, cert.NotAfter.Format(time.RFC3339))
	}
	return nil
}

// Expiry says when something that is in use ends.
type Expiry struct {
	Role     string    // RoleServer, RoleClientCA or RoleCRL
	Subject  string    // subject of the certificate, issuer of the list
	NotAfter time.Time // end of the certificate's validity, next update of the list
}

func (s *snapshot) expiry() []Expiry {
	var all []Expiry
	for _, cert := range s.chain {
		all = append(all, Expiry{RoleServer, cert.Subject.String(), cert.NotAfter})
	}
	for _, cert := range s.trust.cas {
		all = append(all, Expiry{RoleClientCA, cert.Subject.String(), cert.NotAfter})
	}
	for _, l := range s.trust.lists.newest() {
		all = append(all, Expiry{RoleCRL, l.signed.Issuer.String(), l.signed.NextUpdate})
	}
	order := []string{RoleServer, RoleClientCA, RoleCRL}
	slices.SortStableFunc(all, func(a, b Expiry) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Role), slices.Index(order, b.Role)), a.NotAfter.Compare(b.NotAfter))
	})
	return all
}

// newest leaves out lists that a newer one of the same issuer, key and scope replaces.
func (ls *lists) newest() []*list {
	if ls == nil {
		return nil
	}
	var kept []*list
	for _, l := range ls.all {
		at := slices.IndexFunc(kept, func(k *list) bool {
			return k.names(l.signed.RawIssuer, l.signed.AuthorityKeyId) && k.scope.same(l.scope)
		})
		switch {
		case at < 0:
			kept = append(kept, l)
		case l.newer(kept[at]):
			kept[at] = l
		}
	}
	return kept
}

package tlsconf

import (
	"cmp"
	"slices"
	"time"
)

// Expiry says when something that is in use expires.
type Expiry struct {
	Role     string    // RoleServer, RoleClientCA or RoleCRL
	Subject  string    // subject of the certificate, issuer of the list
	NotAfter time.Time // end of the certificate's validity, next update of the list

	Intermediate bool // of the server's chain: a reload accepts it even when it has expired
}

// expiry lists the server's certificate and its intermediates, the CAs and the lists.
func (s *snapshot) expiry() []Expiry {
	var all []Expiry
	for i, cert := range s.chain {
		all = append(all, Expiry{RoleServer, cert.Subject.String(), cert.NotAfter, i > 0})
	}
	for _, cert := range s.trust.cas {
		all = append(all, Expiry{Role: RoleClientCA, Subject: cert.Subject.String(), NotAfter: cert.NotAfter})
	}
	for _, l := range s.trust.lists.newest() {
		all = append(all, Expiry{Role: RoleCRL, Subject: l.signed.Issuer.String(), NotAfter: l.signed.NextUpdate})
	}
	order := []string{RoleServer, RoleClientCA, RoleCRL}
	slices.SortStableFunc(all, func(a, b Expiry) int {
		byRole := cmp.Compare(slices.Index(order, a.Role), slices.Index(order, b.Role))
		return cmp.Or(byRole, a.NotAfter.Compare(b.NotAfter))
	})
	return all
}

// newest leaves out lists that a newer one of the same issuer, key and scope replaces.
func (ls *lists) newest() []*list {
	if ls == nil {
		return nil
	}
	return newestOf(ls.all)
}

func newestOf(all []*list) []*list {
	var kept []*list
	for _, l := range all {
		at := slices.IndexFunc(kept, l.replaces)
		switch {
		case at < 0:
			kept = append(kept, l)
		case l.newer(kept[at]):
			kept[at] = l
		}
	}
	return kept
}

// replaces reports whether l and other are two states of one list: of the same issuer, key
// and scope.
func (l *list) replaces(other *list) bool {
	return other.names(l.signed.RawIssuer, l.signed.AuthorityKeyId) && other.scope.same(l.scope)
}

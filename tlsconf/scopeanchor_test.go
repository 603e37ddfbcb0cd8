package tlsconf_test

import (
	"crypto/x509"
	"errors"
	"testing"

	"github.com/metrics-gate/metrics-gate/tlsconf"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// A client may present a CA's certificate as its own: what it is decides.
func TestKindOfALeafThatIsACA(t *testing.T) {
	s := newFixture(t)
	client := testca.Must(s.clients.Issue(edit(func(c *x509.Certificate) { c.IsCA = true })))
	for _, tc := range []struct {
		list []byte
		want error
	}{
		{users(s.clients), tlsconf.ErrNoList},
		{caLists(s.clients), nil},
		{caLists(s.clients, client.Leaf()), tlsconf.ErrRevoked},
	} {
		s.writeCRL(tc.list)
		if err := s.reloader(s.files(tlsconf.Required)).Verify(chains(t, client, s.clients)); !errors.Is(
			err,
			tc.want,
		) ||
			(err == nil) != (tc.want == nil) {
			t.Errorf("%v, want %v", err, tc.want)
		}
	}
}

// An anchor may lack a list, and so one that covers it; an entry takes trust away all the same.
func TestScopesOfAnchors(t *testing.T) {
	for name, tc := range map[string]struct {
		list     func(h *hierarchy) []byte // of the root
		withRoot bool
		want     error
	}{
		"none covers it": {func(h *hierarchy) []byte { return users(h.clients) }, true, nil},
		"revoked on any": {
			func(h *hierarchy) []byte { return users(h.clients, h.middle.Cert) }, true, tlsconf.ErrRevoked,
		},
		"covered, revoked": {
			func(h *hierarchy) []byte { return at(h.clients, one, h.middle.Cert) }, true, tlsconf.ErrRevoked,
		},
		"stale": {
			func(h *hierarchy) []byte { return aged(h.clients, testca.CRLOptions{OnlyCAs: true}) },
			true, tlsconf.ErrStaleList,
		},
		"stale for others": {
			func(h *hierarchy) []byte { return aged(h.clients, testca.CRLOptions{OnlyUsers: true}) }, true, nil,
		},
		"without root, revoked": {
			func(h *hierarchy) []byte { return at(h.clients, one, h.middle.Cert) }, false, tlsconf.ErrRevoked,
		},
		"without root, no matter": {func(h *hierarchy) []byte { return at(h.clients, one) }, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHierarchy(t)
			trusted := []*x509.Certificate{h.middle.Cert}
			if tc.withRoot {
				trusted = append(trusted, h.clients.Cert)
			}
			h.write("ca.crt", testca.CertPEM(trusted...))
			// The newer one of another scope must not replace it.
			h.writeCRL(
				tc.list(h),
				testca.Must(h.clients.CRL(testca.CRLOptions{Number: 9, OnlyUsers: true, Points: []string{two}})),
				list(h.middle, 1),
			)
			h.expect(tc.want)
		})
	}
}

package tlsconf_test

import (
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/tlsconf"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

func TestWhatNoListCovers(t *testing.T) {
	for want, points := range map[string][]string{
		`issuer has no revocation list: CN=middle: none covers user certificates at "http://ca.example/2.crl"`: {
			two, "ldap:///cn=ca",
		},
		"issuer has no revocation list: CN=middle: none covers user certificates without a distribution point": nil,
	} {
		h := scopedHierarchy(t, points...)
		h.writeCRL(list(h.clients, 1), at(h.middle, one), at(h.middle, "http://ca.example/3.crl"))
		if err := h.reloader(h.files(tlsconf.Required)).Verify(chains(t, h.leaf, h.clients)); err == nil ||
			err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestScopesInWarningsAndExpiry(t *testing.T) {
	s := newFixture(t)
	s.writeCRL(
		aged(s.clients, testca.CRLOptions{OnlyUsers: true, Points: []string{one}}),
		aged(s.clients, testca.CRLOptions{OnlyCAs: true}),
		at(s.clients, one),
	)
	r := s.reloader(s.files(tlsconf.Required))
	for _, want := range []string{`stale: its user certificates at \"http://ca.example/1.crl\" are refused`,
		"stale: its CA certificates are refused"} {
		if got := s.log.String(); !strings.Contains(got, want) || strings.Count(got, "\n") != 2 {
			t.Errorf("logged %q, want %q", got, want)
		}
	}
	lists := 0
	for _, e := range r.Expiry() {
		if e.Role == tlsconf.RoleCRL {
			lists++
		}
	}
	if lists != 3 {
		t.Errorf("%d lists of three scopes expire", lists)
	}
}

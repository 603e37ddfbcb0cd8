package tlsconf_test

import (
	"crypto/x509"
	"testing"

	"github.com/metrics-gate/metrics-gate/tlsconf"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

func TestKindsOfCertificates(t *testing.T) {
	type ca = *testca.CA
	type cert = *x509.Certificate
	for name, tc := range map[string]scopedLists{
		"users":               {nil, func(c ca, _ cert) [][]byte { return [][]byte{users(c)} }, nil},
		"users, revoked":      {nil, func(c ca, l cert) [][]byte { return [][]byte{users(c, l)} }, tlsconf.ErrRevoked},
		"users, points named": {[]string{one}, func(c ca, _ cert) [][]byte { return [][]byte{users(c)} }, nil},
		"CAs":                 {nil, func(c ca, _ cert) [][]byte { return [][]byte{caLists(c)} }, tlsconf.ErrNoList},
		"CAs, revoked": {
			nil, func(c ca, l cert) [][]byte { return [][]byte{users(c), caLists(c, l)} }, tlsconf.ErrRevoked,
		},
		"users stale": {nil, func(c ca, _ cert) [][]byte {
			return [][]byte{aged(c, testca.CRLOptions{OnlyUsers: true}), caLists(c)}
		}, tlsconf.ErrStaleList},
		"CAs stale": {nil, func(c ca, _ cert) [][]byte {
			return [][]byte{aged(c, testca.CRLOptions{OnlyCAs: true}), users(c)}
		}, nil},
		"CAs newer": {nil, func(c ca, _ cert) [][]byte {
			return [][]byte{users(c), testca.Must(c.CRL(testca.CRLOptions{OnlyCAs: true, Number: 9}))}
		}, nil},
		"users at a point": {
			nil, func(c ca, _ cert) [][]byte { return [][]byte{usersAt(c, one), caLists(c)} }, nil,
		},
		"users at its point": {
			[]string{one}, func(c ca, _ cert) [][]byte { return [][]byte{usersAt(c, one)} }, nil,
		},
		"users at another": {
			[]string{one}, func(c ca, _ cert) [][]byte { return [][]byte{usersAt(c, two)} }, tlsconf.ErrNoList,
		},
		"users, all at one point": {
			nil, func(c ca, _ cert) [][]byte { return [][]byte{usersAt(c, one), at(c, one)} }, nil,
		},
		"kinds at two points": {nil, func(c ca, _ cert) [][]byte {
			return [][]byte{usersAt(c, one),
				testca.Must(c.CRL(testca.CRLOptions{OnlyCAs: true, Points: []string{two}}))}
		}, tlsconf.ErrNoList},
	} {
		t.Run(name, tc.check)
	}
}

func usersAt(ca *testca.CA, point string) []byte {
	return testca.Must(ca.CRL(testca.CRLOptions{OnlyUsers: true, Points: []string{point}}))
}

// The intermediate, a CA, stands between the root's lists.
func TestKindsOverTheWholeChain(t *testing.T) {
	for name, tc := range map[string]struct {
		lists func(h *hierarchy) [][]byte
		want  error
	}{
		"CAs": {func(h *hierarchy) [][]byte { return [][]byte{caLists(h.clients)} }, nil},
		"CAs, revoked": {
			func(h *hierarchy) [][]byte { return [][]byte{caLists(h.clients, h.middle.Cert)} }, tlsconf.ErrRevoked,
		},
		"users": {func(h *hierarchy) [][]byte { return [][]byte{users(h.clients)} }, tlsconf.ErrNoList},
		"users, revoked": {
			func(h *hierarchy) [][]byte { return [][]byte{users(h.clients, h.middle.Cert)} }, tlsconf.ErrRevoked,
		},
		"both":    {func(h *hierarchy) [][]byte { return [][]byte{users(h.clients), caLists(h.clients)} }, nil},
		"a point": {func(h *hierarchy) [][]byte { return [][]byte{at(h.clients, one)} }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHierarchy(t)
			h.writeCRL(append(tc.lists(h), list(h.middle, 1))...)
			h.expect(tc.want)
		})
	}
}

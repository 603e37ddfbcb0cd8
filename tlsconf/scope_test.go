package tlsconf_test

import (
	"crypto/x509"
	"errors"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/tlsconf"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

const one, two = "http://ca.example/1.crl", "http://ca.example/2.crl"

// scopedHierarchy is a root, an intermediate, and a leaf that names points.
func scopedHierarchy(t testing.TB, points ...string) *hierarchy {
	h := newHierarchy(t)
	h.leaf = testca.Must(h.middle.Issue(testca.Options{CommonName: "scraper", Edit: func(c *x509.Certificate) {
		c.CRLDistributionPoints = points
	}}))
	return h
}

// at is a list of one point.
func at(ca *testca.CA, point string, revoked ...*x509.Certificate) []byte {
	return testca.Must(ca.CRL(testca.CRLOptions{Points: []string{point}, Revoked: revoked}))
}

func users(ca *testca.CA, revoked ...*x509.Certificate) []byte {
	return testca.Must(ca.CRL(testca.CRLOptions{OnlyUsers: true, Revoked: revoked}))
}

func caLists(ca *testca.CA, revoked ...*x509.Certificate) []byte {
	return testca.Must(ca.CRL(testca.CRLOptions{OnlyCAs: true, Revoked: revoked}))
}

func aged(ca *testca.CA, o testca.CRLOptions) []byte {
	o.ThisUpdate = time.Now().Add(-48 * time.Hour)
	return testca.Must(ca.CRL(o))
}

// scopedLists is lists of the intermediate, and what becomes of a leaf below it.
type scopedLists struct {
	points []string // of the leaf
	lists  func(ca *testca.CA, leaf *x509.Certificate) [][]byte
	want   error
}

func (tc scopedLists) check(t *testing.T) {
	h := scopedHierarchy(t, tc.points...)
	h.writeCRL(append(tc.lists(h.middle, h.leaf.Leaf()), list(h.clients, 1))...)
	h.expect(tc.want)
}

// expect asks for the leaf on request and in a handshake.
func (h *hierarchy) expect(want error) {
	h.t.Helper()
	r := h.reloader(h.files(tlsconf.Required))
	if err := r.Verify(chains(h.t, h.leaf, h.clients)); !errors.Is(err, want) || (err == nil) != (want == nil) {
		h.t.Errorf("on request: %v, want %v", err, want)
	}
	if answer, err := ask(h.serve(r), h.config(h.leaf)); (err == nil) != (want == nil) {
		h.t.Errorf("in the handshake: %q, %v; want %v", answer, err, want)
	}
}

func TestPartitions(t *testing.T) {
	type ca = *testca.CA
	type cert = *x509.Certificate
	named, other, both := []string{one}, []string{"http://ca.example/3.crl"}, []string{two, one}
	for name, tc := range map[string]scopedLists{
		"its own": {named, func(c ca, _ cert) [][]byte { return [][]byte{at(c, one)} }, nil},
		"its own, revoked": {
			named, func(c ca, l cert) [][]byte { return [][]byte{at(c, one, l)} }, tlsconf.ErrRevoked,
		},
		"its own of two": {
			named, func(c ca, _ cert) [][]byte { return [][]byte{at(c, two), at(c, one)} }, nil,
		},
		"another alone": {
			named, func(c ca, _ cert) [][]byte { return [][]byte{at(c, two)} }, tlsconf.ErrNoList,
		},
		"another, revoked": {
			named, func(c ca, l cert) [][]byte { return [][]byte{at(c, one), at(c, two, l)} }, tlsconf.ErrRevoked,
		},
		"neither of two": {
			other, func(c ca, _ cert) [][]byte { return [][]byte{at(c, one), at(c, two)} }, tlsconf.ErrNoList,
		},
		"second of its names": {both, func(c ca, _ cert) [][]byte { return [][]byte{at(c, one)} }, nil},
		"not the same bytes": {
			[]string{"HTTP://ca.example/1.crl"},
			func(c ca, _ cert) [][]byte { return [][]byte{at(c, one)} },
			tlsconf.ErrNoList,
		},
	} {
		t.Run(name, tc.check)
	}
}

func TestPartitionsThatDoNotMatch(t *testing.T) {
	type ca = *testca.CA
	type cert = *x509.Certificate
	named, other, both := []string{one}, []string{"http://ca.example/3.crl"}, []string{two, one}
	for name, tc := range map[string]scopedLists{
		"no name, one point": {nil, func(c ca, _ cert) [][]byte { return [][]byte{at(c, one)} }, nil},
		"no name, revoked": {
			nil, func(c ca, l cert) [][]byte { return [][]byte{at(c, one, l)} }, tlsconf.ErrRevoked,
		},
		"no name, two points": {
			nil, func(c ca, _ cert) [][]byte { return [][]byte{at(c, one), at(c, two)} }, tlsconf.ErrNoList,
		},
		"no name, same point twice": {
			nil, func(c ca, _ cert) [][]byte { return [][]byte{at(c, one), at(c, one)} }, nil,
		},
		"no name, points that meet": {nil, func(c ca, _ cert) [][]byte {
			return [][]byte{at(c, one), testca.Must(c.CRL(testca.CRLOptions{Points: both}))}
		}, tlsconf.ErrNoList},
		"no name, a point of two URIs": {nil, func(c ca, _ cert) [][]byte {
			return [][]byte{testca.Must(c.CRL(testca.CRLOptions{Points: both}))}
		}, nil},
		"no name, forged other point": {
			nil, func(c ca, _ cert) [][]byte { return [][]byte{at(c, one), at(impostor(c), two)} }, nil,
		},
		"no name, complete with two": {
			nil, func(c ca, _ cert) [][]byte { return [][]byte{at(c, one), at(c, two), list(c, 1)} }, nil,
		},
		"other name, complete too": {
			other, func(c ca, _ cert) [][]byte { return [][]byte{at(c, one), list(c, 1)} }, nil,
		},
		"complete newer, own revokes": {
			named, func(c ca, l cert) [][]byte { return [][]byte{list(c, 9), at(c, one, l)} }, tlsconf.ErrRevoked,
		},
		"own newer, complete revokes": {
			other, func(c ca, l cert) [][]byte { return [][]byte{at(c, one), list(c, 0, l)} }, tlsconf.ErrRevoked,
		},
		"own newer of its point": {
			named,
			func(c ca, l cert) [][]byte { return [][]byte{aged(c, testca.CRLOptions{Points: named}), at(c, one)} },
			nil,
		},
		"own stale, another fresh": {
			named,
			func(c ca, _ cert) [][]byte { return [][]byte{aged(c, testca.CRLOptions{Points: named}), at(c, two)} },
			tlsconf.ErrStaleList,
		},
		"own fresh, another stale": {named, func(c ca, _ cert) [][]byte {
			return [][]byte{aged(c, testca.CRLOptions{Points: []string{two}}), at(c, one)}
		}, nil},
		"own fresh, complete stale": {
			named, func(c ca, _ cert) [][]byte { return [][]byte{at(c, one), staleList(c, 1)} }, tlsconf.ErrStaleList,
		},
		"both named, one of them stale": {both, func(c ca, _ cert) [][]byte {
			return [][]byte{at(c, one), aged(c, testca.CRLOptions{Points: []string{two}})}
		}, tlsconf.ErrStaleList},
	} {
		t.Run(name, tc.check)
	}
}

func TestPartitionsWithForgedLists(t *testing.T) {
	type ca = *testca.CA
	type cert = *x509.Certificate
	named := []string{one}
	for name, tc := range map[string]scopedLists{
		"own forged": {
			named, func(c ca, _ cert) [][]byte { return [][]byte{at(impostor(c), one)} }, tlsconf.ErrBadList,
		},
		"own forged, another good": {
			named,
			func(c ca, _ cert) [][]byte { return [][]byte{at(impostor(c), one), at(c, two)} },
			tlsconf.ErrBadList,
		},
		"another forged and revoking": {
			named, func(c ca, l cert) [][]byte { return [][]byte{at(impostor(c), two, l), at(c, one)} }, nil,
		},
		"own forged, own good": {
			named, func(c ca, l cert) [][]byte { return [][]byte{at(c, one), at(impostor(c), one, l)} }, nil,
		},
		"another's forged, its own gone": {
			named, func(c ca, _ cert) [][]byte { return [][]byte{at(impostor(c), two), at(c, two)} }, tlsconf.ErrNoList,
		},
	} {
		t.Run(name, tc.check)
	}
}

// impostor bears ca's name and key identifier, not its key.
func impostor(ca *testca.CA) *testca.CA {
	return testca.Must(testca.NewCA(testca.Options{Edit: func(c *x509.Certificate) {
		c.RawSubject, c.SubjectKeyId = ca.Cert.RawSubject, ca.Cert.SubjectKeyId
	}}))
}

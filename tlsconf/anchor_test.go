package tlsconf_test

import (
	"crypto/x509"
	"errors"
	"testing"

	"github.com/metrics-gate/metrics-gate/tlsconf"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// anchorCase is a file of lists for an intermediate in the client CA file, and what becomes of its leaf.
type anchorCase struct {
	withRoot bool
	lists    func(h *hierarchy) [][]byte
	want     error
}

func anchorCases() map[string]anchorCase {
	return map[string]anchorCase{
		"alone": {false, func(h *hierarchy) [][]byte { return [][]byte{list(h.middle, 1)} }, nil},
		"alone, root's list is fine": {
			false, func(h *hierarchy) [][]byte { return [][]byte{list(h.middle, 1), list(h.clients, 1)} }, nil,
		},
		"alone, revoked by the root": {
			false,
			func(h *hierarchy) [][]byte { return [][]byte{list(h.middle, 1), list(h.clients, 1, h.middle.Cert)} },
			tlsconf.ErrRevoked,
		},
		"alone, no longer revoked": {false, func(h *hierarchy) [][]byte {
			return [][]byte{list(h.middle, 1), list(h.clients, 1, h.middle.Cert), list(h.clients, 2)}
		}, nil},
		"alone, leaf revoked": {
			false,
			func(h *hierarchy) [][]byte { return [][]byte{list(h.middle, 1, h.leaf.Leaf())} },
			tlsconf.ErrRevoked,
		},
		"with root": {
			true, func(h *hierarchy) [][]byte { return [][]byte{list(h.middle, 1), list(h.clients, 1)} }, nil,
		},
		"with root, no list of it": {true, func(h *hierarchy) [][]byte { return [][]byte{list(h.middle, 1)} }, nil},
		"with root, revoked": {
			true,
			func(h *hierarchy) [][]byte { return [][]byte{list(h.middle, 1), list(h.clients, 1, h.middle.Cert)} },
			tlsconf.ErrRevoked,
		},
		"with root, its list stale": {
			true,
			func(h *hierarchy) [][]byte { return [][]byte{list(h.middle, 1), staleList(h.clients, 1)} },
			tlsconf.ErrStaleList,
		},
		"with root, its list forged": {
			true,
			func(h *hierarchy) [][]byte { return [][]byte{list(h.middle, 1), forgedList(h.clients, 1)} },
			tlsconf.ErrBadList,
		},
		"with root, a forged list revokes": {true, func(h *hierarchy) [][]byte {
			return [][]byte{list(h.middle, 1), list(h.clients, 1), forgedList(h.clients, 9, h.middle.Cert)}
		}, nil},
		"with root, itself on a list": {
			true,
			func(h *hierarchy) [][]byte { return [][]byte{list(h.middle, 1), list(h.clients, 1, h.clients.Cert)} },
			nil,
		},
	}
}

// An intermediate in the client CA file is an anchor; a list that names it still counts.
func TestIntermediateAsAnchor(t *testing.T) {
	for name, tc := range anchorCases() {
		t.Run(name, func(t *testing.T) {
			h := newHierarchy(t)
			trusted := []*x509.Certificate{h.middle.Cert}
			if tc.withRoot {
				trusted = append(trusted, h.clients.Cert)
			}
			h.write("ca.crt", testca.CertPEM(trusted...))
			h.writeCRL(tc.lists(h)...)
			r := h.reloader(h.files(tlsconf.Required))
			if err := r.Verify(chains(t, h.leaf, h.clients)); !errors.Is(err, tc.want) ||
				(err == nil) != (tc.want == nil) {
				t.Errorf("on request: %v, want %v", err, tc.want)
			}
			if answer, err := ask(h.serve(r), h.config(h.leaf)); (err == nil) != (tc.want == nil) {
				t.Errorf("in the handshake: %q, %v; want %v", answer, err, tc.want)
			}
		})
	}
}

// A leaf reachable two ways passes if one of them is good, whichever is tried first.
func TestOneGoodChainOfSeveralIsEnough(t *testing.T) {
	for name, tc := range map[string]struct {
		old, young bool // which root revokes
		want       error
	}{
		"neither": {
			false, false, nil,
		},
		"old":   {true, false, nil},
		"young": {false, true, nil},
		"both":  {true, true, tlsconf.ErrRevoked},
	} {
		s := newFixture(t)
		old, young := newCA("old"), newCA("young")
		middle := testca.Must(old.Intermediate(testca.Options{CommonName: "middle"}))
		cross := testca.Must(young.CrossSign(middle))
		leaf := testca.Must(middle.Issue(testca.Options{CommonName: "scraper"}))
		leaf.Chain = append(leaf.Chain, cross.Cert)
		s.write("ca.crt", testca.CertPEM(old.Cert, young.Cert))
		lists := [][]byte{list(middle, 1)}
		for ca, at := range map[*testca.CA]struct {
			revokes bool
			cert    *x509.Certificate
		}{old: {tc.old, middle.Cert}, young: {tc.young, cross.Cert}} {
			if at.revokes {
				lists = append(lists, list(ca, 1, at.cert))
			} else {
				lists = append(lists, list(ca, 1))
			}
		}
		s.writeCRL(lists...)
		r := s.reloader(s.files(tlsconf.Required))
		answer, err := ask(s.serve(r), s.config(leaf))
		if (err == nil) != (tc.want == nil) {
			t.Errorf("%s: %q, %v", name, answer, err)
		}
		both := append(chains(t, leaf, old), []*x509.Certificate{leaf.Leaf(), cross.Cert, young.Cert})
		if err := r.Verify(both); !errors.Is(err, tc.want) || (err == nil) != (tc.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
}

// Of several bad chains the one with a revoked certificate tells why.
func TestRevokedIsTheReasonThatCounts(t *testing.T) {
	for _, swapped := range []bool{false, true} {
		s := newFixture(t)
		old, young := newCA("old"), newCA("young")
		middle := testca.Must(old.Intermediate(testca.Options{CommonName: "middle"}))
		cross := testca.Must(young.CrossSign(middle))
		leaf := testca.Must(middle.Issue(testca.Options{CommonName: "scraper"}))
		s.write("ca.crt", testca.CertPEM(old.Cert, young.Cert))
		s.writeCRL(list(middle, 1), list(old, 1, middle.Cert))
		if swapped {
			s.writeCRL(list(middle, 1), list(young, 1, cross.Cert))
		}
		claim := [][]*x509.Certificate{{leaf.Leaf(), middle.Cert, old.Cert}, {leaf.Leaf(), cross.Cert, young.Cert}}
		if err := s.reloader(s.files(tlsconf.Required)).Verify(claim); !errors.Is(err, tlsconf.ErrRevoked) {
			t.Errorf("swapped %t: %v", swapped, err)
		}
	}
}

// Two CAs may bear one name, as after a change of key; each has its own list.
func TestListsOfOneNameAndTwoKeys(t *testing.T) {
	s := newFixture(t)
	successor := newCA("client root")
	s.write("ca.crt", testca.CertPEM(s.clients.Cert, successor.Cert))
	first, second := s.client("scraper"), testca.Must(successor.Issue(testca.Options{CommonName: "scraper"}))
	s.writeCRL(list(s.clients, 9), list(successor, 1, second.Leaf()))
	r := s.reloader(s.files(tlsconf.Required))
	if err := r.Verify(chains(t, first, s.clients)); err != nil {
		t.Error(err)
	}
	if err := r.Verify(chains(t, second, successor)); !errors.Is(err, tlsconf.ErrRevoked) {
		t.Error(err)
	}
	s.writeCRL(list(s.clients, 9))
	if _, err := r.Reload(); err != nil {
		t.Fatal(err)
	}
	if err := r.Verify(chains(t, second, successor)); !errors.Is(err, tlsconf.ErrNoList) {
		t.Error(err)
	}
}

// An CA that may not sign lists signs none.
func TestIssuerWithoutListUsage(t *testing.T) {
	s := newFixture(t)
	middle := testca.Must(s.clients.Intermediate(testca.Options{CommonName: "middle"}))
	silent := *middle.Cert
	template := edit(func(c *x509.Certificate) {
		c.RawSubject, c.SubjectKeyId, c.KeyUsage = silent.RawSubject, silent.SubjectKeyId, x509.KeyUsageCertSign
	})
	template.Key = middle.Key
	certs := testca.Must(s.clients.Intermediate(template))
	leaf := testca.Must(certs.Issue(testca.Options{CommonName: "scraper"}))
	s.writeCRL(list(s.clients, 1), list(middle, 1))
	r := s.reloader(s.files(tlsconf.Required))
	if err := r.Verify(chains(t, leaf, s.clients)); !errors.Is(err, tlsconf.ErrBadList) {
		t.Error(err)
	}
}

package tlsconf_test

import (
	"crypto/x509"
	"errors"
	"maps"
	"math/big"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/tlsconf"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// hierarchy is root, two intermediates side by side, and a leaf under the first.
type hierarchy struct {
	*fixture
	middle, other *testca.CA
	leaf          *testca.Pair
}

func newHierarchy(t testing.TB) *hierarchy {
	h := &hierarchy{fixture: newFixture(t)}
	h.middle = testca.Must(h.clients.Intermediate(testca.Options{CommonName: "middle"}))
	h.other = testca.Must(h.clients.Intermediate(testca.Options{CommonName: "other"}))
	h.leaf = testca.Must(h.middle.Issue(testca.Options{CommonName: "scraper"}))
	return h
}

func list(ca *testca.CA, number int64, revoked ...*x509.Certificate) []byte {
	return testca.Must(ca.CRL(testca.CRLOptions{Number: number, Revoked: revoked}))
}

func staleList(ca *testca.CA, number int64) []byte {
	return testca.Must(ca.CRL(testca.CRLOptions{Number: number, ThisUpdate: time.Now().Add(-48 * time.Hour)}))
}

// forgedList is in ca's name under another key.
func forgedList(ca *testca.CA, number int64, revoked ...*x509.Certificate) []byte {
	fake := testca.Must(testca.NewCA(testca.Options{Edit: func(c *x509.Certificate) {
		c.RawSubject, c.SubjectKeyId = ca.Cert.RawSubject, ca.Cert.SubjectKeyId
	}}))
	return list(fake, number, revoked...)
}

// revocation is a file of lists for the hierarchy, and what becomes of its leaf.
type revocation struct {
	lists func(h *hierarchy) [][]byte
	want  error // nil: passes
}

func revocations() map[string]revocation {
	return map[string]revocation{
		"nobody revoked": {
			func(h *hierarchy) [][]byte { return [][]byte{list(h.clients, 1), list(h.middle, 1)} },
			nil,
		},
		"leaf revoked": {
			func(h *hierarchy) [][]byte { return [][]byte{list(h.clients, 1), list(h.middle, 1, h.leaf.Leaf())} },
			tlsconf.ErrRevoked,
		},
		"intermediate revoked": {func(h *hierarchy) [][]byte {
			return [][]byte{list(h.clients, 1, h.middle.Cert), list(h.middle, 1)}
		}, tlsconf.ErrRevoked},
		"other intermediate revoked": {func(h *hierarchy) [][]byte {
			return [][]byte{list(h.clients, 1, h.other.Cert), list(h.middle, 1)}
		}, nil},
		"root on its own list": {
			func(h *hierarchy) [][]byte { return [][]byte{list(h.clients, 1, h.clients.Cert), list(h.middle, 1)} },
			tlsconf.ErrRevoked,
		},
		"serial on another's list": {
			func(h *hierarchy) [][]byte { return [][]byte{list(h.clients, 1, h.leaf.Leaf()), list(h.middle, 1)} },
			nil,
		},
		"no list of the intermediate": {
			func(h *hierarchy) [][]byte { return [][]byte{list(h.clients, 1), list(h.other, 1)} },
			tlsconf.ErrNoList,
		},
		"no list of the root": {
			func(h *hierarchy) [][]byte { return [][]byte{list(h.middle, 1)} },
			tlsconf.ErrNoList,
		},
		"stale list of the root": {
			func(h *hierarchy) [][]byte { return [][]byte{staleList(h.clients, 1), list(h.middle, 1)} },
			tlsconf.ErrStaleList,
		},
		"stale list, revoked": {staleRevoked, tlsconf.ErrRevoked},
		"stale list of another": {func(h *hierarchy) [][]byte {
			return [][]byte{list(h.clients, 1), list(h.middle, 1), staleList(h.other, 1)}
		}, nil},
		"forged list": {
			func(h *hierarchy) [][]byte { return [][]byte{list(h.clients, 1), forgedList(h.middle, 1)} },
			tlsconf.ErrBadList,
		},
		"forged newer with good": {func(h *hierarchy) [][]byte {
			return [][]byte{list(h.clients, 1), forgedList(h.middle, 9), list(h.middle, 1, h.leaf.Leaf())}
		}, tlsconf.ErrRevoked},
		"forged revoking, with good": {func(h *hierarchy) [][]byte {
			return [][]byte{list(h.clients, 1), list(h.middle, 1), forgedList(h.middle, 9, h.leaf.Leaf())}
		}, nil},
	}
}

// revocationsByNumber are files with several lists of one issuer.
func revocationsByNumber() map[string]revocation {
	bare := func(ca *testca.CA, number *big.Int, age time.Duration, revoked ...*x509.Certificate) []byte {
		return testca.Must(ca.CRL(testca.CRLOptions{Revoked: revoked, ThisUpdate: time.Now().Add(-age),
			Edit: func(l *x509.RevocationList) { l.Number = number }}))
	}
	return map[string]revocation{
		"higher number wins": {func(h *hierarchy) [][]byte {
			return [][]byte{list(h.clients, 1), list(h.middle, 1), list(h.middle, 2, h.leaf.Leaf())}
		}, tlsconf.ErrRevoked},
		"higher number wins, first": {func(h *hierarchy) [][]byte {
			return [][]byte{list(h.clients, 1), list(h.middle, 2), list(h.middle, 1, h.leaf.Leaf())}
		}, nil},
		"number before date": {func(h *hierarchy) [][]byte {
			return [][]byte{
				list(h.clients, 1),
				bare(h.middle, big.NewInt(2), 2*time.Hour),
				bare(h.middle, big.NewInt(1), time.Minute, h.leaf.Leaf()),
			}
		}, nil},
		"same number, later date": {func(h *hierarchy) [][]byte {
			return [][]byte{
				list(h.clients, 1),
				bare(h.middle, big.NewInt(1), 2*time.Hour),
				bare(h.middle, big.NewInt(1), time.Minute, h.leaf.Leaf()),
			}
		}, tlsconf.ErrRevoked},
		"newest is stale": {func(h *hierarchy) [][]byte {
			return [][]byte{list(h.clients, 1), staleList(h.middle, 5), list(h.middle, 4)}
		}, tlsconf.ErrStaleList},
	}
}

func TestRevocationOverTheWholeChain(t *testing.T) {
	all := revocations()
	maps.Copy(all, revocationsByNumber())
	for name, tc := range all {
		t.Run(name, func(t *testing.T) {
			h := newHierarchy(t)
			h.writeCRL(tc.lists(h)...)
			for _, auth := range []tlsconf.ClientAuth{tlsconf.Required, tlsconf.Optional} {
				r := h.reloader(h.files(auth))
				if err := r.Verify(chains(t, h.leaf, h.clients)); !errors.Is(err, tc.want) ||
					err == nil != (tc.want == nil) {
					t.Errorf("on request: %v, want %v", err, tc.want)
				}
				if answer, err := ask(h.serve(r), h.config(h.leaf)); (err == nil) != (tc.want == nil) {
					t.Errorf("in the handshake: %q, %v; want %v", answer, err, tc.want)
				}
			}
		})
	}
}

func staleRevoked(h *hierarchy) [][]byte {
	return [][]byte{list(h.clients, 1), testca.Must(h.middle.CRL(testca.CRLOptions{
		ThisUpdate: time.Now().Add(-48 * time.Hour), Revoked: []*x509.Certificate{h.leaf.Leaf()}}))}
}

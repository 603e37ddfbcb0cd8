package tlsconf_test

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/tlsconf"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// unnumbered is a list without extensions, so without a number, of some time ago. crypto/x509
// makes none.
func unnumbered(ca *testca.CA, age time.Duration) []byte {
	algorithm := pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}} // ECDSA, SHA-256
	tbs := testca.Must(asn1.Marshal(struct {
		Version                int
		Algorithm              pkix.AlgorithmIdentifier
		Issuer                 asn1.RawValue
		ThisUpdate, NextUpdate time.Time `asn1:"utc"`
	}{
		1, algorithm, asn1.RawValue{FullBytes: ca.Cert.RawSubject},
		time.Now().UTC().Add(-age), time.Now().UTC().Add(time.Hour),
	}))
	digest := sha256.Sum256(tbs)
	signature := testca.Must(ca.Key.Sign(rand.Reader, digest[:], crypto.SHA256))
	return testca.Must(asn1.Marshal(struct {
		TBS       asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}{asn1.RawValue{FullBytes: tbs}, algorithm, asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}}))
}

func TestListsNeverGoBack(t *testing.T) {
	clientsOf := func(s *fixture, number int64) []byte { return list(s.clients, number) }
	for name, tc := range map[string]struct {
		old, next func(s *fixture, other *testca.CA) [][]byte
		refused   bool
	}{
		"higher number": {
			func(s *fixture, _ *testca.CA) [][]byte { return [][]byte{clientsOf(s, 7)} },
			func(s *fixture, _ *testca.CA) [][]byte { return [][]byte{clientsOf(s, 8)} }, false},
		"lower number": {
			func(s *fixture, _ *testca.CA) [][]byte { return [][]byte{clientsOf(s, 7)} },
			func(s *fixture, _ *testca.CA) [][]byte { return [][]byte{clientsOf(s, 6)} }, true},
		"same number": {
			func(s *fixture, _ *testca.CA) [][]byte { return [][]byte{clientsOf(s, 7)} },
			func(s *fixture, _ *testca.CA) [][]byte { return [][]byte{list(s.clients, 7, s.client("x").Leaf())} },
			false},
		"lower with higher": {
			func(s *fixture, _ *testca.CA) [][]byte { return [][]byte{clientsOf(s, 7)} },
			func(s *fixture, _ *testca.CA) [][]byte { return [][]byte{clientsOf(s, 6), clientsOf(s, 8)} }, false},
		"one of two issuers": {
			func(s *fixture, other *testca.CA) [][]byte { return [][]byte{clientsOf(s, 7), list(other, 3)} },
			func(s *fixture, other *testca.CA) [][]byte { return [][]byte{clientsOf(s, 8), list(other, 2)} }, true},
		"of another issuer": {
			func(s *fixture, _ *testca.CA) [][]byte { return [][]byte{clientsOf(s, 7)} },
			func(s *fixture, other *testca.CA) [][]byte { return [][]byte{clientsOf(s, 7), list(other, 1)} }, false},
		"of another scope": {
			func(s *fixture, _ *testca.CA) [][]byte { return [][]byte{clientsOf(s, 7)} },
			func(s *fixture, _ *testca.CA) [][]byte { return [][]byte{clientsOf(s, 7), users(s.clients)} }, false},
		"after a forged one": {
			func(s *fixture, _ *testca.CA) [][]byte { return [][]byte{forgedList(s.clients, 99)} },
			func(s *fixture, _ *testca.CA) [][]byte { return [][]byte{clientsOf(s, 7)} }, false},
		"hidden behind a forged one": {
			func(s *fixture, _ *testca.CA) [][]byte { return [][]byte{clientsOf(s, 7)} },
			func(s *fixture, _ *testca.CA) [][]byte { return [][]byte{clientsOf(s, 6), forgedList(s.clients, 99)} },
			true},
		"without numbers, older": {
			func(s *fixture, _ *testca.CA) [][]byte { return [][]byte{unnumbered(s.clients, time.Hour)} },
			func(s *fixture, _ *testca.CA) [][]byte { return [][]byte{unnumbered(s.clients, 2*time.Hour)} }, true},
		"without numbers, newer": {
			func(s *fixture, _ *testca.CA) [][]byte { return [][]byte{unnumbered(s.clients, 2*time.Hour)} },
			func(s *fixture, _ *testca.CA) [][]byte { return [][]byte{unnumbered(s.clients, time.Hour)} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			s, other := newFixture(t), newCA("other client root")
			s.write("ca.crt", testca.CertPEM(s.clients.Cert, other.Cert))
			s.writeCRL(tc.old(s, other)...)
			r := s.reloader(s.files(tlsconf.Required))
			s.writeCRL(tc.next(s, other)...)
			changed, err := r.Reload()
			if errors.Is(err, tlsconf.ErrOlderList) != tc.refused || changed == tc.refused ||
				err != nil && !tc.refused {
				t.Errorf("reload: %v, %v; refused %t", changed, err, tc.refused)
			}
			if err := s.start(); err != nil {
				t.Errorf("a new start takes it: %v", err)
			}
		})
	}
}

// The numbers of a CA in the chain, which is not in the client CA file, go up as well.
func TestListsOfIntermediatesNeverGoBack(t *testing.T) {
	h := newHierarchy(t)
	h.writeCRL(list(h.clients, 1), list(h.middle, 7, h.leaf.Leaf()))
	r := h.reloader(h.files(tlsconf.Required))
	h.writeCRL(list(h.clients, 1), list(h.middle, 6))
	if _, err := r.Reload(); !errors.Is(err, tlsconf.ErrOlderList) {
		t.Error(err)
	}
	if err := r.Verify(chains(t, h.leaf, h.clients)); !errors.Is(err, tlsconf.ErrRevoked) {
		t.Error(err)
	}
}

func TestListThatIsNotYetValidIsRefused(t *testing.T) {
	s := newFixture(t)
	s.writeCRL(list(s.clients, 1))
	r := s.reloader(s.files(tlsconf.Required))
	future := testca.Must(s.clients.CRL(testca.CRLOptions{Number: 2, ThisUpdate: time.Now().Add(time.Hour)}))
	for name, lists := range map[string][][]byte{"alone": {future}, "with a good one": {list(s.clients, 1), future}} {
		s.writeCRL(lists...)
		_, atReload := r.Reload()
		for when, err := range map[string]error{"start": s.start(), "reload": atReload} {
			all := tlsconf.FileErrors(err)
			if !errors.Is(err, tlsconf.ErrListNotYetValid) || len(all) != 1 || all[0].Role != tlsconf.RoleCRL {
				t.Errorf("%s, at %s: %v", name, when, err)
			}
		}
	}
	if err := r.Verify(chains(t, s.client("scraper"), s.clients)); err != nil {
		t.Errorf("the old list does not stay: %v", err)
	}
}

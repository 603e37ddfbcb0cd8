package tlsconf_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/tlsconf"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

func TestEveryKeyTypeOfTLSServes(t *testing.T) {
	keys := map[string]crypto.Signer{
		"P-256":    testca.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)),
		"P-384":    testca.Must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)),
		"P-521":    testca.Must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)),
		"RSA 2048": testca.Must(rsa.GenerateKey(rand.Reader, 2048)),
		"RSA 3072": testca.Must(rsa.GenerateKey(rand.Reader, 3072)),
		"Ed25519":  keyForms(t)["Ed25519"].key,
	}
	for name, key := range keys {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			s := newFixture(t)
			s.writePair(testca.Must(s.server.Issue(testca.Options{Key: key, DNSNames: []string{"gate.example"}})))
			files := s.files(tlsconf.Required)
			files.MinVersion = version
			client := testca.Must(s.clients.Issue(testca.Options{Key: key}))
			if answer, err := ask(s.serve(s.reloader(files)), s.config(client)); err != nil || answer != "<nil>\n" {
				t.Errorf("%s, %s: %q, %v", name, tls.VersionName(version), answer, err)
			}
		}
	}
}

// All of these parse, and the key belongs to the certificate.
func TestSetThatCannotDoAHandshakeIsRefused(t *testing.T) {
	for name, pair := range map[string]func(s *fixture) *testca.Pair{
		"P-224": func(s *fixture) *testca.Pair {
			key := testca.Must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))
			return testca.Must(s.server.Issue(testca.Options{Key: key, DNSNames: []string{"gate.example"}}))
		},
		"chain larger than a message": func(s *fixture) *testca.Pair {
			pair := s.serverPair()
			for len(pair.Chain) < 1000 {
				pair.Chain = append(pair.Chain, s.server.Cert)
			}
			return pair
		},
	} {
		s := newFixture(t)
		for _, auth := range []tlsconf.ClientAuth{tlsconf.None, tlsconf.Optional, tlsconf.Required} {
			s.writePair(s.gate)
			r := s.reloader(s.files(auth))
			s.writePair(pair(s))
			_, atStart := tlsconf.New(s.files(auth), slog.New(slog.DiscardHandler))
			changed, atReload := r.Reload()
			for when, err := range map[string]error{"start": atStart, "reload": atReload} {
				all := tlsconf.FileErrors(err)
				if len(all) != 1 || all[0].Role != tlsconf.RoleServer || all[0].Advice == "" ||
					!strings.Contains(err.Error(), "no TLS handshake succeeds") {
					t.Errorf("%s, %d, at %s: %v", name, auth, when, err)
				}
			}
			if answer, err := ask(s.serve(r), s.config(s.client("scraper"))); changed || err != nil {
				t.Errorf("%s, %d: the old state does not serve: %q, %v", name, auth, answer, err)
			}
		}
	}
}

// manyCAs is the case of 600 client CAs: 86 KB of names, where a request holds 64.
func manyCAs(t *testing.T, auth tlsconf.ClientAuth, version uint16) (*fixture, *tlsconf.Reloader) {
	t.Helper()
	s := newFixture(t)
	s.write("ca.crt", append(s.clients.CertPEM(), input(t, "a01-600-authorities.pem")...))
	s.writeCRL(list(s.clients, 1, s.client("revoked before").Leaf()))
	files := s.files(auth)
	files.MinVersion = version
	r, err := tlsconf.New(files, slog.New(slog.DiscardHandler))
	must(t, err)
	return s, r
}

func TestNamesOfCAsThatDoNotFitAreLeftOut(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, auth := range []tlsconf.ClientAuth{tlsconf.Optional, tlsconf.Required} {
			s, r := manyCAs(t, auth, version)
			addr := s.serve(r)
			config := s.config(nil)
			config.MaxVersion = version
			config.GetClientCertificate = func(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
				if len(info.AcceptableCAs) != 0 {
					t.Errorf("%d names", len(info.AcceptableCAs))
				}
				pair := s.client("scraper").TLS()
				return &pair, nil
			}
			if _, err := ask(addr, config); err != nil {
				t.Errorf("%d, %s: %v", auth, tls.VersionName(version), err)
			}
			config = s.config(nil)
			config.MaxVersion = version
			if _, err := ask(addr, config); (err == nil) != (auth == tlsconf.Optional) {
				t.Errorf("%d, %s, no certificate: %v", auth, tls.VersionName(version), err)
			}
			warned := false
			for _, w := range r.Warnings() {
				warned = warned || strings.Contains(w.Reason, "names of the client CAs do not fit")
			}
			if !warned {
				t.Error("not warned of")
			}
		}
	}
}

// Without names crypto/tls verifies nothing: here every certificate of the whole table of
// paths meets the same verdict as with names.
func TestWithoutNamesEveryPathIsVerified(t *testing.T) {
	for _, auth := range []tlsconf.ClientAuth{tlsconf.Optional, tlsconf.Required} {
		s := newFixture(t)
		s.write("ca.crt", append(s.clients.CertPEM(), input(t, "a01-600-authorities.pem")...))
		r, err := tlsconf.New(s.files(auth), slog.New(slog.DiscardHandler))
		must(t, err)
		addr := s.serve(r)
		for _, paths := range []map[string]path{basicPaths(), usagePaths(), intermediatePaths(), constrainedPaths()} {
			for name, tc := range paths {
				if _, err := ask(addr, s.config(tc.make(s.clients))); (err == nil) != tc.good {
					t.Errorf("%d, %s: %v", auth, name, err)
				}
			}
		}
	}
}

func TestWithoutNamesRevocationCounts(t *testing.T) {
	s, r := manyCAs(t, tlsconf.Required, tls.VersionTLS13)
	addr, scraper := s.serve(r), s.client("scraper")
	if _, err := ask(addr, s.config(scraper)); err != nil {
		t.Error(err)
	}
	s.writeCRL(list(s.clients, 2, scraper.Leaf()))
	s.mustReload(r, true)
	if _, err := ask(addr, s.config(scraper)); err == nil {
		t.Error("a revoked certificate passes")
	}
}

// A handler that reads VerifiedChains gets the same whether names are left out or not.
func TestHandlersGetVerifiedChains(t *testing.T) {
	few := newFixture(t)
	many, unnamed := manyCAs(t, tlsconf.Optional, tls.VersionTLS13)
	for name, tc := range map[string]struct {
		s *fixture
		r *tlsconf.Reloader
	}{"with names": {few, few.reloader(few.files(tlsconf.Optional))}, "without": {many, unnamed}} {
		got := make(chan [][]*x509.Certificate, 1)
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			r.TLS.VerifiedChains = tc.r.VerifiedChains(r.TLS)
			got <- r.TLS.VerifiedChains
		}))
		server.TLS = tc.r.Config()
		server.StartTLS()
		defer server.Close()
		scraper := tc.s.client("scraper")
		for _, pair := range []*testca.Pair{scraper, nil} {
			transport := &http.Transport{TLSClientConfig: tc.s.config(pair)}
			answer, err := (&http.Client{Transport: transport}).Get(server.URL)
			must(t, err)
			answer.Body.Close()
			transport.CloseIdleConnections()
			found := <-got
			if pair == nil {
				if found != nil {
					t.Errorf("%s: %d chains without a certificate", name, len(found))
				}
				continue
			}
			if len(found) != 1 || len(found[0]) != 2 || !found[0][0].Equal(scraper.Leaf()) ||
				!found[0][1].Equal(tc.s.clients.Cert) {
				t.Errorf("%s: chains %v", name, found)
			}
			if err := tc.r.Verify(found); err != nil && !errors.Is(err, tlsconf.ErrNoList) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestVerifiedChainsOfTheUntrustedAreNone(t *testing.T) {
	s, r := manyCAs(t, tlsconf.Optional, tls.VersionTLS13)
	for name, pair := range map[string]*testca.Pair{
		"other CA": testca.Must(newCA("other").Issue(testca.Options{})),
		"expired":  testca.Must(s.clients.Issue(testca.Options{NotAfter: time.Now().Add(-time.Minute)})),
	} {
		if got := r.VerifiedChains(&tls.ConnectionState{PeerCertificates: pair.Chain}); got != nil {
			t.Errorf("%s: %v", name, got)
		}
	}
	none := s.reloader(s.files(tlsconf.None))
	if got := none.VerifiedChains(&tls.ConnectionState{PeerCertificates: s.client("x").Chain}); got != nil {
		t.Errorf("client certificates are off: %v", got)
	}
}

func TestCaseManyCAsAndTheirClient(t *testing.T) {
	s := caseFixture(t)
	s.write("ca.crt", input(t, "a01-600-authorities.pem"))
	r, err := s.caseReloader()
	must(t, err)
	if !s.passes(r, "client-good") {
		t.Error("the client of one of 600 CAs does not pass")
	}
}

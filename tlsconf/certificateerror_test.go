package tlsconf_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/tlsconf"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// refusal is a client that is refused, and the certificate to name.
type refusal struct {
	make    func(s *fixture) *testca.Pair
	lists   func(s *fixture, p *testca.Pair) [][]byte
	subject string
	want    error
}

func refusals() map[string]refusal {
	past, named := time.Now().Add(-time.Minute), testca.Options{CommonName: "leaf"}
	return map[string]refusal{
		"expired leaf": {
			func(s *fixture) *testca.Pair {
				return issue(testca.Options{CommonName: "leaf", NotAfter: past})(s.clients)
			},
			nil, "CN=leaf", tlsconf.ErrExpired},
		"expired intermediate": {
			func(s *fixture) *testca.Pair {
				return under(testca.Options{CommonName: "middle", NotAfter: past}, named)(s.clients)
			}, nil, "CN=middle", tlsconf.ErrExpired},
		"other CA": {
			func(*fixture) *testca.Pair { return issue(named)(newCA("other")) },
			nil, "CN=leaf", tlsconf.ErrUntrusted},
		"usage": {
			func(s *fixture) *testca.Pair {
				o := usages(x509.ExtKeyUsageServerAuth)
				o.CommonName = "leaf"
				return issue(o)(s.clients)
			}, nil, "CN=leaf", tlsconf.ErrUsage},
		"weak leaf": {
			func(s *fixture) *testca.Pair {
				return issue(testca.Options{CommonName: "leaf", Key: shortRSA()})(s.clients)
			},
			nil, "CN=leaf", tlsconf.ErrWeak},
		"weak intermediate": {
			func(s *fixture) *testca.Pair {
				return under(testca.Options{CommonName: "middle", Key: shortRSA()}, named)(s.clients)
			}, nil, "CN=middle", tlsconf.ErrWeak},
		"intermediate by SHA-1": {
			func(s *fixture) *testca.Pair { return sha1Intermediate(s.clients) }, nil, "CN=edited", tlsconf.ErrWeak},
		"revoked": {
			func(s *fixture) *testca.Pair { return issue(named)(s.clients) },
			func(s *fixture, p *testca.Pair) [][]byte { return [][]byte{list(s.clients, 1, p.Leaf())} },
			"CN=leaf", tlsconf.ErrRevoked},
		"no list": {
			func(s *fixture) *testca.Pair { return issue(named)(s.clients) },
			func(*fixture, *testca.Pair) [][]byte { return [][]byte{list(newCA("other"), 1)} },
			"CN=leaf", tlsconf.ErrNoList},
	}
}

// A refusal names the certificate that is at fault, which need not be the leaf.
func TestRefusalsNameTheCertificate(t *testing.T) {
	for name, tc := range refusals() {
		s := newFixture(t)
		pair := tc.make(s)
		if tc.lists != nil {
			s.writeCRL(tc.lists(s, pair)...)
		}
		err := s.reloader(s.files(tlsconf.Required)).Verify(chainsOf(pair))
		var at *x509.Certificate
		for _, cert := range pair.Chain {
			if cert.Subject.String() == tc.subject {
				at = cert
			}
		}
		refused := tlsconf.AsCertificateError(err)
		if !errors.Is(err, tc.want) || refused == nil || at == nil || refused.Subject != tc.subject ||
			refused.Issuer != at.Issuer.String() || refused.Serial != fmt.Sprintf("%x", at.SerialNumber) ||
			refused.Advice == "" {
			t.Errorf("%s: %v, %+v", name, err, refused)
		}
	}
}

// What crypto/tls refuses by itself in a handshake is named in the same way.
func TestFailedHandshakesNameTheCertificate(t *testing.T) {
	s := newFixture(t)
	s.writeCRL(list(s.clients, 1))
	r := s.reloader(s.files(tlsconf.Required))
	for name, tc := range map[string]struct {
		pair *testca.Pair
		want error
	}{
		"other CA": {testca.Must(newCA("other").Issue(testca.Options{CommonName: "leaf"})), tlsconf.ErrUntrusted},
		"expired": {
			testca.Must(s.clients.Issue(testca.Options{CommonName: "leaf", NotAfter: time.Now().Add(-time.Minute)})),
			tlsconf.ErrExpired,
		},
		"weak": {
			testca.Must(s.clients.Issue(testca.Options{CommonName: "leaf", Key: shortRSA()})), tlsconf.ErrWeak,
		},
		"no certificate": {nil, nil},
	} {
		refused := tlsconf.AsCertificateError(handshakeError(t, r.Config(), s.config(tc.pair)))
		switch {
		case tc.want == nil && refused != nil:
			t.Errorf("%s: %+v", name, refused)
		case tc.want != nil && (refused == nil || !errors.Is(refused, tc.want) || refused.Subject != "CN=leaf"):
			t.Errorf("%s: %+v", name, refused)
		}
	}
	if got := tlsconf.AsCertificateError(errors.New("something else")); got != nil {
		t.Errorf("%+v", got)
	}
}

// handshakeError is the server's error of a handshake that must fail.
func handshakeError(t *testing.T, server, client *tls.Config) error {
	t.Helper()
	near, far := tlsconf.MemoryPipe()
	go func() { _ = tls.Client(far, client).Handshake(); far.Close() }()
	err := tls.Server(near, server).Handshake()
	if err == nil {
		t.Fatal("handshake succeeds")
	}
	return err
}

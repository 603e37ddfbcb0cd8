package tlsconf_test

import (
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/tlsconf"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

func TestExpiryNamesWhatEndsFirst(t *testing.T) {
	s := newFixture(t)
	now := time.Now().UTC().Truncate(time.Second)
	middle := testca.Must(
		s.server.Intermediate(testca.Options{CommonName: "middle", NotAfter: now.Add(2 * time.Hour)}),
	)
	s.writePair(testca.Must(middle.Issue(testca.Options{CommonName: "gate", NotAfter: now.Add(3 * time.Hour)})))
	late := testca.Must(testca.NewCA(testca.Options{CommonName: "late", NotAfter: now.Add(9 * time.Hour)}))
	s.write("ca.crt", testca.CertPEM(s.clients.Cert, late.Cert))
	dated := func(number int64, next time.Duration) []byte {
		return testca.Must(s.clients.CRL(testca.CRLOptions{Number: number, NextUpdate: now.Add(next)}))
	}
	s.writeCRL(dated(1, time.Minute), dated(3, 5*time.Hour), dated(2, 4*time.Hour))
	got := s.reloader(s.files(tlsconf.Required)).Expiry()
	want := []tlsconf.Expiry{
		{Role: "server", Subject: "CN=middle", NotAfter: now.Add(2 * time.Hour)},
		{Role: "server", Subject: "CN=gate", NotAfter: now.Add(3 * time.Hour)},
		{Role: "client_ca", Subject: "CN=late", NotAfter: now.Add(9 * time.Hour)},
		{Role: "client_ca", Subject: "CN=client root", NotAfter: s.clients.Cert.NotAfter},
		{Role: "crl", Subject: "CN=client root", NotAfter: now.Add(5 * time.Hour)},
	}
	if len(got) != len(want) {
		t.Fatalf("got %v", got)
	}
	for i := range want {
		if got[i].Role != want[i].Role || got[i].Subject != want[i].Subject ||
			!got[i].NotAfter.Equal(want[i].NotAfter) {
			t.Errorf("%d: got %v, want %v", i, got[i], want[i])
		}
	}
	if got := s.reloader(s.files(tlsconf.None)).Expiry(); len(got) != 2 {
		t.Errorf("without client certificates: %v", got)
	}
}

// warningCase is a change of the files, and the warning about it.
type warningCase struct {
	change func(s *fixture)
	want   string // empty: silence
}

func warningCases() map[string]warningCase {
	issue := func(o testca.Options) func(s *fixture) {
		return func(s *fixture) { s.writePair(testca.Must(s.server.Issue(o))) }
	}
	names := []string{"gate.example"}
	return map[string]warningCase{
		"nothing":  {func(*fixture) {}, ""},
		"no names": {issue(testca.Options{CommonName: "gate"}), "no subject alternative name"},
		"no usage": {issue(testca.Options{DNSNames: names, Usages: []x509.ExtKeyUsage{}}), ""},
		"for client": {
			issue(testca.Options{DNSNames: names, Usages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}),
			"not for server authentication",
		},
		"not yet": {
			issue(testca.Options{DNSNames: names, NotBefore: time.Now().Add(time.Hour)}),
			"server certificate is not valid now",
		},
		"out of order": {func(s *fixture) {
			middle := testca.Must(s.server.Intermediate(testca.Options{CommonName: "middle"}))
			pair := testca.Must(middle.Issue(testca.Options{DNSNames: names}))
			pair.Chain = []*x509.Certificate{pair.Leaf(), s.server.Cert, middle.Cert}
			s.writePair(pair)
		}, "out of order"},
		"expired CA": {func(s *fixture) {
			old := testca.Must(testca.NewCA(testca.Options{CommonName: "old", NotAfter: time.Now().Add(-time.Minute)}))
			s.write("ca.crt", testca.CertPEM(s.clients.Cert, old.Cert))
		}, "client CA certificate is not valid now: CN=old"},
		"intermediate not yet valid": {
			chainOf(testca.Options{CommonName: "soon", NotBefore: time.Now().Add(time.Hour)}),
			"intermediate certificate is not valid now: CN=soon is valid from",
		},
		"weak intermediate": {
			chainOf(testca.Options{CommonName: "short", Key: shortRSA()}),
			"intermediate certificate is too weak: RSA key of 1024 bits",
		},
		"weak server": {
			issue(testca.Options{DNSNames: names, Key: shortRSA()}),
			"server certificate is too weak: RSA key of 1024 bits",
		},
		"good intermediate": {chainOf(testca.Options{CommonName: "middle"}), ""},
		"a list for all":    {func(s *fixture) { s.writeCRL(list(s.clients, 1)) }, ""},
		"no list": {
			func(s *fixture) { s.writeCRL(list(newCA("other"), 1)) },
			"issuer has no revocation list: its certificates are refused",
		},
		"stale list": {
			func(s *fixture) { s.writeCRL(staleList(s.clients, 1)) },
			"revocation list is stale: its certificates are refused",
		},
		"forged list": {
			func(s *fixture) { s.writeCRL(forgedList(s.clients, 1)) },
			"list is badly signed: its certificates are refused",
		},
	}
}

func TestWarnings(t *testing.T) {
	for name, tc := range warningCases() {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			s.reloader(s.files(tlsconf.Required))
			if s.log.String() != "" {
				t.Fatalf("at the start: %s", s.log)
			}
			tc.change(s)
			r := s.reloader(s.files(tlsconf.Required))
			if _, err := r.Reload(); err != nil {
				t.Fatal(err)
			}
			got := s.log.String()
			if tc.want == "" && got != "" || !strings.Contains(got, tc.want) ||
				strings.Count(got, "level=WARN") != strings.Count(got, "\n") ||
				strings.Contains(got, "expired=true") != (name == "expired CA" || name == "stale list") {
				t.Errorf("logged %q, want %q", got, tc.want)
			}
		})
	}
}

// chainOf gives the server a certificate under an intermediate.
func chainOf(middle testca.Options) func(s *fixture) {
	return func(s *fixture) {
		ca := testca.Must(s.server.Intermediate(middle))
		s.writePair(testca.Must(ca.Issue(testca.Options{DNSNames: []string{"gate.example"}})))
	}
}

package provider

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"strings"
	"testing"
)

func TestStopAndRestartKeepThePort(t *testing.T) {
	p, err := Start(Options{Clients: map[string]Client{"a": {Secret: "b"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	issuer := p.Issuer()
	for range 3 {
		token, err := p.Token(t.Context(), "a", "b")
		if err != nil || strings.Count(token, ".") != 2 {
			t.Fatalf("token %q: %v", token, err)
		}
		p.Stop()
		if _, err := p.Token(t.Context(), "a", "b"); err == nil {
			t.Error("a stopped provider answers")
		}
		if err := p.Restart(); err != nil || p.Issuer() != issuer {
			t.Fatalf("restart: %v, issuer %s, before %s", err, p.Issuer(), issuer)
		}
	}
	if _, _, tokens := p.Requests(); tokens != 3 {
		t.Errorf("%d token requests, want 3", tokens)
	}
}

func TestGivenCertificate(t *testing.T) {
	donor := &Provider{}
	if err := donor.certify(nil, nil); err != nil {
		t.Fatal(err)
	}
	p, err := Start(Options{Certificate: &donor.certificate, CA: donor.ca})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(donor.ca)
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
	}}
	resp, err := client.Get(p.Issuer() + "/.well-known/openid-configuration")
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("status %d, %v", resp.StatusCode, err)
	}
}

func TestRotateRefusesSharedSecrets(t *testing.T) {
	for _, algorithm := range []string{"HS256", "none", ""} {
		if _, err := (&Provider{store: &storage{}}).Rotate(algorithm); err == nil {
			t.Errorf("%q: accepted", algorithm)
		}
	}
}

package auth

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"testing"
	"time"
)

// leaf returns a certificate as the parser would, without a signature: the CA is not this
// package's question.
func leaf(edit func(*x509.Certificate)) *x509.Certificate {
	c := &x509.Certificate{
		SerialNumber: big.NewInt(7),
		Issuer:       pkix.Name{CommonName: "Test CA"},
		NotAfter:     time.Now().Add(time.Hour),
	}
	edit(c)
	var names []asn1.RawValue
	add := func(tag int, name string) {
		names = append(names, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tag, Bytes: []byte(name)})
	}
	for _, name := range c.DNSNames {
		add(tagDNS, name)
	}
	for _, name := range c.EmailAddresses {
		add(tagEmail, name)
	}
	for _, uri := range c.URIs {
		add(tagURI, uri.String())
	}
	if value, err := asn1.Marshal(names); err == nil && len(names) > 0 {
		c.Extensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: value}}
	}
	c.Raw = fmt.Appendf(nil, "%v %v %v %v %v", c.Subject, c.DNSNames, c.URIs, c.EmailAddresses, c.SerialNumber)
	return c
}

// alternativeExtension returns a subject alternative name extension with one name.
func alternativeExtension(t testing.TB, tag int, name string) []pkix.Extension {
	t.Helper()
	value, err := asn1.Marshal([]asn1.RawValue{{Class: asn1.ClassContextSpecific, Tag: tag, Bytes: []byte(name)}})
	if err != nil {
		t.Fatal(err)
	}
	return []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: value}}
}

// overTLS returns a request whose handshake verified chains of the leaves.
func overTLS(leaves ...*x509.Certificate) *http.Request {
	r := request()
	r.TLS = &tls.ConnectionState{PeerCertificates: leaves}
	for _, c := range leaves {
		r.TLS.VerifiedChains = append(r.TLS.VerifiedChains, []*x509.Certificate{c})
	}
	return r
}

func trustAll([][]*x509.Certificate) error { return nil }

func named(c *x509.Certificate) { c.DNSNames = []string{"prometheus.example"} }

// A reused context keeps the identity of one certificate, and must not give it to another.
func TestReusedContextTellsCertificatesApart(t *testing.T) {
	ctx, c := ReusedContext(t.Context()), NewCertificate(trustAll)
	other := leaf(func(c *x509.Certificate) { c.DNSNames = []string{"other.example"} })
	for i, one := range []*x509.Certificate{leaf(named), other, leaf(named), other, other} {
		id, err := c.Authenticate(overTLS(one).WithContext(ctx))
		if want := KindDNS + ":" + one.DNSNames[0]; err != nil || id.Subject != want {
			t.Errorf("request %d: %q, %v; want %q", i, id.Subject, err, want)
		}
		if kept := ctx.Value(contextKey{}).(*contextIdentity).known.Load(); kept == nil || kept.leaf != one {
			t.Errorf("request %d: its certificate is not kept", i)
		}
	}
}

func TestCertificateIdentity(t *testing.T) {
	spiffe, _ := url.Parse("spiffe://example.org/ns/monitoring/sa/prometheus")
	for _, test := range []struct {
		name    string
		edit    func(*x509.Certificate)
		subject string
		names   []string
	}{
		{"every type", func(c *x509.Certificate) {
			c.Subject.CommonName = "Prometheus"
			c.DNSNames = []string{"b.example", "a.example"}
			c.EmailAddresses = []string{"ops@example.org"}
			c.URIs = []*url.URL{spiffe}
		}, "uri:spiffe://example.org/ns/monitoring/sa/prometheus", []string{
			"uri:spiffe://example.org/ns/monitoring/sa/prometheus", "dns:b.example", "dns:a.example",
			"email:ops@example.org", "cn:Prometheus"}},
		{"host", named, "dns:prometheus.example", []string{"dns:prometheus.example"}},
		{"person", func(c *x509.Certificate) {
			c.EmailAddresses = []string{"ops@example.org"}
			c.Subject.CommonName = "x"
		}, "email:ops@example.org", []string{"email:ops@example.org", "cn:x"}},
		{"common name", func(c *x509.Certificate) { c.Subject.CommonName = "x" }, "cn:x", []string{"cn:x"}},
		{"organization", func(c *x509.Certificate) {
			c.Subject.Organization = []string{"example"}
			c.Subject.Names = []pkix.AttributeTypeAndValue{{Type: []int{2, 5, 4, 10}, Value: "example"}}
		}, "O=example", nil},
		{"nothing", func(*x509.Certificate) {}, "serial 7", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := leaf(test.edit)
			id, err := NewCertificate(trustAll).Authenticate(overTLS(c))
			want := Identity{
				Method:  MethodCertificate,
				Issuer:  "CN=Test CA",
				Subject: test.subject,
				Names:   test.names,
				User:    c.Subject.CommonName,
				Groups:  c.Subject.Organization,
			}
			if test.name == "common name" {
				want.Omitted = noAlternativeName
			}
			if err != nil || !reflect.DeepEqual(id, want) {
				t.Fatalf("identity\n%+v, %v; want\n%+v", id, err, want)
			}
		})
	}
}

func TestCertificateIsTheVerifiedLeaf(t *testing.T) {
	stuffed := leaf(func(c *x509.Certificate) { c.DNSNames = []string{"admin.example"} })
	r := overTLS(leaf(named))
	r.TLS.PeerCertificates = []*x509.Certificate{stuffed, leaf(named)}
	id, err := NewCertificate(trustAll).Authenticate(r)
	if err != nil || id.Subject != "dns:prometheus.example" {
		t.Fatalf("subject %q, %v", id.Subject, err)
	}
	r.TLS.VerifiedChains = nil
	if _, err := NewCertificate(trustAll).Authenticate(r); err == nil || errors.Is(err, ErrNoCredential) {
		t.Fatalf("a certificate that was not verified: %v; want a refusal", err)
	}
}

func TestCertificateIsAskedOnEveryRequest(t *testing.T) {
	asked, verdict := 0, error(nil)
	a := NewCertificate(func(chains [][]*x509.Certificate) error {
		if len(chains) != 2 {
			t.Errorf("%d chains, want both", len(chains))
		}
		asked++
		return verdict
	})
	r := overTLS(leaf(named), leaf(named))
	for range 3 {
		if _, err := a.Authenticate(r); err != nil {
			t.Fatal(err)
		}
	}
	verdict = fmt.Errorf("certificate is revoked: %w", ErrRevoked)
	_, err := a.Authenticate(r)
	var refusal *Refusal
	if !errors.As(err, &refusal) || !errors.Is(err, ErrRevoked) || reasonOf(err) != ReasonRevoked {
		t.Fatalf("after revocation: %v", err)
	}
	if refusal.Subject != "dns:prometheus.example" || refusal.Issuer != "CN=Test CA" ||
		refusal.Method != MethodCertificate {
		t.Fatalf("refusal does not say whose: %+v", refusal)
	}
	if asked != 4 {
		t.Fatalf("asked %d times in 4 requests", asked)
	}
	if _, err := NewCertificate(nil).Authenticate(r); err == nil {
		t.Fatal("nobody to verify, and yet trusted")
	}
}

func TestCertificateOverARealHandshake(t *testing.T) {
	ca := newTestCA(t)
	var got Identity
	server := httptest.NewUnstartedServer(Authenticate(NewCertificate(trustAll), Options{})(
		http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got, _ = FromContext(r.Context()) })))
	server.TLS = &tls.Config{ClientCAs: ca.pool(), ClientAuth: tls.VerifyClientCertIfGiven}
	server.StartTLS()
	defer server.Close()
	client := server.Client()
	status := func() int {
		t.Helper()
		resp, err := client.Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	if code := status(); code != http.StatusUnauthorized {
		t.Fatalf("without a certificate: %d", code)
	}
	client.CloseIdleConnections()
	config := client.Transport.(*http.Transport).TLSClientConfig
	config.Certificates = []tls.Certificate{ca.issue(t, "prometheus.example", x509.ExtKeyUsageClientAuth)}
	if code := status(); code != http.StatusOK || got.Subject != "dns:prometheus.example" {
		t.Fatalf("with a certificate: %d for %+v", code, got)
	}
}

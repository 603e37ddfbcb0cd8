package auth

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"strings"
	"testing"
)

func certificateFile(t testing.TB, name string) *x509.Certificate {
	t.Helper()
	data, err := os.ReadFile("testdata/certificate/" + name + ".pem")
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(data)
	if block == nil {
		t.Fatalf("%s: no PEM", name)
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

func TestCertificateNamesInAllowLists(t *testing.T) {
	for _, test := range []struct {
		file, list string
		allowed    bool
		omitted    string // part of Identity.Omitted
	}{
		{"uri-empty-fragment", "uri:spiffe://example.test/prom", false, ""},
		{"uri-empty-fragment", "uri:spiffe://example.test/*", false, ""},
		{"uri-empty-fragment", "cn:x", true, ""},
		{"dns-upper-case", "dns:prom.example.test", true, ""},
		{"dns-upper-case", "dns:PROM.EXAMPLE.TEST", true, ""},
		{"dns-upper-case", "dns:other.example.test", false, ""},
		{"two-spiffe-ids", "uri:spiffe://example.test/prom", false, "2 URIs"},
		{"two-spiffe-ids", "uri:spiffe://example.test/*", false, "2 URIs"},
		{"two-spiffe-ids", "cn:x", true, "2 URIs"},
		{"svid-that-is-a-ca", "uri:spiffe://example.test/prom", false, "CA flag"},
	} {
		id, err := NewCertificate(trustAll).Authenticate(overTLS(certificateFile(t, test.file)))
		if err != nil {
			t.Fatal(err)
		}
		policy, err := ParsePolicy(test.list)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := policy.Allows(id); ok != test.allowed {
			t.Errorf("%s with %s: allowed %v", test.file, test.list, ok)
		}
		if !strings.Contains(id.Omitted, test.omitted) || (id.Omitted == "") != (test.omitted == "") {
			t.Errorf("%s: omitted %q, want %q", test.file, id.Omitted, test.omitted)
		}
	}
}

// Names that net/url would write in the same way are different names.
func TestURINamesAreNotNormalized(t *testing.T) {
	for name, other := range map[string]string{
		"SPIFFE://example.test/prom":    "spiffe://example.test/prom",
		"spiffe://example.test/prom?":   "spiffe://example.test/prom",
		"spiffe://example.test/prom#":   "spiffe://example.test/prom",
		"https://example.test/a%2db":    "https://example.test/a-b",
		"https://EXAMPLE.test/prom":     "https://example.test/prom",
		"https://example.test:443/prom": "https://example.test/prom",
		"https://example.test/prom/":    "https://example.test/prom",
	} {
		c := leaf(func(*x509.Certificate) {})
		c.Extensions = alternativeExtension(t, tagURI, name)
		id, err := NewCertificate(trustAll).Authenticate(overTLS(c))
		if err != nil || len(id.Names) != 1 || id.Names[0] != "uri:"+name {
			t.Fatalf("%s: %q, %v", name, id.Names, err)
		}
		policy, err := ParsePolicy("uri:" + other)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := policy.Allows(id); ok {
			t.Errorf("%s passes as %s", name, other)
		}
	}
}

func TestMalformedNamesCountForNothing(t *testing.T) {
	c := leaf(func(c *x509.Certificate) { c.Subject.CommonName = "x" })
	c.Extensions = alternativeExtension(t, tagURI, "spiffe://a")
	for _, value := range [][]byte{nil, {0x30}, {0x31, 0}, append(c.Extensions[0].Value, 0), {0x30, 2, 0x02, 1},
		{0x30, 2, 0x02, 0}} {
		c.Extensions[0].Value = value
		id := certificateIdentity(c)
		if len(id.Names) != 1 || id.Names[0] != "cn:x" || id.Omitted == "" {
			t.Errorf("%x: names %q, omitted %q", value, id.Names, id.Omitted)
		}
	}
}

package tlsconf_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"net"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/tlsconf"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// path is a client's certificate under one rule of RFC 5280, and whether it may pass.
type path struct {
	good bool
	make func(root *testca.CA) *testca.Pair
}

// issue makes a leaf straight under the root.
func issue(o testca.Options) func(*testca.CA) *testca.Pair {
	return func(root *testca.CA) *testca.Pair { return testca.Must(root.Issue(o)) }
}

// under makes a leaf under an intermediate.
func under(middle, leaf testca.Options) func(*testca.CA) *testca.Pair {
	return func(root *testca.CA) *testca.Pair {
		return testca.Must(testca.Must(root.Intermediate(middle)).Issue(leaf))
	}
}

func edit(change func(*x509.Certificate)) testca.Options {
	return testca.Options{CommonName: "edited", Edit: change}
}

func usages(list ...x509.ExtKeyUsage) testca.Options {
	return testca.Options{Usages: append([]x509.ExtKeyUsage{}, list...)}
}

func basicPaths() map[string]path {
	past, future := time.Now().Add(-2*time.Minute), time.Now().Add(2*time.Minute)
	good := testca.Must(rsa.GenerateKey(rand.Reader, 2048))
	return map[string]path{
		"leaf":          {true, issue(testca.Options{CommonName: "scraper"})},
		"leaf, no name": {true, issue(testca.Options{})},
		"spiffe": {
			true,
			issue(testca.Options{URIs: []string{"spiffe://example/ns/monitoring/sa/prometheus"}}),
		},
		"rsa":             {true, issue(testca.Options{Key: good})},
		"expired":         {false, issue(testca.Options{NotAfter: past})},
		"not yet valid":   {false, issue(testca.Options{NotBefore: future})},
		"SHA-1 signature": {false, sha1Signed},
		"self-signed": {
			false,
			func(*testca.CA) *testca.Pair { return testca.Must(testca.SelfSigned(testca.Options{})) },
		},
		"wrong CA": {
			false,
			func(*testca.CA) *testca.Pair { return testca.Must(newCA("other root").Issue(testca.Options{})) },
		},
		"same name, other key": {false, func(root *testca.CA) *testca.Pair {
			return testca.Must(newCA("client root").Issue(testca.Options{}))
		}},
		"unknown critical": {
			false,
			issue(edit(func(c *x509.Certificate) { c.ExtraExtensions = []pkix.Extension{unknown(true)} })),
		},
		"unknown, not critical": {
			true,
			issue(edit(func(c *x509.Certificate) { c.ExtraExtensions = []pkix.Extension{unknown(false)} })),
		},
		"signed by a leaf": {false, signedByLeaf},
		"tampered":         {false, tampered},
	}
}

func usagePaths() map[string]path {
	return map[string]path{
		"client usage alone":  {true, issue(usages(x509.ExtKeyUsageClientAuth))},
		"any usage":           {true, issue(usages(x509.ExtKeyUsageAny))},
		"server usage alone":  {false, issue(usages(x509.ExtKeyUsageServerAuth))},
		"e-mail usage alone":  {false, issue(usages(x509.ExtKeyUsageEmailProtection))},
		"no usage stated":     {true, issue(usages())},
		"no key usage stated": {true, issue(edit(func(c *x509.Certificate) { c.KeyUsage = 0 }))},
		"neither usage stated": {
			true,
			issue(testca.Options{Usages: []x509.ExtKeyUsage{}, Edit: func(c *x509.Certificate) { c.KeyUsage = 0 }}),
		},
		"key usage for encryption": {
			false,
			issue(edit(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment })),
		},
		"key usage for both": {
			true,
			issue(edit(func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageKeyEncipherment })),
		},
		"key usage of no bit": {
			false,
			issue(
				edit(
					func(c *x509.Certificate) { c.KeyUsage = 0; c.ExtraExtensions = []pkix.Extension{noKeyUsage()} },
				),
			),
		},
		"unknown usage alone": {false, issue(edit(func(c *x509.Certificate) {
			c.ExtKeyUsage, c.UnknownExtKeyUsage = nil, []asn1.ObjectIdentifier{{1, 3, 6, 1, 4, 1, 99999, 2}}
		}))},
		"RSA of 1024 bits": {false, issue(testca.Options{Key: shortRSA()})},
		"RSA of 2047 bits": {false, issue(testca.Options{Key: testca.Must(rsa.GenerateKey(rand.Reader, 2047))})},
	}
}

func intermediatePaths() map[string]path {
	past := time.Now().Add(-2 * time.Minute)
	plain := testca.Options{CommonName: "middle"}
	return map[string]path{
		"intermediate":          {true, under(plain, testca.Options{})},
		"intermediate not sent": {false, cut(under(plain, testca.Options{}))},
		"two intermediates":     {true, deep(0, 0)},
		"intermediate expired":  {false, under(testca.Options{NotAfter: past}, testca.Options{})},
		"intermediate not yet valid": {
			false,
			under(testca.Options{NotBefore: time.Now().Add(time.Hour)}, testca.Options{}),
		},
		"intermediate no CA": {
			false,
			under(edit(func(c *x509.Certificate) { c.IsCA = false }), testca.Options{}),
		},
		"intermediate no basic": {
			false,
			under(
				edit(func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = false, false }),
				testca.Options{},
			),
		},
		"intermediate may not sign": {
			false,
			under(edit(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature }), testca.Options{}),
		},
		"intermediate of RSA 1024": {
			false,
			under(testca.Options{CommonName: "short", Key: shortRSA()}, testca.Options{}),
		},
		"intermediate signed by SHA-1":  {false, sha1Intermediate},
		"intermediate for clients":      {true, under(usages(x509.ExtKeyUsageClientAuth), testca.Options{})},
		"intermediate for servers only": {false, under(usages(x509.ExtKeyUsageServerAuth), testca.Options{})},
		"path length 0, leaf below":     {true, under(edit(length(0)), testca.Options{})},
		"path length 0, CA below":       {false, deep(1, 0)},
		"path length 1, CA below":       {true, deep(2, 0)},
		"wrong order of what is sent":   {true, reversed},
		"stuffed with others":           {true, stuffed},
		"cross-signed by a trusted one": {true, crossSigned},
	}
}

func constrainedPaths() map[string]path {
	only := edit(func(c *x509.Certificate) {
		c.PermittedDNSDomainsCritical = true
		c.PermittedDNSDomains, c.PermittedURIDomains, c.PermittedEmailAddresses = []string{
			"example.org",
		}, []string{
			"example.org",
		}, []string{
			"example.org",
		}
		c.PermittedIPRanges = []*net.IPNet{{IP: net.IPv4(10, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)}}
	})
	not := edit(func(c *x509.Certificate) {
		c.PermittedDNSDomainsCritical = true
		c.ExcludedDNSDomains, c.ExcludedURIDomains = []string{"evil.example.org"}, []string{"evil.example.org"}
	})
	return map[string]path{
		"permitted DNS":     {true, under(only, testca.Options{DNSNames: []string{"a.example.org"}})},
		"not permitted DNS": {false, under(only, testca.Options{DNSNames: []string{"a.example.com"}})},
		"one of two permitted": {
			false,
			under(only, testca.Options{DNSNames: []string{"a.example.org", "a.example.com"}}),
		},
		"permitted URI":           {true, under(only, testca.Options{URIs: []string{"spiffe://example.org/p"}})},
		"not permitted URI":       {false, under(only, testca.Options{URIs: []string{"spiffe://example.com/p"}})},
		"permitted e-mail":        {true, under(only, testca.Options{Emails: []string{"p@example.org"}})},
		"not permitted e-mail":    {false, under(only, testca.Options{Emails: []string{"p@example.com"}})},
		"permitted address":       {true, under(only, testca.Options{IPs: []string{"10.1.2.3"}})},
		"not permitted addr.":     {false, under(only, testca.Options{IPs: []string{"192.0.2.1"}})},
		"excluded DNS":            {false, under(not, testca.Options{DNSNames: []string{"a.evil.example.org"}})},
		"other than excluded DNS": {true, under(not, testca.Options{DNSNames: []string{"good.example.org"}})},
		"excluded URI":            {false, under(not, testca.Options{URIs: []string{"spiffe://evil.example.org/p"}})},
	}
}

func TestPathsInTheHandshake(t *testing.T) {
	s := newFixture(t)
	required := s.serve(s.reloader(s.files(tlsconf.Required)))
	optional := s.serve(s.reloader(s.files(tlsconf.Optional)))
	for group, paths := range map[string]map[string]path{
		"basic": basicPaths(), "usage": usagePaths(),
		"intermediate": intermediatePaths(), "constrained": constrainedPaths(),
	} {
		for name, tc := range paths {
			t.Run(group+"/"+name, func(t *testing.T) {
				pair := tc.make(s.clients)
				for kind, addr := range map[string]string{"required": required, "optional": optional} {
					answer, err := ask(addr, s.config(pair))
					if tc.good && (err != nil || answer != "<nil>\n") {
						t.Errorf("%s: refused: %q, %v", kind, answer, err)
					}
					if !tc.good && err == nil {
						t.Errorf("%s: passed: %q", kind, answer)
					}
				}
			})
		}
	}
}

// What Verify is given need not come from the same trust: a list of chains is a claim.
func TestPathsOnRequest(t *testing.T) {
	s := newFixture(t)
	r := s.reloader(s.files(tlsconf.Required))
	for _, paths := range []map[string]path{basicPaths(), usagePaths(), intermediatePaths(), constrainedPaths()} {
		for name, tc := range paths {
			pair := tc.make(s.clients)
			claimed := append(append([]*x509.Certificate{}, pair.Chain...), s.clients.Cert)
			if err := r.Verify([][]*x509.Certificate{claimed}); (err == nil) != tc.good {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestNoCertificate(t *testing.T) {
	s := newFixture(t)
	for auth, want := range map[tlsconf.ClientAuth]bool{
		tlsconf.None: true, tlsconf.Optional: true, tlsconf.Required: false,
	} {
		answer, err := ask(s.serve(s.reloader(s.files(auth))), s.config(nil))
		if (err == nil) != want {
			t.Errorf("%d: %q, %v", auth, answer, err)
		}
		if err == nil && answer == "<nil>\n" {
			t.Errorf("%d: Verify passes a client without a certificate", auth)
		}
	}
}

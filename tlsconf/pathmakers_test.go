package tlsconf_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"

	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

func newCA(name string) *testca.CA {
	return testca.Must(testca.NewCA(testca.Options{CommonName: name}))
}

func unknown(critical bool) pkix.Extension {
	return pkix.Extension{
		Id:       asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1},
		Critical: critical,
		Value:    []byte{5, 0},
	}
}

// length sets a path length constraint.
func length(n int) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.MaxPathLen, c.MaxPathLenZero = n, n == 0 }
}

// deep makes a leaf under two intermediates, with their path lengths plus one; 0 is none.
func deep(upper, lower int) func(*testca.CA) *testca.Pair {
	constrain := func(n int) testca.Options {
		if n == 0 {
			return testca.Options{CommonName: "middle"}
		}
		return edit(length(n - 1))
	}
	return func(root *testca.CA) *testca.Pair {
		above := testca.Must(root.Intermediate(constrain(upper)))
		return testca.Must(testca.Must(above.Intermediate(constrain(lower))).Issue(testca.Options{}))
	}
}

func cut(from func(*testca.CA) *testca.Pair) func(*testca.CA) *testca.Pair {
	return func(root *testca.CA) *testca.Pair {
		pair := from(root)
		pair.Chain = pair.Chain[:1]
		return pair
	}
}

func reversed(root *testca.CA) *testca.Pair {
	pair := deep(0, 0)(root)
	pair.Chain[1], pair.Chain[2] = pair.Chain[2], pair.Chain[1]
	return pair
}

// stuffed sends certificates that have nothing to do with the leaf: only the leaf counts.
func stuffed(root *testca.CA) *testca.Pair {
	pair := under(testca.Options{}, testca.Options{})(root)
	pair.Chain = append(
		pair.Chain,
		newCA("unrelated").Cert,
		testca.Must(root.Issue(testca.Options{CommonName: "admin"})).Leaf(),
	)
	return pair
}

func crossSigned(root *testca.CA) *testca.Pair {
	young := newCA("young root")
	pair := testca.Must(young.Issue(testca.Options{}))
	pair.Chain = append(pair.Chain, testca.Must(root.CrossSign(young)).Cert)
	return pair
}

func signedByLeaf(root *testca.CA) *testca.Pair {
	above := testca.Must(root.Issue(testca.Options{CommonName: "not a CA"}))
	pair := testca.Must((&testca.CA{Cert: above.Leaf(), Key: above.Key}).Issue(testca.Options{}))
	return pair
}

func tampered(root *testca.CA) *testca.Pair {
	pair := testca.Must(root.Issue(testca.Options{CommonName: "scraper"}))
	raw := append([]byte{}, pair.Leaf().Raw...)
	raw[len(raw)-1] ^= 1
	pair.Chain[0] = testca.Must(x509.ParseCertificate(raw))
	return pair
}

// sha1Signed is under an RSA intermediate, since the root's key cannot sign with SHA-1.
func sha1Signed(root *testca.CA) *testca.Pair {
	middle := testca.Must(root.Intermediate(testca.Options{Key: testca.Must(rsa.GenerateKey(rand.Reader, 2048))}))
	return testca.Must(middle.Issue(edit(func(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA1WithRSA })))
}

// sha1Intermediate is a leaf, signed well, under an intermediate that is signed with SHA-1.
func sha1Intermediate(root *testca.CA) *testca.Pair {
	upper := testca.Must(root.Intermediate(testca.Options{Key: testca.Must(rsa.GenerateKey(rand.Reader, 2048))}))
	lower := testca.Must(
		upper.Intermediate(edit(func(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA1WithRSA })),
	)
	return testca.Must(lower.Issue(testca.Options{}))
}

// shortRSA is below what counts.
func shortRSA() *rsa.PrivateKey { return testca.Must(rsa.GenerateKey(rand.Reader, 1024)) }

// noKeyUsage states key usage and permits nothing.
func noKeyUsage() pkix.Extension {
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 15}, Critical: true, Value: []byte{3, 2, 7, 0}}
}

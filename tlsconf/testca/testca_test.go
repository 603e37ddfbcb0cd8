package testca_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

func TestChainVerifies(t *testing.T) {
	root := testca.Must(testca.NewCA(testca.Options{CommonName: "root"}))
	middle := testca.Must(root.Intermediate(testca.Options{CommonName: "middle"}))
	lower := testca.Must(middle.Intermediate(testca.Options{CommonName: "lower"}))
	pair := testca.Must(lower.Issue(testca.Options{
		CommonName: "leaf", DNSNames: []string{"gate.example"}, IPs: []string{"127.0.0.1", "::1"},
		URIs: []string{"spiffe://example/gate"}, Emails: []string{"gate@example"},
	}))
	if got := len(pair.Chain); got != 3 {
		t.Fatalf("chain holds %d certificates, want leaf and two intermediates", got)
	}
	between := x509.NewCertPool()
	for _, cert := range pair.Chain[1:] {
		between.AddCert(cert)
	}
	opts := x509.VerifyOptions{Roots: root.Pool(), Intermediates: between, DNSName: "gate.example",
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	if _, err := pair.Leaf().Verify(opts); err != nil {
		t.Fatal(err)
	}
	if len(pair.Leaf().URIs) != 1 || len(pair.Leaf().IPAddresses) != 2 || len(pair.Leaf().EmailAddresses) != 1 {
		t.Errorf("names of the leaf: %v %v %v", pair.Leaf().URIs, pair.Leaf().IPAddresses, pair.Leaf().EmailAddresses)
	}
}

func TestCrossSignedVerifiesUnderBoth(t *testing.T) {
	old := testca.Must(testca.NewCA(testca.Options{CommonName: "old"}))
	young := testca.Must(testca.NewCA(testca.Options{CommonName: "young"}))
	cross := testca.Must(old.CrossSign(young))
	leaf := testca.Must(young.Issue(testca.Options{CommonName: "leaf"})).Leaf()
	for name, opts := range map[string]x509.VerifyOptions{
		"old": {Roots: old.Pool(), Intermediates: cross.Pool()}, "young": {Roots: young.Pool()},
	} {
		if _, err := leaf.Verify(opts); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSelfSignedIsTrustedByNobody(t *testing.T) {
	root := testca.Must(testca.NewCA(testca.Options{}))
	pair := testca.Must(testca.SelfSigned(testca.Options{CommonName: "alone"}))
	if _, err := pair.Leaf().Verify(x509.VerifyOptions{Roots: root.Pool()}); err == nil {
		t.Error("a self-signed leaf verified")
	}
}

func TestFilesLoad(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	root := testca.Must(testca.NewCA(testca.Options{CommonName: "root"}))
	pair := testca.Must(root.Issue(testca.Options{CommonName: "leaf"}))
	if err := pair.WriteFiles(cert, key); err != nil {
		t.Fatal(err)
	}
	if _, err := tls.LoadX509KeyPair(cert, key); err != nil {
		t.Error(err)
	}
	info, err := os.Stat(key)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("key file mode %o, want 600", mode)
	}
}

func TestCRLIsSignedAndHoldsTheSerial(t *testing.T) {
	root := testca.Must(testca.NewCA(testca.Options{CommonName: "root"}))
	leaf := testca.Must(root.Issue(testca.Options{CommonName: "leaf"})).Leaf()
	der := testca.Must(root.CRL(testca.CRLOptions{Revoked: []*x509.Certificate{leaf}, Number: 7}))
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		t.Fatal(err)
	}
	if err := list.CheckSignatureFrom(root.Cert); err != nil {
		t.Error(err)
	}
	if n := len(list.RevokedCertificateEntries); n != 1 || list.Number.Int64() != 7 {
		t.Errorf("%d entries, number %v", n, list.Number)
	}
}

func TestCRLHoldsItsPoint(t *testing.T) {
	root := testca.Must(testca.NewCA(testca.Options{CommonName: "root"}))
	for want, o := range map[string]testca.CRLOptions{
		"":                               {},
		"30038101ff":                     {OnlyUsers: true},
		"30038201ff":                     {OnlyCAs: true},
		"3007a005a003860175":             {Points: []string{"u"}},
		"300da008a0068601758601768101ff": {Points: []string{"u", "v"}, OnlyUsers: true},
	} {
		list := testca.Must(x509.ParseRevocationList(testca.Must(root.CRL(o))))
		got := ""
		for _, e := range list.Extensions {
			if e.Id.String() == "2.5.29.28" && e.Critical {
				got = hex.EncodeToString(e.Value)
			}
		}
		if got != want {
			t.Errorf("%+v: %s, want %s", o, got, want)
		}
	}
}

func TestBadNamesAreErrors(t *testing.T) {
	for _, o := range []testca.Options{{IPs: []string{"localhost"}}, {URIs: []string{"spiffe://%zz"}}} {
		if _, err := testca.NewCA(o); err == nil {
			t.Errorf("%+v made a certificate", o)
		}
	}
}

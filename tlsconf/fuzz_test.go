package tlsconf_test

import (
	"bytes"
	"crypto/x509"
	"testing"

	"github.com/metrics-gate/metrics-gate/tlsconf"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// FuzzPEM states: a file of certificates that is taken is taken whole. None of its blocks
// is passed over, authorities are certificates too, and it does not change by being doubled
// or surrounded by text.
func FuzzPEM(f *testing.F) {
	root := testca.Must(testca.NewCA(testca.Options{CommonName: "root"}))
	pair := testca.Must(root.Issue(testca.Options{CommonName: "leaf"}))
	key := testca.Must(pair.KeyPEM())
	for _, seed := range [][]byte{nil, pair.CertPEM(), root.CertPEM(), key, append(root.CertPEM(), pair.CertPEM()...),
		append(key, pair.CertPEM()...), root.CertPEM()[:90], root.Cert.Raw, testca.CRLPEM(testca.Must(root.CRL(testca.CRLOptions{}))),
		[]byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n")} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		certs, certErr := tlsconf.ParsedCerts(data)
		cas, caErr := tlsconf.ParsedAuthorities(data)
		keyErr := tlsconf.ParsedKey(data)
		begun := bytes.Count(data, []byte("-----BEGIN "))
		if certErr == nil && (certs < 1 || certs > begun) {
			t.Errorf("%d certificates of %d blocks", certs, begun)
		}
		if caErr == nil && (cas != begun || certErr != nil || cas != certs) {
			t.Errorf("%d authorities of %d blocks; as certificates %d, %v", cas, begun, certs, certErr)
		}
		if caErr == nil && keyErr == nil {
			t.Error("authorities with a private key among them")
		}
		if caErr != nil {
			return
		}
		twice := bytes.Join([][]byte{[]byte("text\n"), data, []byte("\n"), data, []byte("\ntext")}, nil)
		if n, err := tlsconf.ParsedAuthorities(twice); err != nil || n != 2*cas {
			t.Errorf("doubled: %d, %v; once %d", n, err, cas)
		}
	})
}

// FuzzCRL states: lists that are taken are complete ones with an end, and are the same
// in DER and in PEM.
func FuzzCRL(f *testing.F) {
	root := testca.Must(testca.NewCA(testca.Options{CommonName: "root"}))
	leaf := testca.Must(root.Issue(testca.Options{CommonName: "leaf"})).Leaf()
	one, two := testca.Must(root.CRL(testca.CRLOptions{})), testca.Must(root.CRL(testca.CRLOptions{Number: 2, Revoked: []*x509.Certificate{leaf}}))
	for _, seed := range [][]byte{nil, one, two, append(append([]byte{}, one...), two...), testca.CRLPEM(one, two), one[:100],
		append(append([]byte{}, two...), 0), root.CertPEM(), testca.CRLPEM(root.Cert.Raw)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		ders, err := tlsconf.ParsedLists(data)
		if err != nil {
			return
		}
		if len(ders) == 0 {
			t.Error("no list, and no error")
		}
		for _, der := range ders {
			list, err := x509.ParseRevocationList(der)
			if err != nil || list.NextUpdate.IsZero() || !bytes.Equal(list.Raw, der) {
				t.Errorf("taken: %v, %+v", err, list)
			}
			for _, e := range list.Extensions {
				if id := e.Id.String(); id == "2.5.29.27" || id == "2.5.29.28" {
					t.Errorf("taken with extension %s", id)
				}
			}
		}
		for name, form := range map[string][]byte{"PEM": testca.CRLPEM(ders...), "DER": bytes.Join(ders, nil)} {
			again, err := tlsconf.ParsedLists(form)
			if err != nil || len(again) != len(ders) {
				t.Errorf("as %s: %d lists, %v; were %d", name, len(again), err, len(ders))
			}
		}
	})
}

package tlsconf_test

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"testing"

	"github.com/metrics-gate/metrics-gate/tlsconf"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// FuzzPEM states: a file of certificates that is taken is taken whole. None of its blocks
// is passed over, CAs are certificates too, and it does not change by being doubled
// or surrounded by text.
func FuzzPEM(f *testing.F) {
	root := testca.Must(testca.NewCA(testca.Options{CommonName: "root"}))
	pair := testca.Must(root.Issue(testca.Options{CommonName: "leaf"}))
	key := testca.Must(pair.KeyPEM())
	for _, seed := range [][]byte{nil, pair.CertPEM(), root.CertPEM(), key, append(root.CertPEM(), pair.CertPEM()...),
		append(key, pair.CertPEM()...),
		root.CertPEM()[:90],
		root.Cert.Raw,
		testca.CRLPEM(testca.Must(root.CRL(testca.CRLOptions{}))),
		[]byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n")} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		certs, certErr := tlsconf.ParsedCerts(data)
		cas, caErr := tlsconf.ParsedCAs(data)
		keyErr := tlsconf.ParsedKey(data)
		begun := bytes.Count(data, []byte("-----BEGIN "))
		if certErr == nil && (certs < 1 || certs > begun) {
			t.Errorf("%d certificates of %d blocks", certs, begun)
		}
		if caErr == nil && (cas != begun || certErr != nil || cas != certs) {
			t.Errorf("%d CAs of %d blocks; as certificates %d, %v", cas, begun, certs, certErr)
		}
		if caErr == nil && keyErr == nil {
			t.Error("CAs with a private key among them")
		}
		if caErr != nil {
			return
		}
		twice := bytes.Join([][]byte{[]byte("text\n"), data, []byte("\n"), data, []byte("\ntext")}, nil)
		if n, err := tlsconf.ParsedCAs(twice); err != nil || n != 2*cas {
			t.Errorf("doubled: %d, %v; once %d", n, err, cas)
		}
	})
}

// FuzzCRL states: lists that are taken are complete for a known scope, have an end, and are
// the same in DER and in PEM.
func FuzzCRL(f *testing.F) {
	root := testca.Must(testca.NewCA(testca.Options{CommonName: "root"}))
	leaf := testca.Must(root.Issue(testca.Options{CommonName: "leaf"})).Leaf()
	one, two := testca.Must(
		root.CRL(testca.CRLOptions{}),
	), testca.Must(
		root.CRL(testca.CRLOptions{Number: 2, Revoked: []*x509.Certificate{leaf}}),
	)
	for _, seed := range [][]byte{nil, one, two, append(append([]byte{}, one...), two...), testca.CRLPEM(one, two),
		one[:100],
		append(append([]byte{}, two...), 0), root.CertPEM(), testca.CRLPEM(root.Cert.Raw),
		testca.Must(root.CRL(testca.CRLOptions{
			Points: []string{"http://ca.example/1.crl", "ldap:///cn=ca"}, OnlyUsers: true,
		})),
		testca.Must(root.CRL(testca.CRLOptions{OnlyCAs: true}))} {
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
				switch e.Id.String() {
				case "2.5.29.27":
					t.Error("taken, and is a delta list")
				case "2.5.29.28":
					scoped(t, e.Value)
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

// FuzzScope states: a scope that is taken is what encoding/asn1 reads of it as well, with
// nothing that limits it otherwise; a certificate with any extension of points names none
// that is not there.
func FuzzScope(f *testing.F) {
	for _, seed := range []string{"", "0\x00", "0\x03\x81\x01\xff", "0\x03\x84\x01\xff",
		"0\x07\xa0\x05\xa0\x03\x86\x01u",
		"0\x0a\xa0\x05\xa0\x03\x86\x01u\x81\x01\xff", "0\x090\x07\xa0\x05\xa0\x03\x86\x01u"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		if _, _, err := tlsconf.ParsedScope(der); err == nil {
			scoped(t, der)
		}
		uris, present := tlsconf.PointsOf(der)
		for _, uri := range uris {
			if !bytes.Contains(der, []byte(uri)) {
				t.Errorf("names %q", uri)
			}
		}
		if !present {
			t.Error("the extension was not seen")
		}
	})
}

// scoped reads an IssuingDistributionPoint the way others do.
func scoped(t *testing.T, der []byte) {
	t.Helper()
	var read struct {
		Name struct {
			Full []asn1.RawValue `asn1:"optional,tag:0"`
		} `asn1:"optional,tag:0"`
		Users       bool           `asn1:"optional,tag:1"`
		Authorities bool           `asn1:"optional,tag:2"`
		Reasons     asn1.BitString `asn1:"optional,tag:3"`
		Indirect    bool           `asn1:"optional,tag:4"`
		Attributes  bool           `asn1:"optional,tag:5"`
	}
	points, covers, err := tlsconf.ParsedScope(der)
	if err != nil {
		t.Fatalf("taken, but %v", err)
	}
	if rest, err := asn1.Unmarshal(der, &read); err != nil || len(rest) > 0 {
		t.Errorf("taken, but %v, %x after it", err, rest)
	}
	if read.Users && read.Authorities || read.Indirect || read.Attributes || read.Reasons.BitLength > 0 {
		t.Errorf("taken as %s: %+v", covers, read)
	}
	if len(points) > len(read.Name.Full) || (len(points) == 0) != (len(read.Name.Full) == 0) {
		t.Errorf("points %q of %d names", points, len(read.Name.Full))
	}
}

package tlsconf_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"log/slog"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/tlsconf"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

func TestListsInEveryForm(t *testing.T) {
	for name, form := range map[string]func(lists ...[]byte) []byte{
		"PEM": testca.CRLPEM,
		"PEM with text": func(lists ...[]byte) []byte {
			return append([]byte("Certificate Revocation List:\n\n"), testca.CRLPEM(lists...)...)
		},
		"DER": func(lists ...[]byte) []byte { return append(append([]byte{}, lists[0]...), lists[1]...) },
	} {
		h := newHierarchy(t)
		h.write("ca.crl", form(list(h.clients, 1), list(h.middle, 1)))
		r := h.reloader(h.files(tlsconf.Required))
		if err := r.Verify(chains(t, h.leaf, h.clients)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		h.write("ca.crl", form(list(h.clients, 1), list(h.middle, 2, h.leaf.Leaf())))
		if changed, err := r.Reload(); !changed || err != nil {
			t.Fatalf("%s: %v, %v", name, changed, err)
		}
		if err := r.Verify(chains(t, h.leaf, h.clients)); !errors.Is(err, tlsconf.ErrRevoked) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestListsThatAreNotComplete(t *testing.T) {
	extension := func(critical bool, value []byte, oid ...int) func(*x509.RevocationList) {
		return func(l *x509.RevocationList) {
			l.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier(oid), Critical: critical, Value: value}}
		}
	}
	entry := func(critical bool, value []byte, oid ...int) func(*x509.RevocationList) {
		return func(l *x509.RevocationList) {
			l.RevokedCertificateEntries = []x509.RevocationListEntry{
				{SerialNumber: big.NewInt(7), RevocationTime: time.Now(),
					ExtraExtensions: []pkix.Extension{
						{Id: asn1.ObjectIdentifier(oid), Critical: critical, Value: value},
					}},
			}
		}
	}
	for name, tc := range map[string]struct {
		edit func(*x509.RevocationList)
		want string // empty: loads
	}{
		"delta":                   {extension(true, []byte{2, 1, 1}, 2, 5, 29, 27), "is a delta list"},
		"delta, not critical":     {extension(false, []byte{2, 1, 1}, 2, 5, 29, 27), "is a delta list"},
		"unknown critical":        {extension(true, []byte{5, 0}, 1, 2, 3, 4), "critical extension 1.2.3.4 is unknown"},
		"unknown":                 {extension(false, []byte{5, 0}, 1, 2, 3, 4), ""},
		"points to a delta":       {extension(false, []byte{0x30, 0}, 2, 5, 29, 46), ""},
		"entry of another issuer": {entry(true, []byte{0x30, 0}, 2, 5, 29, 29), "names another issuer"},
		"entry critical": {
			entry(true, []byte{5, 0}, 1, 2, 3, 4), "serial 7: critical extension 1.2.3.4 is unknown",
		},
		"entry with a date": {entry(false, []byte("\x18\x0f20200101000000Z"), 2, 5, 29, 24), ""},
		"entry with a reason": {func(l *x509.RevocationList) {
			l.RevokedCertificateEntries = []x509.RevocationListEntry{{
				SerialNumber: big.NewInt(7), RevocationTime: time.Now(), ReasonCode: 6,
			}}
		}, ""},
		"entry not critical, other": {entry(false, []byte{5, 0}, 1, 2, 3, 4), ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			s.writeCRL(list(s.clients, 1))
			r := s.reloader(s.files(tlsconf.Required))
			s.writeCRL(list(s.clients, 1), testca.Must(s.clients.CRL(testca.CRLOptions{Number: 2, Edit: tc.edit})))
			_, err := tlsconf.New(s.files(tlsconf.Required), slog.New(slog.DiscardHandler))
			_, again := r.Reload()
			for _, err := range []error{err, again} {
				if tc.want == "" && err != nil {
					t.Errorf("refused: %v", err)
				}
				if tc.want != "" &&
					(err == nil || !strings.Contains(err.Error(), "list 2: of CN=client root: ") ||
						!strings.Contains(err.Error(), tc.want)) {
					t.Errorf("got %v, want %q", err, tc.want)
				}
			}
		})
	}
}

// Go writes a next update always: take it out of a list and sign nothing, the parser comes first.
func TestListWithoutNextUpdate(t *testing.T) {
	s := newFixture(t)
	der := list(s.clients, 1)
	parsed := testca.Must(x509.ParseRevocationList(der))
	s.writeCRL(withoutNextUpdate(t, parsed))
	_, err := tlsconf.New(s.files(tlsconf.Required), slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "no next update") {
		t.Error(err)
	}
}

func TestListWithBytesAfterItsEnd(t *testing.T) {
	s := newFixture(t)
	s.writeCRL(append(list(s.clients, 1), 5, 0))
	_, err := tlsconf.New(s.files(tlsconf.Required), slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "list 1: malformed: bytes after its end") {
		t.Error(err)
	}
}

func withoutNextUpdate(t *testing.T, parsed *x509.RevocationList) []byte {
	t.Helper()
	type unsigned struct {
		Version    int
		Algorithm  asn1.RawValue
		Issuer     asn1.RawValue
		ThisUpdate time.Time
	}
	var tbs struct {
		Version    int
		Algorithm  asn1.RawValue
		Issuer     asn1.RawValue
		ThisUpdate time.Time
		NextUpdate time.Time
		Extensions asn1.RawValue `asn1:"optional,tag:0"`
	}
	if _, err := asn1.Unmarshal(parsed.RawTBSRevocationList, &tbs); err != nil {
		t.Fatal(err)
	}
	return testca.Must(asn1.Marshal(struct {
		TBS       unsigned
		Algorithm asn1.RawValue
		Signature asn1.BitString
	}{unsigned{tbs.Version, tbs.Algorithm, tbs.Issuer, tbs.ThisUpdate}, tbs.Algorithm,
		asn1.BitString{Bytes: []byte{0}, BitLength: 8}}))
}

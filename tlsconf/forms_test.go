package tlsconf_test

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/tlsconf"
	"github.com/metrics-gate/metrics-gate/tlsconf/safefile"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// start loads the fixture's files with client certificates, and returns the error.
func (s *fixture) start() error {
	_, err := tlsconf.New(s.files(tlsconf.Required), slog.New(slog.DiscardHandler))
	return err
}

func TestAllBadFilesAreReportedAtOnce(t *testing.T) {
	files := tlsconf.Files{
		Cert:       "no.crt",
		Key:        "no.key",
		ClientCA:   "no.ca",
		ClientCRL:  "no.crl",
		ClientAuth: tlsconf.Required,
	}
	_, missing := tlsconf.New(files, slog.New(slog.DiscardHandler))
	s := newFixture(t)
	s.write("tls.crt", []byte("x"))
	s.write("tls.key", []byte("x"))
	s.write("ca.crt", []byte("x"))
	s.write("ca.crl", []byte("x"))
	_, unset := tlsconf.New(tlsconf.Files{ClientAuth: tlsconf.Required, MinVersion: 1}, slog.New(slog.DiscardHandler))
	four := []string{tlsconf.RoleServer, tlsconf.RoleKey, tlsconf.RoleClientCA, tlsconf.RoleCRL}
	for name, tc := range map[string]struct {
		err   error
		roles []string
	}{"missing": {missing, four}, "garbage": {s.start(), four}, "not set": {unset, four[:3]}} {
		all := tlsconf.FileErrors(tc.err)
		if len(all) != len(tc.roles) {
			t.Errorf("%s: %v", name, tc.err)
			continue
		}
		for i, failure := range all {
			if failure.Role != tc.roles[i] || !strings.Contains(tc.err.Error(), failure.Error()) {
				t.Errorf("%s, %d: %+v", name, i, failure)
			}
		}
	}
	if all := tlsconf.FileErrors(errors.New("of no file")); len(all) != 0 {
		t.Errorf("%v", all)
	}
}

// One mistake is one error, named before any complaint about a mode.
func TestSwappedCertificateAndKeyIsOneError(t *testing.T) {
	s := newFixture(t)
	must(t, s.gate.WriteFiles(s.path("tls.key"), s.path("tls.crt")))
	must(t, os.Chmod(s.path("tls.key"), 0o644)) // as a certificate usually has
	all := tlsconf.FileErrors(s.start())
	if len(all) != 1 || all[0].Role != tlsconf.RoleServer ||
		all[0].Advice != "certificate and key file are swapped" ||
		!strings.HasSuffix(
			all[0].Error(),
			"holds a private key, not a certificate, and key file "+s.path("tls.key")+" holds a certificate",
		) {
		t.Errorf("%v", all)
	}
}

func TestCertificateAsKeyIsNamedBeforeItsMode(t *testing.T) {
	s := newFixture(t)
	s.write("tls.key", s.gate.CertPEM())
	must(t, os.Chmod(s.path("tls.key"), 0o644))
	all := tlsconf.FileErrors(s.start())
	if len(all) != 1 || !strings.HasSuffix(all[0].Error(), "holds a certificate, not a private key") ||
		errors.Is(all[0], safefile.ErrReadable) {
		t.Errorf("%v", all)
	}
}

func TestFilesInOtherFormsAreNamed(t *testing.T) {
	s := newFixture(t)
	key := testca.Must(x509.MarshalPKCS8PrivateKey(s.gate.Key))
	encrypted := testca.Must(asn1.Marshal(struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}{pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}}, []byte{1}}))
	data := testca.Must(asn1.Marshal(struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}, asn1.RawValue{Class: 2, Tag: 0, IsCompound: true,
		Bytes: []byte{4, 1, 1}}}))
	p12 := testca.Must(asn1.Marshal(struct {
		Version  int
		AuthSafe asn1.RawValue
	}{3, asn1.RawValue{FullBytes: data}}))
	utf16 := append([]byte("\xff\xfe"), bytes.ReplaceAll(s.gate.CertPEM(), []byte("-"), []byte("-\x00"))...)
	crl := list(s.clients, 1)
	for name, tc := range map[string]struct {
		file, want, advice string
		data               []byte
	}{
		"PKCS #12 certificate": {"tls.crt", "is not PEM but PKCS #12", "openssl pkcs12", p12},
		"PKCS #12 key":         {"tls.key", "is not PEM but PKCS #12", "openssl pkcs12", p12},
		"PKCS #12 CA":          {"ca.crt", "is not PEM but PKCS #12", "openssl pkcs12", p12},
		"PKCS #7 certificate":  {"tls.crt", "is not PEM but PKCS #7 in DER", "openssl pkcs7", data},
		"DER certificate": {"tls.crt", "is not PEM but a certificate in DER", "openssl x509 -inform DER",
			s.gate.Leaf().Raw},
		"DER CA": {"ca.crt", "is not PEM but a certificate in DER", "openssl x509 -inform DER",
			s.clients.Cert.Raw},
		"DER key":            {"tls.key", "is not PEM but a private key in DER", "openssl pkey -inform DER", key},
		"DER key, encrypted": {"tls.key", "is not PEM but a private key in DER", "openssl pkey", encrypted},
		"DER list":           {"ca.crt", "is not PEM but a revocation list in DER", "file of their own", crl},
		"Java key store": {"tls.crt", "is not PEM but a Java key store", "keytool",
			[]byte("\xfe\xed\xfe\xed\x00\x00")},
		"UTF-16 certificate": {"tls.crt", "byte order mark (BOM)", "UTF-8", utf16},
		"UTF-16 key":         {"tls.key", "byte order mark (BOM)", "UTF-8", utf16},
		"UTF-16 list":        {"ca.crl", "byte order mark (BOM)", "UTF-8", utf16},
		"request": {"tls.crt", "holds no certificate but CERTIFICATE REQUEST", "CA makes",
			encode("CERTIFICATE REQUEST", []byte{48})},
		"PKCS #7 in PEM": {"ca.crt", "block 1 is PKCS7", "openssl pkcs7", encode("PKCS7", data)},
		"encrypted under no label": {"tls.key", "private key is encrypted", "openssl pkey", encode("PRIVATE KEY",
			encrypted)},
		"certificate as CRL": {"ca.crl", "malformed", "", s.gate.Leaf().Raw},
	} {
		s := newFixture(t)
		s.writeCRL(crl)
		s.write(tc.file, tc.data)
		err := s.start()
		all := tlsconf.FileErrors(err)
		if len(all) != 1 || !strings.HasSuffix(all[0].Path, tc.file) || !strings.Contains(err.Error(), tc.want) ||
			!strings.Contains(all[0].Advice, tc.advice) || tc.advice == "" && all[0].Advice != "" {
			t.Errorf("%s: %v; advice of %+v", name, err, all)
		}
	}
}

// A byte order mark, Windows line ends and a label of another form are taken.
func TestHarmlessFormsAreTaken(t *testing.T) {
	mark := func(data []byte) []byte { return append([]byte("\xef\xbb\xbf"), data...) }
	windows := func(data []byte) []byte { return bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n")) }
	for name, change := range map[string]func([]byte) []byte{
		"byte order mark": mark, "Windows line ends": windows,
		"both": func(d []byte) []byte { return mark(windows(d)) },
	} {
		s := newFixture(t)
		s.write("tls.crt", change(s.gate.CertPEM()))
		s.write("tls.key", change(testca.Must(s.gate.KeyPEM())))
		s.write("ca.crt", change(s.clients.CertPEM()))
		s.write("ca.crl", change(testca.CRLPEM(list(s.clients, 1))))
		if err := s.start(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, form := range keyForms(t) {
		var encodings [][]byte
		encodings = append(encodings, testca.Must(x509.MarshalPKCS8PrivateKey(form.key)))
		if key, ok := form.key.(*rsa.PrivateKey); ok {
			encodings = append(encodings, x509.MarshalPKCS1PrivateKey(key))
		}
		for _, label := range []string{"PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"} {
			for i, der := range encodings {
				if err := tlsconf.ParsedKey(encode(label, der)); err != nil {
					t.Errorf("%s, encoding %d, as %s: %v", name, i, label, err)
				}
			}
		}
	}
}

func TestFileErrorsKeepTheirCause(t *testing.T) {
	s := newFixture(t)
	s.write("ca.crt", append(s.clients.CertPEM(), s.clients.CertPEM()[:99]...))
	if err := s.start(); !errors.Is(err, safefile.ErrBroken) {
		t.Error(err)
	}
	s.write("ca.crt", bytes.Repeat([]byte("x"), 4<<20+1))
	if err := s.start(); !errors.Is(err, safefile.ErrTooLarge) {
		t.Error(err)
	}
}

// A client's pair is read as the gate's own, whatever its modes.
func TestLoadPair(t *testing.T) {
	s := newFixture(t)
	must(t, os.Chmod(s.path("tls.key"), 0o666))
	if pair, err := tlsconf.LoadPair(s.path("tls.crt"), s.path("tls.key")); err != nil || len(pair.Certificate) == 0 {
		t.Errorf("good: %v", err)
	}
	for name, tc := range map[string]struct {
		cert, key string
		want      []string // roles
	}{
		"missing": {"no.crt", "no.key", []string{tlsconf.RoleServer, tlsconf.RoleKey}},
		"swapped": {"tls.key", "tls.crt", []string{tlsconf.RoleServer}},
		"one":     {"tls.crt", "tls.crt", []string{tlsconf.RoleKey}},
		"other":   {"ca.crt", "tls.key", []string{tlsconf.RoleServer}},
	} {
		_, err := tlsconf.LoadPair(s.path(tc.cert), s.path(tc.key))
		var roles []string
		for _, failure := range tlsconf.FileErrors(err) {
			roles = append(roles, failure.Role)
		}
		if !slices.Equal(roles, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
}

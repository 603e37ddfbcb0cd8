package tlsconf

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/metrics-gate/metrics-gate/tlsconf/safefile"
)

const (
	certificateBlock = "CERTIFICATE"
	pemBegin         = "-----BEGIN "
)

// blocks decodes all of a PEM file, whole or not at all. Of a file that is not PEM it says
// what it is instead.
func blocks(data []byte) ([]*pem.Block, error) {
	list, err := safefile.Blocks("", data)
	if errors.Is(err, safefile.ErrNotPEM) {
		if other := identify(data); other != nil {
			return nil, other
		}
	}
	return list, err
}

// PKCS #12 (RFC 7292 section 4) and PKCS #7 (RFC 2315 section 7) in DER, as far as it tells them.
type (
	pkcs12 struct {
		Version int // 3
		Rest    asn1.RawValue
		Mac     asn1.RawValue `asn1:"optional"`
	}
	pkcs7 struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue `asn1:"explicit,optional,tag:0"`
	}
)

// identify names a form that is not PEM, with the command that converts it; nil if it is none of those.
func identify(data []byte) error {
	const notPEM = "is not PEM but "
	is := func(form string) error { return errors.New(notPEM + form) }
	switch {
	case bytes.HasPrefix(data, []byte{0xfe, 0xed, 0xfe, 0xed}):
		return advise(
			is("a Java key store"),
			"keytool -importkeystore -deststoretype PKCS12 -srckeystore FILE -destkeystore FILE.p12, "+
				"then openssl pkcs12",
		)
	case len(data) == 0 || data[0] != 0x30:
		return nil
	case isDER(data, new(pkcs12)):
		return advise(
			is("PKCS #12"),
			"openssl pkcs12 -in FILE -nokeys -out cert.pem, and: -nocerts -nodes -out key.pem",
		)
	case isDER(data, new(pkcs7)):
		return advise(is("PKCS #7 in DER"), "openssl pkcs7 -inform DER -print_certs -in FILE -out FILE.pem")
	case isCertificate(data):
		return advise(is("a certificate in DER"), "openssl x509 -inform DER -in FILE -out FILE.pem")
	case isPrivateKey(data):
		return advise(is("a private key in DER"), "openssl pkey -inform DER -in FILE -out FILE.pem")
	case isRevocationList(data):
		return advise(is("a revocation list in DER"), "revocation lists have a file of their own")
	}
	return nil
}

func isDER(data []byte, form any) bool {
	rest, err := asn1.Unmarshal(data, form)
	if p, ok := form.(*pkcs12); ok && err == nil {
		return p.Version == 3 && len(rest) == 0
	}
	return err == nil && len(rest) == 0
}

func isCertificate(der []byte) bool { _, err := x509.ParseCertificate(der); return err == nil }

func isRevocationList(der []byte) bool { _, err := x509.ParseRevocationList(der); return err == nil }

func isPrivateKey(der []byte) bool {
	_, err := parsePrivateKey(der)
	return err == nil || isEncrypted(der)
}

// isPrivate reports whether the block's label announces a private key.
func isPrivate(block *pem.Block) bool { return strings.HasSuffix(block.Type, "PRIVATE KEY") }

func certificate(block *pem.Block, n int) (*x509.Certificate, error) {
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("certificate %d: %w", n, err)
	}
	return cert, nil
}

// misplaced is the advice about a block of another type.
func misplaced(block string) string {
	switch block {
	case listBlock:
		return "revocation lists have a file of their own"
	case "TRUSTED CERTIFICATE":
		return "convert it from OpenSSL's own form: openssl x509 -in FILE -out FILE.pem"
	case "PKCS7":
		return "convert it: openssl pkcs7 -print_certs -in FILE -out FILE.pem"
	case "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST":
		return "a CA makes the certificate of this request"
	}
	return ""
}

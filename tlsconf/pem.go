package tlsconf

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/metrics-gate/metrics-gate/tlsconf/safefile"
)

const (
	certificateBlock = "CERTIFICATE"
	pemBegin         = "-----BEGIN "
)

// blocks decodes all of a PEM file, whole or not at all.
func blocks(data []byte) ([]*pem.Block, error) { return safefile.Blocks("", data) }

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

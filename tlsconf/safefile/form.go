package safefile

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
)

// ErrNotPEM is the error of a file without a PEM block.
var ErrNotPEM = errors.New("no PEM block in it")

// ErrUTF16 is the error of a text in UTF-16.
var ErrUTF16 = errors.New("begins with a UTF-16 byte order mark (BOM)")

const utf8BOM = "\xef\xbb\xbf"

// TrimBOM returns the content of a text file without a UTF-8 byte order mark. UTF-16 is ErrUTF16.
func TrimBOM(data []byte) ([]byte, error) {
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return nil, ErrUTF16
	}
	return bytes.TrimPrefix(data, []byte(utf8BOM)), nil
}

// AdviceUTF8 is what to do about ErrUTF16.
const AdviceUTF8 = "save it as UTF-8 without a BOM"

// formError is the error of a file that holds the right thing in another form than PEM.
type formError struct{ form string }

// Error implements error.
func (e formError) Error() string { return "is not PEM but " + e.form }

// Is makes a formError an ErrNotPEM.
func (e formError) Is(target error) bool { return target == ErrNotPEM }

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
	encryptedKey struct { // EncryptedPrivateKeyInfo, RFC 5958 section 3
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}
)

// notPEM says what data is instead of PEM, with the command that converts it.
func notPEM(path string, data []byte) *Error {
	is := func(form, advice string) *Error { return &Error{Path: path, Err: formError{form}, Advice: advice} }
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return &Error{Path: path, Err: fmt.Errorf("empty: %w", ErrNotPEM)}
	case bytes.HasPrefix(data, []byte{0xfe, 0xed, 0xfe, 0xed}):
		return is("a Java key store", "keytool -importkeystore -deststoretype PKCS12 -srckeystore FILE "+
			"-destkeystore FILE.p12, then openssl pkcs12")
	case data[0] != 0x30: // an ASN.1 sequence
	case isDER(data, new(pkcs12)):
		return is("PKCS #12", "take the certificates out with openssl pkcs12 -in FILE -nokeys -out cert.pem, and the "+
			"key with openssl pkcs12 -in FILE -nocerts -nodes -out key.pem")
	case isDER(data, new(pkcs7)):
		return is("PKCS #7 in DER", "openssl pkcs7 -inform DER -print_certs -in FILE -out FILE.pem")
	case parses(x509.ParseCertificate, data):
		return is("a certificate in DER", "openssl x509 -inform DER -in FILE -out FILE.pem")
	case isDER(data, new(encryptedKey)), parses(x509.ParsePKCS8PrivateKey, data),
		parses(x509.ParsePKCS1PrivateKey, data), parses(x509.ParseECPrivateKey, data):
		return is("a private key in DER", "openssl pkey -inform DER -in FILE -out FILE.pem")
	case parses(x509.ParseRevocationList, data):
		return is("a revocation list in DER", "revocation lists have a file of their own")
	}
	return &Error{Path: path, Err: ErrNotPEM}
}

func isDER(data []byte, form any) bool {
	rest, err := asn1.Unmarshal(data, form)
	if p, ok := form.(*pkcs12); ok && err == nil && p.Version != 3 {
		return false
	}
	return err == nil && len(rest) == 0
}

func parses[T any](parse func([]byte) (T, error), der []byte) bool {
	_, err := parse(der)
	return err == nil
}

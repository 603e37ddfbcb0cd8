package tlsconf_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"testing"

	"github.com/metrics-gate/metrics-gate/tlsconf"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// keyForm is a private key and the file an operator might keep it in.
type keyForm struct {
	key  crypto.Signer
	file []byte
}

func keyForms(t *testing.T) map[string]keyForm {
	t.Helper()
	pkcs8 := func(key crypto.Signer) []byte {
		return encode("PRIVATE KEY", testca.Must(x509.MarshalPKCS8PrivateKey(key)))
	}
	rsaKey := testca.Must(rsa.GenerateKey(rand.Reader, 2048))
	ecKey := testca.Must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sec1 := encode("EC PRIVATE KEY", testca.Must(x509.MarshalECPrivateKey(ecKey)))
	return map[string]keyForm{
		"RSA PKCS #1":        {rsaKey, encode("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey))},
		"RSA PKCS #8":        {rsaKey, pkcs8(rsaKey)},
		"EC SEC 1":           {ecKey, sec1},
		"EC with parameters": {ecKey, append(encode("EC PARAMETERS", []byte{6, 5, 43, 129, 4, 0, 34}), sec1...)},
		"EC PKCS #8":         {ecKey, pkcs8(ecKey)},
		"Ed25519":            {edKey, pkcs8(edKey)},
	}
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func TestKeyForms(t *testing.T) {
	for name, pair := range keyForms(t) {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			cert := testca.Must(s.server.Issue(testca.Options{Key: pair.key, DNSNames: []string{"gate.example"}}))
			s.write("tls.crt", append([]byte("subject=gate\n"), cert.CertPEM()...))
			s.write("tls.key", pair.file)
			r := s.reloader(s.files(tlsconf.Required))
			if answer, err := ask(s.serve(r), s.config(s.client("scraper"))); err != nil || answer != "<nil>\n" {
				t.Errorf("%q, %v", answer, err)
			}
		})
	}
}

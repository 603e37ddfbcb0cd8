package testca

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
)

// Pair is a leaf with its intermediates, leaf first, and its private key.
type Pair struct {
	Chain []*x509.Certificate
	Key   crypto.Signer
}

// Leaf is the pair's own certificate.
func (p *Pair) Leaf() *x509.Certificate { return p.Chain[0] }

// TLS is the pair as crypto/tls presents it.
func (p *Pair) TLS() tls.Certificate {
	pair := tls.Certificate{PrivateKey: p.Key, Leaf: p.Leaf()}
	for _, cert := range p.Chain {
		pair.Certificate = append(pair.Certificate, cert.Raw)
	}
	return pair
}

// CertPEM is the chain as PEM, leaf first.
func (p *Pair) CertPEM() []byte { return CertPEM(p.Chain...) }

// KeyPEM is the private key as PKCS #8 PEM.
func (p *Pair) KeyPEM() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(p.Key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// WriteFiles writes the chain (mode 0644) and the key (mode 0600).
func (p *Pair) WriteFiles(certPath, keyPath string) error {
	key, err := p.KeyPEM()
	if err != nil {
		return err
	}
	if err := os.WriteFile(certPath, p.CertPEM(), 0o644); err != nil {
		return err
	}
	return os.WriteFile(keyPath, key, 0o600)
}

// CertPEM is the CA's own certificate as PEM.
func (ca *CA) CertPEM() []byte { return CertPEM(ca.Cert) }

// Pool is a pool that trusts ca alone.
func (ca *CA) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.Cert)
	return pool
}

// CertPEM writes certificates as PEM, in the order given.
func CertPEM(certs ...*x509.Certificate) []byte {
	var out bytes.Buffer
	for _, cert := range certs {
		out.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}))
	}
	return out.Bytes()
}

// CRLPEM writes revocation lists (DER, as CRL returns them) as PEM.
func CRLPEM(lists ...[]byte) []byte {
	var out bytes.Buffer
	for _, der := range lists {
		out.Write(pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}))
	}
	return out.Bytes()
}

// Package testca makes throwaway certificate authorities (CAs): roots, intermediates,
// leaves and revocation lists, in memory, on ECDSA P-256 unless told otherwise.
// It serves tests and the demo; nothing it makes is meant to be kept.
package testca

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"time"
)

// Options describes a certificate. The zero value is good: an empty name, valid from
// an hour ago for a day, for servers and clients alike, with a new key.
type Options struct {
	CommonName          string
	DNSNames            []string
	IPs                 []string // literals; a bad one is an error
	URIs                []string // a bad one is an error
	Emails              []string
	NotBefore, NotAfter time.Time                    // zero: an hour ago, a day after NotBefore
	Usages              []x509.ExtKeyUsage           // nil: serverAuth and clientAuth; empty: none at all (leaves only)
	Key                 crypto.Signer                // nil: a new P-256 key
	Edit                func(cert *x509.Certificate) // last change to the template, where a test wants something odd
}

// CA is a certificate CA that can sign.
type CA struct {
	Cert *x509.Certificate
	Key  crypto.Signer

	above []*x509.Certificate // intermediates over this one, nearest first, without the root
	root  bool
}

// NewCA makes a self-signed root.
func NewCA(o Options) (*CA, error) {
	cert, key, err := sign(o.caTemplate(), o.Key, nil)
	if err != nil {
		return nil, err
	}
	return &CA{Cert: cert, Key: key, root: true}, nil
}

// Intermediate makes a CA signed by ca.
func (ca *CA) Intermediate(o Options) (*CA, error) {
	cert, key, err := sign(o.caTemplate(), o.Key, ca)
	if err != nil {
		return nil, err
	}
	return &CA{Cert: cert, Key: key, above: ca.path()}, nil
}

// CrossSign returns other's name and key under a certificate signed by ca.
func (ca *CA) CrossSign(other *CA) (*CA, error) {
	return ca.Intermediate(Options{
		Key: other.Key,
		Edit: func(cert *x509.Certificate) {
			cert.RawSubject, cert.SubjectKeyId = other.Cert.RawSubject, other.Cert.SubjectKeyId
		},
	})
}

// Issue makes a leaf signed by ca; its chain holds the intermediates, not the root.
func (ca *CA) Issue(o Options) (*Pair, error) {
	cert, key, err := sign(o.leafTemplate(), o.Key, ca)
	if err != nil {
		return nil, err
	}
	return &Pair{Chain: append([]*x509.Certificate{cert}, ca.path()...), Key: key}, nil
}

// SelfSigned makes a leaf that no CA has signed.
func SelfSigned(o Options) (*Pair, error) {
	cert, key, err := sign(o.leafTemplate(), o.Key, nil)
	if err != nil {
		return nil, err
	}
	return &Pair{Chain: []*x509.Certificate{cert}, Key: key}, nil
}

// Must returns v, and panics on an error: for tests.
func Must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func (ca *CA) path() []*x509.Certificate {
	if ca.root {
		return nil
	}
	return append([]*x509.Certificate{ca.Cert}, ca.above...)
}

type template struct {
	*x509.Certificate
	edit func(*x509.Certificate)
	err  error
}

func (o Options) caTemplate() template {
	t := o.template()
	t.IsCA, t.BasicConstraintsValid = true, true
	t.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	t.ExtKeyUsage = o.Usages
	return t
}

func (o Options) leafTemplate() template {
	t := o.template()
	t.BasicConstraintsValid = true
	t.KeyUsage = x509.KeyUsageDigitalSignature
	t.ExtKeyUsage = o.Usages
	if o.Usages == nil {
		t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	}
	return t
}

func (o Options) template() template {
	t := template{edit: o.Edit, Certificate: &x509.Certificate{
		Subject:        pkix.Name{CommonName: o.CommonName},
		NotBefore:      o.NotBefore,
		NotAfter:       o.NotAfter,
		DNSNames:       o.DNSNames,
		EmailAddresses: o.Emails,
	}}
	if t.NotBefore.IsZero() {
		t.NotBefore = time.Now().Add(-time.Hour)
	}
	if t.NotAfter.IsZero() {
		t.NotAfter = t.NotBefore.Add(25 * time.Hour)
	}
	for _, literal := range o.IPs {
		ip := net.ParseIP(literal)
		if ip == nil {
			t.err = fmt.Errorf("ip %q: not an address literal", literal)
		}
		t.IPAddresses = append(t.IPAddresses, ip)
	}
	for _, raw := range o.URIs {
		u, err := url.Parse(raw)
		if err != nil {
			t.err = fmt.Errorf("uri %q: %w", raw, err)
			continue
		}
		t.URIs = append(t.URIs, u)
	}
	return t
}

// sign makes the certificate under ca, or self-signed if ca is nil.
func sign(t template, key crypto.Signer, ca *CA) (*x509.Certificate, crypto.Signer, error) {
	if t.err != nil {
		return nil, nil, t.err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, nil, err
	}
	t.SerialNumber = serial.Add(serial, big.NewInt(1))
	if key == nil {
		if key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			return nil, nil, err
		}
	}
	if t.edit != nil {
		t.edit(t.Certificate)
	}
	parent, signer := t.Certificate, key
	if ca != nil {
		parent, signer = ca.Cert, ca.Key
	}
	der, err := x509.CreateCertificate(rand.Reader, t.Certificate, parent, key.Public(), signer)
	if err != nil {
		return nil, nil, fmt.Errorf("certificate %q: %w", t.Subject.CommonName, err)
	}
	cert, err := x509.ParseCertificate(der)
	return cert, key, err
}

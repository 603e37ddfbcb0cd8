package main

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"time"

	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// clientName is the DNS name in the scraper's certificate.
const clientName = "prometheus.bench"

// pki is a folder of certificates: ca.pem, server.pem, client.pem and their keys, and
// both.pem with server certificate and key, as haproxy wants them.
type pki struct {
	dir    string
	pool   *x509.CertPool
	scrape tls.Certificate
}

func makePKI(dir string) (*pki, error) {
	ca, err := testca.NewCA(testca.Options{CommonName: "bench"})
	if err != nil {
		return nil, err
	}
	server, err := ca.Issue(testca.Options{DNSNames: []string{"localhost"}, IPs: []string{"127.0.0.1"}})
	if err != nil {
		return nil, err
	}
	client, err := ca.Issue(testca.Options{CommonName: "prometheus", DNSNames: []string{clientName}})
	if err != nil {
		return nil, err
	}
	file := func(name string) string { return filepath.Join(dir, name) }
	if err := server.WriteFiles(file("server.pem"), file("server-key.pem")); err != nil {
		return nil, err
	}
	if err := client.WriteFiles(file("client.pem"), file("client-key.pem")); err != nil {
		return nil, err
	}
	key, err := server.KeyPEM()
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(file("both.pem"), append(server.CertPEM(), key...), 0o600); err != nil {
		return nil, err
	}
	list, err := ca.CRL(testca.CRLOptions{NextUpdate: time.Now().Add(24 * time.Hour)})
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(file("crl.pem"), testca.CRLPEM(list), 0o644); err != nil {
		return nil, err
	}
	if err := os.WriteFile(file("ca.pem"), ca.CertPEM(), 0o644); err != nil {
		return nil, err
	}
	return openPKI(dir)
}

func openPKI(dir string) (*pki, error) {
	p := &pki{dir: dir, pool: x509.NewCertPool()}
	ca, err := os.ReadFile(p.file("ca.pem"))
	if err != nil {
		return nil, err
	}
	p.pool.AppendCertsFromPEM(ca)
	p.scrape, err = tls.LoadX509KeyPair(p.file("client.pem"), p.file("client-key.pem"))
	return p, err
}

func (p *pki) file(name string) string { return filepath.Join(p.dir, name) }

// client is the TLS configuration of a scraper with Go's defaults.
func (p *pki) client() *tls.Config {
	return &tls.Config{RootCAs: p.pool, ServerName: "localhost", Certificates: []tls.Certificate{p.scrape},
		NextProtos: []string{"http/1.1"}}
}

// server demands a client certificate.
func (p *pki) server() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(p.file("server.pem"), p.file("server-key.pem"))
	return &tls.Config{
		Certificates: []tls.Certificate{pair}, ClientCAs: p.pool, ClientAuth: tls.RequireAndVerifyClientCert,
		MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"},
	}, err
}

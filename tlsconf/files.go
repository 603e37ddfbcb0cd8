// Package tlsconf holds a server's keys and its trust in clients: it loads certificate,
// key, client CAs and revocation lists from files, serves them as one atomic
// snapshot, and says on every request whether a client's certificate is still trusted.
package tlsconf

import (
	"crypto/tls"
	"errors"
	"fmt"
)

// ClientAuth says what a handshake asks of the client.
type ClientAuth int

const (
	None     ClientAuth = iota // no certificate is asked for
	Optional                   // verified if given
	Required                   // none or a bad one ends the handshake
)

// Files says where keys and trust are, and how they are used.
type Files struct {
	Cert string // server certificate chain, PEM, leaf first
	Key  string // its private key, PEM; not readable by others (mode o+r)

	ClientCA   string // CAs for client certificates, PEM; set if and only if ClientAuth is not None
	ClientCRL  string // all their revocation lists, PEM or DER; empty: no revocation check
	ClientAuth ClientAuth

	MinVersion uint16 // tls.VersionTLS13 (also if 0) or tls.VersionTLS12
}

func (f Files) validate() error {
	switch {
	case f.Cert == "":
		return errors.New("certificate file: none given")
	case f.Key == "":
		return errors.New("key file: none given")
	case f.ClientAuth < None || f.ClientAuth > Required:
		return fmt.Errorf("client authentication %d: unknown", f.ClientAuth)
	case f.ClientAuth != None && f.ClientCA == "":
		return errors.New("client CA file: none given, but client certificates are asked for")
	case f.ClientAuth == None && f.ClientCA != "":
		return fmt.Errorf("client CA file %s: client certificates are not asked for", f.ClientCA)
	case f.ClientAuth == None && f.ClientCRL != "":
		return fmt.Errorf("client CRL file %s: client certificates are not asked for", f.ClientCRL)
	}
	switch f.MinVersion {
	case 0, tls.VersionTLS12, tls.VersionTLS13:
		return nil
	}
	return fmt.Errorf("TLS version %s: only 1.2 and 1.3 are permitted", tls.VersionName(f.MinVersion))
}

// sources lists the configured files in the order in which they are read.
func (f Files) sources() []source {
	list := []source{
		{role: RoleServer, path: f.Cert, limit: 1 << 20},
		{role: RoleKey, path: f.Key, limit: 1 << 16, secret: true},
	}
	if f.ClientCA != "" {
		list = append(list, source{role: RoleClientCA, path: f.ClientCA, limit: 4 << 20})
	}
	if f.ClientCRL != "" {
		list = append(list, source{role: RoleCRL, path: f.ClientCRL, limit: 16 << 20})
	}
	return list
}

// Package tlsconf holds a server's keys and its trust in clients. It loads certificate, key,
// client CAs and revocation lists from files, serves them as one atomic snapshot, and says on
// every request whether a client's certificate is still trusted.
package tlsconf

import (
	"crypto/tls"
	"errors"
	"fmt"

	"github.com/metrics-gate/metrics-gate/tlsconf/safefile"
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
	Key  string // its private key, PEM; not readable by others

	ClientCA   string // CAs for client certificates, PEM; set if and only if ClientAuth is not None
	ClientCRL  string // all their revocation lists, PEM or DER; empty: no revocation check
	ClientAuth ClientAuth

	MinVersion uint16 // tls.VersionTLS13 (also if 0) or tls.VersionTLS12
}

var (
	errNoFile   = errors.New("none given")
	errNotAsked = errors.New("client certificates are not asked for")
)

// validate reports everything that does not fit; what is about a file is a *FileError.
func (f Files) validate() error {
	var all []error
	add := func(role, path string, err error) { all = append(all, fileError(role, path, err)) }
	if f.Cert == "" {
		add(RoleServer, "", errNoFile)
	}
	if f.Key == "" {
		add(RoleKey, "", errNoFile)
	}
	switch {
	case f.ClientAuth < None || f.ClientAuth > Required:
		all = append(all, fmt.Errorf("client authentication %d: unknown", f.ClientAuth))
	case f.ClientAuth != None && f.ClientCA == "":
		add(RoleClientCA, "", fmt.Errorf("%w, but client certificates are asked for", errNoFile))
	case f.ClientAuth == None && f.ClientCA != "":
		add(RoleClientCA, f.ClientCA, errNotAsked)
	}
	if f.ClientAuth == None && f.ClientCRL != "" {
		add(RoleCRL, f.ClientCRL, errNotAsked)
	}
	switch f.MinVersion {
	case 0, tls.VersionTLS12, tls.VersionTLS13:
	default:
		all = append(all, fmt.Errorf("TLS version %s: only 1.2 and 1.3 are permitted", tls.VersionName(f.MinVersion)))
	}
	return join(all)
}

// join is errors.Join, but a single error stays as it is.
func join(all []error) error {
	if len(all) == 1 {
		return all[0]
	}
	return errors.Join(all...)
}

// Largest files, in bytes.
const (
	maxChain = 1 << 20
	maxKey   = 1 << 16
)

// sources lists the configured files in the order in which they are read.
func (f Files) sources() []source {
	list := []source{
		{RoleServer, f.Cert, safefile.Rule{MaxBytes: maxChain}},
		{RoleKey, f.Key, safefile.Rule{MaxBytes: maxKey, Secret: true}},
	}
	if f.ClientCA != "" {
		list = append(list, source{RoleClientCA, f.ClientCA, safefile.Rule{MaxBytes: 4 << 20}})
	}
	if f.ClientCRL != "" {
		list = append(list, source{RoleCRL, f.ClientCRL, safefile.Rule{MaxBytes: 16 << 20}})
	}
	return list
}

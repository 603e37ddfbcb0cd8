package auth

import (
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
)

// certificateIdentities is how many leaves' identities are remembered. They
// are derived again when forgotten, so it bounds memory and not clients.
const certificateIdentities = 1024

// Certificate authenticates requests by the verified leaf of their TLS
// connection.
type Certificate struct {
	verify     func(chains [][]*x509.Certificate) error
	identities *cache[Identity]
	recent     [recentLeaves]atomic.Pointer[recentLeaf]
}

// recentLeaves is how many leaves of open connections are recognised by their address.
const recentLeaves = 16

// recentLeaf is a leaf, as a connection has parsed it, and what it says.
type recentLeaf struct {
	leaf *x509.Certificate
	id   Identity
}

// NewCertificate returns the Authenticator of verified client certificates.
// verify is asked on every request whether the chains that the handshake
// verified are still trusted: connections outlive expiry, revocation and
// reloads. Its error refuses; one that wraps ErrExpired, ErrRevoked or ErrUnknown
// is counted as that. A nil verify trusts nobody.
func NewCertificate(verify func(chains [][]*x509.Certificate) error) Authenticator {
	return &Certificate{verify: verify, identities: newCache[Identity](certificateIdentities, nil)}
}

// Authenticate implements Authenticator. A certificate that was presented and
// not verified refuses.
func (c *Certificate) Authenticate(r *http.Request) (Identity, error) {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 && len(r.TLS.VerifiedChains) == 0 {
		return Identity{}, ErrNoCredential
	}
	chains := r.TLS.VerifiedChains
	if len(chains) == 0 || len(chains[0]) == 0 {
		return Identity{}, &Refusal{Method: MethodCertificate, Err: errors.New("client certificate was not verified")}
	}
	id := c.identity(chains[0][0])
	if err := c.trusted(chains); err != nil {
		return Identity{}, &Refusal{Method: MethodCertificate, Issuer: id.Issuer, Subject: id.Subject, Err: err}
	}
	return id, nil
}

func (c *Certificate) trusted(chains [][]*x509.Certificate) error {
	if c.verify == nil {
		return errors.New("client certificate: nobody to verify it")
	}
	err := c.verify(chains)
	if err == nil {
		return nil
	}
	return fmt.Errorf("client certificate: %w", err)
}

// identity returns what leaf says, derived once. The key is a digest of the
// whole certificate, so it can be remembered for as long as there is room. The requests
// of one connection have the same leaf in memory, which needs no digest.
func (c *Certificate) identity(leaf *x509.Certificate) Identity {
	place := &c.recent[0]
	if n := len(leaf.Raw); n > 0 {
		place = &c.recent[leaf.Raw[n-1]%recentLeaves] // a byte of the signature
	}
	if r := place.Load(); r != nil && r.leaf == leaf {
		return r.id
	}
	key := sha256.Sum256(leaf.Raw)
	id, ok := c.identities.get(key)
	if !ok {
		id = certificateIdentity(leaf)
		c.identities.put(key, id, leaf.NotAfter)
	}
	place.Store(&recentLeaf{leaf, id})
	return id
}

// certificateIdentity returns leaf's exact typed names. Subject is the most
// specific of them: what names a workload before what names a host, a person,
// and last the common name, which nobody has to check.
func certificateIdentity(leaf *x509.Certificate) Identity {
	id := Identity{
		Method: MethodCertificate,
		Issuer: leaf.Issuer.String(),
		User:   leaf.Subject.CommonName,
		Groups: leaf.Subject.Organization,
	}
	for _, uri := range leaf.URIs {
		id.Names = append(id.Names, "uri:"+uri.String())
	}
	for _, name := range leaf.DNSNames {
		id.Names = append(id.Names, "dns:"+name)
	}
	for _, address := range leaf.EmailAddresses {
		id.Names = append(id.Names, "email:"+address)
	}
	if leaf.Subject.CommonName != "" {
		id.Names = append(id.Names, "cn:"+leaf.Subject.CommonName)
	}
	switch {
	case len(id.Names) > 0:
		id.Subject = id.Names[0]
	case len(leaf.Subject.Names) > 0:
		id.Subject = leaf.Subject.String()
	default:
		id.Subject = "serial " + leaf.SerialNumber.String()
	}
	return id
}

package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
)

// configure gives s the configuration of its handshakes, and tries it. A certificate request
// holds 64 KiB (RFC 8446 section 4.2.4); the names of the CAs are left out where they do
// not fit.
func (r *Reloader) configure(s *snapshot) error {
	s.config = r.config(s)
	err := tryHandshakes(s.config)
	if err != nil && s.trust.roots != nil {
		s.unnamed = true
		s.config = r.config(s)
		err = tryHandshakes(s.config)
	}
	if err != nil {
		return fileError(RoleServer, r.files.Cert, advise(err,
			"use a certificate with an ECDSA P-256, P-384, P-521, Ed25519 or RSA key, and a chain below 256 KiB"))
	}
	return nil
}

// config is what a handshake on the snapshot uses. GetConfigForClient replaces the outer
// configuration entirely, so all of base is repeated here.
func (r *Reloader) config(s *snapshot) *tls.Config {
	c := r.base()
	c.Certificates = []tls.Certificate{s.server}
	if r.files.ClientAuth == None {
		return c
	}
	// In crypto/tls the pool that verifies is the list of names too, and no pool means the
	// system's roots. Without names crypto/tls must therefore not verify at all.
	named := !s.unnamed
	switch {
	case r.files.ClientAuth == Optional && named:
		c.ClientAuth = tls.VerifyClientCertIfGiven
	case r.files.ClientAuth == Optional:
		c.ClientAuth = tls.RequestClientCert
	case named:
		c.ClientAuth = tls.RequireAndVerifyClientCert
	default:
		c.ClientAuth = tls.RequireAnyClientCert
	}
	if named {
		c.ClientCAs = s.trust.roots
	}
	// VerifyConnection is asked on every handshake, VerifyPeerCertificate not on a resumed
	// one. It builds the paths itself, whether crypto/tls has or not.
	c.VerifyConnection = func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) == 0 && r.files.ClientAuth == Optional {
			return nil
		}
		return s.verify(presented(&state), r.now())
	}
	return c
}

// presented is what the client has sent: the paths that crypto/tls has verified or, if it has
// verified nothing, the certificates as they came, leaf first.
func presented(state *tls.ConnectionState) [][]*x509.Certificate {
	if len(state.VerifiedChains) > 0 || len(state.PeerCertificates) == 0 {
		return state.VerifiedChains
	}
	return [][]*x509.Certificate{state.PeerCertificates}
}

// VerifiedChains is state.VerifiedChains of a connection under Config. Where the names of the
// CAs are left out of the certificate request, crypto/tls verifies nothing and has no
// chains, although the handshake verified the certificate. Then these are the paths from
// the leaf to the present client CAs; nil if there are none. It builds them on each call.
// Whether a chain is trusted, for instance not revoked, is for Verify to say.
func (r *Reloader) VerifiedChains(state *tls.ConnectionState) [][]*x509.Certificate {
	if len(state.VerifiedChains) > 0 || len(state.PeerCertificates) == 0 {
		return state.VerifiedChains
	}
	s := r.current.Load()
	if s.trust.roots == nil {
		return nil
	}
	paths, err := s.trust.paths(presented(state), r.now())
	if err != nil {
		return nil
	}
	return paths
}

// base is HTTP/1.1 over TLS without resumption. Go's server knows no renegotiation.
func (r *Reloader) base() *tls.Config {
	c := &tls.Config{
		MinVersion:                  tls.VersionTLS13,
		NextProtos:                  []string{"http/1.1"},
		SessionTicketsDisabled:      true,
		DynamicRecordSizingDisabled: true,
		Renegotiation:               tls.RenegotiateNever,
		Time:                        r.now,
	}
	if r.files.MinVersion == tls.VersionTLS12 {
		c.MinVersion = tls.VersionTLS12
		c.CipherSuites = []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		}
	}
	return c
}

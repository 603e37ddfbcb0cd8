package tlsconf

import (
	"crypto/tls"
)

// config is what a handshake on the snapshot uses. GetConfigForClient replaces the outer
// configuration entirely, so all of base is repeated here.
func (r *Reloader) config(s *snapshot) *tls.Config {
	c := r.base()
	c.Certificates = []tls.Certificate{s.server}
	switch r.files.ClientAuth {
	case None:
		return c
	case Optional:
		c.ClientAuth = tls.VerifyClientCertIfGiven
	case Required:
		c.ClientAuth = tls.RequireAndVerifyClientCert
	}
	c.ClientCAs = s.trust.roots
	// VerifyConnection, unlike VerifyPeerCertificate, is asked on every handshake.
	c.VerifyConnection = func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) == 0 && r.files.ClientAuth == Optional {
			return nil
		}
		return s.verify(state.VerifiedChains, r.now())
	}
	return c
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

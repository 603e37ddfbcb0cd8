package doctor

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"strings"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/proxy/upstream"
	"github.com/metrics-gate/metrics-gate/tlsconf"
)

// Alerts of a server that refuses a client's certificate, or wants one (RFC 8446 section 6.2).
const (
	alertBadCertificate      = 42
	alertCertificateExpired  = 45
	alertUnknownCA           = 48
	alertCertificateRequired = 116
)

// refusedByTLS tells whether the server ended the handshake or the connection: it wants
// another client certificate.
func refusedByTLS(err error) bool {
	remote, ok := errors.AsType[*net.OpError](err)
	return upstream.ReasonOf(err) == upstream.ReasonReset || (ok && remote.Op == "remote error")
}

// wantsCertificate tells whether the server ended the handshake because no certificate came.
func wantsCertificate(err error) bool {
	alert, ok := tlsconf.AlertOf(err)
	return ok && alert == alertCertificateRequired
}

// noTLS tells whether what listens there does not speak TLS.
func noTLS(err error) bool {
	_, record := errors.AsType[tls.RecordHeaderError](err)
	return record || errors.Is(err, http.ErrSchemeMismatch)
}

// refusedCertificate judges the certificate of --cert as the gate of the settings does; nil if there
// is none, or the gate would accept it.
func (d *doctor) refusedCertificate(v *visit) *cli.Finding {
	if len(v.shown) == 0 || d.gate == nil || d.gate.TLS == nil || !d.config.Uses(auth.MethodCertificate) {
		return nil
	}
	refused := tlsconf.AsCertificateError(d.gate.TLS.Verify([][]*x509.Certificate{v.shown}))
	if refused == nil {
		return nil
	}
	f := cli.Fail(
		refused.Advice,
		"gate %s: refuses the client certificate of %s, serial %s, issued by %s: %v",
		v.target,
		refused.Subject,
		refused.Serial,
		refused.Issuer,
		refused,
	)
	return &f
}

// handshakeRefused says why the gate ended the handshake: by its settings if they are here, or
// else by its alert.
func (d *doctor) handshakeRefused(v *visit) cli.Finding {
	if refused := d.refusedCertificate(v); refused != nil {
		return *refused
	}
	alert, _ := tlsconf.AlertOf(v.err)
	do := "the gate's log says why"
	switch alert {
	case alertCertificateRequired:
		do = "give --cert and --key: it requires a client certificate"
	case alertUnknownCA:
		do = "show a certificate of a CA in " + config.Prefix + "TLS_CLIENT_CA_FILE, with its intermediates"
	case alertCertificateExpired:
		do = "renew the certificate, or set the clocks"
	case alertBadCertificate:
		do = "it is revoked, not for clients (extended key usage clientAuth) or too weak, or the gate's revocation " +
			"list is missing or stale: the gate's log says which"
	}
	return cli.Fail(do, "gate %s: the handshake refuses this client (%v)", v.target, v.err)
}

// forbidden says which patterns would allow the credentials, as check --as would.
func (d *doctor) forbidden(v *visit) cli.Finding {
	patterns := d.identity(v).Patterns()
	const list = config.Prefix + "METRICS_ALLOW"
	if len(patterns) == 0 {
		return cli.Fail("add the identity that the gate's log names to "+list,
			"scrape %s: 403, known and not allowed", v.target)
	}
	do := "to allow it, add " + patterns[0] + " to " + list
	if len(patterns) > 1 {
		do = "to allow it, add one of " + strings.Join(patterns, " ") + " to " + list
	}
	return cli.Fail(do, "scrape %s: 403, known and not allowed", v.target)
}

// identity is what a gate knows of the credentials of an answered visit; empty if only the gate
// itself can tell.
func (d *doctor) identity(v *visit) auth.Identity {
	sent := v.response.Request
	var by auth.Authenticator = auth.NewCertificate(func([][]*x509.Certificate) error { return nil }) // the gate has
	if sent.Header.Get("Authorization") != "" {
		tokens, err := auth.LoadTokens(d.config.Allow.TokensFile)
		if err != nil {
			return auth.Identity{}
		}
		by = tokens
	}
	id, err := by.Authenticate(&http.Request{Header: sent.Header,
		TLS: &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{v.shown}}})
	if err != nil {
		return auth.Identity{}
	}
	return id
}

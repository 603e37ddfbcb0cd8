package gate

import (
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/tlsconf"
)

// handshakeReason is why a handshake failed: the metric label "reason" and the log attribute.
type handshakeReason uint8

const (
	handshakeCertificate   handshakeReason = iota // the client's certificate is refused
	handshakeNoCertificate                        // it has none, and one is required
	handshakeAlert                                // the client ended it
	handshakeProtocol                             // no TLS, or none in common
	handshakeTimeout                              // not complete within READ_HEADER_TIMEOUT
	handshakeThrottled                            // likewise: its address had failed too often
	handshakeClosed                               // the client left
	handshakeReasons
	handshakeNone // no failure
)

// String returns the value of the metric label.
func (r handshakeReason) String() string {
	return [...]string{"certificate", "no_certificate", "alert", "protocol", "timeout", "throttled", "closed"}[r]
}

// judge says why the handshake failed, and what the log says about it. A client that leaves
// before its first byte, as a port scan does, has not failed, nor has one that this side
// closed to make room.
func (e *HandshakeError) judge() (handshakeReason, []slog.Attr) {
	if refused := tlsconf.AsCertificateError(e.err); refused != nil {
		return handshakeCertificate, []slog.Attr{
			slog.String("subject", refused.Subject), slog.String("issuer", refused.Issuer),
			slog.String("serial", refused.Serial), slog.String("err", refused.Error()),
			slog.String("advice", refused.Advice),
		}
	}
	if alert, ok := tlsconf.AlertOf(e.err); ok {
		return handshakeAlert, e.explained(e.adviceAboutAlert(alert))
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](e.err); ok {
		return handshakeProtocol, e.explained("the client sends no TLS: use https in its configuration")
	}
	var network net.Error
	switch {
	case errors.Is(e.err, net.ErrClosed):
		return handshakeNone, nil
	case errors.As(e.err, &network) && network.Timeout() && e.hello.paced:
		return handshakeThrottled, e.explained("handshakes of this address wait: it failed too often before")
	case errors.As(e.err, &network) && network.Timeout():
		return handshakeTimeout, e.explained("")
	case !e.hello.came && errors.Is(e.err, io.EOF):
		return handshakeNone, nil
	case network != nil, errors.Is(e.err, io.EOF), errors.Is(e.err, io.ErrUnexpectedEOF):
		return handshakeClosed, e.explained(e.adviceAboutClosed())
	case e.lacksCertificate():
		return handshakeNoCertificate, e.explained("give the client a certificate of a CA in the client CA file")
	}
	return handshakeProtocol, e.explained("")
}

// adviceAboutClosed says why a client may have left. One of OpenSSL that refuses the certificate says
// so without encryption, where the gate awaits encrypted records: "bad record MAC". Before its
// hello a client has seen nothing of the gate that it could refuse.
func (e *HandshakeError) adviceAboutClosed() string {
	if !e.hello.came {
		return ""
	}
	if e.expired {
		return adviceOwnExpired()
	}
	return "the client does not trust this gate's CA, or hung up: set its CA file (curl: --cacert) to the CA of the " +
		"gate's certificate"
}

// lacksCertificate tells whether the handshake got as far as the client's certificate, and
// none came. crypto/tls has no error of a type for that.
func (e *HandshakeError) lacksCertificate() bool {
	s := e.conn.ConnectionState()
	return s.CipherSuite != 0 && len(s.PeerCertificates) == 0 && (s.NegotiatedProtocol != "" || !e.hello.alpn)
}

// explained is the cause with advice, which may be empty.
func (e *HandshakeError) explained(advice string) []slog.Attr {
	attrs := []slog.Attr{slog.String("err", e.err.Error())}
	if advice != "" {
		attrs = append(attrs, slog.String("advice", advice))
	}
	return attrs
}

// Alerts of a client that refuses the gate's certificate (RFC 8446 section 6.2).
const (
	alertBadCertificate     = 42
	alertCertificateExpired = 45
	alertCertificateUnknown = 46
	alertUnknownCA          = 48
)

// adviceAboutAlert says what to change about a client's alert; empty for one that says nothing
// of the gate's certificate.
func (e *HandshakeError) adviceAboutAlert(alert tls.AlertError) string {
	switch alert {
	case alertUnknownCA, alertBadCertificate, alertCertificateUnknown:
		if e.expired {
			return adviceOwnExpired()
		}
		return "the scraper does not trust this gate's CA: set its ca_file to the CA of the gate's certificate, and " +
			"its server_name to a name in that certificate"
	case alertCertificateExpired:
		return "the scraper says that the gate's certificate is expired: renew it, or set the clocks"
	}
	return ""
}

// adviceOwnExpired is for whatever a client says of a certificate that is past its end.
func adviceOwnExpired() string {
	return "the gate's own certificate is expired: renew " + config.Prefix + "TLS_CERT_FILE; if its dates are right, " +
		"set the clock"
}

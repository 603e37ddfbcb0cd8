package gate

import (
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/tlsconf"
)

// withChains gives authenticate the chains of a client certificate where crypto/tls has none:
// see tlsconf.Reloader.VerifiedChains. They stay with the connection.
func withChains(t *tlsconf.Reloader, authenticate func(http.Handler) http.Handler) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		next = authenticate(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.TLS != nil && len(r.TLS.VerifiedChains) == 0 && len(r.TLS.PeerCertificates) > 0 {
				r.TLS.VerifiedChains = t.VerifiedChains(r.TLS)
			}
			next.ServeHTTP(w, r)
		})
	}
}

// verifier asks tlsconf about a certificate and answers with the errors of auth.
func verifier(t *tlsconf.Reloader) func([][]*x509.Certificate) error {
	return func(chains [][]*x509.Certificate) error { return certificateError(t.Verify(chains)) }
}

// certificateError wraps the error of auth that says why a certificate is refused. What is too
// weak, for another use, or without a usable revocation list is a bad credential, for
// which auth has no error of its own.
func certificateError(err error) error {
	switch {
	case errors.Is(err, tlsconf.ErrRevoked):
		return fmt.Errorf("%w: %w", auth.ErrRevoked, err)
	case errors.Is(err, tlsconf.ErrExpired):
		return fmt.Errorf("%w: %w", auth.ErrExpired, err)
	case errors.Is(err, tlsconf.ErrUntrusted):
		return fmt.Errorf("%w: %w", auth.ErrUnknown, err)
	}
	return err
}

// advised adds to the refusal of a certificate what to change about it.
type advised struct{ auth.Authenticator }

// Authenticate implements auth.Authenticator.
func (a advised) Authenticate(r *http.Request) (auth.Identity, error) {
	id, err := a.Authenticator.Authenticate(r)
	refusal, refused := errors.AsType[*auth.Refusal](err)
	if certificate := tlsconf.AsCertificateError(err); refused && certificate != nil && certificate.Advice != "" {
		refusal.Details = append(refusal.Details, slog.String("advice", certificate.Advice))
	}
	return id, err
}

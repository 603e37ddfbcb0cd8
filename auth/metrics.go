package auth

import (
	"crypto/x509"
	"errors"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Reasons why an authentication ended as it did; the only values of the metric
// label "result" and of the log key "reason" of a 401, 429 or 503.
const (
	ReasonSuccess     = "success"
	ReasonNone        = "no_credential"
	ReasonBad         = "bad_credential"
	ReasonExpired     = "expired"
	ReasonRevoked     = "revoked"
	ReasonUnknown     = "unknown"
	ReasonThrottled   = "throttled"
	ReasonUnavailable = "unavailable"
)

// reasonOf sorts the error of an Authenticator into one of the reasons.
func reasonOf(err error) string {
	var invalid x509.CertificateInvalidError
	var authority x509.UnknownAuthorityError
	switch {
	case err == nil:
		return ReasonSuccess
	case errors.Is(err, ErrThrottled):
		return ReasonThrottled
	case errors.Is(err, ErrUnavailable):
		return ReasonUnavailable
	case errors.Is(err, ErrExpired), errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return ReasonExpired
	case errors.Is(err, ErrRevoked):
		return ReasonRevoked
	case errors.Is(err, ErrUnknown), errors.As(err, &authority):
		return ReasonUnknown
	case errors.Is(err, ErrNoCredential):
		return ReasonNone
	}
	return ReasonBad
}

// Metrics counts what the middleware decides. A nil *Metrics counts nothing.
type Metrics struct {
	authentications map[[2]string]prometheus.Counter // {method, result}
	denied          *prometheus.CounterVec
}

// NewMetrics registers metrics_gate_authentications_total and
// metrics_gate_authorizations_denied_total; a nil registerer registers
// nowhere. Every method and result starts at zero, and so does every route
// that Authorize is made for.
func NewMetrics(registerer prometheus.Registerer) *Metrics {
	factory := promauto.With(registerer)
	authentications := factory.NewCounterVec(prometheus.CounterOpts{
		Name: "metrics_gate_authentications_total",
		Help: "Requests by how the caller authenticated and what came of it.",
	}, []string{"method", "result"})
	m := &Metrics{
		authentications: map[[2]string]prometheus.Counter{},
		denied: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "metrics_gate_authorizations_denied_total",
			Help: "Requests of authenticated callers that were not allowed, by route.",
		}, []string{"route"}),
	}
	for _, method := range []string{MethodCertificate, MethodToken, MethodOIDC, MethodKubernetes, MethodNone} {
		for _, result := range []string{ReasonSuccess, ReasonNone, ReasonBad, ReasonExpired,
			ReasonRevoked, ReasonUnknown, ReasonThrottled, ReasonUnavailable} {
			m.authentications[[2]string{method, result}] = authentications.WithLabelValues(method, result)
		}
	}
	return m
}

func (m *Metrics) authenticated(method, result string) {
	if m == nil {
		return
	}
	if counter, ok := m.authentications[[2]string{method, result}]; ok {
		counter.Inc()
	}
}

// deniedOf returns the counter of a route, from then on exposed.
func (m *Metrics) deniedOf(route string) prometheus.Counter {
	if m == nil {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "none"})
	}
	return m.denied.WithLabelValues(route)
}

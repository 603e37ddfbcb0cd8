package auth

import (
	"crypto/x509"
	"errors"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Outcomes of an authentication: the values of the metric label "result" and of the log key
// "reason" of a 401, 429 or 503.
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
	var unknownCA x509.UnknownAuthorityError
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
	case errors.Is(err, ErrUnknown), errors.As(err, &unknownCA):
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
	allowed         *prometheus.CounterVec
	lastUsed        *prometheus.GaugeVec
}

// NewMetrics registers metrics_gate_authentications_total,
// metrics_gate_authorizations_denied_total, metrics_gate_allowed_total and
// metrics_gate_rule_last_used_timestamp_seconds; a nil registerer registers nowhere. Every
// method and result starts at zero, and so does every route and every pattern that Authorize
// is made for. It panics if one of them is registered already.
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
		allowed: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "metrics_gate_allowed_total",
			Help: "Requests that were allowed, by the pattern of the allow lists that matched.",
		}, []string{"rule"}),
		lastUsed: factory.NewGaugeVec(prometheus.GaugeOpts{
			Name: "metrics_gate_rule_last_used_timestamp_seconds",
			Help: "When the pattern of the allow lists last allowed a request, in seconds since 1970; 0 is never.",
		}, []string{"rule"}),
	}
	methods := []string{MethodNone}
	for _, method := range Methods() {
		methods = append(methods, method.Name)
	}
	for _, method := range methods {
		for _, result := range []string{ReasonSuccess, ReasonNone, ReasonBad, ReasonExpired,
			ReasonRevoked, ReasonUnknown, ReasonThrottled, ReasonUnavailable} {
			m.authentications[[2]string{method, result}] = authentications.WithLabelValues(method, result)
		}
	}
	return m
}

// CountRefusal counts a failed authentication that no request was made for, such as a TLS
// handshake that ended because of the client's certificate. method is one of the Method
// constants; err is sorted as an Authenticator's.
func (m *Metrics) CountRefusal(method string, err error) { m.authenticated(method, reasonOf(err)) }

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

// ruleUse counts the requests that one pattern has allowed.
type ruleUse struct {
	allowed  prometheus.Counter
	lastUsed prometheus.Gauge
}

// rulesOf returns the metrics of p's patterns, from then on exposed.
func (m *Metrics) rulesOf(p Policy) map[string]ruleUse {
	if m == nil {
		return nil
	}
	uses := map[string]ruleUse{}
	for _, rule := range p.rules {
		uses[rule] = ruleUse{m.allowed.WithLabelValues(rule), m.lastUsed.WithLabelValues(rule)}
	}
	return uses
}

// count notes that a pattern has allowed a request now.
func (u ruleUse) count() {
	if u.allowed != nil {
		u.allowed.Inc()
		u.lastUsed.SetToCurrentTime()
	}
}

// register exports when the keys were last fetched. The issuer is a constant label, so that
// every issuer has its own collector in the one registry, and the same issuer twice is an
// error.
func (a *OIDC) register() error {
	if a.options.Registerer == nil {
		return nil
	}
	return a.options.Registerer.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name:        "metrics_gate_jwks_last_success_timestamp_seconds",
		Help:        "When the issuer's keys were last fetched, in seconds since 1970; 0 is never.",
		ConstLabels: prometheus.Labels{"issuer": a.options.Issuer},
	}, a.lastSuccess))
}

func (a *OIDC) lastSuccess() float64 {
	ring := a.keys.ring.Load()
	if ring == nil {
		return 0
	}
	return float64(ring.at.UnixMilli()) / 1000
}

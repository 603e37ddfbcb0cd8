package auth

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

// unavailableRetry is how long a caller waits whose credential nobody could
// judge: about as long as an issuer is not asked again.
const unavailableRetry = 10 * time.Second

// Options are what the middleware reports to. The zero value reports to nobody.
type Options struct {
	Log     *slog.Logger // nil: nothing is logged
	Metrics *Metrics     // nil: nothing is counted
	// Fail notes a failed authentication of r's peer. When the peer has used
	// up its share, ok is false and the answer is 429, to be tried again
	// after retryAfter. Nil: failures are not limited.
	Fail func(r *http.Request) (retryAfter time.Duration, ok bool)
	// Challenge makes a 401 say that bearer tokens are welcome (RFC 6750 section 3).
	Challenge bool
	// AllowList is how a log line calls the list that Authorize asks, such as
	// the name of its setting. Empty: "the allow list".
	AllowList string
}

func (o *Options) fill() {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.AllowList == "" {
		o.AllowList = "the allow list"
	}
}

// Authenticate returns the middleware that lets a request pass when a proves
// who sends it, with the Identity in its context. Everything else it ends: 429
// when the peer has failed too often, 503 when nobody could judge the
// credential, and otherwise 401, which is the same whatever the reason.
func Authenticate(a Authenticator, o Options) func(http.Handler) http.Handler {
	o.fill()
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			id, err := a.Authenticate(r)
			if err == nil && id.Method == "" {
				err = errors.New("authenticator names no method")
			}
			if err != nil {
				o.unauthenticated(w, r, err)
				return
			}
			o.Metrics.authenticated(id.Method, ReasonSuccess)
			next.ServeHTTP(w, r.WithContext(NewContext(r.Context(), id)))
		})
	}
}

func (o *Options) unauthenticated(w http.ResponseWriter, r *http.Request, err error) {
	status, retryAfter := http.StatusUnauthorized, time.Duration(0)
	switch {
	case errors.Is(err, ErrThrottled):
		status, retryAfter = http.StatusTooManyRequests, time.Second
	case errors.Is(err, ErrUnavailable):
		status, retryAfter = http.StatusServiceUnavailable, unavailableRetry
	}
	reason := reasonOf(err)
	if o.Fail != nil {
		if after, ok := o.Fail(r); !ok {
			status, retryAfter, reason = http.StatusTooManyRequests, after, ReasonThrottled
		}
	}
	refusal := &Refusal{Method: MethodNone, Err: err}
	errors.As(err, &refusal)
	o.Metrics.authenticated(refusal.Method, reason)
	o.Log.LogAttrs(r.Context(), slog.LevelWarn, "authentication refused", slog.String("remote", r.RemoteAddr),
		slog.String("method", refusal.Method), slog.String("subject", clip(refusal.Subject)),
		slog.String("issuer", clip(refusal.Issuer)), slog.String("reason", reason), slog.String("err", clip(err.Error())))
	if o.Challenge && status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	if r.ContentLength != 0 || refusal.Method == MethodCertificate {
		// A stranger's body is not worth reading, and a certificate is shown only once a connection.
		w.Header().Set("Connection", "close")
	}
	writeRefusal(w, status, retryAfter)
}

// Authorizer says whether an identity may do what a request asks: nil lets it
// pass, an error that wraps ErrUnavailable means that nobody could be asked
// (503), and any other error denies (403).
type Authorizer func(*http.Request, Identity) error

// Authorize returns the middleware that lets a request pass when p allows its
// identity and each of more does too. A request without an identity is denied.
// route is one of a fixed set: it becomes a metric label.
func Authorize(p Policy, route string, o Options, more ...Authorizer) func(http.Handler) http.Handler {
	o.fill()
	denied := o.Metrics.deniedOf(route)
	permit := func(r *http.Request, id Identity) (rule string, err error) {
		rule, ok := p.Allows(id)
		if !ok {
			return "", notAllowed(p, id, o.AllowList)
		}
		for _, ask := range more {
			if err := ask(r, id); err != nil {
				return rule, err
			}
		}
		return rule, nil
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			id, _ := FromContext(r.Context())
			rule, err := permit(r, id)
			if err == nil {
				o.allowed(r, id, route, rule)
				next.ServeHTTP(w, r)
				return
			}
			status, retryAfter, reason := http.StatusForbidden, time.Duration(0), "denied"
			if errors.Is(err, ErrUnavailable) {
				status, retryAfter, reason = http.StatusServiceUnavailable, unavailableRetry, ReasonUnavailable
			} else {
				denied.Inc()
			}
			o.logIdentity(r, id, slog.LevelWarn, "authorization refused", slog.String("route", route),
				slog.String("reason", reason), slog.String("err", clip(err.Error())))
			writeRefusal(w, status, retryAfter)
		})
	}
}

func (o *Options) allowed(r *http.Request, id Identity, route, rule string) {
	if !o.Log.Enabled(r.Context(), slog.LevelDebug) {
		return
	}
	o.logIdentity(r, id, slog.LevelDebug, "request allowed", slog.String("route", route), slog.String("reason", rule))
}

func (o *Options) logIdentity(r *http.Request, id Identity, level slog.Level, message string, more ...slog.Attr) {
	attrs := append([]slog.Attr{slog.String("remote", r.RemoteAddr), slog.String("method", id.Method),
		slog.String("subject", clip(id.Subject)), slog.String("issuer", clip(id.Issuer))}, more...)
	o.Log.LogAttrs(r.Context(), level, message, attrs...)
}

// notAllowed says which names would have let id pass, so that whoever reads
// the log can copy one.
func notAllowed(p Policy, id Identity, list string) error {
	if id.Method == "" {
		return fmt.Errorf("%w: request without an identity", ErrDenied)
	}
	names := matchingPatterns(id)
	if p.Empty() {
		return fmt.Errorf("%w: %s allows nobody; to allow this caller, set it to one of: %s", ErrDenied, list, names)
	}
	return fmt.Errorf("%w: %s (%s) has no pattern for this caller; to allow it, add one of: %s", ErrDenied, list, clipList(p.rules), names)
}

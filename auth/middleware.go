package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

// unavailableRetry is the Retry-After of a credential that could not be checked: about as long
// as an issuer is not asked again.
const unavailableRetry = 10 * time.Second

var errNoMethod = errors.New("authenticator names no method")

// Options says where the middleware reports. The zero value reports nowhere.
type Options struct {
	Log     *slog.Logger // nil: nothing is logged; asked only at first whether it takes debug lines
	Metrics *Metrics     // nil: nothing is counted
	// Fail counts a failed authentication of r's peer. ok is false when the peer has failed
	// too often: then the answer is 429 with retryAfter. Nil: failures are not limited.
	Fail func(r *http.Request) (retryAfter time.Duration, ok bool)
	// Refused gets what a refused request claims. Nil: nobody.
	Refused func(r *http.Request, method, subject, issuer string)
	// Challenge adds WWW-Authenticate: Bearer to a 401 (RFC 6750 section 3).
	Challenge bool
	// AllowList is the name of Authorize's list in a log line, such as that of its setting.
	// Empty: "the allow list".
	AllowList string

	debug bool // Log takes debug lines
}

func (o *Options) fill() {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.debug = o.Log.Enabled(context.Background(), slog.LevelDebug)
	if o.AllowList == "" {
		o.AllowList = "the allow list"
	}
}

// Authenticate returns the middleware that passes a request on when a authenticates it, with
// the Identity in its context. It ends all others: with 429 when the peer has failed too
// often, with 503 when the credential could not be checked, and otherwise with 401, which is
// the same whatever the reason.
func Authenticate(a Authenticator, o Options) func(http.Handler) http.Handler {
	o.fill()
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			id, err := a.Authenticate(r)
			if err == nil && id.Method == "" {
				err = errNoMethod
			}
			if err != nil {
				o.unauthenticated(w, r, err)
				return
			}
			o.Metrics.authenticated(id.Method, ReasonSuccess)
			if c, ok := r.Context().Value(contextKey{}).(*contextIdentity); ok && c.take(id) {
				defer c.taken.Store(false)
			} else {
				r = r.WithContext(NewContext(r.Context(), id))
			}
			next.ServeHTTP(w, r)
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
	if o.Refused != nil {
		o.Refused(r, refusal.Method, refusal.Subject, refusal.Issuer)
	}
	attrs := append([]slog.Attr{slog.String("remote", r.RemoteAddr),
		slog.String("method", refusal.Method), slog.String("subject", clip(refusal.Subject)),
		slog.String("issuer", clip(refusal.Issuer)),
		slog.String("reason", reason), slog.String("err", clip(err.Error()))},
		refusal.Details...)
	o.Log.LogAttrs(r.Context(), slog.LevelWarn, "authentication refused", attrs...)
	if o.Challenge && status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	if r.ContentLength != 0 || refusal.Method == MethodCertificate {
		// The body is not read, and a certificate is presented only once on a connection.
		w.Header().Set("Connection", "close")
	}
	writeRefusal(w, status, retryAfter)
}

// Authorizer says whether an identity may do what a request asks. Nil lets it pass, an error
// that wraps ErrUnavailable is 503, and any other error is 403.
type Authorizer func(*http.Request, Identity) error

// Authorize returns the middleware that passes a request on when p allows its identity and
// each of more does too. A request without an identity is denied. route is one of a fixed
// set: it becomes a metric label, and so do the patterns of p.
func Authorize(p Policy, route string, o Options, more ...Authorizer) func(http.Handler) http.Handler {
	o.fill()
	denied, rules := o.Metrics.deniedOf(route), o.Metrics.rulesOf(p)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			id, _ := FromContext(r.Context())
			rule, err := o.permit(p, r, id, more)
			if err == nil {
				rules[rule].count()
				o.logAllowed(r, id, route, rule)
				next.ServeHTTP(w, r)
				return
			}
			status, retryAfter, reason := http.StatusForbidden, time.Duration(0), "denied"
			if errors.Is(err, ErrUnavailable) {
				status, retryAfter, reason = http.StatusServiceUnavailable, unavailableRetry, ReasonUnavailable
			} else {
				denied.Inc()
			}
			attrs := identityAttrs(r, id, slog.String("route", route), slog.String("reason", reason),
				slog.String("err", clip(err.Error())))
			o.Log.LogAttrs(r.Context(), slog.LevelWarn, "authorization refused", appendString(attrs, keyOmitted,
				id.Omitted)...)
			writeRefusal(w, status, retryAfter)
		})
	}
}

// permit returns the pattern of p that lets id pass, if all of more do too.
func (o *Options) permit(p Policy, r *http.Request, id Identity, more []Authorizer) (rule string, err error) {
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

func (o *Options) logAllowed(r *http.Request, id Identity, route, rule string) {
	if o.debug {
		o.Log.LogAttrs(r.Context(), slog.LevelDebug, "request allowed",
			identityAttrs(r, id, slog.String("route", route), slog.String("reason", rule))...)
	}
}

// identityAttrs are the log fields of a request of id, and more.
func identityAttrs(r *http.Request, id Identity, more ...slog.Attr) []slog.Attr {
	return append([]slog.Attr{slog.String("remote", r.RemoteAddr), slog.String("method", id.Method),
		slog.String("subject", clip(id.Subject)), slog.String("issuer", clip(id.Issuer))}, more...)
}

// notAllowed says which names would have let id pass, for the reader of the log to copy.
func notAllowed(p Policy, id Identity, list string) error {
	if id.Method == "" {
		return fmt.Errorf("%w: request without an identity", ErrDenied)
	}
	patterns := matchingPatterns(id)
	if p.Empty() {
		return fmt.Errorf("%w: %s allows nobody; to allow this caller, set it to one of: %s", ErrDenied, list, patterns)
	}
	return fmt.Errorf("%w: %s (%s) has no pattern for this caller; to allow it, add one of: %s",
		ErrDenied, list, clipList(p.rules), patterns)
}

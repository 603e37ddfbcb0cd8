// Package auth answers two questions about a request: who is asking, and may
// they. It knows verified client certificates, static bearer tokens, OpenID
// Connect tokens and the Kubernetes API server's reviews, and it fails closed.
package auth

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// Methods by which an identity can be proven; the only values of
// Identity.Method and of the metric label "method".
const (
	MethodCertificate = "certificate"
	MethodToken       = "token"
	MethodOIDC        = "oidc"
	MethodKubernetes  = "kubernetes"
	MethodNone        = "none" // no credential, or none that a method here knows
)

// Identity is a proven identity. Two identities are the same when their Key is.
// Its slices and its map are shared between requests: read only.
type Identity struct {
	Method  string   // one of the Method constants
	Issuer  string   // who vouches: issuer DN, issuer URL; empty for a static token
	Subject string   // the one name that logs show, typed as in Names
	Names   []string // typed names a pattern matches: dns:, uri:, email:, cn:, token:, user:
	Groups  []string // group names, without the "group:" of the pattern; a certificate's O are for User's reviews only

	User  string              // name in a SubjectAccessReview: the user claim, the certificate's CN, "token:NAME"
	UID   string              // uid in a SubjectAccessReview, if a TokenReview gave one
	Extra map[string][]string // extra in a SubjectAccessReview, if a TokenReview gave some
}

// Key identifies i in tables of lanes and slots. Its parts carry their length,
// so no choice of names makes two identities share a key.
func (i Identity) Key() string {
	var b strings.Builder
	b.Grow(len(i.Method) + len(i.Issuer) + len(i.Subject) + 16)
	for _, part := range [...]string{i.Method, i.Issuer, i.Subject} {
		b.WriteString(strconv.Itoa(len(part)))
		b.WriteByte(':')
		b.WriteString(part)
	}
	return b.String()
}

// Errors of an Authenticator, an Authorizer and the middleware. Whatever wraps
// none of ErrUnavailable, ErrThrottled and ErrDenied refuses the request with
// 401; ErrExpired, ErrRevoked and ErrUnknown only tell the log and the metric why.
var (
	// ErrNoCredential: the request bears no credential of this kind; try the next.
	ErrNoCredential = errors.New("no credential")
	// ErrUnavailable: whoever could judge the credential cannot be asked now (503).
	ErrUnavailable = errors.New("identity provider unavailable")
	// ErrThrottled: the peer has failed too often to be worth costly work (429).
	ErrThrottled = errors.New("too many failures from this address")
	// ErrDenied: the identity is known and may not do this (403).
	ErrDenied = errors.New("denied")
	// ErrExpired: the credential was good once.
	ErrExpired = errors.New("expired")
	// ErrRevoked: its issuer has taken the credential back.
	ErrRevoked = errors.New("revoked")
	// ErrUnknown: nobody here knows the token, the key or the issuer.
	ErrUnknown = errors.New("unknown")
)

// Refusal is the error of a credential that was presented and not accepted. It
// tells the log and the metric whose it claims to be; no field holds a secret.
type Refusal struct {
	Method  string // one of the Method constants
	Issuer  string // as presented, perhaps unproven
	Subject string // as presented, perhaps unproven; typed as in Identity.Names
	Err     error  // what is wrong, and what to change
}

// Error returns the text of r.Err.
func (r *Refusal) Error() string { return r.Err.Error() }

// Unwrap returns r.Err.
func (r *Refusal) Unwrap() error { return r.Err }

// Authenticator proves the identity behind a request. It returns an error that
// wraps ErrNoCredential if r bears no credential of its kind; any other error
// refuses the request. It must not read r's body.
type Authenticator interface {
	Authenticate(r *http.Request) (Identity, error)
}

type contextKey struct{}

// carried is an identity in a context, with its key once somebody has asked for it.
type carried struct {
	id   Identity
	once sync.Once
	key  string
}

// NewContext returns a copy of ctx that carries id.
func NewContext(ctx context.Context, id Identity) context.Context {
	return context.WithValue(ctx, contextKey{}, &carried{id: id})
}

// FromContext returns the identity that Authenticate has put into ctx.
func FromContext(ctx context.Context) (Identity, bool) {
	if c, ok := ctx.Value(contextKey{}).(*carried); ok {
		return c.id, true
	}
	return Identity{}, false
}

// KeyFromContext returns the Key of the identity in ctx; that of the zero Identity if there is none.
func KeyFromContext(ctx context.Context) string {
	if c, ok := ctx.Value(contextKey{}).(*carried); ok {
		c.once.Do(func() { c.key = c.id.Key() })
		return c.key
	}
	return Identity{}.Key()
}

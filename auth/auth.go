// Package auth answers two questions about a request: who sends it, and may they. It
// authenticates client certificates, static bearer tokens, OpenID Connect tokens and, by
// asking the Kubernetes API server, service account tokens. It authorizes by lists of
// patterns and by SubjectAccessReview. It fails closed: every error refuses the request.
//
// [NewChain] combines authenticators, [Authenticate] and [Authorize] are the middleware.
// [ReusedContext] saves them allocations.
package auth

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// Identity is who sends a request, as an Authenticator has found out. Two identities are
// the same when their Key is. Its slices and its map are shared between requests: read only.
type Identity struct {
	Method  string   // one of the Method constants
	Issuer  string   // issuer DN of a certificate, issuer URL of a token; empty for a static token
	Subject string   // the one name that logs show
	Names   []string // typed names a pattern matches: dns:, uri:, email:, cn:, token:, user:
	Groups  []string // group names, without the "group:" of the pattern; a certificate's O are for User's reviews only

	User  string              // name in a SubjectAccessReview: the user claim, the certificate's CN, "token:NAME"
	UID   string              // uid in a SubjectAccessReview, if a TokenReview gave one
	Extra map[string][]string // extra in a SubjectAccessReview, if a TokenReview gave some

	// Digest is how the digest of a static token begins: its first 8 digits in the tokens file. Tokens
	// of one name differ in it. Empty for all else.
	Digest string

	// Omitted says which names or groups the credential states but do not count, and why.
	// It is for the log of a refusal; empty: none.
	Omitted string
}

// Key identifies i in the tables of limiters. Its parts carry their length, so no choice of
// names makes two identities share a key.
func (i Identity) Key() string {
	var b strings.Builder
	b.Grow(len(i.Method) + len(i.Issuer) + len(i.Subject) + 16)
	for _, part := range i.keyParts() {
		b.WriteString(strconv.Itoa(len(part)))
		b.WriteByte(':')
		b.WriteString(part)
	}
	return b.String()
}

// keyParts are what Key is made of.
func (i *Identity) keyParts() [3]string { return [3]string{i.Method, i.Issuer, i.Subject} }

// Authenticator finds out who sends a request. It returns an error that wraps
// ErrNoCredential if r has no credential of its kind: the next one may have an answer. Any
// other error refuses the request. It must not read r's body.
type Authenticator interface {
	Authenticate(r *http.Request) (Identity, error)
}

type contextKey struct{}

// contextIdentity holds the identity of one request at a time in a context.
type contextIdentity struct {
	taken atomic.Bool // id is that of a request under way
	id    Identity
	known atomic.Pointer[knownLeaf] // nil: none
	mu    sync.Mutex                // guards key
	key   string                    // of id; empty: not asked for yet
}

// take stores id, or reports false if that of another request is there.
func (c *contextIdentity) take(id Identity) bool {
	if !c.taken.CompareAndSwap(false, true) {
		return false
	}
	if c.id.keyParts() != id.keyParts() {
		c.mu.Lock()
		c.key = ""
		c.mu.Unlock()
	}
	c.id = id
	return true
}

// ReusedContext returns a copy of ctx for requests that come one after the other. It holds the
// identity of one of them at a time, so that Authenticate need not copy them. The identity is gone
// when the handler behind Authenticate returns, and the next request puts its own there. So a
// goroutine that outlives the handler, such as that of http.TimeoutHandler, must not ask the context,
// and requests at the same time, such as those of HTTP/2, must not share it.
func ReusedContext(ctx context.Context) context.Context {
	return context.WithValue(ctx, contextKey{}, new(contextIdentity))
}

// NewContext returns a copy of ctx with id in it.
func NewContext(ctx context.Context, id Identity) context.Context {
	c := new(contextIdentity)
	c.take(id)
	return context.WithValue(ctx, contextKey{}, c)
}

// FromContext returns the identity that Authenticate has put into ctx.
func FromContext(ctx context.Context) (Identity, bool) {
	if c, ok := ctx.Value(contextKey{}).(*contextIdentity); ok && c.taken.Load() {
		return c.id, true
	}
	return Identity{}, false
}

// KeyFromContext returns the Key of the identity in ctx; that of the zero Identity if there is none.
func KeyFromContext(ctx context.Context) string {
	if c, ok := ctx.Value(contextKey{}).(*contextIdentity); ok && c.taken.Load() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.key == "" {
			c.key = c.id.Key()
		}
		return c.key
	}
	return Identity{}.Key()
}

// Errors of an Authenticator, an Authorizer and the middleware. An error that wraps none of
// ErrUnavailable, ErrThrottled and ErrDenied refuses the request with 401. ErrExpired,
// ErrRevoked and ErrUnknown tell the log and the metric why.
var (
	// ErrNoCredential: the request has no credential of this kind; try the next.
	ErrNoCredential = errors.New("no credential")
	// ErrUnavailable: the server that judges the credential cannot be asked now (503).
	ErrUnavailable = errors.New("identity provider unavailable")
	// ErrThrottled: too many requests of the peer have failed (429).
	ErrThrottled = errors.New("too many failures from this address")
	// ErrDenied: the identity is authenticated and not allowed to do this (403).
	ErrDenied = errors.New("denied")
	// ErrExpired: the credential has expired.
	ErrExpired = errors.New("expired")
	// ErrRevoked: the issuer has revoked the credential.
	ErrRevoked = errors.New("revoked")
	// ErrUnknown: no method has this token, its key or its issuer.
	ErrUnknown = errors.New("unknown")
)

// Refusal is the error of a credential that was presented and not accepted. It says for the
// log and the metric what the credential claims to be. No field holds a secret.
type Refusal struct {
	Method  string      // one of the Method constants
	Issuer  string      // as presented, not verified
	Subject string      // as presented, not verified
	Details []slog.Attr // further fields for the log: what was expected and what was presented
	Err     error       // what is wrong, and what to change
}

// Error returns the text of r.Err.
func (r *Refusal) Error() string { return r.Err.Error() }

// Unwrap returns r.Err.
func (r *Refusal) Unwrap() error { return r.Err }

// Keys of the log fields in Refusal.Details.
const (
	keyExpectedIssuer    = "expected_iss"
	keyPresentedIssuer   = "presented_iss"
	keyExpectedAudience  = "expected_aud"
	keyPresentedAudience = "presented_aud"
	keyAlgorithm         = "alg"
	keyKeyID             = "kid"
	keyKnownKeyIDs       = "known_kids"
	keySerial            = "serial"
	keyNotAfter          = "not_after"
	keyOmitted           = "omitted"
)

// appendString appends key=value unless value is empty.
func appendString(attrs []slog.Attr, key, value string) []slog.Attr {
	if value == "" {
		return attrs
	}
	return append(attrs, slog.String(key, clip(value)))
}

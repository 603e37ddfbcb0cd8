package auth

import (
	"errors"
	"log/slog"
)

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

// Refusal is the error of a credential that was presented and not accepted. It tells the log
// and the metric whose it claims to be. No field holds a secret.
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

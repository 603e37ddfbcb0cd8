package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// verifiedTokens is how many verified tokens of one issuer are cached.
const verifiedTokens = 1024

// OIDC authenticates the bearer tokens of one OpenID Connect issuer: JSON web tokens (RFC
// 7519), checked as RFC 8725 and RFC 9068 demand. go-oidc verifies them; the form of the token
// is checked before, and the claims are checked more strictly. It is an Authenticator. For several
// issuers put several into one chain.
type OIDC struct {
	options  OIDCOptions
	policy   claimPolicy
	keys     *keySet
	client   atomic.Pointer[http.Client] // for the issuer; unused with keys from a file
	verified *cache[verified]

	mu    sync.Mutex // one Reload at a time
	files oidcFiles  // as last read
}

// verified is what a token whose signature was checked says.
type verified struct {
	id           Identity
	confirmation confirmation
	key          [32]byte // digest of the key that verified it
}

// NewOIDC returns the authenticator of one issuer. It reads the files that o names. It never
// asks the issuer, which may be down when the gate starts. The error joins an *OptionError for
// each mistake in o.
func NewOIDC(o OIDCOptions) (*OIDC, error) {
	invalid := o.Validate()
	o = o.withDefaults()
	a := &OIDC{
		options:  o,
		verified: newCache[verified](verifiedTokens, o.Now),
		policy: claimPolicy{
			issuer: o.Issuer, audiences: o.Audiences,
			user: o.UsernameClaim, groups: o.GroupsClaim,
			userPrefix: o.UsernamePrefix, groupsPrefix: o.GroupsPrefix,
			required: o.RequiredClaims, maxLifetime: o.MaxLifetime, skew: o.ClockSkew,
		},
		keys: &keySet{issuer: o.Issuer, minInterval: o.JWKSMinInterval, maxAge: o.JWKSMaxAge, now: o.Now, log: o.Log},
	}
	if o.JWKSFile == "" {
		a.keys.source = a.newRemoteKeys()
	}
	_, unread := a.Reload()
	if o.DiscoveryTokenFile != "" {
		_, err := readBearer(OptionDiscoveryTokenFile, o.DiscoveryTokenFile)
		unread = errors.Join(unread, err)
	}
	if err := errors.Join(invalid, unread); err != nil {
		return nil, err
	}
	if err := a.register(); err != nil {
		return nil, &OptionError{Option: OptionIssuer, Value: o.Issuer, Err: err, Advice: "name each issuer once"}
	}
	return a, nil
}

func (a *OIDC) newRemoteKeys() *remoteKeys {
	return &remoteKeys{issuer: a.options.Issuer, tokenFile: a.options.DiscoveryTokenFile,
		now: a.options.Now, parse: a.parseKeys, client: &a.client}
}

func (a *OIDC) parseKeys(data []byte) (*keyring, error) {
	return parseKeyring(data, a.options.Algorithms, a.options.Now())
}

// Run refreshes the issuer's keys in the background until ctx ends. Without it they are
// fetched when a token needs one.
func (a *OIDC) Run(ctx context.Context) { a.keys.run(ctx) }

// Authenticate implements Authenticator. A token that is no JSON web token of this issuer is
// ErrNoCredential. A token whose key is unknown while the issuer cannot be asked is
// ErrUnavailable, and one that Admit does not admit is ErrThrottled. All other errors are a
// *Refusal. No error shows the token.
func (a *OIDC) Authenticate(r *http.Request) (Identity, error) {
	token, err := Bearer(r)
	if err != nil {
		return Identity{}, err
	}
	digest := sha256.Sum256([]byte(token))
	v, ok := a.verified.get(digest)
	if ok && a.keys.current().has(v.key) {
		if err := v.confirmation.check(r); err != nil {
			return Identity{}, &Refusal{Method: MethodOIDC, Issuer: v.id.Issuer, Subject: v.id.Subject, Err: err}
		}
		return v.id, nil
	}
	t, err := parseJWT(token)
	if err == nil && t.issuer() != a.options.Issuer {
		err = errOtherIssuer
	}
	if err != nil {
		return Identity{}, a.refusal(t, err)
	}
	v, until, err := a.inspect(r, t)
	if err != nil {
		return Identity{}, a.refusal(t, err)
	}
	key, err := a.verify(r.Context(), t)
	if err != nil {
		return Identity{}, a.refusal(t, err)
	}
	v.key = key.digest
	a.verified.put(digest, v, until)
	return v.id, nil
}

// inspect checks all that costs little before the signature, so that the issuer is not asked
// because of most bad tokens.
func (a *OIDC) inspect(r *http.Request, t *jwt) (v verified, until time.Time, err error) {
	if err := t.checkHeader(a.options.Algorithms); err != nil {
		return v, until, err
	}
	if v.id, until, err = a.policy.check(t.claims, a.options.Now()); err != nil {
		return v, until, err
	}
	if v.confirmation, err = confirmationOf(t.claims); err != nil {
		return v, until, err
	}
	if err := v.confirmation.check(r); err != nil {
		return v, until, err
	}
	if !a.options.Admit(r) {
		return v, until, ErrThrottled
	}
	return v, until, nil
}

// refusal returns err with what the token states and what was expected of it. t is nil for a
// token that could not be parsed.
func (a *OIDC) refusal(t *jwt, err error) error {
	if err == errNotJWT {
		return err
	}
	refusal := &Refusal{Method: MethodOIDC, Issuer: a.options.Issuer, Err: err}
	if t == nil {
		return refusal
	}
	if user, fault := a.policy.username(t.claims); fault == nil {
		refusal.Subject = user
	} else {
		refusal.Subject, _ = t.claims["sub"].(string)
	}
	if err == errOtherIssuer {
		refusal.Issuer = t.issuer()
		refusal.Subject, _ = t.claims["sub"].(string)
	}
	refusal.Details = append(t.details(), slog.String(keyExpectedIssuer, a.options.Issuer),
		slog.String(keyExpectedAudience, clipList(a.options.Audiences)))
	var required *requiredClaimError
	switch {
	case errors.Is(err, errLifetime):
		refusal.Details = append(refusal.Details, slog.String("max_lifetime", a.options.MaxLifetime.String()))
	case errors.Is(err, errNoKey), errors.Is(err, errSignature), errors.Is(err, errMisfit):
		refusal.Details = appendString(refusal.Details, keyKnownKeyIDs, clipList(a.keys.current().ids()))
	case errors.As(err, &required):
		refusal.Details = append(refusal.Details, required.details()...)
	}
	return refusal
}
